"""The part of the seam that completes an order nothing of which is known to be filled, as CCXT's `safe_order` does.

Every acknowledgement of a new order goes that way, and every answer to a cancel of one that rested. CCXT computes what is
left of it digit by digit, and looks for fills that there are none of.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

_digits = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII).fullmatch
_NUMBERS: Final = (
    "amount",
    "remaining",
    "filled",
    "cost",
    "average",
    "price",
    "triggerPrice",
    "stopPrice",
    "takeProfitPrice",
    "stopLossPrice",
)
_NOTHING: Final = (None, "")
_EXACT: Final = 2**53
"""Up to here CCXT's way of reading an integer, through a float, changes nothing."""


class ShortOrderSeam:
    """Mixed in before CCXT's class, as a part of `CcxtSeam`."""

    def safe_order(self, order: Any, market: Any = None) -> Any:
        """CCXT's whole order of what was read of it."""
        numbers = _numbers(order) if _is_plain(order, market) and cast(Any, self).number is float else None
        if numbers is None or numbers.get("filled"):
            return cast(Any, super()).safe_order(order, market)
        return {**order, **_amounts(order, numbers), **self._words(order, numbers)}

    def _words(self, order: dict[str, Any], numbers: dict[str, float | None]) -> dict[str, Any]:
        text = cast(Any, self).safe_string
        waits = not numbers.keys().isdisjoint(("triggerPrice", "takeProfitPrice", "stopLossPrice"))
        lives, post_only, kind = text(order, "timeInForce"), _value(order, "postOnly"), text(order, "type")
        if lives is not None:
            post_only = lives == "PO" if post_only is None else post_only
        elif post_only is True:
            lives = "PO"
        elif kind == "market" and not waits:
            lives = "IOC"
        trigger = numbers.get("triggerPrice", numbers.get("stopPrice"))
        timestamp, written = order.get("timestamp"), text(order, "datetime")
        return {
            "id": text(order, "id"),
            "clientOrderId": text(order, "clientOrderId"),
            "datetime": cast(Any, self).iso8601(timestamp) if written is None else written,
            "timestamp": timestamp,
            "lastTradeTimestamp": order.get("lastTradeTimestamp"),
            "lastUpdateTimestamp": order.get("lastUpdateTimestamp"),
            "symbol": text(order, "symbol"),
            "type": kind,
            "side": text(order, "side"),
            "status": text(order, "status"),
            "timeInForce": lives,
            "postOnly": post_only,
            "reduceOnly": _value(order, "reduceOnly"),
            "stopPrice": trigger,
            "triggerPrice": trigger,
            "takeProfitPrice": numbers.get("takeProfitPrice"),
            "stopLossPrice": numbers.get("stopLossPrice"),
            "trades": [],
            "fees": [],
            "fee": None,
        }


def _is_plain(order: Any, market: Any) -> bool:
    """It tells of no fills and fees, its times are whole numbers, and it is of a spot market."""
    if type(order) is not dict or (market is not None and market.get("spot") is not True):
        return False
    one = cast("dict[str, Any]", order)
    if one.get("trades") not in (None, []) or one.get("fees") not in (None, []) or one.get("fee") is not None:
        return False
    for name in ("timestamp", "lastTradeTimestamp", "lastUpdateTimestamp"):
        value = one.get(name)
        if value is not None and not (type(value) is int and -_EXACT < value < _EXACT):
            return False
    return True


def _numbers(order: dict[str, Any]) -> dict[str, float | None] | None:
    """The numbers that it tells; None if one is not written plainly, or if what is filled has to be concluded."""
    found: dict[str, float | None] = {}
    for name in _NUMBERS:
        value = order.get(name)
        if value in _NOTHING:
            continue
        if type(value) is not str or not _digits(value):
            return None
        found[name] = float(value)
    concluded = "filled" not in found and ("remaining" in found or order.get("status") == "closed")
    return None if concluded else found


def _amounts(order: dict[str, Any], numbers: dict[str, float | None]) -> dict[str, float | None]:
    """What was wished, is left, and cost, where nothing is filled or it is not told what is."""
    filled, amount, remaining = numbers.get("filled"), numbers.get("amount") or None, numbers.get("remaining")
    average, price, cost = numbers.get("average") or None, numbers.get("price") or None, numbers.get("cost")
    if amount is None:
        amount = remaining if remaining is not None else 0.0 if order.get("status") == "closed" else None
    if cost is None and filled is not None and (average is not None or price is not None):
        cost = 0.0
    return {
        "amount": amount,
        "filled": filled,
        "remaining": amount if remaining is None and filled is not None else remaining,
        "cost": cost,
        "average": average,
        "price": average if price is None and order.get("type") == "market" else price,
    }


def _value(order: dict[str, Any], name: str) -> Any:
    value = order.get(name)
    return None if value in _NOTHING else value
