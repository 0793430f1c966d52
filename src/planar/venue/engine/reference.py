"""The common reference: how the value of each asset moves, in the past and while a venue runs.

A value is a pure function of seed, asset and time. Exchanges of one seed therefore agree about prices without knowing
of each other, and each adds its own noise, basis and shocks (`price_path`). Hours come from noise of many lengths,
minutes are put between the hours and seconds between the minutes, each only where somebody asks.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import accumulate

from planar.venue.engine.bars import D1, H1, M1, S1
from planar.venue.engine.noise import Stream

_OCTAVES = tuple(2**n for n in range(10))
"""Lengths in days of the noise that makes up a price: a walk that always comes back."""
_KEPT_POINTS = 4_096
_KEPT_DAYS = 128
_KEPT_HOURS = 64
_KEPT_MINUTES = 4


class AssetWalk:
    """The value of one asset, as a logarithm. An asset of no volatility is always worth the same.

    Args:
        daily_volatility: as a fraction.
    """

    def __init__(self, seed: int, asset: str, daily_volatility: float) -> None:
        self.daily_volatility = daily_volatility
        self._seed = seed
        self._asset = asset
        self._point = lru_cache(_KEPT_POINTS)(self._draw)
        self.hours = lru_cache(_KEPT_DAYS)(self._make_hours)
        self.minutes = lru_cache(_KEPT_HOURS)(self._make_minutes)
        self._seconds = lru_cache(_KEPT_MINUTES)(self._make_seconds)

    def _draw(self, length: int, index: int) -> float:
        return Stream(self._seed, "walk", self._asset, length, index).gauss()

    def at(self, day: int) -> float:
        """Value at the start of a day, counted from the epoch."""
        if not self.daily_volatility:
            return 0.0
        total = 0.0
        for length in _OCTAVES:
            index, offset = divmod(day, length)
            along = offset / length
            between = self._point(length, index) * (1 - along) + self._point(length, index + 1) * along
            total += math.sqrt(length) * between
        return self.daily_volatility * 0.4 * total

    def at_ms(self, at_ms: int) -> float:
        """Value at a moment, UTC epoch in ms."""
        if not self.daily_volatility:
            return 0.0
        seconds = self._seconds(at_ms // M1)
        second, rest_ms = divmod(at_ms % M1, S1)
        return seconds[second] + (seconds[second + 1] - seconds[second]) * (rest_ms / S1)

    def _make_hours(self, day: int) -> list[float]:
        """The 25 values from the start to the end of a day."""
        return self._between("hours", day, self.at(day), self.at(day + 1), 24, math.sqrt(24))

    def _make_minutes(self, hour: int) -> list[float]:
        """The 61 values from the start to the end of an hour, counted from the epoch."""
        day, of_day = divmod(hour, D1 // H1)
        first, last = self.hours(day)[of_day : of_day + 2]
        return self._between("minutes", hour, first, last, 60, math.sqrt(D1 / M1))

    def _make_seconds(self, minute: int) -> list[float]:
        hour, of_hour = divmod(minute, H1 // M1)
        first, last = self.minutes(hour)[of_hour : of_hour + 2]
        return self._between("seconds", minute, first, last, 60, math.sqrt(D1 / S1))

    def _between(self, name: str, index: int, first: float, last: float, parts: int, slowness: float) -> list[float]:
        """Values along a period: straight, plus a random walk that ends where it began."""
        if not self.daily_volatility:
            return [0.0] * (parts + 1)
        draws = Stream(self._seed, name, self._asset, index)
        walk = [0.0, *accumulate([draws.gauss() for _ in range(parts)])]
        step = self.daily_volatility / slowness
        slope, end = (last - first) / parts, walk[parts] / parts
        return [first + slope * i + step * (walk[i] - end * i) for i in range(parts + 1)]
