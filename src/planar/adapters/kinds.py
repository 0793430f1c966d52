"""The kinds of orders as a table: what a venue has by itself, what can be emulated, what is refused and why.

`adapters/<id>/kinds.py` holds the table of a venue whose documentation was read; for all others it follows from CCXT's
`features` (`derived_kinds`), and what these do not list is refused. `planar.orders.rules` refuses by the table before
anything is journaled, the adapter takes from it the parameters that carry a kind to the venue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, Protocol

import msgspec

from planar.models import Amount

How = Literal["native", "emulated", "refused"]

ORDER_KINDS: Final = (
    *("limit", "market", "market_cost"),
    *("post_only", "ioc", "fok", "gtd"),
    *("stop", "stop_limit", "take_profit", "take_profit_limit"),
    *("trailing", "trailing_limit", "trailing_amount"),
    *("oco", "bracket", "replace"),
)
"""All kinds, in the order in which tables show them."""


class KindRow(msgspec.Struct, frozen=True):
    """What a venue does about one kind.

    Attributes:
        how: "native": the venue does it. "emulated": Planar does it where the caller asks for it (`emulate=True`).
            "refused": neither.
        why: why it is refused, what the emulation does and does not, or what is particular.
        params: CCXT's parameter -> what is given in it: a constant, or a name of `VALUES`.
        sides: the sides that it exists for.
        step: what a trailing percentage, or a time in milliseconds, must be a multiple of.
        at_once: a trigger price that the market has passed already does not refuse the order, but executes it at once;
            such orders are refused here while a fresh price is known.
        source: where the venue, or CCXT, says so.
    """

    how: How = "native"
    why: str = ""
    params: Mapping[str, Any] = {}
    sides: tuple[str, ...] = ("buy", "sell")
    step: Amount | None = None
    at_once: bool = False
    source: str = ""


KindTable = Mapping[str, KindRow]


class Wish(Protocol):
    """What of an order decides its kinds: `OrderRequest` and `Intent` have it."""

    @property
    def type(self) -> str: ...
    @property
    def price(self) -> Amount | None: ...
    @property
    def cost(self) -> Amount | None: ...
    @property
    def stop_price(self) -> Amount | None: ...
    @property
    def trigger(self) -> str: ...
    @property
    def trailing_percent(self) -> Amount | None: ...
    @property
    def trailing_amount(self) -> Amount | None: ...
    @property
    def time_in_force(self) -> str | None: ...
    @property
    def expire_at_ms(self) -> int | None: ...
    @property
    def post_only(self) -> bool: ...


VALUES: Final[Mapping[str, Callable[[Wish], Amount | int | None]]] = {
    "{cost}": lambda wish: wish.cost,
    "{trigger}": lambda wish: wish.stop_price,
    "{percent}": lambda wish: wish.trailing_percent,
    "{distance}": lambda wish: wish.trailing_amount,
    "{end_s}": lambda wish: None if wish.expire_at_ms is None else wish.expire_at_ms // 1000,
    "{end_ms}": lambda wish: wish.expire_at_ms,
}
"""What stands for a value of the order in `KindRow.params`."""


def kinds_of(wish: Wish) -> tuple[str, ...]:
    """The kinds that an order is at once: its form first, then what is asked of it."""
    limit = wish.type == "limit"
    if wish.trailing_percent is not None or wish.trailing_amount is not None:
        found = ["trailing_limit" if limit else "trailing"]
        if wish.trailing_amount is not None:
            found.append("trailing_amount")
    elif wish.stop_price is not None:
        form = "take_profit" if wish.trigger == "take_profit" else "stop"
        found = [f"{form}_limit" if limit else form]
    else:
        found = [wish.type]
    if wish.cost is not None:
        found.append("market_cost")
    if wish.post_only:
        found.append("post_only")
    if wish.time_in_force in ("IOC", "FOK", "GTD"):
        found.append(wish.time_in_force.lower())
    return tuple(found)


def carried(wish: Wish, table: KindTable, text: Callable[[Amount], Any]) -> dict[str, Any]:
    """CCXT's parameters that carry the kinds of an order.

    Args:
        text: how an amount is told to CCXT.
    """
    found: dict[str, Any] = {}
    for kind in kinds_of(wish):
        row = table.get(kind, KindRow())
        for name, given in row.params.items():
            value = VALUES[given](wish) if isinstance(given, str) and given in VALUES else given
            if value is not None:
                found[name] = text(value) if isinstance(value, Amount) else value
    if wish.time_in_force == "GTC":
        found["timeInForce"] = "GTC"
    return found


def derived_kinds(feature: Callable[..., Any]) -> dict[str, KindRow]:
    """The table of a venue that has none of its own, by CCXT's features of a market.

    What CCXT does not list for certain is refused: CCXT passes on what it does not know, and the venue may then execute a
    stop at once.

    Args:
        feature: CCXT's value of a feature of `createOrder`, by its path.
    """
    table: dict[str, KindRow] = {"limit": KindRow(), "market": KindRow()}
    source = "CCXT's features"
    table["market_cost"] = _listed(feature("marketBuyByCost"), {"cost": "{cost}"}, sides=("buy",))
    for kind, word in (("post_only", "PO"), ("ioc", "IOC"), ("fok", "FOK")):
        params = {"postOnly": True} if kind == "post_only" else {"timeInForce": word}
        table[kind] = _listed(feature("timeInForce", word), params)
    table["gtd"] = KindRow("refused", "how the end of such an order is told is not known here", source=source)
    stop = next((name for name in ("stopLossPrice", "triggerPrice") if feature(name)), None)
    profit = "takeProfitPrice" if feature("takeProfitPrice") else None
    for kind, param in (("stop", stop), ("take_profit", profit)):
        row = _listed(param, {param or "": "{trigger}"}, at_once=True)
        table[kind] = table[f"{kind}_limit"] = row
    trailing = "CCXT's features do not say which kinds of trailing stops it has"
    for kind in ("trailing", "trailing_limit", "trailing_amount"):
        table[kind] = KindRow("refused", trailing, source=source)
    for kind in ("oco", "bracket"):
        table[kind] = KindRow("refused", "whether it has linked orders is not known here", source=source)
    table["replace"] = KindRow("emulated", CANCEL_THEN_NEW, source=source)
    return table


CANCEL_THEN_NEW: Final = (
    "the old order is canceled first, and the new one is sent only after the exchange has shown that; between the two "
    "there is neither"
)


def _listed(feature: Any, params: Mapping[str, Any], **more: Any) -> KindRow:
    if feature:
        return KindRow("native", params=params, source="CCXT's features", **more)
    return KindRow("refused", "CCXT does not list it for this market", source="CCXT's features")
