"""The private channels: executions (orders and fills) and balances, each with a sequence of its own on a connection.

Updates of an order carry only what they change; clients merge them by `order_id` (documentation of `executions`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from planar.venue.engine.enums import EventKind, FeeAsset, OrderStatus, TimeInForce
from planar.venue.engine.events import BalanceChange, Event, OrderEvent
from planar.venue.engine.types import Fill, Order, Trailing
from planar.venue.wire.kraken.desk import Desk
from planar.venue.wire.kraken.formats import ZERO, number, rfc3339
from planar.venue.wire.kraken.journal import Line
from planar.venue.wire.kraken.socket import Connection, encode
from planar.venue.wire.kraken.tickets import ALL_ROWS, Draft, Ticket, View, fee_in_quote

_SNAPSHOT_FILLS: Final = 50
_TRANSITIONS: Final = ("new", "trade", "filled", "canceled", "expired")
"""What is sent to those who do not want every status."""


class Wishes(msgspec.Struct, frozen=True):
    """Options of a subscription to executions."""

    orders: bool = True
    trades: bool = False
    every_status: bool = True


class _Listener:
    """A subscription, with its sequence."""

    def __init__(self, channel: str, connection: Connection, wishes: Wishes) -> None:
        self.connection = connection
        self.wishes = wishes
        self._channel = channel
        self._sequence = 0

    def send(self, kind: str, rows: list[dict[str, Any]]) -> None:
        """Send one frame."""
        self._sequence += 1
        frame = {"channel": self._channel, "type": kind, "data": rows, "sequence": self._sequence}
        self.connection.send(encode(frame))


class PrivateFeed:
    """Subscribers by account."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._executions: dict[str, dict[Connection, _Listener]] = {}
        self._balances: dict[str, dict[Connection, _Listener]] = {}
        self._told: dict[str, int] = {}
        desk.exchange.subscribe(self._on_event)

    def join_executions(self, account: str, connection: Connection, wishes: Wishes) -> Callable[[], None]:
        """Begin to listen to orders and fills; returns what ends it. Orders and fills come in frames of their own."""
        listener = _Listener("executions", connection, wishes)
        if wishes.trades:
            listener.send("snapshot", self._newest_fills(account))
        if wishes.orders:
            views = [self._desk.register.view(ticket) for ticket in self._desk.register.open(account)]
            listener.send("snapshot", [self._open_order(view) for view in views])
        listeners = self._executions.setdefault(account, {})
        listeners[connection] = listener
        return lambda: _drop(listeners, connection)

    def join_balances(self, account: str, connection: Connection, *, snapshot: bool) -> Callable[[], None]:
        """Begin to listen to balances; returns what ends it."""
        listener = _Listener("balances", connection, Wishes())
        self._tell_balances(account)
        if snapshot:
            held = self._desk.exchange.balances(account).values()
            listener.send("snapshot", [_balance(row.asset, number(row.total)) for row in held if row.total])
        listeners = self._balances.setdefault(account, {})
        listeners[connection] = listener
        return lambda: _drop(listeners, connection)

    # -- events -------------------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        if isinstance(event, OrderEvent):
            ticket = self._desk.register.on_event(event)
            if self._executions.get(event.order.account):
                for row in self._rows(event, ticket):
                    self._publish(event.order.account, row)
        elif isinstance(event, BalanceChange):
            self._tell_balances(event.account)

    def _publish(self, account: str, row: dict[str, Any]) -> None:
        for listener in list(self._executions[account].values()):
            if listener.wishes.every_status or row["exec_type"] in _TRANSITIONS:
                listener.send("update", [row])

    def _rows(self, event: OrderEvent, ticket: Ticket) -> list[dict[str, Any]]:
        """What an event is to the subscribers: nothing, one execution, or two."""
        register = self._desk.register
        if event.fill is not None:
            rows = [self._fill(event.fill, ticket, "partially_filled" if event.order.is_open else "filled")]
            if not event.order.is_open:
                rows.append(self._ended(event, ticket, "filled"))
            return rows
        if event.kind is EventKind.REPLACED or (event.kind is EventKind.NEW and register.amending):
            return [self._amended(event, ticket)]
        if register.quiet and event.kind in (EventKind.NEW, EventKind.CANCELED):
            return []
        began = _short(event.ts_ms, ticket, "new", "new")
        if event.kind is EventKind.NEW:
            pending = self._details(ticket.draft, ticket, "pending_new", event.order)
            rows = [pending | {"timestamp": rfc3339(event.ts_ms)}]
            return rows if event.order.status is OrderStatus.PENDING_NEW else [*rows, began]
        if event.kind is EventKind.RELEASED:
            return [began]
        if event.kind is EventKind.TRIGGERED:
            triggered = _short(event.ts_ms, ticket, "status", "new")
            return [triggered | {"triggers": _triggers(ticket.draft, event.order, "triggered")}]
        if event.order.is_open:
            return []
        status = register.view(ticket).status
        return [self._ended(event, ticket, {"closed": "filled"}.get(status, status))]

    def _ended(self, event: OrderEvent, ticket: Ticket, word: str) -> dict[str, Any]:
        view = self._desk.register.view(ticket)
        row = _short(event.ts_ms, ticket, word, word) | self._figures(view)
        if word in ("canceled", "expired"):
            row |= {"cancel_reason": ticket.reason or "", "reason": ticket.reason or ""}
        return row

    def _amended(self, event: OrderEvent, ticket: Ticket) -> dict[str, Any]:
        draft, view = ticket.draft, self._desk.register.view(ticket)
        status = "partially_filled" if view.filled else "new"
        row = _short(event.ts_ms, ticket, "amended", status)
        row |= {"order_qty": number(draft.volume), "cum_qty": number(view.filled), "amended": True}
        if draft.limit_price is not None:
            row["limit_price"] = number(draft.limit_price)
        if draft.is_stop:
            row["triggers"] = _triggers(draft, event.order, "untriggered")
        return row | {"reason": "User requested"}

    # -- rows ---------------------------------------------------------------------------------------------------

    def _figures(self, view: View) -> dict[str, Any]:
        return {
            "cum_qty": number(view.filled),
            "cum_cost": number(view.cost),
            "fee_usd_equiv": number(view.fee * self._quote_dollars(view.ticket.draft.symbol)),
            "avg_price": number(view.average),
        }

    def _quote_dollars(self, symbol: str) -> Any:
        return self._desk.dollars(symbol.split("/")[1])

    def _details(self, draft: Draft, ticket: Ticket, word: str, order: Order) -> dict[str, Any]:
        """All that is fixed about an order."""
        row: dict[str, Any] = {"order_id": ticket.txid}
        if draft.cl_ord_id is not None:
            row["cl_ord_id"] = draft.cl_ord_id
        row |= {"order_userref": draft.userref or 0, "symbol": draft.symbol}
        row["cash_order_qty" if "viqc" in draft.oflags else "order_qty"] = number(draft.volume)
        row |= {
            "cum_cost": number(ZERO),
            "time_in_force": _tif(draft),
            "exec_type": word,
            "side": draft.side.value,
            "order_type": draft.ordertype,
        }
        if draft.limit_price is not None:
            row |= {"limit_price_type": "static", "limit_price": number(draft.limit_price)}
        elif draft.trailing is not None and draft.trailing.has_limit:
            row |= _limit_distance(draft.trailing)
        if draft.is_stop:
            row["stop_price"] = number(order.trigger_price or draft.price or ZERO)
            row["triggers"] = _triggers(draft, order, "untriggered")
        if "post" in draft.oflags:
            row["post_only"] = True
        if draft.display is not None:
            row["display_qty"] = number(draft.display)
        if draft.expire_ms is not None:
            row["expire_time"] = rfc3339(draft.expire_ms)
        if draft.start_ms is not None:
            row["effective_time"] = rfc3339(draft.start_ms)
        if ticket.refid is not None:
            row["order_ref_id"] = ticket.refid
        row |= {"order_status": word, "fee_usd_equiv": number(ZERO)}
        return row | {"fee_ccy_pref": "fcib" if draft.fee_asset is FeeAsset.BASE else "fciq"}

    def _open_order(self, view: View) -> dict[str, Any]:
        row = self._details(view.ticket.draft, view.ticket, "new", view.order) | self._figures(view)
        row["order_status"] = "partially_filled" if view.filled else "new"
        return row | {"timestamp": rfc3339(view.ticket.opened_ms)}

    def _fill(self, fill: Fill, ticket: Ticket, status: str) -> dict[str, Any]:
        row: dict[str, Any] = {"order_id": ticket.txid}
        if ticket.draft.cl_ord_id is not None:
            row["cl_ord_id"] = ticket.draft.cl_ord_id
        return row | {
            "exec_id": self._desk.ids.trade(fill.symbol, fill.order_id, fill.trade_id),
            "exec_type": "trade",
            "trade_id": fill.trade_id,
            "symbol": fill.symbol,
            "side": fill.side.value,
            "last_qty": number(fill.amount),
            "last_price": number(fill.price),
            "liquidity_ind": "m" if fill.is_maker else "t",
            "cost": number(fill.quote),
            "order_userref": ticket.draft.userref or 0,
            "order_status": status,
            "order_type": ticket.draft.ordertype,
            "fee_usd_equiv": number(fee_in_quote(fill) * self._quote_dollars(fill.symbol)),
            "fees": [{"asset": fill.commission_asset, "qty": number(fill.commission)}],
            "timestamp": rfc3339(fill.ts_ms),
        }

    def _newest_fills(self, account: str) -> list[dict[str, Any]]:
        fills = [
            fill
            for symbol in self._desk.exchange.symbols
            for fill in self._desk.exchange.fills(account, symbol, limit=ALL_ROWS)
        ]
        fills.sort(key=lambda fill: (fill.ts_ms, fill.trade_id))
        register = self._desk.register
        return [
            self._fill(fill, register.of(fill.symbol, fill.order_id), "filled") for fill in fills[-_SNAPSHOT_FILLS:]
        ]

    def _tell_balances(self, account: str) -> None:
        """Send the ledger lines that are new."""
        lines = self._desk.journal.lines(account)
        told = self._told.get(account, 0)
        self._told[account] = len(lines)
        for listener in list(self._balances.get(account, {}).values()):
            for line in lines[told:]:
                listener.send("update", [_ledger_line(line)])


def _drop(listeners: dict[Connection, _Listener], connection: Connection) -> None:
    listeners.pop(connection, None)


def _tif(draft: Draft) -> str:
    return "GTD" if draft.expire_ms is not None else "IOC" if draft.tif is TimeInForce.IOC else "GTC"


def _triggers(draft: Draft, order: Order, status: str) -> dict[str, Any]:
    """The trigger; of a trailing stop the distance, and where it would trigger now."""
    found: dict[str, Any] = {"reference": draft.trigger}
    trailing = draft.trailing
    if trailing is None:
        found |= {"price": number(draft.price or ZERO), "price_type": "static"}
    elif trailing.fraction is not None:
        found |= {"price": number(trailing.fraction * 100), "price_type": "pct"}
    else:
        found |= {"price": number(trailing.offset or ZERO), "price_type": "quote"}
    if order.trigger_price is not None:
        found["actual_price"] = number(order.trigger_price)
    return found | {"status": status}


def _limit_distance(trailing: Trailing) -> dict[str, Any]:
    """How far the limit of a trailing stop lies from its trigger."""
    if trailing.limit_fraction is not None:
        return {"limit_price_type": "pct", "limit_price": number(trailing.limit_fraction * 100)}
    return {"limit_price_type": "quote", "limit_price": number(trailing.limit_offset or ZERO)}


def _short(ts_ms: int, ticket: Ticket, word: str, status: str) -> dict[str, Any]:
    """What every change of an order says."""
    row: dict[str, Any] = {"timestamp": rfc3339(ts_ms), "order_status": status, "exec_type": word}
    row["order_userref"] = ticket.draft.userref or 0
    if ticket.draft.cl_ord_id is not None:
        row["cl_ord_id"] = ticket.draft.cl_ord_id
    return row | {"order_id": ticket.txid}


def _balance(asset: str, total: Any) -> dict[str, Any]:
    return {
        "asset": asset,
        "asset_class": "currency",
        "balance": total,
        "wallets": [{"type": "spot", "id": "main", "balance": total}],
    }


def _ledger_line(line: Line) -> dict[str, Any]:
    return {
        "ledger_id": line.id,
        "ref_id": line.refid,
        "timestamp": rfc3339(line.ts_ms),
        "type": line.kind,
        "subtype": "",
        "asset": line.asset,
        "asset_class": "currency",
        "category": line.kind,
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": number(line.amount),
        "fee": number(line.fee),
        "balance": number(line.balance),
    }
