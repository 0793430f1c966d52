"""What the control API may ask of the Binance wire: the ledger, balances, the market's time."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from planar.errors import BadRequest
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.market_model import MarketModel
from planar.venue.engine.types import Fill, Order
from planar.venue.wire import LedgerQuery
from planar.venue.wire.binance.formats import plain

ALL_ROWS = 1_000_000_000


def ledger(exchange: VirtualExchange, query: LedgerQuery) -> dict[str, Any]:
    """Answer a question to the ledger; see `Wire.ledger`.

    Raises:
        BadRequest: an unknown account, symbol or asset.
    """
    accounts = _chosen("account", query.account, exchange.accounts())
    symbols = _chosen("symbol", query.symbol, list(exchange.symbols))
    assets = _chosen("asset", query.asset, list(exchange.assets))
    if query.kind == "orders":
        return {"orders": _orders(exchange, query, accounts, symbols)}
    if query.kind == "fills":
        return {"fills": _fills(exchange, query, accounts, symbols)}
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


def _orders(
    exchange: VirtualExchange, query: LedgerQuery, accounts: list[str], symbols: list[str]
) -> list[dict[str, Any]]:
    found: list[Order] = []
    for account in accounts:
        for symbol in symbols:
            found += exchange.orders(account, symbol, start_ms=query.since_ms, limit=ALL_ROWS)
    found = [
        order
        for order in found
        if query.order_id in (None, str(order.id)) and query.client_id in (None, order.client_id)
    ]
    found.sort(key=lambda order: order.created_ms)
    return [_plain(order) for order in _newest(found, query.limit)]


def _fills(
    exchange: VirtualExchange, query: LedgerQuery, accounts: list[str], symbols: list[str]
) -> list[dict[str, Any]]:
    found: list[Fill] = []
    for account in accounts:
        for symbol in symbols:
            found += exchange.fills(account, symbol, start_ms=query.since_ms, limit=ALL_ROWS)
    found = [
        fill
        for fill in found
        if query.order_id in (None, str(fill.order_id)) and query.client_id in (None, fill.client_id)
    ]
    found.sort(key=lambda fill: fill.ts_ms)
    return [_plain(fill) for fill in _newest(found, query.limit)]


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
