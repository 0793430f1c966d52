"""Relative prices: "+5", "-2%", "#1.5" (documentation of AddOrder, `price` and `price2`).

`+` adds to a reference price, `-` subtracts, `#` does what the order's type and side need; a trailing percent sign makes
the distance a share of the reference.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

_FORM: Final = re.compile(r"([+\-# ])([0-9]{1,20}(?:\.[0-9]{1,20})?)(%?)\Z")
"""A blank is a plus sign that a client did not encode."""
_PERCENT: Final = Decimal("0.01")


class Offset(msgspec.Struct, frozen=True):
    """A distance from a reference price; `sign` is "+", "-" or "#"."""

    sign: str
    distance: Decimal
    percent: bool

    @property
    def signed(self) -> Decimal:
        """The distance with its sign, a percentage as a fraction."""
        distance = self.distance * _PERCENT if self.percent else self.distance
        return -distance if self.sign == "-" else distance

    def from_price(self, reference: Decimal, tick: Decimal, *, upward: bool) -> Decimal:
        """The price that far from a reference, on the tick; `upward` decides for "#"."""
        distance = abs(self.signed) * (reference if self.percent else 1)
        falls = self.sign == "-" or (self.sign == "#" and not upward)
        price = reference - distance if falls else reference + distance
        return (price / tick).quantize(Decimal(1), ROUND_HALF_UP) * tick

    def text(self, places: int) -> str:
        """As orders show it: +50.0000%, or +100.0."""
        sign = "" if self.sign == "#" else self.sign
        return f"{sign}{self.distance:.4f}%" if self.percent else f"{sign}{self.distance:.{places}f}"


def read(value: object) -> Offset | None:
    """The offset that a text says; None if it is none, so that it may be a price."""
    found = _FORM.match(str(value))
    if found is None:
        return None
    sign, distance, percent = found.groups()
    return Offset("+" if sign == " " else sign, Decimal(distance), bool(percent))


def of(number: Decimal, price_type: str) -> Offset:
    """The offset of a signed number of the WebSocket, where `price_type` is "pct" or "quote"."""
    return Offset("-" if number < 0 else "+", abs(number), price_type == "pct")
