"""Public trades of one symbol since the start, packed: at least the newest `CAPACITY`, in whole groups."""

from __future__ import annotations

from array import array
from bisect import bisect_left

from planar.venue.engine.history import RawTrade

CAPACITY = 50_000


class Tape:
    """Trades with consecutive ids, and the aggregate ids that group them.

    A group is what one taker took at one price; the matcher ends it.
    """

    __slots__ = (
        "_columns",
        "_first_id",
        "_forgotten_before",
        "_group",
        "_groups",
        "_lots",
        "_prices",
        "_sides",
        "_times",
    )

    def __init__(self, first_id: int) -> None:
        self._first_id = first_id
        self._group = first_id
        self._forgotten_before = 0
        self._times = array("q")
        self._prices = array("q")
        self._lots = array("q")
        self._groups = array("q")
        self._sides = array("b")
        self._columns = (self._times, self._prices, self._lots, self._groups, self._sides)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def forgotten_before(self) -> int:
        """Trades before this time may be gone, in ms; 0 while all are kept."""
        return self._forgotten_before

    @property
    def next_id(self) -> int:
        """Id of the next trade."""
        return self._first_id + len(self._times)

    @property
    def next_group(self) -> int:
        """Id of the next aggregate trade, or of the one that is being made."""
        return self._group

    def add(self, ts_ms: int, price: int, lots: int, taker_bought: bool) -> None:
        """Appends a trade to the current group."""
        self._times.append(ts_ms)
        self._prices.append(price)
        self._lots.append(lots)
        self._groups.append(self._group)
        self._sides.append(taker_bought)
        if len(self._times) >= 2 * CAPACITY:
            self._forget(bisect_left(self._groups, self._groups[CAPACITY]))

    def _forget(self, count: int) -> None:
        """Drops the oldest trades; the caller does not cut through a group."""
        self._forgotten_before = self._times[count]
        for column in self._columns:
            del column[:count]
        self._first_id += count

    def end_group(self) -> None:
        """The next trade belongs to another aggregate trade."""
        self._group += 1

    def get(self, trade_id: int) -> RawTrade:
        """A trade that is kept."""
        i = trade_id - self._first_id
        return RawTrade(trade_id, self._groups[i], self._times[i], self._prices[i], self._lots[i], bool(self._sides[i]))

    def range(self, from_id: int, limit: int) -> list[RawTrade]:
        """Up to `limit` kept trades from an id on."""
        low = max(from_id, self._first_id)
        return [self.get(trade_id) for trade_id in range(low, min(self.next_id, low + limit))]

    def groups(self, from_group: int, limit: int) -> list[RawTrade]:
        """The kept trades of up to `limit` aggregate trades from an aggregate id on."""
        low = bisect_left(self._groups, from_group)
        high = bisect_left(self._groups, max(from_group, self._groups[low]) + limit) if low < len(self) else low
        return [self.get(self._first_id + i) for i in range(low, high)]

    def index_at(self, ts_ms: int) -> int:
        """How many kept trades happened before a time."""
        return bisect_left(self._times, ts_ms)

    def between(self, start_ms: int, end_ms: int) -> list[RawTrade]:
        """Kept trades from a time until before another."""
        return [self.get(self._first_id + i) for i in range(self.index_at(start_ms), self.index_at(end_ms))]

    def group_at(self, ts_ms: int) -> int:
        """Id of the first aggregate trade at or after a time."""
        index = self.index_at(ts_ms)
        return self._groups[index] if index < len(self) else self._group
