"""Kraken's orders and fills in the form of `words`: from the ledger, from CCXT, and from Kraken's own answers.

REST states fees in the quote asset and rounds what it divides to eight decimals (documentation of QueryOrders and
TradesHistory); the ledger keeps the commission as it was taken, to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from judges.kit import exact
from judges.words import Row

PLACES = Decimal("0.00000001")
STATUSES = {
    "new": "open",
    "partially_filled": "open",
    "filled": "closed",
    "canceled": "canceled",
    "expired": "canceled",
    "expired_in_match": "canceled",
}
TYPES = {
    "stop_loss": "market",
    "take_profit": "market",
    "stop_loss_limit": "limit",
    "take_profit_limit": "limit",
    "trailing_stop": "market",
    "trailing_stop_limit": "limit",
    "iceberg": "limit",
}


def _optional(value: Any) -> Decimal:
    return Decimal(0) if value is None else exact(value)


def _places(value: Decimal) -> Decimal:
    return value.quantize(PLACES, ROUND_HALF_EVEN)  # CCXT changes how numbers are rounded by default


def fee_in_quote(fill: Mapping[str, Any]) -> Decimal:
    """What the commission of a fill of the ledger is worth in the quote asset."""
    commission = Decimal(fill["commission"])
    in_quote = fill["symbol"].endswith(f"/{fill['commission_asset']}")
    return commission if in_quote else commission * Decimal(fill["price"])


def expected_order(row: Mapping[str, Any]) -> Row:
    """An order of the ledger, in CCXT's words."""
    filled, cost = Decimal(row["filled"]), Decimal(row["quote_filled"])
    amount = Decimal(row["quote_amount"] or row["amount"])  # the volume is what was asked for, in what it was asked for
    status = STATUSES[row["status"]]
    if status == "canceled" and filled and row["kind"] == "market":
        status = "closed"  # a market order that found too few partners is over
    return {
        "id": str(row["id"]),
        "client_id": row["client_id"],
        "symbol": row["symbol"],
        "side": row["side"],
        "unified_type": TYPES.get(row["kind"], row["kind"]),
        "status": status,
        "stop_price": Decimal(row["trigger_price" if row["trailing"] else "stop_price"] or 0),
        "limit_price": Decimal(row["price"] or 0),
        "amount": amount,
        "filled": filled,
        "remaining": amount - filled,
        "cost": _places(cost),
        "average": _places(cost / filled) if filled else Decimal(0),
        "post_only": row["post_only"],
        "created_ms": row["created_ms"],
        "updated_ms": row["updated_ms"],
    }


def unified_order(said: Mapping[str, Any]) -> Row:
    """An order as CCXT shows it, from REST in full; `cost` as Kraken states it, which CCXT computes anew."""
    info = said["info"]
    row = {
        "id": said["id"],
        "client_id": said["clientOrderId"],
        "symbol": said["symbol"],
        "side": said["side"],
        "unified_type": TYPES.get(said["type"].replace("-", "_"), said["type"]),
        "status": said["status"],
        "stop_price": _optional(said["stopLossPrice"]) or _optional(said["takeProfitPrice"]),
        "amount": exact(said["amount"]),
        "filled": exact(said["filled"]),
        "cost": exact(info["cost"]),
        "average": _optional(said["average"]),
        "post_only": said["postOnly"],
        "created_ms": said["timestamp"],
    }
    if said["type"].startswith("trailing"):  # CCXT shows no trigger of one that trails
        row["stop_price"] = exact(info["stopprice"])
    if "viqc" not in info["oflags"]:  # CCXT takes what is bought from what was to be paid
        row["remaining"] = exact(said["remaining"])
    if said["type"] == "limit":
        row["limit_price"] = exact(said["price"])
    if said["status"] != "open":
        row["updated_ms"] = said["lastUpdateTimestamp"]
    return row


def unified_fees(order: Mapping[str, Any], rows: list[dict[str, Any]]) -> tuple[Any, Any]:
    """The fee of an order as CCXT shows it, and what the ledger took, in the quote asset."""
    return exact(order["fee"]["cost"]), _places(sum((fee_in_quote(row) for row in rows), Decimal(0)))


def booked_fill(row: Mapping[str, Any]) -> Row:
    """A fill of the ledger, its fee as REST states it."""
    return {
        "id": row["id"],
        "order_id": str(row["order_id"]),
        "symbol": row["symbol"],
        "side": row["side"],
        "price": Decimal(row["price"]),
        "amount": Decimal(row["amount"]),
        "cost": _places(Decimal(row["quote"])),
        "fee": _places(fee_in_quote(row)),
        "is_maker": row["is_maker"],
        "ts_ms": row["ts_ms"],
    }


def unified_fill(said: Mapping[str, Any]) -> Row:
    """A trade of the account as CCXT shows it, from REST."""
    return {
        "id": said["id"],
        "order_id": said["order"],
        "symbol": said["symbol"],
        "side": said["side"],
        "price": exact(said["price"]),
        "amount": exact(said["amount"]),
        "cost": exact(said["cost"]),
        "fee": exact(said["fee"]["cost"]),
        "is_maker": said["takerOrMaker"] == "maker",
        "ts_ms": said["timestamp"],
    }


def streamed_booking(row: Mapping[str, Any]) -> Row:
    """A fill of the ledger, its fee as the stream states it: in the asset in which it was taken."""
    asset = row["commission_asset"]
    return {**booked_fill(row), "fee": (asset, _places(Decimal(row["commission"])))}


def streamed_fill(said: Mapping[str, Any]) -> Row:
    """A trade of the account as `watch_my_trades` shows it."""
    return {**unified_fill(said), "fee": (said["fee"]["currency"], exact(said["fee"]["cost"]))}


def millis(text: str) -> int:
    """A time of the stream, RFC 3339, in milliseconds."""
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


class Merged:
    """Orders as the channel `executions` tells of them: each row changes what it names (its documentation).

    Attributes:
        orders: the merged rows, by order id.
        fills: the rows of trades, in the order they came.
    """

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.fills: list[dict[str, Any]] = []

    def take(self, row: Mapping[str, Any]) -> None:
        """One row of an update or a snapshot."""
        if row["exec_type"] == "trade":
            self.fills.append(dict(row))
        self.orders.setdefault(row["order_id"], {}).update(row)


def streamed_order(row: Mapping[str, Any]) -> Row:
    """A merged order of `executions` in the words of `expected_order`."""
    status = row["order_status"]
    found = {
        "id": row["order_id"],
        "client_id": row.get("cl_ord_id"),
        "symbol": row["symbol"],
        "side": row["side"],
        "status": {"new": "open", "pending_new": "open", "partially_filled": "open", "filled": "closed"}.get(
            status, "canceled"
        ),
        "filled": exact(row.get("cum_qty", 0)),
        "cost": exact(row.get("cum_cost", 0)),
        "average": exact(row.get("avg_price", 0)),
        "amount": exact(row["cash_order_qty"] if "cash_order_qty" in row else row["order_qty"]),
        "limit_price": exact(row.get("limit_price", 0)),
        "post_only": row.get("post_only", False),
    }
    if not row["order_type"].startswith("trailing"):  # its trigger is a distance
        found["stop_price"] = exact(row["triggers"]["price"]) if "triggers" in row else Decimal(0)
    if status in ("filled", "canceled", "expired"):
        found["updated_ms"] = millis(row["timestamp"])
    return found


def raw_order(order_id: str, said: Mapping[str, Any]) -> Row:
    """An order of OpenOrders, ClosedOrders or QueryOrders."""
    descr = said["descr"]
    kind = descr["ordertype"]
    stop, trailing = kind.startswith(("stop-loss", "take-profit")), kind.startswith("trailing-stop")
    found = {
        "id": order_id,
        "client_id": said.get("cl_ord_id"),
        "side": descr["type"],
        "unified_type": TYPES.get(kind.replace("-", "_"), kind),
        "status": said["status"],
        "stop_price": exact(descr["price"]) if stop else exact(said["stopprice"]),
        "amount": exact(said["vol"]),
        "filled": exact(said["vol_exec"]),
        "cost": exact(said["cost"]),
        "average": exact(said["price"]),
        "post_only": "post" in said["oflags"].split(","),
        "created_ms": round(said["opentm"] * 1000),
    }
    if trailing:  # it is described by its distances
        found["limit_price"] = exact(said["limitprice"])
    elif kind.endswith("limit") or kind == "iceberg":
        found["limit_price"] = exact(descr["price2" if stop else "price"])
    if "closetm" in said:
        found["updated_ms"] = round(said["closetm"] * 1000)
    return found


def raw_fill(fill_id: str, said: Mapping[str, Any], symbol: str) -> Row:
    """A row of TradesHistory."""
    return {
        "id": fill_id,
        "order_id": said["ordertxid"],
        "symbol": symbol,
        "side": said["type"],
        "price": exact(said["price"]),
        "amount": exact(said["vol"]),
        "cost": exact(said["cost"]),
        "fee": exact(said["fee"]),
        "is_maker": said["maker"],
        "ts_ms": round(said["time"] * 1000),
    }
