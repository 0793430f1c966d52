"""The channel `executions`: rows about orders and fills, merged into what CCXT's methods would give.

Source: documentation of WebSocket v2, executions. A row says only what it changes, and names its order by `order_id`:
an order is the sum of its rows. A row of type `trade` is a fill, and the progress of its order; that the order is done
only a row `filled` proves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from planar.adapters.kraken.book import time_ms
from planar.models import Amount

ENDED_KEPT = 1_000
"""Ended orders whose rows are remembered, so that a late row adds nothing."""

FILLS_KEPT = 8_192
"""Ids of executions by which repetitions are known; a snapshot repeats the last 50."""

ROWS_KEPT = 10_000
"""Rows that wait for a listener who lost his connection."""

STATUSES = {
    "pending_new": None,  # validated, not yet in the book: no event of its own
    "new": "open",
    "partially_filled": "open",
    "filled": "closed",
    "canceled": "canceled",
    "expired": "expired",
}

Row = Mapping[str, Any]


class _Known:
    """One order, as far as its rows have told."""

    __slots__ = ("average", "cost", "counted", "fees", "filled", "opened_ms", "row", "shown", "traded_ms", "updated_ms")

    def __init__(self) -> None:
        self.row: dict[str, Any] = {}
        self.filled = self.cost = self.counted = Amount(0)
        self.fees: dict[str, Amount] = {}
        self.opened_ms: int | None = None
        self.updated_ms: int | None = None
        self.traded_ms: int | None = None
        self.shown: tuple[Any, ...] = ()

    @property
    def status(self) -> str | None:
        return STATUSES.get(str(self.row.get("order_status")))

    @property
    def ended(self) -> bool:
        return self.status not in (None, "open")


class Executions:
    """Orders and fills of an account, from the rows of all its connections.

    Attributes:
        since_ms: fills from this moment on are told, the venue's time; None before the first subscription.
        newest_ms: the venue's time of the newest row.
        returning: message hash that was listened to when the connection broke -> what has come for it since.
    """

    def __init__(self) -> None:
        self.since_ms: int | None = None
        self.newest_ms = 0
        self.returning: dict[str, list[dict[str, Any]]] = {}
        self._orders: dict[str, _Known] = {}
        self._ended: dict[str, None] = {}
        self._fills: dict[str, None] = {}

    def expect(self, hashes: Iterable[str]) -> None:
        """Who listens to these will come back."""
        for key in hashes:
            if key.startswith(("orders", "myTrades")):
                self.returning.setdefault(key, [])

    def keep(self, key: str, rows: Sequence[dict[str, Any]]) -> None:
        """Keep rows for who comes back, the newest of them if it takes long."""
        if key in self.returning:
            self.returning[key] = [*self.returning[key], *rows][-ROWS_KEPT:]

    def open_ids(self) -> list[str]:
        """Orders that were open when they were last heard of."""
        return [order_id for order_id, known in self._orders.items() if not known.ended]

    def take(self, row: Row, *, snapshot: bool) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """The order as it is now, if the row shows something new of it, and the fill, if it is one that is new."""
        if "timestamp" in row:
            self.newest_ms = max(self.newest_ms, time_ms(row["timestamp"]))
        fill = self._fill(row) if row.get("exec_type") == "trade" else None
        if snapshot and row.get("exec_type") == "trade":
            return None, fill  # the order's own row in the snapshot, or the venue's answer about it, counts it
        return self._order(row, counts=fill is not None), fill

    def unknown(self, row: Row) -> bool:
        """Whether the row is about an order of which too little is known to show it."""
        known = self._orders.get(str(row.get("order_id")))
        return known is None or "symbol" not in known.row or "order_type" not in known.row or "side" not in known.row

    def correct(self, order: Mapping[str, Any]) -> dict[str, Any] | None:
        """An order as the venue's REST answer shows it; the same again if it is news. An older answer is none."""
        known = self._orders.setdefault(str(order["id"]), _Known())
        filled = Amount(str(order.get("filled") or 0))
        if (known.ended and known.shown) or filled < known.filled:
            return None
        known.filled, known.cost = filled, Amount(str(order.get("cost") or 0))
        info = cast("dict[str, Any]", order.get("info") or {})
        words = {"open": "new", "closed": "filled"}
        known.row |= {
            "order_status": words.get(str(order["status"]), order["status"]),
            "order_id": order["id"],
            "symbol": order["symbol"],
            "side": order["side"],
            "order_type": order["type"],
            "order_qty": order["amount"],
            "limit_price": order["price"],
            "cl_ord_id": info.get("cl_ord_id"),
        }
        self._note_end(str(order["id"]), known)
        return dict(order) if self._news(known) else None

    # -- fills -----------------------------------------------------------------------------------------------------
    def _fill(self, row: Row) -> dict[str, Any] | None:
        """The fill in CCXT's form; None if it was told before, or happened before anybody asked."""
        fill_id, at_ms = str(row["exec_id"]), time_ms(row["timestamp"])
        if fill_id in self._fills or (self.since_ms is not None and at_ms < self.since_ms):
            return None
        self._fills[fill_id] = None
        if len(self._fills) > FILLS_KEPT:
            del self._fills[next(iter(self._fills))]
        fees = [{"cost": str(fee["qty"]), "currency": fee["asset"]} for fee in row.get("fees") or ()]
        return {
            "id": fill_id,
            "order": row["order_id"],
            "symbol": row["symbol"],
            "side": row["side"],
            "type": order_kind(row["order_type"]) if "order_type" in row else None,
            "takerOrMaker": {"t": "taker", "m": "maker"}.get(str(row.get("liquidity_ind"))),
            "price": str(row["last_price"]),
            "amount": str(row["last_qty"]),
            "cost": str(row["cost"]) if "cost" in row else None,
            "fees": fees,
            "timestamp": at_ms,
            "info": dict(row),
        }

    # -- orders ----------------------------------------------------------------------------------------------------
    def _order(self, row: Row, *, counts: bool) -> dict[str, Any] | None:
        order_id = str(row["order_id"])
        known = self._orders.setdefault(order_id, _Known())
        if known.ended:
            return None
        known.row |= {name: value for name, value in row.items() if value is not None}
        at_ms = time_ms(row["timestamp"]) if "timestamp" in row else None
        known.opened_ms = known.opened_ms or at_ms
        known.updated_ms = at_ms or known.updated_ms
        if row.get("exec_type") == "trade":
            known.traded_ms = at_ms
        self._count(known, row, counts)
        self._note_end(order_id, known)
        if self.unknown(row) or known.status is None or not self._news(known):
            return None
        return _unified(order_id, known)

    @staticmethod
    def _count(known: _Known, row: Row, counts: bool) -> None:
        """What is filled: told as a sum where a row has one, else one execution more."""
        if counts:
            amount = Amount(str(row["last_qty"]))
            known.counted += amount
            known.filled += amount
            known.cost += Amount(str(row["cost"])) if "cost" in row else amount * Amount(str(row["last_price"]))
            for fee in row.get("fees") or ():
                known.fees[fee["asset"]] = known.fees.get(fee["asset"], Amount(0)) + Amount(str(fee["qty"]))
        if "cum_qty" in row:
            known.filled = max(known.filled, Amount(str(row["cum_qty"])))
            if "cum_cost" in row:
                known.cost = max(known.cost, Amount(str(row["cum_cost"])))

    def _note_end(self, order_id: str, known: _Known) -> None:
        if known.ended:
            self._ended[order_id] = None
            if len(self._ended) > ENDED_KEPT:
                oldest = next(iter(self._ended))
                del self._ended[oldest], self._orders[oldest]

    @staticmethod
    def _news(known: _Known) -> bool:
        row = known.row
        shown = (known.status, known.filled, row.get("order_qty"), row.get("limit_price"), row.get("stop_price"))
        if shown == known.shown:
            return False
        known.shown = shown
        return True


def order_kind(order_type: str) -> str:
    """CCXT's word for an order type: a stop is a limit or a market order with a trigger, an iceberg a limit order."""
    return "limit" if order_type.endswith(("limit", "iceberg")) else "market"


def _unified(order_id: str, known: _Known) -> dict[str, Any]:
    row = known.row
    kind = order_kind(row["order_type"])
    whole = known.counted == known.filled
    stop = row["triggers"].get("price") if isinstance(row.get("triggers"), Mapping) else None
    return {
        "id": order_id,
        "clientOrderId": row.get("cl_ord_id"),
        "symbol": row["symbol"],
        "side": row["side"],
        "type": kind,
        "status": known.status,
        "timeInForce": row.get("time_in_force"),
        "postOnly": row.get("post_only"),
        "amount": _text(row.get("order_qty")),
        "price": _text(row.get("limit_price")) if kind == "limit" else None,
        "triggerPrice": _text(stop),
        "filled": str(known.filled),
        "cost": str(known.cost),
        "average": str(known.cost / known.filled) if known.filled else None,
        # fees of executions that were not seen are unknown, and a part of them is no answer
        "fees": [{"cost": str(cost), "currency": asset} for asset, cost in known.fees.items()] if whole else [],
        "timestamp": known.opened_ms,
        "lastTradeTimestamp": known.traded_ms,
        "lastUpdateTimestamp": known.updated_ms,
        "info": dict(row),
    }


def _text(number: Any) -> str | None:
    return None if number is None else str(number)
