"""Working orders of one symbol: price levels, and within each the queue in which its orders came.

Prices are ticks, amounts are lots. A side keeps its prices sorted so that the best is last; adding a level is a
binary search and a short move in memory, adding, cancelling and taking an order are constant.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice

from planar.venue.engine.orders import LiveOrder


class PriceLevel:
    """The orders at one price. `shown` is the sum of what they show."""

    __slots__ = ("orders", "price", "shown")

    def __init__(self, price: int) -> None:
        self.price = price
        self.shown = 0
        self.orders: OrderedDict[int, LiveOrder] = OrderedDict()

    def first(self) -> LiveOrder:
        """The order that trades next."""
        return next(iter(self.orders.values()))


class BookSide:
    """Bids or asks."""

    __slots__ = ("_keys", "_sign", "levels")

    def __init__(self, *, bids: bool) -> None:
        self._sign = 1 if bids else -1
        self._keys: list[int] = []
        self.levels: dict[int, PriceLevel] = {}

    def best(self) -> PriceLevel | None:
        """The level that trades next."""
        return self.levels[self._keys[-1] * self._sign] if self._keys else None

    def add(self, order: LiveOrder) -> PriceLevel:
        """Puts an order at the end of the queue of its price."""
        price = order.price
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = PriceLevel(price)
            insort(self._keys, price * self._sign)
        level.orders[order.id] = order
        level.shown += order.shown
        return level

    def remove(self, order: LiveOrder) -> PriceLevel:
        """Takes an order out; an emptied level goes with it. Returns the level for what is left to show."""
        level = self.levels[order.price]
        del level.orders[order.id]
        level.shown -= order.shown
        if not level.orders:
            self._drop(level)
        return level

    def take(self, level: PriceLevel, maker: LiveOrder, lots: int) -> None:
        """Removes filled lots from the order at the front; a hidden rest is shown again at the end of the queue.

        Args:
            maker: `level.first()`, whose `filled` already includes `lots`.
            lots: at most what the order shows.
        """
        level.shown -= lots
        maker.shown -= lots
        if maker.shown:
            return
        rest = maker.remaining
        if rest:
            maker.shown = min(rest, maker.iceberg)
            level.shown += maker.shown
            level.orders.move_to_end(maker.id)
            return
        del level.orders[maker.id]
        if not level.orders:
            self._drop(level)

    def _drop(self, level: PriceLevel) -> None:
        del self.levels[level.price]
        del self._keys[bisect_left(self._keys, level.price * self._sign)]

    def best_first(self) -> Iterator[PriceLevel]:
        """All levels. The side must not change meanwhile."""
        sign = self._sign
        return (self.levels[key * sign] for key in reversed(self._keys))

    def top(self, limit: int) -> list[PriceLevel]:
        """The best levels."""
        return list(islice(self.best_first(), limit))

    def __len__(self) -> int:
        return len(self._keys)


class Book:
    """Both sides of one symbol."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(bids=True)
        self.asks = BookSide(bids=False)

    def own(self, order: LiveOrder) -> BookSide:
        """The side an order rests on."""
        return self.bids if order.is_buy else self.asks

    def opposite(self, order: LiveOrder) -> BookSide:
        """The side an order takes from."""
        return self.asks if order.is_buy else self.bids
