"""What the control API may ask of the Kraken wire: the ledger, balances, the market's time."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from planar.errors import BadRequest
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.market_model import MarketModel
from planar.venue.engine.types import Fill, Order
from planar.venue.wire import LedgerQuery
from planar.venue.wire.kraken.desk import Desk
from planar.venue.wire.kraken.formats import plain
from planar.venue.wire.kraken.tickets import ALL_ROWS, Ticket


def ledger(desk: Desk, query: LedgerQuery) -> dict[str, Any]:
    """Answer a question to the ledger; see `Wire.ledger`. Orders and fills bear Kraken's ids.

    Raises:
        BadRequest: an unknown account, symbol or asset.
    """
    exchange = desk.exchange
    accounts = _chosen("account", query.account, exchange.accounts())
    symbols = _chosen("symbol", query.symbol, list(exchange.symbols))
    assets = _chosen("asset", query.asset, list(exchange.assets))
    if query.kind == "orders":
        return {"orders": _orders(desk, query, accounts, symbols)}
    if query.kind == "fills":
        return {"fills": _fills(desk, query, accounts, symbols)}
    if query.kind == "postings":
        return {"postings": _postings(exchange, query, assets)}
    if query.kind == "balances":
        return {"balances": {name: _balances(exchange, name, assets) for name in accounts}}
    problems = exchange.audit()
    return {"ok": not problems, "problems": problems}


def set_balance(exchange: VirtualExchange, body: dict[str, Any]) -> dict[str, Any]:
    """Set a free balance.

    Raises:
        BadRequest: a field is missing or wrong.
    """
    account = _chosen("account", _text(body, "account"), exchange.accounts())[0]
    asset = _chosen("asset", _text(body, "asset"), list(exchange.assets))[0]
    text = _text(body, "free")
    try:
        free = Decimal(text)
    except InvalidOperation as error:
        raise BadRequest(f"free = '{text}' is no decimal number", hint="write it as 1.25") from error
    if not free.is_finite() or free < 0 or free != free.quantize(Decimal("1e-8")):
        raise BadRequest(f"free = '{text}' is no amount", hint="0 or more, at most eight decimals")
    exchange.set_balance(account, asset, free)
    return {"account": account, "asset": asset, **_balances(exchange, account, [asset])[asset]}


def move_market(model: MarketModel, action: str, body: dict[str, Any]) -> dict[str, Any]:
    """Freeze, resume or step the market.

    Raises:
        BadRequest: a field is missing or wrong, or the market is not frozen.
    """
    if action == "step":
        ms = body.get("ms")
        if not isinstance(ms, int) or isinstance(ms, bool) or ms < 1:
            raise BadRequest(f"ms = {ms!r} is no duration", hint="a whole number of milliseconds, at least 1")
        if not model.frozen:
            raise BadRequest("the market is running", hint="freeze it first")
        model.advance(ms)
    else:
        model.frozen = action == "freeze"
    return {"frozen": model.frozen}


def _orders(desk: Desk, query: LedgerQuery, accounts: list[str], symbols: list[str]) -> list[dict[str, Any]]:
    """One row for each Kraken order, with the engine's order that carries it now and the figures of all that did."""
    rows: list[dict[str, Any]] = []
    for ticket in (ticket for account in accounts for ticket in desk.register.tickets(account)):
        draft = ticket.draft
        wanted = draft.symbol in symbols and _matches(query, ticket)
        if wanted and (query.since_ms is None or ticket.opened_ms >= query.since_ms):
            view = desk.register.view(ticket)
            known = {"id": ticket.txid, "client_id": draft.cl_ord_id, "created_ms": ticket.opened_ms}
            figures = {"amount": plain(draft.volume), "filled": plain(view.filled), "quote_filled": plain(view.cost)}
            rows.append(_plain(view.order) | known | figures)
    rows.sort(key=lambda row: row["created_ms"])
    return _newest(rows, query.limit)


def _fills(desk: Desk, query: LedgerQuery, accounts: list[str], symbols: list[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for account in accounts:
        for symbol in symbols:
            for fill in desk.exchange.fills(account, symbol, start_ms=query.since_ms, limit=ALL_ROWS):
                ticket = desk.register.of(symbol, fill.order_id)
                if _matches(query, ticket):
                    known = {"order_id": ticket.txid, "client_id": ticket.draft.cl_ord_id}
                    execution = {"exec_id": desk.ids.trade(symbol, fill.order_id, fill.trade_id)}
                    rows.append(_plain(fill) | known | execution)
    rows.sort(key=lambda row: row["ts_ms"])
    return _newest(rows, query.limit)


def _matches(query: LedgerQuery, ticket: Ticket) -> bool:
    return query.order_id in (None, ticket.txid) and query.client_id in (None, ticket.draft.cl_ord_id)


def _postings(exchange: VirtualExchange, query: LedgerQuery, assets: list[str]) -> list[dict[str, Any]]:
    rows = [
        {
            "entry": entry.id,
            "ts_ms": entry.ts_ms,
            "kind": entry.kind.value,
            "reference": entry.reference,
            "account": posting.account,
            "asset": posting.asset,
            "amount": plain(posting.amount),
        }
        for entry in exchange.ledger.entries(account=query.account)
        if query.since_ms is None or entry.ts_ms >= query.since_ms
        for posting in entry.postings
        if posting.asset in assets and query.account in (None, posting.account)
    ]
    return _newest(rows, query.limit)


def _balances(exchange: VirtualExchange, account: str, assets: list[str]) -> dict[str, dict[str, str]]:
    held = exchange.balances(account)
    return {
        asset: {"free": plain(held[asset].free), "locked": plain(held[asset].locked)}
        for asset in assets
        if asset in held
    }


def _plain(row: Order | Fill) -> dict[str, Any]:
    """A row as JSON values, its numbers without an exponent."""
    values: dict[str, Any] = msgspec.structs.asdict(row)
    return {
        name: plain(value) if isinstance(value, Decimal) else msgspec.to_builtins(value)
        for name, value in values.items()
    }


def _newest(rows: list[Any], limit: int | None) -> list[Any]:
    return rows if limit is None else rows[max(0, len(rows) - limit) :]


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name} = {value!r} is missing or no text", hint=f"send {name} as a string")
    return value


def _chosen(field: str, value: str | None, known: list[str]) -> list[str]:
    """All that are known, or the one that is named.

    Raises:
        BadRequest: it is not known.
    """
    if value is None:
        return known
    if value not in known:
        raise BadRequest(f"no {field} '{value}'", hint=f"known: {', '.join(known)}")
    return [value]
