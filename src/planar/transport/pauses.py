"""What a request waits for beside the meters: the venue's own word to stay away, and a pause that the user set.

Both have the form of a meter, so that a request waits for all of it in one place.
"""

from __future__ import annotations

from planar.transport.meters import LEAST_WAIT_S, Cells, Meter, MeterSpec


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

    def restart(self, now: float) -> None:
        """See `Meter`. How long the stop would still last is lost with the clock that it was told in."""
        self._cells[self._at] = 0.0


class Stop(_Pause):
    """The venue said for how long nothing more may come."""

    __slots__ = ()

    @property
    def until(self) -> float:
        """When it ends."""
        return self._cells[self._at]

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
