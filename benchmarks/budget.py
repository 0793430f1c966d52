"""What a reservation costs: taking what a Binance order costs (four meters) and giving it back answered, nobody waiting.

Floor: one dictionary look-up and one comparison per meter, as the simplest counter would need. Peers: aiolimiter where it
is installed, and CCXT's own throttler, both of which know one limit and one process.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from planar.adapters.binance import PROFILE
from planar.transport.budget import Budget
from planar.transport.context import CallContext, Priority
from planar.transport.meters import MeterSpec
from planar.transport.pool import MeterPool

ROUNDS = 9
TIMES = 2_000
PLENTY = 1e12
ORDER = (("raw", 1.0), ("weight", 1.0), ("orders_10s", 1.0), ("orders_day", 1.0))
TICKER = (("raw", 1.0), ("weight", 2.0))


async def of_budget(pool: MeterPool, costs: tuple[tuple[str, float], ...]) -> float:
    """Microseconds of `reserve` alone."""
    specs = [
        MeterSpec(m.name, PLENTY, m.window_ms, m.kind, m.scope, m.header, cancels=m.cancels) for m in PROFILE.meters
    ]
    budget = Budget(pool, "binance", "live", "key", specs)
    call = CallContext("create_order", 600_000, Priority.ORDER)
    taken: list[float] = []
    for _ in range(ROUNDS):
        held = []
        began = time.perf_counter_ns()
        for _ in range(TIMES):
            held.append(await budget.reserve(costs, call))
        taken.append((time.perf_counter_ns() - began) / TIMES / 1000)
        for one in held:
            one.end()
    await pool.close()
    return statistics.median(taken)


async def of(take: Callable[[], Awaitable[object]]) -> float:
    """Microseconds of anything."""
    taken: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter_ns()
        for _ in range(TIMES):
            await take()
        taken.append((time.perf_counter_ns() - began) / TIMES / 1000)
    return statistics.median(taken)


async def floor() -> float:
    """A counter that knows no time."""
    used = dict.fromkeys((name for name, _ in ORDER), 0.0)

    async def take() -> None:
        for name, cost in ORDER:
            if used[name] + cost < PLENTY:
                used[name] += cost

    return await of(take)


async def of_ccxt() -> float:
    """CCXT's rolling window, which lets bursts through as a budget does; kept almost empty, as it grows slower."""
    from ccxt.async_support.base.throttler import Throttler

    limiter = Throttler(
        {
            "algorithm": "rollingWindow",
            "windowSize": 0.001,
            "rateLimit": 1e-12,
            "maxWeight": PLENTY,
            "maxLimiterRequests": PLENTY,
        },
        asyncio.get_running_loop(),
    )

    async def take() -> None:
        await limiter(1.0)

    return await of(take)


async def of_aiolimiter() -> float | None:
    """Its leaky bucket; None where it is not installed."""
    try:
        from aiolimiter import AsyncLimiter
    except ModuleNotFoundError:
        return None
    return await of(AsyncLimiter(PLENTY, 1.0).acquire)


async def measure() -> dict[str, float | None]:
    """All figures in microseconds."""
    with tempfile.TemporaryDirectory() as name:
        return {
            "floor": await floor(),
            "alone, ticker": await of_budget(MeterPool(), TICKER),
            "alone, order": await of_budget(MeterPool(), ORDER),
            "shared, ticker": await of_budget(MeterPool(Path(name)), TICKER),
            "shared, order": await of_budget(MeterPool(Path(name)), ORDER),
            "ccxt's throttler": await of_ccxt(),
            "aiolimiter": await of_aiolimiter(),
        }


def report() -> dict[str, float | None]:
    """Measure and print."""
    found = asyncio.run(measure())
    print("\nA reservation, microseconds (a ticker counts on two meters, an order on four; peers know one limit)")
    targets = {"alone": "target: <= 5", "shared": "target: <= 40"}
    for name, value in found.items():
        shown = f"{value:>9.2f}" if value is not None else "  not installed"
        print(f"    {name:<20}{shown}   {targets.get(name.partition(',')[0], '')}")
    return found


if __name__ == "__main__":
    report()
