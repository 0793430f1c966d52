"""REST, account data: balances, orders, trades, ledger, fees, WebSocket tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

from planar.venue.engine.types import Fill
from planar.venue.wire.kraken import errors, order_json
from planar.venue.wire.kraken import params as p
from planar.venue.wire.kraken.desk import Call, Desk
from planar.venue.wire.kraken.formats import ZERO, fixed
from planar.venue.wire.kraken.ids import TXID
from planar.venue.wire.kraken.names import percent
from planar.venue.wire.kraken.tickets import ALL_ROWS, Ticket

_PAGE: Final = 50
_MOST_IDS: Final = 50
_FOUR: Final = 4
Row = TypeVar("Row")


def balance(desk: Desk, call: Call) -> dict[str, str]:
    """Balance."""
    held = desk.exchange.balances(call.account)
    return {
        asset.id: fixed(held[code].total, asset.decimals)
        for code, asset in desk.names.assets.items()
        if code in held and held[code].total
    }


def balance_ex(desk: Desk, call: Call) -> dict[str, dict[str, str]]:
    """BalanceEx."""
    held = desk.exchange.balances(call.account)
    return {
        asset.id: {
            "balance": fixed(held[code].total, asset.decimals),
            "hold_trade": fixed(held[code].locked, asset.decimals),
        }
        for code, asset in desk.names.assets.items()
        if code in held and held[code].total
    }


def trade_balance(desk: Desk, call: Call) -> dict[str, str]:
    """TradeBalance, in dollars whatever `asset` says; without margin all of it is free."""
    held = desk.exchange.balances(call.account).values()
    total = fixed(sum((row.total * desk.dollars(row.asset) for row in held), ZERO), _FOUR)
    none = fixed(ZERO, _FOUR)
    return {"eb": total, "tb": total, "m": none, "n": none, "c": none, "v": none, "e": total, "mf": total}


def _chosen(desk: Desk, call: Call, tickets: list[Ticket]) -> list[Ticket]:
    """Those with the reference or client id asked for."""
    userref, client_id = p.integer(call.params, "userref"), p.text(call.params, "cl_ord_id")
    return [
        ticket
        for ticket in tickets
        if userref in (None, ticket.draft.userref) and client_id in (None, ticket.draft.cl_ord_id)
    ]


def _order(desk: Desk, call: Call, ticket: Ticket) -> dict[str, Any]:
    view = desk.register.view(ticket)
    ids = [desk.ids.trade(fill.symbol, fill.order_id, fill.trade_id) for fill in view.fills]
    return order_json.order(view, desk.names, ids if p.flag(call.params, "trades") else None)


def open_orders(desk: Desk, call: Call) -> dict[str, Any]:
    """OpenOrders, newest first."""
    chosen = _chosen(desk, call, desk.register.open(call.account))
    return {"open": {ticket.txid: _order(desk, call, ticket) for ticket in reversed(chosen)}}


def closed_orders(desk: Desk, call: Call) -> dict[str, Any]:
    """ClosedOrders, newest first, 50 a page."""
    word = p.text(call.params, "closetime") or "both"

    def times(ticket: Ticket) -> list[int]:
        closed_ms = desk.register.order(ticket).updated_ms
        return {"open": [ticket.opened_ms], "close": [closed_ms]}.get(word, [ticket.opened_ms, closed_ms])

    closed = desk.register.closed(call.account)
    bounded = _bounded(call, _chosen(desk, call, closed), times, lambda ticket: ticket.txid)
    bounded.sort(key=lambda ticket: -desk.register.order(ticket).updated_ms)
    page = _page(call, bounded)
    return {"closed": {ticket.txid: _order(desk, call, ticket) for ticket in page}, "count": len(bounded)}


def _bounded(call: Call, rows: list[Row], times: Callable[[Row], list[int]], id_of: Callable[[Row], str]) -> list[Row]:
    """The rows after `start` (exclusive) up to `end` (inclusive); both are Unix times or ids of rows."""

    def bound(name: str) -> int | None:
        value = p.text(call.params, name)
        if value is None:
            return None
        if TXID.match(value):
            for row in rows:
                if id_of(row) == value:
                    return times(row)[-1]
            raise errors.invalid(name)
        return int(p.need(call.params, name) * 1000)

    start_ms, end_ms = bound("start"), bound("end")
    return [
        row
        for row in rows
        if any((start_ms is None or at > start_ms) and (end_ms is None or at <= end_ms) for at in times(row))
    ]


def _page(call: Call, rows: Sequence[Row]) -> Sequence[Row]:
    offset = p.integer(call.params, "ofs") or 0
    if offset < 0:
        raise errors.invalid("ofs")
    return rows[offset : offset + _PAGE]


def query_orders(desk: Desk, call: Call) -> dict[str, Any]:
    """QueryOrders."""
    wanted = p.words(call.params, "txid")
    if not 1 <= len(wanted) <= _MOST_IDS:
        raise errors.invalid("txid")
    tickets = _chosen(desk, call, [desk.register.get(call.account, txid) for txid in wanted])
    return {ticket.txid: _order(desk, call, ticket) for ticket in tickets}


def order_amends(desk: Desk, call: Call) -> dict[str, Any]:
    """OrderAmends: empty for an order that was never amended."""
    rows = order_json.amends(desk.register.get(call.account, p.text(call.params, "order_id")), desk.names)
    return {"count": len(rows), "amends": rows}


def _fills(desk: Desk, call: Call) -> dict[str, Fill]:
    """All executions of an account by id, newest first."""
    found = [
        fill for symbol in desk.exchange.symbols for fill in desk.exchange.fills(call.account, symbol, limit=ALL_ROWS)
    ]
    found.sort(key=lambda fill: (-fill.ts_ms, -fill.trade_id))
    return {desk.ids.trade(fill.symbol, fill.order_id, fill.trade_id): fill for fill in found}


def _trade(desk: Desk, fill: Fill) -> dict[str, Any]:
    return order_json.trade(fill, desk.register.of(fill.symbol, fill.order_id), desk.names)


def trades_history(desk: Desk, call: Call) -> dict[str, Any]:
    """TradesHistory, newest first, 50 a page."""
    rows = list(_fills(desk, call).items())
    bounded = _bounded(call, rows, lambda row: [row[1].ts_ms], lambda row: row[0])
    page = _page(call, bounded)
    return {"trades": {txid: _trade(desk, fill) for txid, fill in page}, "count": len(bounded)}


def query_trades(desk: Desk, call: Call) -> dict[str, Any]:
    """QueryTrades."""
    wanted = p.words(call.params, "txid")
    fills = _fills(desk, call)
    if not wanted or any(txid not in fills for txid in wanted):
        raise errors.invalid("txid")
    return {txid: _trade(desk, fills[txid]) for txid in wanted}


def ledgers(desk: Desk, call: Call) -> dict[str, Any]:
    """Ledgers, newest first, 50 a page."""
    assets = [desk.names.asset(name).code for name in p.words(call.params, "asset") if name != "all"]
    kind = p.text(call.params, "type") or "all"
    rows = [
        line
        for line in reversed(desk.journal.lines(call.account))
        if (not assets or line.asset in assets) and kind in ("all", line.kind)
    ]
    bounded = _bounded(call, rows, lambda line: [line.ts_ms], lambda line: line.id)
    page = _page(call, bounded)
    return {
        "ledger": {line.id: order_json.ledger_line(line, desk.names) for line in page},
        "count": len(bounded),
    }


def query_ledgers(desk: Desk, call: Call) -> dict[str, Any]:
    """QueryLedgers."""
    wanted = p.words(call.params, "id")
    lines = {line.id: line for line in desk.journal.lines(call.account)}
    if not wanted or any(line_id not in lines for line_id in wanted):
        raise errors.invalid("id")
    return {line_id: order_json.ledger_line(lines[line_id], desk.names) for line_id in wanted}


def trade_volume(desk: Desk, call: Call) -> dict[str, Any]:
    """TradeVolume: the local venue has one fee for each pair and no tiers."""
    volume = sum((fill.quote * desk.dollars(fill.symbol.split("/")[1]) for fill in _fills(desk, call).values()), ZERO)
    found: dict[str, Any] = {"currency": "ZUSD", "volume": fixed(volume, _FOUR)}
    wanted = p.words(call.params, "pair")
    if wanted:
        pairs = [desk.names.pair(name) for name in wanted]
        found["fees"] = {pair.id: _fee(pair.spec.taker_fee) for pair in pairs}
        found["fees_maker"] = {pair.id: _fee(pair.spec.maker_fee) for pair in pairs}
    return found


def _fee(fraction: Decimal) -> dict[str, Any]:
    fee = fixed(percent(fraction), _FOUR)
    return {
        "fee": fee,
        "minfee": fee,
        "maxfee": fee,
        "nextfee": None,
        "tiervolume": fixed(ZERO, _FOUR),
        "nextvolume": None,
    }


def websockets_token(desk: Desk, call: Call) -> dict[str, Any]:
    """GetWebSocketsToken."""
    return {"token": desk.keys.issue_token(call.account), "expires": int(desk.settings.token_s)}


def open_positions(_desk: Desk, call: Call) -> list[Any] | dict[str, Any]:
    """OpenPositions: there is no margin here."""
    return [] if p.text(call.params, "consolidation") == "market" else {}
