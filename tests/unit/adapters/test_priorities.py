"""What is backfill, and that it goes last and yet goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import planar.runtime as runtime
from planar.adapters import priorities
from planar.transport.budget import Budget
from planar.transport.context import CallContext, Priority
from planar.transport.meters import MeterSpec
from planar.transport.pool import MeterPool

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def ago(ms: int) -> int:
    return runtime.wall_ms() - ms


@pytest.mark.parametrize(
    ("timeframe", "since", "limit", "params", "backfill"),
    [
        ("1m", None, None, {}, False),
        ("1m", 500 * MINUTE, None, {}, False),
        ("1m", 499 * MINUTE, 500, {}, False),
        ("1m", 501 * MINUTE, 500, {}, True),
        ("1m", 30 * DAY, None, {}, True),
        ("1d", 500 * DAY, None, {}, False),
        ("1M", 600 * DAY, None, {}, False),
        ("1h", None, None, {"paginate": True}, True),
        ("1h", None, 10, {"until": 11 * HOUR}, True),
        ("1h", None, 10, {"until": 0}, False),
        ("odd", 9_000 * DAY, None, {}, False),
        ("", 9_000 * DAY, None, {}, False),
    ],
)
def test_candles(timeframe: str, since: int | None, limit: int | None, params: dict[str, Any], backfill: bool) -> None:
    asked = {name: ago(value) if name == "until" else value for name, value in params.items()}
    found = priorities.candles(timeframe, None if since is None else ago(since), limit, asked)
    assert found is (Priority.BACKFILL if backfill else Priority.MARKET)


@pytest.mark.parametrize(("since", "backfill"), [(None, False), (4 * MINUTE, False), (6 * MINUTE, True)])
def test_public_trades(since: int | None, backfill: bool) -> None:
    found = priorities.trades(None if since is None else ago(since), {})
    assert found is (Priority.BACKFILL if backfill else Priority.MARKET)


@pytest.mark.parametrize(("since", "backfill"), [(None, False), (23 * HOUR, False), (25 * HOUR, True)])
def test_what_an_account_has_done(since: int | None, backfill: bool) -> None:
    found = priorities.own(None if since is None else ago(since), {})
    assert found is (Priority.BACKFILL if backfill else Priority.ACCOUNT)


def test_market_data_go_ahead_of_backfill_which_is_not_starved() -> None:
    """A second lets 10 through, and 16 are asked for, half of them history: that waits, and gets its turn all the same."""

    async def scene() -> tuple[float, float, int]:
        own = Budget(MeterPool(), "x", "live", "key", (MeterSpec("m", 10, 1_000, cancels=False),))
        waits: dict[Priority, list[float]] = {Priority.MARKET: [], Priority.BACKFILL: []}

        async def ask(priority: Priority) -> None:
            began = runtime.monotonic()
            (await own.reserve((("m", 1.0),), CallContext("call", 600_000, priority))).end()
            waits[priority].append(runtime.monotonic() - began)

        async def often(priority: Priority, pause_s: float) -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(int(5 / pause_s)):
                    group.create_task(ask(priority))
                    await runtime.sleep(pause_s)

        await asyncio.gather(often(Priority.MARKET, 0.125), often(Priority.BACKFILL, 0.125))
        in_time = sum(wait < 4 for wait in waits[Priority.BACKFILL])
        market, history = waits[Priority.MARKET], waits[Priority.BACKFILL]
        return sum(market) / len(market), sum(history) / len(history), in_time

    market_s, backfill_s, in_time = runtime.simulate(scene, seed=1)
    assert market_s < backfill_s / 3
    assert in_time > 20
