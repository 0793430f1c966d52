"""The meters against the venue's own counters: whatever is asked for, however late it arrives, no counter is exceeded."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from math import inf
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planar.runtime as runtime
from planar.transport.budget import Budget, Reservation
from planar.transport.context import CallContext, Priority
from planar.transport.meters import Kind, MeterSpec
from planar.transport.pool import CLOCK_ERROR_S, MeterPool

LIMIT = 20.0
ROUNDING = 1e-4  # seconds since 1970 are 2.4e-7 apart, and a decaying counter falls by LIMIT in each
SPECS: dict[Kind, MeterSpec] = {
    "fixed": MeterSpec("m", LIMIT, 1_000, "fixed"),
    "sliding": MeterSpec("m", LIMIT, 1_000),
    "decaying": MeterSpec("m", LIMIT, kind="decaying", decay_per_s=LIMIT),
}
Arrival = tuple[float, float]
"""When, by the venue's clock, and what it costs."""


def most_fixed(arrivals: list[Arrival]) -> float:
    """The fullest window of two seconds that begins on the clock."""
    windows: dict[int, float] = defaultdict(float)
    for at, cost in arrivals:
        windows[int(at) // 2] += cost
    return max(windows.values(), default=0.0)


def most_sliding(arrivals: list[Arrival]) -> float:
    """The fullest second of all."""
    return max((sum(c for t, c in arrivals if at - 1.0 < t <= at) for at, _ in arrivals), default=0.0)


def most_decaying(arrivals: list[Arrival]) -> float:
    """What a counter reaches that falls by the limit each second."""
    counter, before, most = 0.0, -inf, 0.0
    for at, cost in sorted(arrivals):
        counter = max(0.0, counter - (at - before) * LIMIT) + cost
        before, most = at, max(most, counter)
    return most


MOST: dict[Kind, Callable[[list[Arrival]], float]] = {
    "fixed": most_fixed,
    "sliding": most_sliding,
    "decaying": most_decaying,
}

requests = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.05, 0.4]),  # pause before it
        st.sampled_from([1.0, 5.0, 9.0]),  # what it costs
        st.sampled_from([0.0, 0.01, 0.05, 0.6]) | st.floats(0, 1.3),  # way to the venue
        st.sampled_from([0.0, 0.01, 0.3]),  # and back
        st.sampled_from(list(Priority)),
        st.sampled_from(["answered", "answered", "answered", "unanswered", "not sent"]),
    ),
    min_size=15,
    max_size=60,
)


async def play(kind: Kind, asked: list[tuple[Any, ...]], skew_s: float) -> list[Arrival]:
    pool = MeterPool()
    spec = msgspec.structs.replace(SPECS[kind], window_ms=2_000) if kind == "fixed" else SPECS[kind]
    budgets = [Budget(pool, "x", "live", key, (spec,)) for key in ("a", "b")]
    arrivals: list[Arrival] = []

    async def one(number: int, cost: float, there_s: float, back_s: float, priority: Priority, end: str) -> None:
        call = CallContext("request", 600_000, priority)
        held: Reservation = await budgets[number % 2].reserve((("m", cost),), call)
        if end == "not sent":
            held.end(sent=False)
            return
        late_s = there_s if end == "answered" else min(there_s, 0.9)
        if end == "unanswered":
            held.end(answered=False)
        await runtime.sleep(late_s)
        arrivals.append((runtime.wall_ns() / 1e9 + skew_s, cost))
        await runtime.sleep(back_s)
        held.end()

    tasks: list[asyncio.Task[None]] = []
    for number, (pause_s, *rest) in enumerate(asked):
        await runtime.sleep(pause_s)
        tasks.append(runtime.spawn(one(number, *rest), name="request"))
    await asyncio.gather(*tasks)
    await pool.close()
    return arrivals


@pytest.mark.parametrize("kind", SPECS)
@settings(max_examples=40, deadline=None)
@given(asked=requests, skew=st.sampled_from([-1.0, 1.0]) | st.floats(-1, 1))
def test_no_counter_is_ever_exceeded(kind: Kind, asked: list[tuple[Any, ...]], skew: float) -> None:
    arrivals = runtime.simulate(lambda: play(kind, asked, skew * CLOCK_ERROR_S * 0.999), seed=1)
    assert MOST[kind](arrivals) <= LIMIT + ROUNDING


@pytest.mark.parametrize(("kind", "least"), [("fixed", 0.97), ("sliding", 0.9), ("decaying", 0.97)])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_who_asks_for_all_gets_it(kind: Kind, least: float, seed: int) -> None:
    """Requests arrive up to 50 ms late. A sliding window loses just that, for it cannot know when they did."""

    async def saturate() -> float:
        spec = SPECS[kind]
        pool, arrived = MeterPool(reserve=0.0), [0.0]
        own, rng = Budget(pool, "x", "local", "a", (spec,)), runtime.current().random
        await runtime.sleep(1 - runtime.wall_ns() / 1e9 % 1)
        until = runtime.monotonic() + 10

        async def ask() -> None:
            while True:
                held = await own.reserve((("m", 1.0),), CallContext("request", 600_000, Priority.BACKFILL))
                await runtime.sleep(rng.uniform(0.0005, 0.025))
                if runtime.monotonic() < until:
                    arrived[0] += 1
                await runtime.sleep(rng.uniform(0.0005, 0.025))
                held.end()

        tasks = [runtime.spawn(ask(), name="ask") for _ in range(30)]
        await runtime.sleep(10.2)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await pool.close()
        return arrived[0] / (10 * LIMIT)

    assert runtime.simulate(saturate, seed=seed) >= least
