"""This process's copy of the meters that a Redis holds: what it goes on with alone, and what it has to tell.

With the others only the Redis decides, and the copy follows. Alone, the copy decides with a fair part of each limit: one
of as many parts as members were seen last, of those that share the limit's address where it is this machine's.
"""

from __future__ import annotations

from collections.abc import Sequence

import planar.runtime as runtime
from planar.transport.context import Priority
from planar.transport.meters import Meter, MeterSpec
from planar.transport.pauses import Stop
from planar.transport.store import LONG_MS, STRANGERS, Ask, Store
from planar.transport.venue_time import VenueTime


class RedisStore(Store):
    """This process's part of the meters, and what it has to tell the Redis.

    Attributes:
        alone: the Redis is not reached, so the copy decides.
        spent_alone: something was taken meanwhile.
        seen: what the Redis said last that is used.
        ops: what is to be told, in the form of the script.
    """

    def __init__(self, clock: VenueTime, reserve: float, share: float, address: str) -> None:
        """
        Args:
            address: the sharer that is this machine's own address.
        """
        super().__init__(clock, reserve, share)
        self._address = address
        self.alone = False
        self.ops: list[tuple[str, Meter | str, float, float]] = []
        self.names: dict[Meter, str] = {}
        self.sharers: dict[Meter, str] = {}
        self.seen: dict[Meter, float] = {}
        self.spent_alone = False
        self._near: set[Meter] = set()
        self._part = self._near_part = 1 / STRANGERS

    def meter(self, spec: MeterSpec, name: str, sharer: str) -> Meter:
        """See `Store`."""
        made = super().meter(spec, name, sharer)
        if made not in self.names:
            self.names[made] = f"{spec.kind}/{name}/{sharer}"
            if sharer == self._address:
                self._near.add(made)
            if self.alone:
                self._go_alone(made)
        return made

    def stop(self, sharer: str) -> Stop:
        """See `Store`."""
        made = super().stop(sharer)
        self.sharers[made] = sharer
        return made

    def waits(self, asks: Sequence[Ask], priority: Priority, now: float) -> list[float]:
        """See `Store`. With the others only the Redis knows; what stops say is known here too."""
        if self.alone:
            return super().waits(asks, priority, now)
        return [meter.wait_s(0.0, now, 0.0) if meter in self.sharers else 0.0 for meter, _ in asks]

    def attempt(self, asks: Sequence[Ask], priority: Priority, now: float) -> float:
        """See `Store`. Asked only while alone."""
        wait_s = super().attempt(asks, priority, now)
        self.spent_alone = self.spent_alone or not wait_s
        return wait_s

    def take(self, asks: Sequence[Ask], now: float) -> None:
        """See `Store`."""
        self.given(asks, now)
        self.tell("take", asks)
        self.spent_alone = self.alone

    def given(self, asks: Sequence[Ask], now: float) -> None:
        """The Redis has given this; the copy holds it too."""
        super().take(asks, now)

    def end(self, asks: Sequence[Ask], now: float, *, sent: bool) -> None:
        """See `Store`."""
        super().end(asks, now, sent=sent)
        self.tell("settle" if sent else "back", asks)

    def tell(self, what: str, asks: Sequence[Ask]) -> None:
        """Have the Redis hear of it. Who is alone tells what it holds when it comes back."""
        if not self.alone:
            self.ops.extend((what, meter, cost, 0.0) for meter, cost in asks if meter in self.names)

    def look_at(self, meters: Sequence[Meter]) -> None:
        """Have the next answer of the Redis tell what is used of these."""
        asked = {subject for what, subject, _, _ in self.ops if what == "take"}
        self.tell("take", [(meter, 0.0) for meter in meters if meter not in asked])

    def observe(self, told: Sequence[tuple[Meter, float]], now: float, taken_at: float) -> None:
        """See `Store`."""
        if self.alone:
            super().observe(told, now, taken_at)
            return
        for meter, venue_used in told:
            window_s = meter.spec.window_ms / 1000
            first = (taken_at + self.clock.ahead_s() - self.clock.error_s()) // window_s if window_s else 0.0
            self.ops.append(("observe", meter, venue_used, first))

    def hold_off(self, sharer: str, until: float) -> None:
        """See `Store`. The others hear of it as soon as the Redis does, and from it even later."""
        super().hold_off(sharer, until)
        self.ops.append(("stop", sharer, until, 0.0))

    def used(self, meter: Meter, now: float) -> float:
        """See `Store`."""
        return super().used(meter, now) if self.alone else self.seen.get(meter, 0.0)

    def part_company(self, members: int, near: int) -> None:
        """From now on use the fair part of one of so many members, and first nothing.

        Args:
            near: how many of them have this machine's address; 0 for both where that is not known.
        """
        self.alone = True
        self._part, self._near_part = 1 / (members or STRANGERS), 1 / (near or STRANGERS)
        for meter in self.names:
            self._go_alone(meter)

    def _go_alone(self, meter: Meter) -> None:
        part = self._near_part if meter in self._near else self._part
        meter.set_share(self._share * part)
        long = meter.spec.window_ms > LONG_MS and meter in self.seen
        meter.assume(self.seen[meter] * part if long else meter.limit, runtime.monotonic())

    def meet(self) -> None:
        """The Redis decides again. It hears of what is still held here, and of no more that happened before."""
        self.alone = self.spent_alone = False
        self.ops = [op for op in self.ops if op[0] == "stop"]
        for meter in self.names:
            meter.set_share(self._share)
            self.tell("take", [(meter, meter.held())] if meter.held() else [])
