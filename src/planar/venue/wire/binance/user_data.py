"""The user data stream: what happens on an account, as events for its subscribers (user-data-stream.md).

Takes the engine's events, keeps the exchange's execution ids, and hands payloads to the connections that subscribed:
those of the WebSocket API and those on a listen key.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, Protocol

import planar.runtime as runtime
from planar.venue.engine.enums import EventKind, ListChange
from planar.venue.engine.events import BalanceChange, FundsMoved, ListEvent, OrderEvent
from planar.venue.engine.types import Order
from planar.venue.wire.binance import list_json
from planar.venue.wire.binance.formats import STATUSES, ZERO, amount, optional_amount
from planar.venue.wire.binance.order_json import list_id, trailing_delta, type_word
from planar.venue.wire.binance.order_params import Strategy
from planar.venue.wire.binance.payload import Payload
from planar.venue.wire.binance.rejects import REASON_WORDS
from planar.venue.wire.binance.symbols import SymbolTable

EXECUTION_TYPES: Final = {
    EventKind.NEW: "NEW",
    EventKind.TRIGGERED: "NEW",
    EventKind.TRADE: "TRADE",
    EventKind.CANCELED: "CANCELED",
    EventKind.EXPIRED: "EXPIRED",
    EventKind.REPLACED: "REPLACED",
    EventKind.TRADE_PREVENTION: "TRADE_PREVENTION",
    EventKind.RELEASED: "NEW",
    EventKind.REJECTED: "REJECTED",
}
"""A triggered stop is reported as NEW again, now working; so is a pending order that begins."""
LIST_CHANGES: Final = {
    ListChange.STARTED: "EXEC_STARTED",
    ListChange.UPDATED: "UPDATED",
    ListChange.DONE: "ALL_DONE",
}


class Subscriber(Protocol):
    """A connection that listens to an account."""

    def deliver(self, account: str, payload: Payload) -> None:
        """Take an event of the account; never waits."""
        ...

    def expire(self, account: str, listen_key: str | None) -> None:
        """What let it listen to the account has run out, or only this listen key: say so, and listen no more."""
        ...


class UserData:
    """Subscribers by account, and the events they get."""

    def __init__(self, symbols: SymbolTable) -> None:
        self._symbols = symbols
        self._subscribers: dict[str, dict[Subscriber, None]] = {}
        self._executions = 0
        self.updated_ms: dict[str, int] = {}
        """Time of each account's last balance change."""

    def subscribe(self, account: str, subscriber: Subscriber) -> None:
        """Events of the account from now on."""
        self._subscribers.setdefault(account, {})[subscriber] = None

    def unsubscribe(self, account: str, subscriber: Subscriber) -> None:
        """No more events; no matter if there were none."""
        self._subscribers.get(account, {}).pop(subscriber, None)

    def expire(self, account: str, listen_key: str | None = None) -> int:
        """End what lets connections listen to an account, or one listen key; how many connections listened."""
        listening = list(self._subscribers.get(account, {}))
        for subscriber in listening:
            subscriber.expire(account, listen_key)
        return len(listening)

    def has_subscriber(self, account: str) -> bool:
        """Whether anybody listens to the account."""
        return bool(self._subscribers.get(account))

    @property
    def last_execution_id(self) -> int:
        """Execution id of the newest order event."""
        return self._executions

    def on_order(self, event: OrderEvent, strategy: Strategy) -> None:
        """An order changed."""
        self._executions += 1
        execution = self._executions
        order = event.order
        market_id = self._symbols.ids[order.symbol]
        now_ms = runtime.wall_ms()
        self._publish(order.account, lambda unit: _report(event, market_id, execution, strategy, now_ms, unit))

    def on_list(self, event: ListEvent) -> None:
        """An order list began, changed or ended."""
        found = event.order_list
        market_id = self._symbols.ids[found.symbol]
        now_ms = runtime.wall_ms()
        self._publish(
            found.account,
            lambda unit: {
                "e": "listStatus",
                "E": now_ms * unit,
                "s": market_id,
                "g": found.id,
                "c": list_json.CONTINGENCIES[found.contingency],
                "l": LIST_CHANGES[event.change],
                "L": list_json.order_status(found),
                "r": "NONE",
                "C": found.client_id,
                "T": event.ts_ms * unit,
                "O": [
                    {"s": market_id, "i": row["orderId"], "c": row["clientOrderId"]}
                    for row in list_json.orders(found, market_id)
                ],
            },
        )

    def on_balances(self, event: BalanceChange) -> None:
        """Balances changed."""
        self.updated_ms[event.account] = event.ts_ms
        now_ms = runtime.wall_ms()
        self._publish(
            event.account,
            lambda unit: {
                "e": "outboundAccountPosition",
                "E": now_ms * unit,
                "u": event.ts_ms * unit,
                "B": [{"a": b.asset, "f": amount(b.free), "l": amount(b.locked)} for b in event.balances],
            },
        )

    def on_funds(self, event: FundsMoved) -> None:
        """Money came in or left."""
        now_ms = runtime.wall_ms()
        self._publish(
            event.account,
            lambda unit: {
                "e": "balanceUpdate",
                "E": now_ms * unit,
                "a": event.asset,
                "d": amount(event.delta),
                "T": event.ts_ms * unit,
            },
        )

    def _publish(self, account: str, build: Callable[[int], Any]) -> None:
        if self.has_subscriber(account):
            payload = Payload("", build)
            for subscriber in list(self._subscribers[account]):
                subscriber.deliver(account, payload)


def listen_key_expired(key: str, unit: int) -> dict[str, Any]:
    """`listenKeyExpired`."""
    return {"e": "listenKeyExpired", "E": runtime.wall_ms() * unit, "listenKey": key}


def terminated(unit: int) -> dict[str, Any]:
    """`eventStreamTerminated`."""
    return {"e": "eventStreamTerminated", "E": runtime.wall_ms() * unit}


def _report(
    event: OrderEvent, market_id: str, execution: int, strategy: Strategy, now_ms: int, unit: int
) -> dict[str, Any]:
    """`executionReport`."""
    order, fill = event.order, event.fill
    client_id, original_id = _client_ids(event)
    report: dict[str, Any] = {
        "e": "executionReport",
        "E": now_ms * unit,
        "s": market_id,
        "c": client_id,
        "S": order.side.name,
        "o": type_word(order),
        "f": order.tif.name,
        "q": amount(order.amount),
        "p": optional_amount(order.price),
        "P": optional_amount(order.stop_price),
        "F": optional_amount(order.iceberg_amount),
        "g": list_id(order),
        "C": original_id,
        "x": EXECUTION_TYPES[event.kind],
        "X": STATUSES[order.status],
        "r": "NONE" if order.reject_reason is None else REASON_WORDS.get(order.reject_reason, "NONE"),
        "i": order.id,
        "l": amount(fill.amount) if fill else ZERO,
        "z": amount(order.filled),
        "L": amount(fill.price) if fill else ZERO,
        "n": amount(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else None,
        "T": event.ts_ms * unit,
        "t": fill.trade_id if fill else -1,
        "I": execution,
        "w": order.is_open and order.working_ms is not None,
        "m": fill.is_maker if fill else False,
        "M": fill is not None,
        "O": order.created_ms * unit,
        "Z": amount(order.quote_filled),
        "Y": amount(fill.quote) if fill else ZERO,
        "Q": optional_amount(order.quote_amount),
        "V": order.self_trade_mode.name,
    }
    if order.working_ms is not None:
        report["W"] = order.working_ms * unit
    report.update(_conditional(order, strategy, unit))
    report.update(_prevention(event, market_id))
    return report


def _conditional(order: Order, strategy: Strategy, unit: int) -> dict[str, Any]:
    """The fields of trailing stops and of the client's labels."""
    fields: dict[str, Any] = {}
    delta = trailing_delta(order)
    if delta is not None:
        fields["d"] = delta
        if order.trailing_since_ms is not None:
            fields["D"] = order.trailing_since_ms * unit
    if strategy.id is not None:
        fields["j"] = strategy.id
    if strategy.type is not None:
        fields["J"] = strategy.type
    return fields


def _client_ids(event: OrderEvent) -> tuple[str, str]:
    """`c` and `C`: a cancel is reported under its own id, an amendment under the new one."""
    order = event.order
    if event.kind is EventKind.CANCELED and event.request_id is not None:
        return event.request_id, order.client_id
    return order.client_id, event.previous_client_id or ""


def _prevention(event: OrderEvent, market_id: str) -> dict[str, Any]:
    """The fields of an order that self-trade prevention ended."""
    match, order = event.prevented, event.order
    if match is None:
        return {}
    own_is_taker = match.taker_order_id == order.id
    last = match.taker_prevented if own_is_taker else match.maker_prevented
    return {
        "v": match.id,
        "A": amount(order.prevented_amount),
        "B": amount(last or Decimal(0)),
        "u": -1,
        "U": match.maker_order_id if own_is_taker else match.taker_order_id,
        "Cs": market_id,
    }


def first_fill(event: OrderEvent) -> bool:
    """Whether this is the first execution of its order."""
    order: Order = event.order
    return event.fill is not None and order.filled == event.fill.amount
