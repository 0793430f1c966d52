"""What a recording of a market consists of. Files of it are read and written by `planar.venue.recording`."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from planar.errors import BadRequest
from planar.venue.engine.scale import Scale
from planar.venue.engine.units import to_decimal, to_units

_HINT = "round it as the market trades it; `planar venue convert` does"


class RecordedBook(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag="book",
):
    """Levels of a book at one moment.

    Attributes:
        ts_ms: UTC epoch, ms.
        symbol: unified symbol.
        bids, asks: price and the whole amount there; 0 removes the level.
        snapshot: whether these are all levels; otherwise those that are not named stay.
    """

    ts_ms: int
    symbol: str
    bids: list[tuple[Decimal, Decimal]] = []
    asks: list[tuple[Decimal, Decimal]] = []
    snapshot: bool = False


class RecordedTrade(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="trade"
):
    """A trade. `side` is what the taker did."""

    ts_ms: int
    symbol: str
    side: Literal["buy", "sell"]
    price: Decimal
    amount: Decimal


Recorded = RecordedBook | RecordedTrade


def ticks(scale: Scale, price: Decimal) -> int:
    """A recorded price in ticks.

    Raises:
        BadRequest: it is no positive multiple of the tick.
    """
    units = to_units(price)
    if units is None or units <= 0 or units % scale.tick:
        tick = to_decimal(scale.tick).normalize()
        raise BadRequest(f"price = {price} of {scale.symbol} is no positive multiple of the tick {tick:f}", hint=_HINT)
    return units // scale.tick


def lots(scale: Scale, amount: Decimal) -> int:
    """A recorded amount in lots, 0 or more.

    Raises:
        BadRequest: it is no multiple of the lot.
    """
    units = to_units(amount)
    if units is None or units < 0 or units % scale.lot:
        lot = to_decimal(scale.lot).normalize()
        raise BadRequest(f"amount = {amount} of {scale.symbol} is no multiple of the lot {lot:f}", hint=_HINT)
    return units // scale.lot
