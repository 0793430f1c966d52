"""The budget: the view of one account on what a venue allows, and the reservation that each request makes on it.

A request reserves its cost on every meter that it counts on before it is signed; who must wait, waits at the turnstile.
The answer ends the reservation and feeds back: a used-weight header that is ahead of ours adds the difference, and a
429 or 418 stops all who share the address or the key for as long as the venue said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import planar.runtime as runtime
from planar.errors import Outcome, RateLimitExceeded
from planar.transport.addresses import USUAL, Way
from planar.transport.clock import VenueClock
from planar.transport.context import CallContext
from planar.transport.meters import Meter, MeterSpec
from planar.transport.pauses import Spacing
from planar.transport.pool import MeterPool
from planar.transport.store import Ask

OVER = 2.0
"""So many limits are believed to be used at most, whatever the venue says."""

Costs = Sequence[tuple[str, float]]
"""(meter, cost). "trading/BTCUSDT" is the part BTCUSDT of the limit "trading", where a venue counts each market apart."""


class Reservation:
    """What one request has taken, until its answer is there."""

    __slots__ = ("_asks", "_budget", "_costs", "taken_at")

    def __init__(self, budget: Budget, costs: Costs, asks: list[Ask], taken_at: float) -> None:
        self._budget = budget
        self._costs = costs
        self._asks: list[Ask] | None = asks
        self.taken_at = taken_at

    async def fits(self) -> bool:
        """Whether it still fits: what the venue counts without refusing for it may have been taken since."""
        return not self._asks or await self._budget.within(self._costs)

    async def again(self, call: CallContext) -> None:
        """Give it back, and wait for it anew; for a request that has not left.

        Raises:
            RateLimitExceeded: (NOT_SENT) see `Budget.reserve`.
        """
        self.end(sent=False)
        held = await self._budget.reserve(self._costs, call)
        self._asks, self.taken_at = held._asks, held.taken_at

    async def add(self, costs: Costs) -> None:
        """Take also what the venue counts without refusing for it: later requests wait for it, this one does not.

        Comes before the request is sent; all who share the meters know of it then.
        """
        if costs and self._asks is not None:
            self._asks = self._asks + self._budget.take(costs)
            await self._budget.told()

    def end(self, *, sent: bool = True, answered: bool = True) -> None:
        """The request is over; further ends change nothing.

        Args:
            sent: False: nothing of it left, so all that was taken is given back.
            answered: False: it may still be on its way, so what was taken is held a little longer.
        """
        asks, self._asks = self._asks, None
        if asks is not None:
            self._budget.end(asks, sent=sent, answered=answered)


class Budget:
    """What the requests of one account may use."""

    def __init__(
        self,
        pool: MeterPool,
        exchange: str,
        environment: str,
        key_fingerprint: str,
        specs: Sequence[MeterSpec],
        *,
        pacing: bool = True,
        spacing_ms: int = 0,
        instance: str = "",
        way: Way = USUAL,
    ) -> None:
        """
        Args:
            pacing: False sends without waiting for the meters.
            spacing_ms: an extra pause between two requests.
            instance: of the local venue.
            way: how requests leave; limits of an address are those of the one that the venue then sees.
        """
        self._exchange = exchange
        self._fingerprint = key_fingerprint
        self._address = pool.address(way)
        self._turnstile = pool.turnstile(exchange, environment, instance=instance)
        self._store = self._turnstile.store
        self._specs = {spec.name: spec for spec in specs}
        self._meters: dict[str, Meter] = {}
        for spec in specs:
            self._meter(spec.name)
        self._pacing = pacing
        self._both_stops: list[Ask] = [(self._store.stop(self._address), 0.0), (self._store.stop(key_fingerprint), 0.0)]
        self._pauses: list[Ask] = [(Spacing(spacing_ms), 0.0)] if spacing_ms else []

    def follow(self, clock: VenueClock) -> None:
        """Keep the windows that begin on the venue's clock by `clock`, once that knows it."""
        self._store.clock.follow(clock)

    async def reserve(self, costs: Costs, call: CallContext) -> Reservation:
        """Wait until `costs` fit, and take them.

        Raises:
            RateLimitExceeded: (NOT_SENT) the wait, or the venue's stop, would outlast the call's deadline.
        """
        now = runtime.monotonic()
        asks = self._asks(costs) if self._pacing else self._pauses
        asks = [*asks, *self._stops(asks)]
        if self._turnstile.try_now(asks, call.priority, now):
            return self._reserved(costs, asks, now)
        wait_s, left_s = max(self._store.waits(asks, call.priority, now)), call.remaining_s()
        if wait_s > left_s:
            raise self._too_long(call, wait_s)
        waiter = self._turnstile.enter(asks, call.priority, f"{self._fingerprint}/{call.owner}", now)
        try:
            async with asyncio.timeout(left_s):
                await waiter.future
        except TimeoutError:
            self._turnstile.leave(waiter)
            now = runtime.monotonic()
            raise self._too_long(call, max(self._store.waits(asks, call.priority, now))) from None
        except asyncio.CancelledError:
            self._turnstile.leave(waiter)
            raise
        return self._reserved(costs, asks, runtime.monotonic())

    def take(self, costs: Costs) -> list[Ask]:
        """Take `costs` without asking whether they fit."""
        asks = [(self._meter(name), cost) for name, cost in costs]
        self._store.take(asks, runtime.monotonic())
        return asks

    async def within(self, costs: Costs) -> bool:
        """Whether no meter that these were taken from is used beyond its limit, or by more than them alone; without
        pacing nobody asks."""
        taken = [(self._meter(name), cost) for name, cost in costs] if self._pacing else []
        if taken:
            self._turnstile.look_at([meter for meter, _ in taken])
            await self._turnstile.told()
        return self._store.fit(taken, runtime.monotonic()) if taken else True

    async def told(self) -> None:
        """Until all who share the meters can know what was taken."""
        await self._turnstile.told()

    def end(self, asks: Sequence[Ask], *, sent: bool, answered: bool) -> None:
        """See `Reservation.end`."""
        self._turnstile.end(asks, sent=sent, answered=answered)

    def observe(self, told: Sequence[tuple[str, float]], taken_at: float) -> None:
        """Take over what the venue says is used: (meter, used).

        Args:
            taken_at: `Reservation.taken_at` of the request whose answer says so.
        """
        meters = [(self._meter(name), used) for name, used in told]
        # a venue lets through a little more than its limit at most; what is far beyond it would never decay again
        bounded = [(meter, min(used, OVER * meter.limit)) for meter, used in meters]
        self._store.observe(bounded, runtime.monotonic(), taken_at)

    def stop(self, seconds: float, *, key: bool = False) -> None:
        """Obey the venue's refusal: nothing more for `seconds`, pacing or not.

        Args:
            key: it concerns only what counts on the limits of this key, not all requests from this address.
        """
        self._store.hold_off(self._fingerprint if key else self._address, runtime.monotonic() + seconds)
        self._turnstile.serve()

    def stopped_s(self) -> float:
        """Seconds that a stop of this account or of the address still lasts; 0 if there is none."""
        now = runtime.monotonic()
        return max(self._store.used(stop, now) for stop, _ in self._both_stops)

    def usage(self) -> dict[str, tuple[float, float]]:
        """Meter name -> (used, limit) at this moment; with a Redis, as it said last."""
        self._turnstile.look_at(list(self._meters.values()))
        now = runtime.monotonic()
        return {name: (self._store.used(meter, now), meter.limit) for name, meter in self._meters.items()}

    def _meter(self, name: str) -> Meter:
        if name not in self._meters:
            spec = self._specs[name.partition("/")[0]]
            self._meters[name] = self._store.meter(spec, name, self._sharer(spec))
        return self._meters[name]

    def _sharer(self, spec: MeterSpec) -> str:
        """With whom a limit is shared. Two keys of one account cannot be told to be one's."""
        if spec.scope == "address":
            return self._address
        return runtime.token(16) if spec.scope == "connection" else self._fingerprint

    def _asks(self, costs: Costs) -> list[Ask]:
        """The meters that a request waits for, and the pause between requests."""
        meters = self._meters
        return [(meters.get(name) or self._meter(name), cost) for name, cost in costs] + self._pauses

    def _stops(self, asks: Sequence[Ask]) -> Sequence[Ask]:
        """The stops that concern a request. Without pacing nobody knows what it counts on."""
        for meter, _ in asks:
            if meter.by_key:
                return self._both_stops
        return self._both_stops if not self._pacing else self._both_stops[:1]

    def _reserved(self, costs: Costs, asks: list[Ask], now: float) -> Reservation:
        """Without pacing others must still see what is used; its answer is not waited for."""
        if not self._pacing:
            self._store.end(self.take(costs), now, sent=True)
        return Reservation(self, costs, asks, now)

    def _too_long(self, call: CallContext, wait_s: float) -> RateLimitExceeded:
        stopped_s = self.stopped_s()
        reason = "the venue told us to wait" if stopped_s else "the venue's limit is used up"
        return RateLimitExceeded(
            f"{call.name} was not sent: {reason} for another {max(wait_s, stopped_s):.1f} s, longer than its deadline",
            exchange=self._exchange,
            outcome=Outcome.NOT_SENT,
            retryable=True,
            retry_after_s=max(wait_s, stopped_s),
        )
