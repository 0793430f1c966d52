"""What a request waits for beside the meters: the venue's own word to stay away, and a pause that the user set.

Both have the form of a meter, so that a request waits for all of it in one place.
"""

from __future__ import annotations

from planar.transport.meters import LEAST_WAIT_S, Cells, Meter, MeterSpec

LONGEST_S = 7 * 86_400.0
"""A stop that would last longer is none: bans last for days at most (Binance: up to three)."""


class _Pause(Meter):
    """Nothing is counted: the one cell holds the moment until which nobody goes."""

    __slots__ = ()

    WIDTH = 1

    def __init__(self, spec: MeterSpec, cells: Cells, at: int) -> None:
        super().__init__(spec, cells, at, 0.0)

    def wait_s(self, cost: float, now: float, allowed: float) -> float:
        """See `Meter`."""
        left_s = self._cells[self._at] - now
        return max(left_s, LEAST_WAIT_S) if left_s > 0 else 0.0

    def take(self, cost: float, now: float) -> None:
        """See `Meter`."""

    def settle(self, cost: float, now: float) -> None:
        """See `Meter`."""

    def give_back(self, cost: float, now: float) -> None:
        """See `Meter`."""

    def used(self, now: float) -> float:
        """Seconds that are left."""
        return max(0.0, self._cells[self._at] - now)

    def set_held(self, held: float, now: float) -> None:
        """See `Meter`."""

    def assume(self, used: float, now: float) -> None:
        """See `Meter`. How long the venue is to be left alone is not known by anything but its word."""

    def carry(self, used: float, held: float, now: float) -> None:
        """See `Meter`."""
        self._cells[self._at] = max(self._cells[self._at], now + used if used else 0.0)

    def sound(self, now: float) -> bool:
        """See `Meter`. No venue keeps anybody away for longer than `LONGEST_S`."""
        return super().sound(now) and self._cells[self._at] <= now + LONGEST_S

    def restart(self, now: float) -> None:
        """See `Meter`. How long the stop would still last is lost with the clock that it was told in."""
        self._cells[self._at] = 0.0


class Stop(_Pause):
    """The venue said for how long nothing more may come."""

    __slots__ = ()

    def extend(self, until: float) -> None:
        """Let nothing through before `until`; a stop that lasts longer stays."""
        self._cells[self._at] = max(self._cells[self._at], until)


class Spacing(_Pause):
    """A pause between two requests of one account."""

    __slots__ = ("_spacing_s",)

    def __init__(self, spacing_ms: int) -> None:
        super().__init__(MeterSpec("spacing", 1, cancels=False), [0.0], 0)
        self._spacing_s = spacing_ms / 1000

    def take(self, cost: float, now: float) -> None:
        """See `Meter`."""
        self._cells[self._at] = now + self._spacing_s
