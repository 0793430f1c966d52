"""A request that waited for its turn is sent only if what it reserved still fits; see also tests/wire/test_nonce_lanes.py."""

from __future__ import annotations

import asyncio

import pytest

import planar.runtime as runtime
from planar.errors import RateLimitExceeded
from planar.transport.budget import Budget
from planar.transport.context import CallContext, Priority
from planar.transport.lanes import NonceLane, Turn
from planar.transport.meters import MeterSpec
from planar.transport.pool import MeterPool

COUNTER = MeterSpec("trading", 10, kind="decaying", decay_per_s=2.0, scope="key", cancels=False)


def call(priority: Priority, timeout_ms: int = 60_000) -> CallContext:
    return CallContext("call", timeout_ms, priority)


async def overtaken(timeout_ms: int, pacing: bool = True) -> list[tuple[str, float]]:
    """An order that fits just so waits behind a query; a cancel, which counts and is never refused, goes before it."""
    budget, lane = Budget(MeterPool(), "x", "local", "key", [COUNTER], pacing=pacing), NonceLane()
    began, sent = runtime.monotonic(), list[tuple[str, float]]()

    async def order() -> None:
        held = await budget.reserve([("trading", 10.0)], call(Priority.ORDER))
        async with Turn(lane, call(Priority.ORDER, timeout_ms), held):
            sent.append(("order", runtime.monotonic() - began))
        held.end()

    async def cancel() -> None:
        held = await budget.reserve([], call(Priority.CANCEL))
        await held.add([("trading", 4.0)])
        async with Turn(lane, call(Priority.CANCEL), held):
            sent.append(("cancel", runtime.monotonic() - began))
        held.end()

    async with lane.turn(call(Priority.ACCOUNT)):
        first = runtime.spawn(order(), name="order")
        await runtime.sleep(0)
        second = runtime.spawn(cancel(), name="cancel")
        await runtime.sleep(0.05)
    await asyncio.gather(first, second)
    assert not pacing or budget.usage()["trading"][0] <= 10
    return sent


def test_what_a_cancel_took_since_is_waited_for() -> None:
    (cancel, cancel_s), (order, order_s) = runtime.simulate(lambda: overtaken(60_000), seed=1)
    assert (cancel, order) == ("cancel", "order")
    assert cancel_s < 0.1
    assert order_s == pytest.approx(cancel_s + 2.0, abs=0.1)  # 4 fall off in 2 s


def test_without_pacing_nothing_is_waited_for() -> None:
    (_, cancel_s), (_, order_s) = runtime.simulate(lambda: overtaken(1_000, pacing=False), seed=1)
    assert max(cancel_s, order_s) < 0.1


def test_more_than_the_limit_goes_where_nothing_else_is_used() -> None:
    async def alone() -> float:
        budget, lane, began = Budget(MeterPool(), "x", "local", "key", [COUNTER]), NonceLane(), runtime.monotonic()
        held = await budget.reserve([("trading", 12.0)], call(Priority.ORDER))
        async with Turn(lane, call(Priority.ORDER), held):
            return runtime.monotonic() - began

    assert runtime.simulate(alone, seed=1) < 0.1


def test_no_longer_than_the_deadline_and_nothing_stays_reserved() -> None:
    with pytest.raises(RateLimitExceeded):
        runtime.simulate(lambda: overtaken(1_000), seed=1)
