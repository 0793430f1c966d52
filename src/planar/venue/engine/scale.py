"""What a tick and a lot of one symbol are worth."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.units import ONE, require_units, to_decimal


class Scale(msgspec.Struct, frozen=True):
    """Turns ticks and lots of a symbol into Decimals.

    Attributes:
        tick: a tick in 1e-8 of price.
        lot: a lot in 1e-8 of the base asset.
        lot_value: units (1e-8) of quote that one lot costs per tick of price.
    """

    symbol: str
    tick: int
    lot: int
    lot_value: int

    @staticmethod
    def of(spec: SymbolSpec) -> Scale:
        """Raises ValueError if tick times lot is not a whole number of units of quote."""
        tick = require_units(spec.tick, f"{spec.symbol} tick")
        lot = require_units(spec.lot, f"{spec.symbol} lot")
        lot_value, rest = divmod(tick * lot, ONE)
        if rest or not lot_value:
            raise ValueError(f"{spec.symbol}: tick {spec.tick} times lot {spec.lot} is not a whole number of 1e-8")
        return Scale(spec.symbol, tick, lot, lot_value)

    def price(self, ticks: int) -> Decimal:
        """A price."""
        return to_decimal(ticks * self.tick)

    def amount(self, lots: int) -> Decimal:
        """An amount of base."""
        return to_decimal(lots * self.lot)

    def value(self, ticks_times_lots: int) -> Decimal:
        """An amount of quote."""
        return to_decimal(ticks_times_lots * self.lot_value)
