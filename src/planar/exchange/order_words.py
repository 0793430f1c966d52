"""The words in which users ask for kinds of orders: keyword arguments, and CCXT's unified parameters of the same meaning.

Both become the same fields of `OrderRequest`. A word that Planar knows and an order cannot have is refused here; it never
reaches the venue under a name that the venue may not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypedDict

import msgspec

from planar.errors import BadRequest, NotSupported, Outcome

Number = str | int | float | Decimal
"""What users write amounts and prices as. A float counts as its shortest repr: 0.1 is one tenth."""

UNIFIED: Final[Mapping[str, str]] = {
    "post_only": "postOnly",
    "time_in_force": "timeInForce",
    "expire_at_ms": "expire_at_ms",
    "trigger_price": "triggerPrice",
    "stop_loss": "stopLossPrice",
    "take_profit": "takeProfitPrice",
    "trailing_percent": "trailingPercent",
    "trailing_amount": "trailingAmount",
    "cost": "cost",
}
"""Keyword argument -> the key under which it stands in `params`: CCXT's, where CCXT has one."""

_STOPS = ("triggerPrice", "stopPrice", "stopLossPrice")
OWN: Final = frozenset({*UNIFIED.values(), "stopPrice"})
"""Keys of `params` that say which kind of order is meant."""
ATTACHED: Final = ("stopLoss", "takeProfit")
"""Keys of `params` that would attach exits."""


class KindWords(TypedDict, total=False):
    """The keyword arguments that say which kind of order is meant; see `docs/order-kinds.md`."""

    post_only: bool
    time_in_force: str
    expire_at_ms: int
    trigger_price: Number
    stop_loss: Number
    take_profit: Number
    trailing_percent: Number
    trailing_amount: Number
    cost: Number


class Words(msgspec.Struct, frozen=True):
    """What was asked for.

    Attributes:
        stop_price: the trigger price, as it was written.
        trigger: "stop" or "take_profit".
        rest: the parameters that go to the venue as they are.
    """

    stop_price: Any = None
    trigger: str = "stop"
    trailing_percent: Any = None
    trailing_amount: Any = None
    cost: Any = None
    time_in_force: str | None = None
    expire_at_ms: int | None = None
    post_only: bool = False
    rest: Mapping[str, Any] = {}


def with_words(params: Mapping[str, Any], words: KindWords, exchange: str) -> Mapping[str, Any]:
    """`params` with the keyword arguments in it.

    Raises:
        TypeError: there is no keyword argument of that name.
        BadRequest: (NOT_SENT) one thing is said twice.
    """
    found = dict(params)
    for name, value in words.items():
        if name not in UNIFIED:
            raise TypeError(f"unexpected keyword argument {name!r}")
        key = UNIFIED[name]
        if key in found:
            raise _refused(f"{name} and params[{key!r}] say the same thing", exchange, "give one of them")
        if value is not None and value is not False:
            found[key] = value
    return found


def read_words(params: Mapping[str, Any], exchange: str) -> Words:
    """What `params` ask for.

    Raises:
        BadRequest, NotSupported: both NOT_SENT.
    """
    for name in ATTACHED:
        if name in params:
            raise NotSupported(
                f"params[{name!r}] would attach an exit to the order",
                exchange=exchange,
                outcome=Outcome.NOT_SENT,
                hint="create_bracket(...) sends an entry with its exits",
            )
    given = [name for name in (*_STOPS, "takeProfitPrice") if params.get(name) is not None]
    if len(given) > 1:
        both = "takeProfitPrice" in given
        remedy = "create_oco(...) sends both, linked" if both else "give one of them"
        raise _refused(f"{' and '.join(given)}: an order has one trigger price", exchange, remedy)
    ends = params.get("expire_at_ms")
    if ends is not None and (not isinstance(ends, int) or isinstance(ends, bool)):
        raise _refused(f"expire_at_ms is {ends!r}", exchange, "UTC milliseconds, a whole number")
    return Words(
        stop_price=params[given[0]] if given else None,
        trigger="take_profit" if given == ["takeProfitPrice"] else "stop",
        trailing_percent=params.get("trailingPercent"),
        trailing_amount=params.get("trailingAmount"),
        cost=params.get("cost"),
        time_in_force=params.get("timeInForce"),
        expire_at_ms=ends,
        post_only=params.get("postOnly", False),
        rest={name: value for name, value in params.items() if name not in OWN},
    )


def _refused(problem: str, exchange: str, remedy: str) -> BadRequest:
    return BadRequest(problem, exchange=exchange, outcome=Outcome.NOT_SENT, hint=remedy)
