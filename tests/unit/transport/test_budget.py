"""The budget: windows are used whole and never exceeded, the urgent go first, a stop is obeyed. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import planar.runtime as runtime
from planar.errors import Outcome, RateLimitExceeded
from planar.transport.budget import Budget, Reservation
from planar.transport.clock import VenueClock
from planar.transport.context import CallContext, Priority, acting_for
from planar.transport.meters import MeterSpec
from planar.transport.pool import MeterPool
from planar.transport.turnstile import AGE_S

WEIGHT = MeterSpec("weight", 10, 1_000, cancels=False)
FIXED = MeterSpec("fixed", 10, 1_000, "fixed", cancels=False)


def call(priority: Priority = Priority.MARKET, timeout_ms: int = 60_000) -> CallContext:
    return CallContext("call", timeout_ms, priority)


def budget(pool: MeterPool | None = None, key: str = "k", **options: Any) -> Budget:
    specs = (WEIGHT, FIXED, MeterSpec("orders", 2, 10_000, scope="key", cancels=False))
    return Budget(pool or MeterPool(), "x", "local", key, specs, **options)


async def used_up(own: Budget, meter: str = "weight", cost: float = 10.0) -> None:
    """A request that was answered at once."""
    held = await own.reserve(((meter, cost),), call())
    held.end()


def simulate(main: Callable[[], Awaitable[Any]]) -> Any:
    return runtime.simulate(main, seed=1)


@pytest.mark.parametrize("meter", ["weight", "fixed"])
def test_a_burst_uses_the_whole_window_and_no_window_holds_more(meter: str) -> None:
    async def main() -> list[float]:
        own, taken = budget(), []
        await runtime.sleep(1 - runtime.wall_ns() / 1e9 % 1 + 0.01)
        start = runtime.monotonic()

        async def one() -> None:
            held = await own.reserve(((meter, 3.0),), call())
            taken.append(runtime.monotonic() - start)
            held.end()

        await asyncio.gather(*(one() for _ in range(30)))
        return taken

    taken = simulate(main)
    assert taken[:3] == [0.0, 0.0, 0.0]
    for at in taken:
        assert 3 * sum(1 for other in taken if at <= other < at + 0.98) <= 10
    assert taken[-1] == pytest.approx(9.0, abs=0.2)


def test_what_is_not_answered_yet_is_held() -> None:
    async def main() -> float:
        own = budget()
        held = await own.reserve((("weight", 10.0),), call())
        before = runtime.monotonic()
        runtime.spawn(later(3.0, held), name="answer")
        await own.reserve((("weight", 10.0),), call())
        return runtime.monotonic() - before

    async def later(seconds: float, held: Reservation) -> None:
        await runtime.sleep(seconds)
        held.end()

    assert simulate(main) == pytest.approx(4.0, abs=0.03)


def test_what_was_never_sent_is_given_back_at_once() -> None:
    async def main() -> float:
        own = budget()
        held = await own.reserve((("weight", 10.0), ("fixed", 10.0)), call())
        waiting = runtime.spawn(own.reserve((("weight", 10.0), ("fixed", 10.0)), call()), name="waiting")
        await runtime.sleep(0.1)
        before = runtime.monotonic()
        held.end(sent=False)
        held.end()
        await waiting
        return runtime.monotonic() - before

    assert simulate(main) == 0.0


def test_an_unanswered_request_may_still_arrive_after_its_sender_gave_up() -> None:
    async def main() -> float:
        own = budget()
        held = await own.reserve((("weight", 10.0),), call())
        held.end(answered=False)
        before = runtime.monotonic()
        await own.reserve((("weight", 10.0),), call())
        return runtime.monotonic() - before

    assert simulate(main) == pytest.approx(2.0, abs=0.03)


def test_a_request_over_the_edge_of_a_fixed_window_counts_on_both_sides() -> None:
    async def main() -> tuple[float, float]:
        own = budget()
        await runtime.sleep(1 - runtime.wall_ns() / 1e9 % 1 + 0.9)
        held = await own.reserve((("fixed", 6.0),), call())
        await runtime.sleep(0.2)
        over = own.usage()["fixed"][0]
        held.end()
        await runtime.sleep(1.0)
        return over, own.usage()["fixed"][0]

    assert simulate(main) == (6.0, 0.0)


def test_idle_time_is_not_wasted() -> None:
    async def main() -> float:
        own = budget()
        await used_up(own)
        await runtime.sleep(1.02)
        before = runtime.monotonic()
        await used_up(own)
        return runtime.monotonic() - before

    assert simulate(main) == 0.0


def test_a_cancel_overtakes_those_who_wait() -> None:
    async def main() -> list[str]:
        own, order = budget(), []
        await used_up(own)

        async def one(name: str, priority: Priority) -> None:
            held = await own.reserve((("weight", 10.0),), call(priority))
            order.append(name)
            held.end()

        tasks = [runtime.spawn(one(f"candles {n}", Priority.BACKFILL), name="t") for n in range(2)]
        await runtime.sleep(0.1)
        tasks.append(runtime.spawn(one("cancel", Priority.CANCEL), name="t"))
        await asyncio.gather(*tasks)
        return order

    assert simulate(main) == ["cancel", "candles 0", "candles 1"]


def test_a_part_is_kept_for_cancels_and_a_part_for_orders() -> None:
    async def main() -> dict[str, float]:
        pool, taken = MeterPool(reserve=0.1), {}
        for priority in Priority:
            spec = MeterSpec(f"weight {priority.name}", 100, 60_000)
            own = Budget(pool, "x", "local", "k", (spec,))
            while True:
                try:
                    await own.reserve(((spec.name, 1.0),), call(priority, 1_000))
                except RateLimitExceeded:
                    break
            taken[priority.name] = own.usage()[spec.name][0]
        return taken

    assert simulate(main) == {"CANCEL": 100, "ORDER": 90, "ACCOUNT": 80, "MARKET": 80, "BACKFILL": 80}


def test_nobody_waits_for_ever_behind_the_more_urgent() -> None:
    async def main() -> float:
        own, before = budget(), runtime.monotonic()
        await used_up(own)

        async def orders() -> None:
            while True:
                held = await own.reserve((("weight", 5.0),), call(Priority.ORDER))
                held.end()

        busy = [runtime.spawn(orders(), name="orders") for _ in range(4)]
        held = await own.reserve((("weight", 10.0),), call(Priority.BACKFILL))
        held.end()
        for task in busy:
            task.cancel()
        await asyncio.wait(busy)
        return runtime.monotonic() - before

    assert 3 * AGE_S <= simulate(main) <= 3 * AGE_S + 3.5


def test_owners_take_turns_however_much_each_asks_for() -> None:
    async def main() -> list[str]:
        own, order = budget(), []
        await used_up(own)

        async def one(name: str) -> None:
            held = await own.reserve((("weight", 5.0),), call())
            order.append(name)
            held.end()

        tasks: list[asyncio.Task[None]] = []
        for owner, count in (("greedy", 6), ("modest", 2)):
            with acting_for(owner):
                tasks += [runtime.spawn(one(owner), name="t") for _ in range(count)]
            await runtime.sleep(0.01)
        await asyncio.gather(*tasks)
        return order

    assert simulate(main)[:4] == ["greedy", "modest", "greedy", "modest"]


def test_a_thousand_owners_are_a_queue_and_no_work() -> None:
    """What is done for one who comes, goes or is let through does not grow with the square of those who wait."""
    asked = 0

    async def main() -> int:
        own = budget()
        attempt = own._store.attempt  # type: ignore[attr-defined]

        def counted(*args: Any) -> float:
            nonlocal asked
            asked += 1
            return attempt(*args)

        own._store.attempt = counted  # type: ignore[attr-defined,method-assign]
        done = 0

        async def one(owner: str) -> None:
            nonlocal done
            with acting_for(owner):
                mine = call(timeout_ms=600_000)
            (await own.reserve((("weight", 1.0),), mine)).end()
            done += 1

        await asyncio.gather(*(one(f"owner{number}") for number in range(1_000)))
        return done

    assert simulate(main) == 1_000
    assert asked < 4_000


def test_a_full_meter_holds_back_only_those_who_need_it() -> None:
    async def main() -> float:
        own = budget()
        await used_up(own, "orders", 2.0)
        waiting = runtime.spawn(own.reserve((("orders", 1.0),), call(Priority.ORDER)), name="waiting")
        await runtime.sleep(0)
        before = runtime.monotonic()
        await own.reserve((("weight", 1.0),), call(Priority.BACKFILL))
        waiting.cancel()
        await asyncio.wait([waiting])
        return runtime.monotonic() - before

    assert simulate(main) == 0.0


def test_small_requests_do_not_overtake_a_large_one_for_ever() -> None:
    async def main() -> list[float]:
        own, order = budget(), []
        await used_up(own, cost=6.0)

        async def one(cost: float) -> None:
            held = await own.reserve((("weight", cost),), call())
            order.append(cost)
            held.end()

        tasks = [runtime.spawn(one(cost), name="t") for cost in (8.0, 2.0, 2.0)]
        await asyncio.gather(*tasks)
        return order

    assert simulate(main) == [8.0, 2.0, 2.0]


def test_who_leaves_frees_the_place_at_once() -> None:
    async def main() -> float:
        own = budget()
        await used_up(own)
        gone = runtime.spawn(own.reserve((("weight", 10.0),), call()), name="gone")
        await runtime.sleep(0.5)
        gone.cancel()
        before = runtime.monotonic()
        await own.reserve((("weight", 10.0),), call())
        return runtime.monotonic() - before

    assert simulate(main) == pytest.approx(0.5, abs=0.03)


def test_who_leaves_as_the_turn_comes_gives_back_what_was_taken() -> None:
    async def main() -> float:
        own = budget()
        held = await own.reserve((("weight", 10.0),), call())
        gone = runtime.spawn(own.reserve((("weight", 10.0),), call()), name="gone")
        await runtime.sleep(0)
        held.end(sent=False)
        gone.cancel()
        await asyncio.wait([gone])
        assert gone.cancelled()
        return own.usage()["weight"][0]

    assert simulate(main) == 0.0


def test_a_wait_beyond_the_deadline_is_refused_at_once_and_nothing_is_sent() -> None:
    async def main() -> tuple[RateLimitExceeded, float]:
        own = budget()
        await used_up(own)
        before = runtime.monotonic()
        with pytest.raises(RateLimitExceeded) as caught:
            await own.reserve((("weight", 1.0),), call(timeout_ms=100))
        return caught.value, runtime.monotonic() - before

    error, waited = simulate(main)
    assert waited == 0.0
    assert error.outcome is Outcome.NOT_SENT
    assert error.retry_after_s == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("pacing", [True, False])
def test_a_stop_holds_for_all_who_share_the_venue_even_without_pacing(pacing: bool) -> None:
    async def main() -> float:
        pool = MeterPool()
        one, other = budget(pool, "a", pacing=pacing), budget(pool, "b", pacing=pacing)
        one.stop(5.0)
        with pytest.raises(RateLimitExceeded, match="told us to wait"):
            await other.reserve((("weight", 1.0),), call(timeout_ms=1_000))
        before = runtime.monotonic()
        await other.reserve((("weight", 1.0),), call(Priority.CANCEL))
        return runtime.monotonic() - before

    assert simulate(main) == pytest.approx(5.0, abs=0.01)


def test_a_stop_of_a_key_leaves_the_address_alone() -> None:
    async def main() -> tuple[float, float, float]:
        pool = MeterPool()
        one, other = budget(pool, "a"), budget(pool, "b")
        one.stop(5.0, key=True)
        before = runtime.monotonic()
        await one.reserve((("weight", 1.0),), call())
        await other.reserve((("orders", 1.0),), call())
        free = runtime.monotonic() - before
        await one.reserve((("orders", 1.0),), call())
        return free, runtime.monotonic() - before, one.stopped_s()

    assert simulate(main) == (0.0, pytest.approx(5.0, abs=0.01), 0.0)


def test_without_pacing_nothing_waits_for_the_window_and_all_is_counted() -> None:
    async def main() -> tuple[float, float]:
        own, before = budget(pacing=False), runtime.monotonic()
        for _ in range(100):
            await used_up(own)
        return runtime.monotonic() - before, own.usage()["weight"][0]

    assert simulate(main) == (0.0, 1_000.0)


def test_spacing_is_added() -> None:
    async def main() -> float:
        own, before = budget(spacing_ms=200), runtime.monotonic()
        for _ in range(4):
            await own.reserve((("weight", 1.0),), call())
        return runtime.monotonic() - before

    assert simulate(main) == pytest.approx(0.6, abs=0.01)


def test_keys_have_their_own_order_meters_and_share_the_address() -> None:
    async def main() -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
        pool = MeterPool()
        one, other = budget(pool, "a"), budget(pool, "b")
        await one.reserve((("weight", 4.0), ("orders", 1.0)), call())
        return one.usage(), other.usage()

    one, other = simulate(main)
    assert one == {"weight": (4.0, 10), "fixed": (0.0, 10), "orders": (1.0, 2)}
    assert other == {"weight": (4.0, 10), "fixed": (0.0, 10), "orders": (0.0, 2)}


def test_each_connection_has_its_own_meters() -> None:
    async def main() -> list[float]:
        pool, spec = MeterPool(), MeterSpec("messages", 5, 1_000, scope="connection")
        one, other = (Budget(pool, "x", "local", "k", (spec,)) for _ in range(2))
        await one.reserve((("messages", 4.0),), call())
        return [own.usage()["messages"][0] for own in (one, other)]

    assert simulate(main) == [4.0, 0.0]


@pytest.mark.parametrize("meter", ["weight", "fixed"])
def test_what_the_venue_counts_beyond_ours_is_taken_over(meter: str) -> None:
    async def main() -> tuple[float, float]:
        own = budget()
        await runtime.sleep(1 - runtime.wall_ns() / 1e9 % 1 + 0.1)
        began = runtime.monotonic()
        await own.reserve(((meter, 2.0),), call())
        own.observe([(meter, 9.0)], began)
        used = own.usage()[meter][0]
        own.observe([(meter, 3.0)], began)
        return used, own.usage()[meter][0]

    assert simulate(main) == (9.0, 9.0)


def test_a_share_of_the_limits_may_be_kept_for_others() -> None:
    async def main() -> dict[str, tuple[float, float]]:
        return budget(MeterPool(share=0.5)).usage()

    assert simulate(main) == {"weight": (0.0, 5.0), "fixed": (0.0, 5.0), "orders": (0.0, 1.0)}


def test_windows_are_the_venues_once_its_clock_is_known() -> None:
    async def main() -> tuple[float, float]:
        own, clock = Budget(MeterPool(), "x", "live", "k", (FIXED,)), VenueClock()
        own.follow(clock)
        await runtime.sleep(1 - runtime.wall_ns() / 1e9 % 1 + 0.6)
        now = runtime.monotonic()
        # the venue is 0.3 s ahead, so that its window ends in 0.1 s, not in 0.4
        clock.sample(runtime.wall_ms() + 300, now - 0.001, now)
        await used_up(own, "fixed")
        await used_up(own, "fixed")
        return now, runtime.monotonic()

    began, ended = simulate(main)
    assert ended - began == pytest.approx(0.1, abs=0.01)
