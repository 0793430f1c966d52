"""The state of one symbol: its numbers as integers, its book, its stops, its counters, its public record."""

from __future__ import annotations

from planar.venue.engine.book import Book
from planar.venue.engine.enums import MarketStatus
from planar.venue.engine.market_data import MarketData
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.stops import Stops
from planar.venue.engine.units import ONE, require_units


class Market:
    """One symbol.

    Attributes:
        tick_units, lot_units: a tick in 1e-8 of price, a lot in 1e-8 of the base asset.
        lot_value: units of quote that one lot costs per tick of price.
        maker_rate, taker_rate: commissions in 1e-8.
        last: last trade price in ticks, None if there never was a trade.
        update_id: id of the last change of the book.
    """

    __slots__ = (
        "_next_order_id",
        "_next_prevented_id",
        "base",
        "book",
        "data",
        "last",
        "lot_units",
        "lot_value",
        "maker_rate",
        "next_trade_id",
        "quote",
        "spec",
        "status",
        "stops",
        "symbol",
        "taker_rate",
        "tick_units",
        "update_id",
    )

    def __init__(self, spec: SymbolSpec, data: MarketData) -> None:
        self.spec = spec
        self.symbol = spec.symbol
        self.base = spec.base
        self.quote = spec.quote
        self.tick_units = require_units(spec.tick, f"{spec.symbol} tick")
        self.lot_units = require_units(spec.lot, f"{spec.symbol} lot")
        self.lot_value, rest = divmod(self.tick_units * self.lot_units, ONE)
        if rest:
            raise ValueError(f"{spec.symbol}: tick {spec.tick} times lot {spec.lot} is not a whole number of 1e-8")
        self.maker_rate = require_units(spec.maker_fee, f"{spec.symbol} maker_fee")
        self.taker_rate = require_units(spec.taker_fee, f"{spec.symbol} taker_fee")
        self.status = MarketStatus.TRADING
        self.book = Book()
        self.stops = Stops()
        self.data = data
        self.last: int | None = data.last_price
        self.next_trade_id = data.next_trade_id
        self._next_order_id = 1
        self._next_prevented_id = 1
        self.update_id = 0

    def number(self, order: LiveOrder) -> None:
        """Gives an accepted order its id."""
        order.id = self._next_order_id
        self._next_order_id += 1

    def skip_order_ids(self, next_id: int) -> None:
        """Lets the next order have at least this id, as if others had been there before."""
        self._next_order_id = max(self._next_order_id, next_id)

    def take_prevented_id(self) -> int:
        """A new id of a prevented match."""
        self._next_prevented_id += 1
        return self._next_prevented_id - 1
