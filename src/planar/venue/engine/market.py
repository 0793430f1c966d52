"""The state of one symbol: its numbers as integers, its book, its stops, its counters, its public record."""

from __future__ import annotations

from planar.venue.engine.book import Book
from planar.venue.engine.enums import MarketStatus
from planar.venue.engine.market_data import MarketData
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.scale import Scale
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.stops import Stops
from planar.venue.engine.units import require_units

_ORDERS_PER_TRADE = 3
_CHANGES_PER_TRADE = 7
"""How many orders and changes of the book the invented past is counted to have had for each trade."""


class Market:
    """One symbol.

    Attributes:
        tick_units, lot_units: a tick in 1e-8 of price, a lot in 1e-8 of the base asset.
        lot_value: units of quote that one lot costs per tick of price.
        maker_rate, taker_rate: commissions in 1e-8.
        next_order_id, next_trade_id: ids rise by one within the symbol.
        last: last trade price in ticks, None if there never was a trade.
        update_id: id of the last change of the book.
        tick_step, lot_step: of how many ticks and lots prices and amounts must be multiples; above 1 when the filters
            were tightened.
        status: the symbol's own state.
        regime: what the state of the whole exchange imposes on it, if anything.
    """

    __slots__ = (
        "_next_prevented_id",
        "base",
        "book",
        "data",
        "last",
        "lot_step",
        "lot_units",
        "lot_value",
        "maker_rate",
        "next_order_id",
        "next_trade_id",
        "quote",
        "regime",
        "spec",
        "status",
        "stops",
        "symbol",
        "taker_rate",
        "tick_step",
        "tick_units",
        "update_id",
    )

    def __init__(self, spec: SymbolSpec, data: MarketData) -> None:
        self.spec = spec
        self.symbol = spec.symbol
        self.base = spec.base
        self.quote = spec.quote
        scale = Scale.of(spec)
        self.tick_units, self.lot_units, self.lot_value = scale.tick, scale.lot, scale.lot_value
        self.maker_rate = require_units(spec.maker_fee, f"{spec.symbol} maker_fee")
        self.taker_rate = require_units(spec.taker_fee, f"{spec.symbol} taker_fee")
        self.status = MarketStatus.TRADING
        self.regime: MarketStatus | None = None
        self.tick_step = self.lot_step = 1
        self.book = Book()
        self.stops = Stops()
        self.data = data
        self.last: int | None = data.last_price
        self.next_trade_id = data.next_trade_id
        self.next_order_id = _ORDERS_PER_TRADE * self.next_trade_id
        self.update_id = _CHANGES_PER_TRADE * self.next_trade_id
        self._next_prevented_id = 1

    @property
    def state(self) -> MarketStatus:
        """What holds for orders now: the exchange's state rules over a symbol that is open."""
        return self.regime if self.regime is not None and self.matches_alone else self.status

    @property
    def matches(self) -> bool:
        """Whether orders are matched."""
        return self.regime is None and self.matches_alone

    @property
    def matches_alone(self) -> bool:
        """Whether orders would be matched if it were for the symbol alone."""
        return self.status in (MarketStatus.TRADING, MarketStatus.LIMIT_ONLY)

    def on_grid(self, price: int, *, is_buy: bool) -> int:
        """The nearest price in ticks that the filters allow, not better for the other side."""
        off = price % self.tick_step
        return price if not off else max(self.tick_step, price - off) if is_buy else price - off + self.tick_step

    def number(self, order: LiveOrder) -> None:
        """Gives an accepted order its id."""
        order.id = self.next_order_id
        self.next_order_id += 1

    def order_id_at(self, trade_id: int) -> int:
        """The id an order would have got that came just before a trade of the past."""
        return _ORDERS_PER_TRADE * trade_id

    def take_prevented_id(self) -> int:
        """A new id of a prevented match."""
        self._next_prevented_id += 1
        return self._next_prevented_id - 1

    def audit(self) -> list[str]:
        """What is wrong with the book; empty when nothing is."""
        faults: list[str] = []
        bid, ask = self.book.bids.best(), self.book.asks.best()
        if bid is not None and ask is not None and bid.price >= ask.price:
            faults.append(f"{self.symbol}: best bid {bid.price} is not below best ask {ask.price}")
        for side in (self.book.bids, self.book.asks):
            for level in side.best_first():
                shown = sum(order.shown for order in level.orders.values())
                if level.shown != shown or not shown:
                    faults.append(f"{self.symbol}: level {level.price} shows {level.shown}, its orders {shown}")
                if any(not order.is_open or order.shown > order.remaining for order in level.orders.values()):
                    faults.append(f"{self.symbol}: level {level.price} keeps an order that cannot trade")
        return faults
