"""The budget: what a venue allows per window, kept by all who share an address or a key.

A meter models one of the venue's own limits (request weight of an address, orders of an account). A request reserves its
cost on each meter before it is signed; who must wait, waits in the order of priority. Answers feed back: a used-weight
header that is ahead of ours adds the difference, and a 429 or 418 stops the meters' scope for as long as the venue said.
The windows slide, so that no alignment of the venue's own windows can be exceeded.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Sequence
from typing import Literal

import msgspec

import planar.runtime as runtime
from planar.errors import Outcome, RateLimitExceeded
from planar.transport.context import CallContext

Scope = Literal["address", "key"]

LEAST_WAIT_S = 1e-4
"""A timer of less may fire before the clock has moved, and be set again without end."""


class MeterSpec(msgspec.Struct, frozen=True):
    """One limit of a venue.

    Attributes:
        name: its name in cost tables, such as "weight".
        limit: what may be used within a window.
        window_ms: the window's length.
        scope: who shares it: all requests from this address, or all with this key.
        header: answer header that tells how much the venue counts as used, or None.
    """

    name: str
    limit: float
    window_ms: int
    scope: Scope = "address"
    header: str | None = None


class Meter:
    """The use of one limit over its sliding window."""

    __slots__ = ("_entries", "limit", "spec", "used", "window_s")

    def __init__(self, spec: MeterSpec) -> None:
        self.spec = spec
        self.limit = spec.limit
        self.window_s = spec.window_ms / 1000
        self.used = 0.0
        self._entries: deque[tuple[float, float]] = deque()

    def wait_s(self, cost: float, now: float) -> float:
        """Seconds until `cost` fits; 0 if it does now."""
        entries = self._entries
        while entries and entries[0][0] <= now:
            self.used -= entries.popleft()[1]
        if not entries:
            self.used = 0.0
        excess = self.used + cost - self.limit
        if excess <= 0:
            return 0.0
        for frees_at, amount in entries:
            excess -= amount
            if excess <= 0:
                return max(frees_at - now, LEAST_WAIT_S)
        return self.window_s

    def take(self, cost: float, now: float) -> None:
        """Count `cost` as used at `now`."""
        self.used += cost
        self._entries.append((now + self.window_s, cost))

    def observe(self, venue_used: float, now: float) -> None:
        """Count what the venue has seen beyond our own requests (another process, another program)."""
        self.wait_s(0.0, now)
        if venue_used > self.used:
            self.take(venue_used - self.used, now)


class MeterPool:
    """All meters of a workspace, and the bans: one per exchange, environment, limit and sharer."""

    def __init__(self) -> None:
        self._meters: dict[tuple[str, str, str, str], Meter] = {}
        self._stops: dict[tuple[str, str], float] = {}

    def meter(self, exchange: str, environment: str, sharer: str, spec: MeterSpec) -> Meter:
        """The meter of `spec` that all with the same `sharer` (address or key fingerprint) use."""
        key = (exchange, environment, spec.name, sharer if spec.scope == "key" else "")
        if key not in self._meters:
            self._meters[key] = Meter(spec)
        return self._meters[key]

    def stop(self, exchange: str, environment: str, seconds: float) -> None:
        """Let nothing through to this exchange for `seconds`."""
        until = runtime.monotonic() + seconds
        key = (exchange, environment)
        self._stops[key] = max(until, self._stops.get(key, 0.0))

    def stopped_s(self, exchange: str, environment: str) -> float:
        """Seconds that a stop still lasts; 0 if there is none."""
        until = self._stops.get((exchange, environment))
        return max(0.0, until - runtime.monotonic()) if until is not None else 0.0


class Budget:
    """The view of one account on the meters that its requests use."""

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
    ) -> None:
        self._pool = pool
        self._exchange = exchange
        self._environment = environment
        self._meters = {spec.name: pool.meter(exchange, environment, key_fingerprint, spec) for spec in specs}
        self._pacing = pacing
        self._spacing_s = spacing_ms / 1000
        self._next_at = 0.0
        self._waiters: list[tuple[int, int, asyncio.Future[None], Sequence[tuple[str, float]]]] = []
        self._sequence = 0
        self._timer: asyncio.TimerHandle | None = None

    async def reserve(self, costs: Sequence[tuple[str, float]], call: CallContext) -> None:
        """Wait until `costs` (meter name, cost) fit, and take them.

        Raises:
            RateLimitExceeded: (NOT_SENT) the wait, or the venue's stop, would outlast the call's deadline.
        """
        if not self._waiters and self._try(costs) == 0.0:
            return
        wait_s, left_s = self._try_only(costs), call.remaining_s()
        if wait_s > left_s:
            raise self._too_long(call, wait_s)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sequence += 1
        heapq.heappush(self._waiters, (int(call.priority), self._sequence, future, costs))
        self._serve()
        try:
            async with asyncio.timeout(left_s):
                await future
        except TimeoutError:
            raise self._too_long(call, self._try_only(costs)) from None

    def observe(self, name: str, venue_used: float) -> None:
        """Take over what the venue says is used on the meter `name`."""
        self._meters[name].observe(venue_used, runtime.monotonic())

    def stop(self, seconds: float) -> None:
        """Obey the venue's 429 or 418: nothing more to this exchange for `seconds`, pacing or not."""
        self._pool.stop(self._exchange, self._environment, seconds)

    def usage(self) -> dict[str, tuple[float, float]]:
        """Meter name -> (used, limit) at this moment."""
        now = runtime.monotonic()
        for meter in self._meters.values():
            meter.wait_s(0.0, now)
        return {name: (meter.used, meter.limit) for name, meter in self._meters.items()}

    def _too_long(self, call: CallContext, wait_s: float) -> RateLimitExceeded:
        stopped_s = self._pool.stopped_s(self._exchange, self._environment)
        reason = "the venue told us to wait" if stopped_s else "the venue's limit is used up"
        return RateLimitExceeded(
            f"{call.name} was not sent: {reason} for another {max(wait_s, stopped_s):.1f} s, longer than its deadline",
            exchange=self._exchange,
            outcome=Outcome.NOT_SENT,
            retryable=True,
            retry_after_s=max(wait_s, stopped_s),
        )

    def _try_only(self, costs: Sequence[tuple[str, float]]) -> float:
        """Seconds until `costs` could be taken."""
        wait_s = self._pool.stopped_s(self._exchange, self._environment)
        now = runtime.monotonic()
        if self._spacing_s:
            wait_s = max(wait_s, self._next_at - now)
        if self._pacing:
            for name, cost in costs:
                wait_s = max(wait_s, self._meters[name].wait_s(cost, now))
        return 0.0 if wait_s <= 0.0 else max(wait_s, LEAST_WAIT_S)

    def _try(self, costs: Sequence[tuple[str, float]]) -> float:
        """Take `costs` and return 0, or return the seconds until they could be taken."""
        wait_s = self._try_only(costs)
        if wait_s == 0.0:
            now = runtime.monotonic()
            self._next_at = now + self._spacing_s
            for name, cost in costs:
                self._meters[name].take(cost, now)
        return wait_s

    def _serve(self) -> None:
        """Let the first in line through, as far as the meters allow; come back when more is free."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiters:
            _, _, future, costs = self._waiters[0]
            if future.done():
                heapq.heappop(self._waiters)
                continue
            wait_s = self._try(costs)
            if wait_s > 0.0:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self._serve)
                return
            heapq.heappop(self._waiters)
            future.set_result(None)
