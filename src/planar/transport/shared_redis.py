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
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.errors import ConfigError
from planar.transport.context import Priority
from planar.transport.meters import Meter, MeterSpec
from planar.transport.pauses import Stop
from planar.transport.shared_redis_script import SCRIPT
from planar.transport.store import Ask, Store
from planar.transport.turnstile import LOOK_S, Turnstile, Waiter
from planar.transport.venue_time import VenueTime

log = logging.getLogger("planar")

ANSWER_S = 0.5
"""A Redis that takes longer is gone."""
BEAT_S = 1.0
"""How often a member says that it lives."""
RETRY_S = 0.5
"""How often who is alone asks for the Redis."""
TELL_S = 0.02
"""How long the end of a request may be kept, to be told together with others."""
BATCH = 16
"""Requests that one call of the script asks for."""
LONG_MS = 60_000
"""A window that is longer goes on from what the Redis said last: its end would be too far to wait for."""
STRANGERS = 10
"""Members that are assumed where the Redis was never reached."""
SAMPLE_S = 60.0
"""How long a comparison of the clocks counts."""


class _Reply(msgspec.Struct, frozen=True):
    """See `shared_redis_script`."""

    time: str
    members: int
    epoch: str
    join: float = 0.0
    waits: list[float] | dict[str, float] = []
    short: list[int] | dict[str, float] = []
    used: list[float] | dict[str, float] = []


class ServerTime:
    """How far the clock of the Redis is ahead of `runtime.monotonic()`, from the quickest answers."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.error_s = float("inf")
        self._sampled_at = 0.0

    def sample(self, began: float, ended: float, server_s: float) -> None:
        """An answer that was asked for and came at these moments, and what the server's clock showed."""
        error_s = (ended - began) / 2
        if error_s <= self.error_s or ended - self._sampled_at > SAMPLE_S:
            self.ahead_s, self.error_s, self._sampled_at = server_s - (began + ended) / 2, error_s, ended


class RedisStore(Store):
    """This process's part of the meters, and what it has to tell the Redis.

    Attributes:
        alone: the Redis is not reached, so the copy decides.
        spent_alone: something was taken meanwhile.
        seen: what the Redis said last that is used.
        ops: what is to be told, in the form of the script.
    """

    def __init__(self, clock: VenueTime, reserve: float, share: float) -> None:
        super().__init__(clock, reserve, share)
        self.alone = False
        self.ops: list[tuple[str, Meter | str, float, float]] = []
        self.names: dict[Meter, str] = {}
        self.sharers: dict[Meter, str] = {}
        self.seen: dict[Meter, float] = {}
        self.spent_alone = False
        self._part = 1 / STRANGERS

    def meter(self, spec: MeterSpec, name: str, sharer: str) -> Meter:
        """See `Store`."""
        made = super().meter(spec, name, sharer)
        if made not in self.names:
            self.names[made] = f"{spec.kind}/{name}/{sharer}"
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

    def observe(self, meter: Meter, venue_used: float, now: float, taken_at: float) -> None:
        """See `Store`."""
        if self.alone:
            super().observe(meter, venue_used, now, taken_at)
            return
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

    def part_company(self, members: int) -> None:
        """From now on use the fair part of one of so many members, and first nothing."""
        self.alone = self.spent_alone = True
        self._part = 1 / (members or STRANGERS)
        for meter in self.names:
            self._go_alone(meter)

    def _go_alone(self, meter: Meter) -> None:
        meter.set_share(self._share * self._part)
        long = meter.spec.window_ms > LONG_MS and meter in self.seen
        meter.assume(self.seen[meter] * self._part if long else meter.limit, runtime.monotonic())

    def meet(self) -> None:
        """The Redis decides again. It hears of what is still held here, and of no more that happened before."""
        self.alone = self.spent_alone = False
        self.ops = [op for op in self.ops if op[0] == "stop"]
        for meter in self.names:
            meter.set_share(self._share)
            self.tell("take", [(meter, meter.held())] if meter.held() else [])


class RedisTurnstile(Turnstile):
    """The queue of this process before meters in a Redis."""

    store: RedisStore

    def __init__(self, name: str, url: str, clock: VenueTime, reserve: float, share: float) -> None:
        """
        Args:
            name: of the exchange and environment.
            url: of the Redis.

        Raises:
            ConfigError: the package that speaks with a Redis is not installed.
        """
        try:
            import redis.asyncio as client
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
            from redis.exceptions import RedisError
        except ModuleNotFoundError as error:
            raise ConfigError(
                "[budget] shared names a Redis, and the package redis is not installed",
                hint="pip install 'planar-exchanges[redis]'",
            ) from error
        super().__init__(RedisStore(clock, reserve, share))
        self._prefix = f"planar:{{{name}}}:"
        options: dict[str, Any] = {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}
        redis_class: Any = client.Redis
        # never asked twice: what the first call took would be taken again
        self._redis: Any = redis_class.from_url(url, **options, retry=Retry(NoBackoff(), 0), max_connections=1)
        self._script: Any = self._redis.register_script(SCRIPT)
        self._gone = (RedisError, OSError, TimeoutError)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._server = ServerTime()
        self._member = runtime.token(12)
        self._members = 0
        self._epoch = ""
        self._soonest_s = BEAT_S
        self._telling: asyncio.TimerHandle | None = None
        self._met = False

    def try_now(self, asks: Sequence[Ask], priority: Priority, now: float) -> bool:
        """See `Turnstile`. With the others, the Redis is asked first."""
        self._begin()
        return self.store.alone and super().try_now(asks, priority, now)

    def serve(self) -> None:
        """See `Turnstile`."""
        if self.store.alone:
            super().serve()
        else:
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
            except self._gone as error:
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
        request, meters = self._request(waiters, ops)
        began = runtime.monotonic()
        try:
            raw = await self._script(keys=[self._prefix], args=[request])
        except BaseException:
            store.ops = ops + store.ops
            raise
        ended = runtime.monotonic()
        reply = msgspec.json.decode(raw, type=_Reply)
        self._server.sample(began, ended, float(reply.time))
        self._members = reply.members
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
            self._give(waiters, reply.waits, lacking, ended)

    def _request(
        self, waiters: Sequence[Waiter], ops: Sequence[tuple[str, Meter | str, float, float]]
    ) -> tuple[bytes, list[Meter]]:
        """The argument of the script, and the meters that it names."""
        store, now = self.store, runtime.monotonic()
        asked = [meter for waiter in waiters for meter, _ in waiter.asks if meter in store.names]
        told = [subject for _, subject, _, _ in ops if isinstance(subject, Meter)]
        numbers = {meter: number for number, meter in enumerate(dict.fromkeys([*told, *asked]), 1)}
        error_s = self._server.error_s if self._server.error_s < ANSWER_S else ANSWER_S
        request = {
            "member": self._member,
            "alone": store.spent_alone,
            "seen": self._epoch,
            "ahead": store.clock.ahead_s() - self._server.ahead_s,
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
        self._next(set(), now)
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
            "the Redis of the shared budget is gone (%s): from now on one of %d parts of each limit",
            type(error).__name__,
            self._members or STRANGERS,
        )
        self._met = False
        # whatever the last call took is settled by the others as that of a member that is gone
        self._member, self._server, self._epoch = runtime.token(12), ServerTime(), ""
        self.store.part_company(self._members)
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
        with contextlib.suppress(*self._gone):
            await self._redis.zrem(f"{self._prefix}members", self._member)
        await self._redis.aclose()


def _row(name: str, meter: Meter) -> tuple[str, str, float, float]:
    spec = meter.spec
    rate = (spec.decay_per_s or 0.0) * meter.limit / spec.limit if spec.kind == "decaying" else spec.window_ms / 1000
    return name, spec.kind, meter.limit, rate
