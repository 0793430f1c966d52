"""The gate before new orders and its timer, under the seeded loop: seconds pass in no time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

import planar.runtime as runtime
from planar.errors import AuthenticationError, ExchangeNotAvailable, Outcome, PlanarError, RequestTimeout
from planar.orders.differences import Policy, Reason, Reconciliation
from planar.orders.readiness import EVERY_S, Readiness

T = TypeVar("T")


class Passes:
    """Passes that take a second, and fail as told."""

    def __init__(self) -> None:
        self.reasons: list[Reason] = []
        self.began: list[float] = []
        self.failures: list[PlanarError] = []
        self.open = False
        self.running = 0
        self.gate = Readiness(self.run, lambda: self.open)

    async def run(self, reason: Reason, policy: Policy | None) -> tuple[Reconciliation, PlanarError | None]:
        assert self.running == 0, "two at once"
        self.running += 1
        self.reasons.append(reason)
        self.began.append(runtime.monotonic())
        await runtime.sleep(1)
        self.running -= 1
        return Reconciliation(reason=reason), self.failures.pop(0) if self.failures else None


def play(scene: Callable[[Passes], Awaitable[T]]) -> T:
    async def scenario() -> T:
        passes = Passes()
        try:
            return await scene(passes)
        finally:
            await passes.gate.close()

    return runtime.simulate(scenario, seed=1)


def test_all_who_wait_for_the_start_share_one_pass() -> None:
    async def scene(passes: Passes) -> None:
        await asyncio.gather(*(passes.gate.ready(10) for _ in range(50)))
        assert passes.reasons == ["start"]
        await passes.gate.ready(10)
        assert passes.reasons == ["start"]

    play(scene)


def test_a_failure_that_may_pass_is_tried_again_within_the_deadline() -> None:
    async def scene(passes: Passes) -> None:
        passes.failures = [ExchangeNotAvailable("down"), ExchangeNotAvailable("down")]
        await passes.gate.ready(10)
        assert passes.reasons == ["start"] * 3

    play(scene)


def test_a_failure_for_good_is_told_at_once() -> None:
    async def scene(passes: Passes) -> None:
        passes.failures = [AuthenticationError("key")]
        with pytest.raises(AuthenticationError):
            await passes.gate.ready(10)
        assert not passes.gate.state.ready
        assert "key" in passes.gate.state.error
        await passes.gate.ready(10)
        assert passes.gate.state.ready
        assert passes.gate.state.error == ""

    play(scene)


def test_the_deadline_ends_the_wait_and_not_the_pass() -> None:
    async def scene(passes: Passes) -> None:
        with pytest.raises(RequestTimeout) as caught:
            await passes.gate.ready(0.5)
        assert caught.value.outcome is Outcome.NOT_SENT
        assert "after the start has not passed within 0.5 s" in caught.value.message
        await runtime.sleep(1)
        assert passes.gate.state.ready
        assert passes.reasons == ["start"]

    play(scene)


def test_a_pass_that_began_before_the_stream_came_back_does_not_open_the_gate() -> None:
    async def scene(passes: Passes) -> None:
        await passes.gate.ready()
        asking = asyncio.ensure_future(passes.gate.demand(None))
        await runtime.sleep(0.5)
        passes.gate.hold("the stream was lost")
        await asking
        assert not passes.gate.state.ready
        assert passes.gate.state.waits_for == "the stream was lost"
        await passes.gate.ready(10)
        assert passes.reasons == ["start", "demand", "reconnect"]

    play(scene)


def test_what_comes_back_during_the_first_pass_needs_another_one() -> None:
    async def scene(passes: Passes) -> None:
        passes.gate.hold("before anything began")
        starting = asyncio.ensure_future(passes.gate.ready(10))
        await runtime.sleep(0.5)
        passes.gate.hold("the stream was lost")
        await starting
        assert passes.reasons == ["start", "reconnect"]

    play(scene)


def test_the_timer_runs_while_something_is_open_and_survives_failures() -> None:
    async def scene(passes: Passes) -> None:
        await passes.gate.ready()
        await runtime.sleep(10 * EVERY_S)
        assert passes.reasons == ["start"], "nothing is open"
        passes.open = True
        passes.gate.keep_time()
        passes.gate.keep_time()
        began_s = runtime.monotonic()
        passes.failures = [ExchangeNotAvailable("down")]
        await runtime.sleep(3 * EVERY_S + 2)
        assert passes.reasons == ["start", "timer", "timer", "timer"]
        assert [one - began_s for one in passes.began[1:]] == pytest.approx([EVERY_S, 2 * EVERY_S, 3 * EVERY_S])
        passes.open = False
        await runtime.sleep(10 * EVERY_S)
        assert len(passes.reasons) == 4

    play(scene)


def test_a_timed_pass_opens_a_gate_whose_own_pass_failed() -> None:
    async def scene(passes: Passes) -> None:
        passes.open = True
        await passes.gate.ready()
        passes.failures = [ExchangeNotAvailable("down")]
        passes.gate.hold("the stream was lost")
        await runtime.sleep(2)
        assert not passes.gate.state.ready
        await runtime.sleep(EVERY_S + 2)
        assert passes.gate.state.ready

    play(scene)


def test_who_leaves_takes_the_pass_from_nobody() -> None:
    async def scene(passes: Passes) -> None:
        leaving, staying = (asyncio.ensure_future(passes.gate.ready(10)) for _ in range(2))
        await runtime.sleep(0.1)
        leaving.cancel()
        await staying
        assert passes.gate.state.held == 0
        assert passes.reasons == ["start"]

    play(scene)
