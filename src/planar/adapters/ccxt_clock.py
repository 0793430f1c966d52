"""The time half of the seam: what CCXT signs with is the venue's time, and nonces come from the key's lane.

The venue is asked for its time in the background, after a request that was signed with it, and at once when it refuses
a request for its time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import planar.runtime as runtime
from planar.errors import BadResponse, InvalidNonce, Outcome, PlanarError
from planar.transport.clock import FIRST_MS, LAST_MS, VenueClock
from planar.transport.context import CallContext, Effect, Priority, calling, current_call

log = logging.getLogger("planar.transport")

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
ASKING = "the question for the venue's time"
TIMEOUT_MS = 5_000
"""For a question for the venue's time in the background."""


class ClockSeam:
    """Mixed in before CCXT's class, as a part of `CcxtSeam`."""

    def milliseconds(self) -> int:
        """The venue's UTC, milliseconds."""
        return self._time_ns() // 1_000_000

    def seconds(self) -> int:
        """The venue's UTC, seconds."""
        return self._time_ns() // 1_000_000_000

    def microseconds(self) -> int:
        """The venue's UTC, microseconds."""
        return self._time_ns() // 1000

    def nonce(self) -> int:
        """The lane's where the venue wants nonces that grow; else what CCXT takes for one, the time."""
        lane = cast(Any, self).planar.lane
        return cast(Any, super()).nonce() if lane is None else lane.nonce()

    def _time_ns(self) -> int:
        state = self.__dict__
        state["_planar_time_reads"] = state.get("_planar_time_reads", 0) + 1
        wiring = state.get("planar")  # CCXT asks for the time while it is made
        return runtime.wall_ns() if wiring is None else wiring.monitor.clock.wall_ns()

    def time_reads(self) -> int:
        """How often the time was asked for: tells whether a signature holds it."""
        return self.__dict__.get("_planar_time_reads", 0)

    def keep_time(self) -> None:
        """The time was used: ask the venue for it in the background if the last answer is old."""
        this = cast(Any, self)
        clock: VenueClock = this.planar.monitor.clock
        if not clock.due or not this.has.get("fetchTime"):
            return
        clock.asking = True
        task = runtime.spawn(self._ask_quietly(clock), name=f"{this.id}: clock")
        tasks: dict[asyncio.Task[Any], None] = this._tasks()
        tasks[task] = None
        task.add_done_callback(lambda done: _forget(tasks, clock, done))

    async def _ask_quietly(self, clock: VenueClock) -> None:
        try:
            await self._ask_time(TIMEOUT_MS)
        except PlanarError as error:
            log.info("%s: the venue's time could not be had: %s", cast(Any, self).id, error)

    async def _ask_time(self, timeout_ms: int) -> None:
        this = cast(Any, self)
        call = CallContext(ASKING, timeout_ms, Priority.ORDER, reading=True)
        with calling(call):
            try:
                await this.fetch_time()
            except PlanarError:
                raise
            except Exception as error:
                raise PlanarError(f"its answer could not be read: {type(error).__name__}") from error

    async def fetch_time(self, params: Mapping[str, Any] = NOTHING) -> Any:
        """CCXT's, UTC milliseconds; whoever asks, the clock learns from the answer."""
        told_ms = await cast(Any, super()).fetch_time(dict(params))
        requests = current_call().requests
        if not isinstance(told_ms, int) or not FIRST_MS <= told_ms < LAST_MS:
            raise BadResponse(f"it told {str(told_ms)[:40]} for the time in milliseconds", exchange=cast(Any, self).id)
        if requests:
            cast(Any, self).planar.monitor.told_time(told_ms, requests[-1])
        return told_ms

    def overtaken(self, error: InvalidNonce, effect: Effect) -> bool:
        """Whether a query of a venue with nonces was refused since a later request of its key had arrived before it: it
        may be sent once more, with a higher nonce."""
        return cast(Any, self).planar.lane is not None and effect is Effect.READ and error.outcome is Outcome.REFUSED

    async def clock_mended(self, error: InvalidNonce, signed_s: float, call: CallContext) -> bool:
        """Whether a request that was refused with `error` is to be sent once more, since the time is known better now.

        Args:
            signed_s: monotonic seconds at which it was signed.
            call: what it belongs to; its deadline bounds the question.
        """
        this = cast(Any, self)
        monitor = this.planar.monitor
        if error.code not in this.planar.profile.clock_errors or error.outcome is not Outcome.REFUSED:
            return False
        if call.name == ASKING or not this.has.get("fetchTime"):
            return False
        if monitor.clock.asked_s > signed_s:
            return True  # another request has been refused too, and somebody has asked meanwhile
        try:
            await self._ask_time(max(1, int(call.remaining_s() * 1000)))
        except PlanarError as failure:
            log.info("%s: the venue's time could not be had: %s", this.id, failure)
            return False
        return monitor.clock.asked_s > signed_s


def _forget(tasks: dict[asyncio.Task[Any], None], clock: VenueClock, done: asyncio.Task[Any]) -> None:
    clock.asking = False
    tasks.pop(done, None)
