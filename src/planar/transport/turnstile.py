"""Who goes next: the queue of this process before the meters of one exchange and environment.

All accounts of a process stand in it, for they share the address. The more urgent go first, and who waits long becomes
more urgent, up to the rank of orders, so that nobody waits for ever; cancels stay before all others. Within a rank the
owners take turns. Whoever cannot go holds back only those behind him who ask for the same meters: a large request is not
overtaken for ever by small ones, and a full order meter does not stop market data.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Sequence
from math import inf

import planar.runtime as runtime
from planar.transport.context import Priority
from planar.transport.meters import Meter
from planar.transport.store import Ask, Store

AGE_S = 2.0
"""Who has waited so long counts as one priority more urgent."""
LOOK_S = 0.25
"""How often those who wait look whether somebody who shares the meters is gone."""


class Waiter:
    """A request before the turnstile.

    Attributes:
        future: done when what it asks for has been taken.
        not_before: when it may be worth asking for again, where asking takes a while; `lacks` is what was short.
    """

    __slots__ = ("asks", "future", "lacks", "not_before", "priority", "since")

    def __init__(self, asks: Sequence[Ask], priority: Priority, now: float) -> None:
        self.asks = asks
        self.priority = priority
        self.since = now
        self.not_before = 0.0
        self.lacks: Meter | None = None
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def rank(self, now: float) -> int:
        """The priority, and what waiting has made of it."""
        if self.priority <= Priority.ORDER:
            return self.priority
        return max(Priority.ORDER, self.priority - int((now - self.since) / AGE_S))


class _Lane:
    """Requests of one owner and priority that ask for the same meters, first come, first served."""

    __slots__ = ("served", "waiters")

    def __init__(self) -> None:
        self.waiters: deque[Waiter] = deque()
        self.served = 0


LaneKey = tuple[int, str, tuple[Meter, ...]]


class Turnstile:
    """The queue of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lanes: dict[LaneKey, _Lane] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._soon: asyncio.Handle | None = None
        self._late: dict[asyncio.TimerHandle, Sequence[Ask]] = {}

    def look_at(self, meters: Sequence[Meter]) -> None:
        """Somebody wants to see what is used of them."""

    async def told(self) -> None:
        """Until all who share the meters can know what was taken here."""

    def try_now(self, asks: Sequence[Ask], priority: Priority, now: float) -> bool:
        """Take what is asked if it fits and nobody who waits goes first."""
        if self._lanes and not self._foremost(asks, priority, now):
            return False
        return not self.store.attempt(asks, priority, now)

    def _foremost(self, asks: Sequence[Ask], priority: Priority, now: float) -> bool:
        wanted = {meter for meter, cost in asks if cost}
        for _, _, meters in self._lanes:
            if not wanted.isdisjoint(meters):
                return all(waiter.rank(now) > priority for waiter in self._heads())
        return True

    def _heads(self) -> list[Waiter]:
        return [lane.waiters[0] for lane in self._lanes.values()]

    def enter(self, asks: Sequence[Ask], priority: Priority, owner: str, now: float) -> Waiter:
        """Stand at the end of the queue."""
        waiter = Waiter(asks, priority, now)
        key = (int(priority), owner, tuple(meter for meter, cost in asks if cost))
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
            lane.served = self._count
        lane.waiters.append(waiter)
        if lane.waiters[0] is waiter:
            self._serve_soon()
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Give the place up, and what had been taken for it."""
        if waiter.future.done() and not waiter.future.cancelled():
            self.store.end(waiter.asks, runtime.monotonic(), sent=False)
        waiter.future.cancel()
        self._serve_soon()

    def _serve_soon(self) -> None:
        """Look through the queue once for all who come and go at this moment."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self.serve)

    def serve(self) -> None:
        """Let through whoever can go; come back when more is free."""
        self._set_no_timer()
        now = runtime.monotonic()
        self._tidy()
        closed: set[Meter] = set()
        soonest_s = inf
        turns = [
            (lane.waiters[0].rank(now), lane.served, at, key) for at, (key, lane) in enumerate(self._lanes.items())
        ]
        heapq.heapify(turns)
        while turns:
            _, _, at, key = heapq.heappop(turns)
            if not closed.isdisjoint(key[2]):
                continue
            lane = self._lanes[key]
            waiter = lane.waiters[0]
            wait_s = self.store.attempt(waiter.asks, waiter.priority, now)
            if wait_s:
                waits = self.store.waits(waiter.asks, waiter.priority, now)
                closed.update(meter for (meter, _), one_s in zip(waiter.asks, waits, strict=True) if one_s)
                soonest_s = min(soonest_s, wait_s)
                continue
            self._count += 1
            lane.served = self._count
            lane.waiters.popleft()
            waiter.future.set_result(None)
            if self._has_waiters(key, lane):
                heapq.heappush(turns, (lane.waiters[0].rank(now), lane.served, at, key))
        if self._lanes:
            self._timer = asyncio.get_running_loop().call_later(min(soonest_s, LOOK_S), self._look)

    def _set_no_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    def _look(self) -> None:
        self.store.reap(runtime.monotonic())
        self.serve()

    def _tidy(self) -> None:
        """Forget the lanes whose requests have all gone or given up."""
        for key, lane in list(self._lanes.items()):
            self._has_waiters(key, lane)

    def _has_waiters(self, key: LaneKey, lane: _Lane) -> bool:
        """Whether somebody waits in the lane; the first of it does then. A lane without anybody is forgotten."""
        waiters = lane.waiters
        while waiters and waiters[0].future.done():
            waiters.popleft()
        if not waiters:
            del self._lanes[key]
        return bool(waiters)

    def end(self, asks: Sequence[Ask], *, sent: bool, answered: bool) -> None:
        """What was taken was never sent, has been answered, or may still arrive a little later."""
        if sent and not answered:
            for handle in [handle for handle in self._late if handle.when() < runtime.monotonic()]:
                del self._late[handle]
            loop, late_s = asyncio.get_running_loop(), self.store.LATE_S
            self._late[loop.call_later(late_s, lambda: self.store.end(asks, runtime.monotonic(), sent=True))] = asks
            return
        self.store.end(asks, runtime.monotonic(), sent=sent)
        if not sent:
            self._serve_soon()

    async def close(self) -> None:
        """Wake nobody any more, and let go of the store."""
        self._set_no_timer()
        for handle, asks in self._late.items():
            if handle.when() >= runtime.monotonic():
                handle.cancel()
                self.store.end(asks, runtime.monotonic(), sent=True)
        self.store.close()
