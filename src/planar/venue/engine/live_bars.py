"""Bars of one symbol made of the trades since the start, packed: the newest ones of short periods, all of long ones."""

from __future__ import annotations

from array import array
from bisect import bisect_left

from planar.venue.engine.bars import Bar

_FIELDS = 9


class LiveBars:
    """Bars of one base period; only periods with trades have one.

    Args:
        period: in ms.
        most: how many are kept at most, at least two; None keeps all.

    Attributes:
        forgotten_before: bars of periods that begin before this time may be gone, in ms; 0 while all are kept.
    """

    __slots__ = ("_current", "_most", "_period", "_rows", "_starts", "forgotten_before")

    def __init__(self, period: int, most: int | None = None) -> None:
        self.forgotten_before = 0
        self._period = period
        self._most = most
        self._starts = array("q")
        self._rows = array("q")
        self._current: list[int] = []

    def add(self, ts_ms: int, price: int, lots: int, taker_bought: bool) -> None:
        """Takes in a trade; times do not decrease."""
        start = ts_ms - ts_ms % self._period
        row = self._current
        if not row or self._starts[-1] != start:
            self._rows.extend(row)
            self._starts.append(start)
            if self._most is not None and len(self._starts) > self._most:
                self._forget(max(1, self._most // 8))
            row = self._current = [price, price, price, price, 0, 0, 0, 0, 0]
        row[3] = price
        if price > row[1]:
            row[1] = price
        elif price < row[2]:
            row[2] = price
        row[4] += 1
        side = 5 if taker_bought else 7
        row[side] += lots
        row[side + 1] += lots * price

    def _forget(self, count: int) -> None:
        """Drops the oldest bars; many at once, so that it is seldom."""
        del self._starts[:count]
        del self._rows[: count * _FIELDS]
        self.forgotten_before = self._starts[0]

    def get(self, start: int) -> Bar | None:
        """The bar of the period that begins at `start`, None if there was no trade in it."""
        index = bisect_left(self._starts, start)
        if index == len(self._starts) or self._starts[index] != start:
            return None
        return self._at(index)

    def newest_before(self, at: int) -> Bar | None:
        """The last bar that begins before a time."""
        index = bisect_left(self._starts, at)
        return self._at(index - 1) if index else None

    def _at(self, index: int) -> Bar:
        if index == len(self._starts) - 1:
            return Bar(*self._current)
        return Bar(*self._rows[index * _FIELDS : (index + 1) * _FIELDS])
