"""Meters that machines share through a Redis: one script call takes what everybody waiting in this process asks for.

The Redis holds the meters and its clock counts; this process keeps a copy of its own part. When the Redis does not
answer, the copy goes on alone with a fair share: the limit divided by the members seen last. A window of up to a minute
begins full, since nobody knows what the others took just before. When the Redis is back, everybody meets again (see
`shared_redis_script`).

One case stays open: a member that alone loses its way to a Redis which the others still reach uses its share beside them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from itertools import chain, islice, zip_longest

import msgspec

import planar.runtime as runtime
from planar.transport.context import Priority
from planar.transport.meters import Meter
from planar.transport.shared_redis_link import ANSWER_S, RedisLink, told
from planar.transport.shared_redis_store import RedisStore
from planar.transport.store import STRANGERS, Ask
from planar.transport.turnstile import LOOK_S, Turnstile, Waiter
from planar.transport.venue_time import VenueTime

log = logging.getLogger("planar")

BEAT_S = 1.0
"""How often a member says that it lives."""
RETRY_S = 0.5
"""How often who is alone asks for the Redis."""
TELL_S = 0.02
"""How long the end of a request may be kept, to be told together with others."""
BATCH = 16
"""Requests that one call of the script asks for."""


class RedisTurnstile(Turnstile):
    """The queue of this process before meters in a Redis."""

    store: RedisStore

    def __init__(self, name: str, url: str, address: str, clock: VenueTime, reserve: float, share: float) -> None:
        """
        Args:
            name: of the exchange and environment.
            url: of the Redis.
            address: the sharer that is this machine's own address.

        Raises:
            ConfigError: the package that speaks with a Redis is not installed.
        """
        super().__init__(RedisStore(clock, reserve, share, address))
        self._link = RedisLink(name, url)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._address = address
        self._member = self._named()
        self._members = self._near = 0
        self._epoch = self._left = ""
        self._soonest_s = BEAT_S
        self._telling: asyncio.TimerHandle | None = None
        self._met = False
        self._to_tell: list[asyncio.Future[None]] = []

    def _named(self) -> str:
        """A new name; those that begin alike have one address."""
        return f"{self._address}|{runtime.token(12)}"

    def look_at(self, meters: Sequence[Meter]) -> None:
        """See `Turnstile`. The Redis is asked, and what it answers is seen at the next look."""
        self._begin()
        self.store.look_at(meters)
        self._wake.set()

    async def told(self) -> None:
        """See `Turnstile`. A Redis that does not answer soon is gone, and then each keeps to its part."""
        if self.store.alone:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._to_tell.append(future)
        self._wake.set()
        await asyncio.wait([future], timeout=ANSWER_S)

    def try_now(self, asks: Sequence[Ask], priority: Priority, now: float) -> bool:
        """See `Turnstile`. With the others, the Redis is asked first."""
        self._begin()
        return self.store.alone and super().try_now(asks, priority, now)

    def serve(self) -> None:
        """See `Turnstile`."""
        if self.store.alone:
            super().serve()
        else:
            self._set_no_timer()
            self._wake.set()

    def end(self, asks: Sequence[Ask], *, sent: bool, answered: bool) -> None:
        """See `Turnstile`."""
        super().end(asks, sent=sent, answered=answered)
        if self._telling is None and not self.store.alone:
            self._telling = asyncio.get_running_loop().call_later(TELL_S, self._tell)

    def _begin(self) -> None:
        if self._task is None:
            self._task = runtime.spawn(self._run(), name="shared budget")

    def _tell(self) -> None:
        self._telling = None
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._exchange()
            except self._link.gone as error:
                self._part_company(error)
            await self._pause()

    async def _pause(self) -> None:
        """Until there is something to say."""
        if self.store.alone:
            await runtime.sleep(RETRY_S)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(self._soonest_s, BEAT_S)):
                await self._wake.wait()
        self._wake.clear()

    async def _exchange(self) -> None:
        """One call of the script: what has ended, what is asked for, what is given."""
        store = self.store
        self._soonest_s = BEAT_S
        waiters = self._foremost_waiters() if self._met else []
        ops, store.ops = store.ops, []
        to_tell, self._to_tell = self._to_tell, []
        request, meters = self._request(waiters, ops)
        try:
            reply = await self._link.ask(request)
        except BaseException:
            store.ops = ops + store.ops
            raise
        finally:
            for future in to_tell:
                if not future.done():
                    future.set_result(None)
        self._members, self._near = reply.members, reply.near
        same, self._epoch = reply.epoch == self._epoch, reply.epoch
        if reply.join:
            store.ops = ops + store.ops
            self._soonest_s = min(self._soonest_s, reply.join)
            return
        if not (self._met and same):
            self._meet()
        if isinstance(reply.used, list):
            store.seen = store.seen | dict(zip(meters, reply.used, strict=True))
        if isinstance(reply.waits, list) and isinstance(reply.short, list):
            lacking = [meters[number - 1] if number else None for number in reply.short]
            self._give(waiters, reply.waits, lacking, runtime.monotonic())

    def _request(
        self, waiters: Sequence[Waiter], ops: Sequence[tuple[str, Meter | str, float, float]]
    ) -> tuple[bytes, list[Meter]]:
        """The argument of the script, and the meters that it names."""
        store, now = self.store, runtime.monotonic()
        asked = [meter for waiter in waiters for meter, _ in waiter.asks if meter in store.names]
        told = [subject for _, subject, _, _ in ops if isinstance(subject, Meter)]
        numbers = {meter: number for number, meter in enumerate(dict.fromkeys([*told, *asked]), 1)}
        server = self._link.server
        error_s = min(server.error_s, ANSWER_S)
        request = {
            "member": self._member,
            "alone": store.spent_alone,
            # who has spent something alone knows nothing of what is there until a new epoch begins
            "seen": "" if store.spent_alone and self._epoch == self._left else self._epoch,
            "ahead": store.clock.ahead_s() - server.ahead_s,
            "error": store.clock.error_s() + error_s,
            "meters": [_row(store.names[meter], meter) for meter in numbers],
            "ops": [
                (what, numbers[subject], amount, window)
                if isinstance(subject, Meter)
                else (what, subject, amount - now)
                for what, subject, amount, window in ops
            ],
            "asks": [self._ask(waiter, numbers) for waiter in waiters],
        }
        return msgspec.json.encode(request), list(numbers)

    def _ask(self, waiter: Waiter, numbers: dict[Meter, int]) -> tuple[list[str], list[tuple[int, float, float]]]:
        sharers = self.store.sharers
        stops = [sharers[meter] for meter, _ in waiter.asks if meter in sharers]
        asks = [(numbers[m], cost, m.allowed[waiter.priority]) for m, cost in waiter.asks if m in numbers]
        return stops, asks

    def _foremost_waiters(self) -> list[Waiter]:
        """Whom to ask for, in the order in which they go; owners of one rank take turns."""
        now = runtime.monotonic()
        self._tidy()
        ranks: dict[int, list[Sequence[Waiter]]] = {}
        closed: set[Meter] = set()
        lanes = [(lane.waiters[0].rank(now), lane.served, key) for key, lane in self._lanes.items()]
        for rank, _, key in sorted(lanes, key=lambda one: one[:2]):
            waiters = self._lanes[key].waiters
            if waiters[0].not_before > now:
                self._soonest_s = min(self._soonest_s, waiters[0].not_before - now)
                closed.update([waiters[0].lacks] if waiters[0].lacks is not None else [])
            elif closed.isdisjoint(key[2]):
                ranks.setdefault(rank, []).append(list(islice(waiters, BATCH)))
        turns = chain.from_iterable(zip_longest(*ranks[rank]) for rank in sorted(ranks))
        waiting = (waiter for turn in turns for waiter in turn if waiter is not None and not waiter.future.done())
        return list(islice((waiter for waiter in waiting if not self._paused_s(waiter, now)), BATCH))

    def _paused_s(self, waiter: Waiter, now: float) -> float:
        """Seconds that stops known here, and the pause between requests, still last."""
        wait_s = max((m.wait_s(0.0, now, 0.0) for m, _ in waiter.asks if m not in self.store.names), default=0.0)
        self._soonest_s = min(self._soonest_s, wait_s or BEAT_S)
        return wait_s

    def _give(
        self, waiters: Sequence[Waiter], waits: Sequence[float], lacking: Sequence[Meter | None], now: float
    ) -> None:
        for waiter, wait_s, meter in zip(waiters, waits, lacking, strict=True):
            if wait_s:
                # somebody may give back what was not sent, so it is asked for again before
                wait_s = min(wait_s, LOOK_S)
                self._soonest_s = min(self._soonest_s, wait_s)
                waiter.not_before, waiter.lacks = now + wait_s, meter
                continue
            given = [ask for ask in waiter.asks if ask[0] in self.store.names]
            self.store.given(given, now)
            if waiter.future.done() or self._paused_s(waiter, now):
                self.store.end(given, now, sent=False)
                continue
            for meter, _ in waiter.asks:
                if meter not in self.store.names:
                    meter.take(0.0, now)
            waiter.future.set_result(None)
            self._count += 1
            self._wake.set()
        for lane in self._lanes.values():
            if any(waiter.future.done() for waiter in lane.waiters):
                lane.served = self._count

    def _meet(self) -> None:
        if self.store.alone:
            log.warning("the Redis of the shared budget is back: %d members", self._members)
        self._met = True
        self.store.meet()
        self._wake.set()

    def _part_company(self, error: BaseException) -> None:
        if self.store.alone:
            return
        log.warning(
            "the Redis of the shared budget ([budget] shared) is left: %s. Until it does its part again, this process "
            "keeps to one of %d parts of each limit%s",
            told(error),
            self._members or STRANGERS,
            "" if self._members else ": it has met nobody yet",
        )
        self._met = False
        # whatever the last call took is settled by the others as that of a member that is gone
        self._member, self._left = self._named(), self._epoch
        self._link.forget()
        self.store.part_company(self._members, self._near)
        self.serve()

    async def close(self) -> None:
        """See `Turnstile`."""
        if self._telling is not None:
            self._telling.cancel()
        while self._task is not None and not self._task.done():
            # a cancellation that meets the end of an answer may be lost below
            self._task.cancel()
            await asyncio.wait([self._task], timeout=ANSWER_S)
        await super().close()
        await self._link.close(self._member)


def _row(name: str, meter: Meter) -> tuple[str, str, float, float]:
    spec = meter.spec
    rate = (spec.decay_per_s or 0.0) * meter.limit / spec.limit if spec.kind == "decaying" else spec.window_ms / 1000
    return name, spec.kind, meter.limit, rate
