"""A store: the meters and stops of one exchange and environment, and the taking of a cost from several at once.

`Store` keeps them for this process. Its two descendants share them: with the other processes of this machine
(`shared_file.FileStore`), or with other machines (`shared_redis.RedisStore`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from planar.transport.context import Priority
from planar.transport.meter_kinds import WIDTHS, make_meter
from planar.transport.meters import Cells, Meter, MeterSpec
from planar.transport.pauses import Stop
from planar.transport.venue_time import VenueTime

Ask = tuple[Meter, float]
"""A meter and what is asked of it."""

STOP = MeterSpec("stop", 1, cancels=False)

STRANGERS = 10
"""Members that are assumed where meters are to be shared, and nobody knows with how many."""
LONG_MS = 60_000
"""A window that is longer goes on from what was known last where it is not known what is used: its end would be too far
to wait for."""


class Store:
    """Meters in this process's memory."""

    LATE_S = 1.0
    """How long after its sender gave up on it a request may still arrive."""

    def __init__(self, clock: VenueTime, reserve: float, share: float) -> None:
        self.clock = clock
        self._reserve = reserve
        self._share = share
        self._meters: dict[tuple[str, str], Meter] = {}
        self._stops: dict[str, Stop] = {}

    def meter(self, spec: MeterSpec, name: str, sharer: str) -> Meter:
        """The meter of a limit, or of one of its parts, for all who are the same `sharer`."""
        key = (name, sharer)
        if key not in self._meters:
            cells, at = self._place(f"{spec.kind}/{name}/{sharer}", WIDTHS[spec.kind])
            self._meters[key] = made = make_meter(spec, cells, at, self._reserve, self._share, self.clock)
            self._attached(made, at)
        return self._meters[key]

    def stop(self, sharer: str) -> Stop:
        """What holds back all requests of a sharer: a key, or an address ("" is this machine's own)."""
        if sharer not in self._stops:
            cells, at = self._place(f"stop/{sharer}", Stop.WIDTH)
            self._stops[sharer] = made = Stop(STOP, cells, at)
            self._attached(made, at)
        return self._stops[sharer]

    def attempt(self, asks: Sequence[Ask], priority: Priority, now: float) -> float:
        """Take all that is asked and return 0, or take nothing and return the seconds until it may fit."""
        wait_s = 0.0
        for meter, cost in asks:
            one_s = meter.wait_s(cost, now, meter.allowed[priority])
            if one_s > wait_s:
                wait_s = one_s
        if wait_s:
            return wait_s
        for meter, cost in asks:
            meter.take(cost, now)
        return 0.0

    def waits(self, asks: Sequence[Ask], priority: Priority, now: float) -> list[float]:
        """What `attempt` would return for each ask alone."""
        return [meter.wait_s(cost, now, meter.allowed[priority]) for meter, cost in asks]

    def take(self, asks: Sequence[Ask], now: float) -> None:
        """Take without asking whether it fits."""
        for meter, cost in asks:
            meter.wait_s(cost, now, meter.limit)
            meter.take(cost, now)

    def end(self, asks: Sequence[Ask], now: float, *, sent: bool) -> None:
        """What was taken has been answered, or was never sent."""
        for meter, cost in asks:
            if sent:
                meter.settle(cost, now)
            else:
                meter.give_back(cost, now)

    def observe(self, told: Sequence[tuple[Meter, float]], now: float, taken_at: float) -> None:
        """See `Meter.observe`; for all meters that an answer tells of."""
        self._observe(told, now, taken_at)

    def _observe(self, told: Sequence[tuple[Meter, float]], now: float, taken_at: float) -> None:
        for meter, venue_used in told:
            meter.observe(venue_used, now, taken_at)

    def hold_off(self, sharer: str, until: float) -> None:
        """Let nothing of a sharer through before `until`."""
        stop = self.stop(sharer)
        self._change(lambda: stop.extend(until))

    def _change(self, action: Callable[[], None]) -> None:
        """Do something to the cells of this store."""
        action()

    def used(self, meter: Meter, now: float) -> float:
        """What counts as used on a meter."""
        return meter.used(now)

    def fit(self, asks: Sequence[Ask], now: float) -> bool:
        """Whether no meter that these were taken from is used beyond its limit, or by more than them alone."""
        return all(self.used(meter, now) <= max(meter.limit, cost) + 1e-6 for meter, cost in asks)

    def reap(self, now: float) -> None:
        """Settle what processes that are gone still hold. Asked while somebody waits."""

    def close(self) -> None:
        """Nothing more is asked of this store."""

    def _place(self, name: str, width: int) -> tuple[Cells, int]:
        """Where the cells of a meter are."""
        return [0.0] * width, 0

    def _attached(self, meter: Meter, at: int) -> None:
        """A meter has been made over cells that may have been used before."""
