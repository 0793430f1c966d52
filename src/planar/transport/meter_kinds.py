"""The arithmetic of each kind of limit: windows on the venue's clock, windows that end at every moment, counters.

What the cells of each kind are is said at its class. A file that processes share holds just those, so whoever changes
them changes the version of that file (`shared_file`), and the script for Redis does the same sums
(`shared_redis_script`).
"""

from __future__ import annotations

from planar.transport.meters import LEAST_WAIT_S, Cells, Kind, Meter, MeterSpec
from planar.transport.venue_time import VenueTime

PARTS = 64
"""Parts of a sliding window: what is taken leaves with its part, so at most 1/64 of the window later than it could."""
ASK_CLOCK_S = 0.1
"""How long the venue's time is taken to go on as this machine's does."""
STEP_S = 1.0
"""A clock that has gone back by more was set."""


class FixedMeter(Meter):
    """A window that begins on the venue's clock. Cells: number of the window, used in it, used in the one before, held.

    Within the clock's error of an edge a request may arrive on either side, so it must fit into both windows and counts
    in both. What is held over an edge counts on both sides.
    """

    __slots__ = ("_ahead_s", "_both", "_clock", "_from", "_number", "_until", "_window_s")

    WIDTH = 4
    HELD = 3

    def __init__(
        self, spec: MeterSpec, cells: Cells, at: int, reserve: float, share: float = 1.0, *, clock: VenueTime
    ) -> None:
        super().__init__(spec, cells, at, reserve, share)
        self._window_s = spec.window_ms / 1000
        self._clock = clock
        self._number = -1.0
        self._from = self._until = 0.0
        self._ahead_s = clock.ahead_s()
        self._both = False

    def move(self, cells: Cells, at: int) -> None:
        """See `Meter`."""
        super().move(cells, at)
        self._number = -1.0

    def sound(self, now: float) -> bool:
        """See `Meter`. A window of times to come would hold everybody back until then."""
        present = (now + self._clock.ahead_s() + self._clock.error_s()) // self._window_s
        return super().sound(now) and self._cells[self._at] <= present + 1

    def _turn(self, now: float) -> None:
        """Go on to the window of `now`, and find out whether the one before may still be open."""
        cells, at = self._cells, self._at
        if self._from <= now < self._until and cells[at] == self._number:
            return
        window_s, error_s, ahead_s = self._window_s, self._clock.error_s(), self._clock.ahead_s()
        venue_s = now + ahead_s
        number = (venue_s + error_s) // window_s
        if number < cells[at] - 1 and ahead_s < self._ahead_s - STEP_S:
            # the clock was set back: nobody waits for its old windows to come again, and nothing is forgotten
            cells[at + 1] = cells[at + 2] = max(cells[at + 1], cells[at + 2])
            cells[at] = number
        self._ahead_s = ahead_s
        if number > cells[at]:
            cells[at + 2] = cells[at + 1] if number == cells[at] + 1 else cells[at + 3]
            cells[at + 1] = cells[at + 3]
            cells[at] = number
        self._number = cells[at]
        self._both = (venue_s - error_s) // window_s < cells[at]
        # nothing changes before the next edge; the clock is asked again soon all the same
        edge_s = number * window_s + error_s if self._both else (number + 1) * window_s - error_s
        self._from, self._until = now, now + min(edge_s - venue_s, ASK_CLOCK_S)

    def wait_s(self, cost: float, now: float, allowed: float) -> float:
        """See `Meter`."""
        cells, at = self._cells, self._at
        if not (self._from <= now < self._until and cells[at] == self._number):
            self._turn(now)
        fits = allowed - cost + 1e-9 if cost < allowed else 1e-9
        if cells[at + 1] > fits:
            edge_s = (cells[at] + 1) * self._window_s
        elif self._both and cells[at + 2] > fits:
            edge_s = cells[at] * self._window_s
        else:
            return 0.0
        clock = self._clock
        return max(edge_s + clock.error_s() - now - clock.ahead_s(), 0.0) + LEAST_WAIT_S

    def take(self, cost: float, now: float) -> None:
        """See `Meter`."""
        cells, at = self._cells, self._at
        cells[at + 1] += cost
        if self._both:
            cells[at + 2] += cost
        cells[at + 3] += cost

    def settle(self, cost: float, now: float) -> None:
        """See `Meter`."""
        self._turn(now)
        cells, at = self._cells, self._at
        cells[at + 3] = max(0.0, cells[at + 3] - cost)

    def give_back(self, cost: float, now: float) -> None:
        """See `Meter`. It stands once in the present window, taken in it or held over from the one before."""
        self.settle(cost, now)
        cells, at = self._cells, self._at
        cells[at + 1] = max(0.0, cells[at + 1] - cost)

    def used(self, now: float) -> float:
        """See `Meter`."""
        self._turn(now)
        return self._cells[self._at + 1]

    def observe(self, venue_used: float, now: float, taken_at: float) -> None:
        """See `Meter`. An answer from over an edge may speak of the window before."""
        cells, at = self._cells, self._at
        self._turn(now)
        first = (taken_at + self._clock.ahead_s() - self._clock.error_s()) // self._window_s
        if first == cells[at] and venue_used > cells[at + 1]:
            cells[at + 1] = venue_used

    def assume(self, used: float, now: float) -> None:
        """See `Meter`."""
        self._turn(now)
        cells, at = self._cells, self._at
        cells[at + 1] = cells[at + 2] = max(used, cells[at + 3])

    def set_held(self, held: float, now: float) -> None:
        """See `Meter`."""
        self._turn(now)
        self._cells[self._at + 3] = held

    def restart(self, now: float) -> None:
        """See `Meter`. The windows are the venue's, so they are the same."""
        self.set_held(0.0, now)


class SlidingMeter(Meter):
    """A window that ends at every moment. Cells: newest part of the window, used in all parts, held, and the parts."""

    __slots__ = ("_part_s",)

    RING = PARTS + 1
    WIDTH = 3 + RING

    def __init__(self, spec: MeterSpec, cells: Cells, at: int, reserve: float, share: float = 1.0) -> None:
        super().__init__(spec, cells, at, reserve, share)
        self._part_s = spec.window_ms / 1000 / PARTS

    def sound(self, now: float) -> bool:
        """See `Meter`. Parts of times to come would never leave the window."""
        return super().sound(now) and self._cells[self._at] <= now / self._part_s + 1

    def _turn(self, now: float) -> int:
        """Let go of the parts that have left the window; the number of the part of `now`."""
        cells, at, ring = self._cells, self._at, self.RING
        part, newest = int(now / self._part_s), int(cells[at])
        if part <= newest:
            return newest
        first = at + 3
        for gone in range(max(newest + 1, part - ring + 1), part + 1):
            cells[first + gone % ring] = 0.0
        cells[at] = part
        cells[at + 1] = sum(cells[first : first + ring])
        return part

    def wait_s(self, cost: float, now: float, allowed: float) -> float:
        """See `Meter`."""
        cells, at = self._cells, self._at
        part = self._turn(now)
        excess = cells[at + 1] + cells[at + 2] + min(cost, allowed) - allowed
        if excess <= 1e-9:
            return 0.0
        ring = self.RING
        for old in range(part - ring + 1, part + 1):
            excess -= cells[at + 3 + old % ring]
            if excess <= 1e-9:
                return (old + ring) * self._part_s - now + LEAST_WAIT_S
        return PARTS * self._part_s

    def take(self, cost: float, now: float) -> None:
        """See `Meter`."""
        self._cells[self._at + 2] += cost

    def settle(self, cost: float, now: float) -> None:
        """See `Meter`."""
        cells, at = self._cells, self._at
        part = self._turn(now)
        cells[at + 3 + part % self.RING] += cost
        cells[at + 1] += cost
        cells[at + 2] = max(0.0, cells[at + 2] - cost)

    def give_back(self, cost: float, now: float) -> None:
        """See `Meter`."""
        self._cells[self._at + 2] = max(0.0, self._cells[self._at + 2] - cost)

    def used(self, now: float) -> float:
        """See `Meter`."""
        self._turn(now)
        return self._cells[self._at + 1] + self._cells[self._at + 2]

    def observe(self, venue_used: float, now: float, taken_at: float) -> None:
        """See `Meter`."""
        more = venue_used - self.used(now)
        if more > 0:
            self.take(more, now)
            self.settle(more, now)

    def assume(self, used: float, now: float) -> None:
        """See `Meter`."""
        self._turn(now)
        cells, at = self._cells, self._at
        cells[at + 1] = 0.0
        for cell in range(at + 3, at + self.WIDTH):
            cells[cell] = 0.0
        self.observe(used, now, now)

    def set_held(self, held: float, now: float) -> None:
        """See `Meter`."""
        self.settle(max(0.0, self._cells[self._at + 2] - held), now)
        self._cells[self._at + 2] = held

    def restart(self, now: float) -> None:
        """See `Meter`. All of it may have arrived just now."""
        cells, at = self._cells, self._at
        used = cells[at + 1] + cells[at + 2]
        for cell in range(at, at + self.WIDTH):
            cells[cell] = 0.0
        self.settle(used, now)


class DecayingMeter(Meter):
    """A counter that falls by the same every second. Cells: counter, the moment it is of, held (which does not fall)."""

    __slots__ = ("_decay_per_s",)

    WIDTH = 3

    def sound(self, now: float) -> bool:
        """See `Meter`. A counter of a moment to come would not fall until then."""
        return super().sound(now) and self._cells[self._at + 1] <= now + STEP_S

    def set_share(self, share: float) -> None:
        """See `Meter`."""
        super().set_share(share)
        self._decay_per_s = (self.spec.decay_per_s or 0.0) * share

    def _turn(self, now: float) -> float:
        """What the counter stands at."""
        cells, at = self._cells, self._at
        if now > cells[at + 1]:
            cells[at] = max(0.0, cells[at] - (now - cells[at + 1]) * self._decay_per_s)
            cells[at + 1] = now
        return cells[at]

    def wait_s(self, cost: float, now: float, allowed: float) -> float:
        """See `Meter`."""
        excess = self._turn(now) + self._cells[self._at + 2] + min(cost, allowed) - allowed
        return 0.0 if excess <= 1e-9 else excess / self._decay_per_s + LEAST_WAIT_S

    def take(self, cost: float, now: float) -> None:
        """See `Meter`."""
        self._cells[self._at + 2] += cost

    def settle(self, cost: float, now: float) -> None:
        """See `Meter`."""
        self._turn(now)
        cells, at = self._cells, self._at
        cells[at] += cost
        cells[at + 2] = max(0.0, cells[at + 2] - cost)

    def give_back(self, cost: float, now: float) -> None:
        """See `Meter`."""
        self._cells[self._at + 2] = max(0.0, self._cells[self._at + 2] - cost)

    def used(self, now: float) -> float:
        """See `Meter`."""
        return self._turn(now) + self._cells[self._at + 2]

    def observe(self, venue_used: float, now: float, taken_at: float) -> None:
        """See `Meter`."""
        more = venue_used - self.used(now)
        if more > 0:
            self._cells[self._at] += more

    def assume(self, used: float, now: float) -> None:
        """See `Meter`."""
        self._turn(now)
        cells, at = self._cells, self._at
        cells[at] = max(0.0, used - cells[at + 2])

    def set_held(self, held: float, now: float) -> None:
        """See `Meter`."""
        self.settle(max(0.0, self._cells[self._at + 2] - held), now)
        self._cells[self._at + 2] = held

    def restart(self, now: float) -> None:
        """See `Meter`. It has fallen since by nobody knows how much."""
        self._cells[self._at + 1] = now
        self.set_held(0.0, now)


def make_meter(
    spec: MeterSpec, cells: Cells, at: int, reserve: float, share: float, clock: VenueTime
) -> FixedMeter | SlidingMeter | DecayingMeter:
    """The meter of a limit over cells that are all 0 at first."""
    if spec.kind == "fixed":
        return FixedMeter(spec, cells, at, reserve, share, clock=clock)
    return (DecayingMeter if spec.kind == "decaying" else SlidingMeter)(spec, cells, at, reserve, share)


WIDTHS: dict[Kind, int] = {
    "fixed": FixedMeter.WIDTH,
    "sliding": SlidingMeter.WIDTH,
    "decaying": DecayingMeter.WIDTH,
}
