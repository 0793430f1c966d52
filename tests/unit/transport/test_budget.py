"""The budget: windows are used whole and never exceeded, the urgent go first, a stop is obeyed. In virtual time."""

from __future__ import annotations

import asyncio

import pytest

import planar.runtime as runtime
from planar.errors import Outcome, RateLimitExceeded
from planar.transport.budget import Budget, MeterPool, MeterSpec
from planar.transport.context import CallContext, Priority

WEIGHT = MeterSpec("weight", 10, 1_000)


def call(priority: Priority = Priority.MARKET, timeout_ms: int = 60_000) -> CallContext:
    return CallContext("call", timeout_ms, priority)


def budget(pool: MeterPool | None = None, key: str = "k", **options: object) -> Budget:
    specs = (WEIGHT, MeterSpec("orders", 2, 10_000, scope="key"))
    return Budget(pool or MeterPool(), "x", "live", key, specs, **options)  # type: ignore[arg-type]


def test_a_burst_uses_the_whole_window_and_no_window_holds_more() -> None:
    async def main() -> list[float]:
        own, taken = budget(), []
        start = runtime.monotonic()

        async def one() -> None:
            await own.reserve((("weight", 3.0),), call())
            taken.append(runtime.monotonic() - start)

        await asyncio.gather(*(one() for _ in range(30)))
        return taken

    taken = runtime.simulate(main, seed=1)
    assert taken[:3] == [0.0, 0.0, 0.0]
    for at in taken:
        assert 3 * sum(1 for other in taken if at <= other < at + 1.0 - 1e-9) <= 10
    assert taken[-1] == pytest.approx(9.0, abs=0.01)


def test_idle_time_is_not_wasted() -> None:
    async def main() -> float:
        own = budget()
        await own.reserve((("weight", 10.0),), call())
        await runtime.sleep(1.0)
        before = runtime.monotonic()
        await own.reserve((("weight", 10.0),), call())
        return runtime.monotonic() - before

    assert runtime.simulate(main, seed=1) == 0.0


def test_a_cancel_overtakes_those_who_wait() -> None:
    async def main() -> list[str]:
        own, order = budget(), []
        await own.reserve((("weight", 10.0),), call())

        async def one(name: str, priority: Priority) -> None:
            await own.reserve((("weight", 10.0),), call(priority))
            order.append(name)

        tasks = [runtime.spawn(one(f"candles {n}", Priority.BACKFILL), name="t") for n in range(2)]
        await runtime.sleep(0.1)
        tasks.append(runtime.spawn(one("cancel", Priority.CANCEL), name="t"))
        await asyncio.gather(*tasks)
        return order

    assert runtime.simulate(main, seed=1) == ["cancel", "candles 0", "candles 1"]


def test_who_leaves_frees_the_place_at_once() -> None:
    async def main() -> float:
        own = budget()
        await own.reserve((("weight", 10.0),), call())
        gone = runtime.spawn(own.reserve((("weight", 10.0),), call()), name="gone")
        await runtime.sleep(0.5)
        gone.cancel()
        before = runtime.monotonic()
        await own.reserve((("weight", 10.0),), call())
        return runtime.monotonic() - before

    assert runtime.simulate(main, seed=1) == pytest.approx(0.5, abs=0.01)


def test_a_wait_beyond_the_deadline_is_refused_at_once_and_nothing_is_sent() -> None:
    async def main() -> tuple[RateLimitExceeded, float]:
        own = budget()
        await own.reserve((("weight", 10.0),), call())
        before = runtime.monotonic()
        with pytest.raises(RateLimitExceeded) as caught:
            await own.reserve((("weight", 1.0),), call(timeout_ms=100))
        return caught.value, runtime.monotonic() - before

    error, waited = runtime.simulate(main, seed=1)
    assert waited == 0.0
    assert error.outcome is Outcome.NOT_SENT
    assert error.retry_after_s == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("pacing", [True, False])
def test_a_stop_holds_for_all_who_share_the_venue_even_without_pacing(pacing: bool) -> None:
    async def main() -> float:
        pool = MeterPool()
        one, other = budget(pool, "a", pacing=pacing), budget(pool, "b", pacing=pacing)
        one.stop(5.0)
        with pytest.raises(RateLimitExceeded, match="told us to wait"):
            await other.reserve((("weight", 1.0),), call(timeout_ms=1_000))
        before = runtime.monotonic()
        await other.reserve((("weight", 1.0),), call())
        return runtime.monotonic() - before

    assert runtime.simulate(main, seed=1) == pytest.approx(5.0, abs=0.01)


def test_without_pacing_nothing_waits_for_the_window() -> None:
    async def main() -> float:
        own = budget(pacing=False)
        for _ in range(100):
            await own.reserve((("weight", 10.0),), call())
        return runtime.monotonic()

    async def start() -> float:
        before = runtime.monotonic()
        return await main() - before

    assert runtime.simulate(start, seed=1) == 0.0


def test_spacing_is_added() -> None:
    async def main() -> float:
        own, before = budget(spacing_ms=200), runtime.monotonic()
        for _ in range(4):
            await own.reserve((("weight", 1.0),), call())
        return runtime.monotonic() - before

    assert runtime.simulate(main, seed=1) == pytest.approx(0.6, abs=0.01)


def test_keys_have_their_own_order_meters_and_share_the_address() -> None:
    async def main() -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
        pool = MeterPool()
        one, other = budget(pool, "a"), budget(pool, "b")
        await one.reserve((("weight", 4.0), ("orders", 1.0)), call())
        return one.usage(), other.usage()

    one, other = runtime.simulate(main, seed=1)
    assert one == {"weight": (4.0, 10), "orders": (1.0, 2)}
    assert other == {"weight": (4.0, 10), "orders": (0.0, 2)}


def test_what_the_venue_counts_beyond_ours_is_taken_over() -> None:
    async def main() -> tuple[float, float]:
        own = budget()
        await own.reserve((("weight", 2.0),), call())
        own.observe("weight", 9.0)
        used = own.usage()["weight"][0]
        own.observe("weight", 3.0)
        return used, own.usage()["weight"][0]

    assert runtime.simulate(main, seed=1) == (9.0, 9.0)
