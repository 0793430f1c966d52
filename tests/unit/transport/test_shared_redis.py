"""Meters in a Redis: members see each other's use, fall back to a share without it, and meet again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from benchmarks.meters.redis_server import Redis, find_redis

import planar.runtime as runtime
from planar.config import Secret
from planar.errors import RateLimitExceeded
from planar.transport import shared_redis
from planar.transport.budget import Budget
from planar.transport.context import CallContext, Priority
from planar.transport.meters import MeterSpec
from planar.transport.pool import MeterPool
from planar.transport.shared_redis_script import GONE_S, JOIN_S
from planar.transport.store import STRANGERS

pytest.importorskip("redis", reason="the package redis is not installed")
pytestmark = pytest.mark.skipif(find_redis() is None, reason="no redis-server: sh scripts/redis.sh gets one")

SPECS = (
    MeterSpec("fixed", 10, 1_000, "fixed", cancels=False),
    MeterSpec("sliding", 10, 1_000, cancels=False),
    MeterSpec("decaying", 10, kind="decaying", decay_per_s=10, cancels=False),
    MeterSpec("long", 100, 86_400_000, "fixed", cancels=False),
)


def call(timeout_ms: int = 10_000, priority: Priority = Priority.MARKET) -> CallContext:
    return CallContext("call", timeout_ms, priority)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    redis = Redis(tmp_path_factory.mktemp("redis"))
    yield redis
    redis.stop()


@asynccontextmanager
async def members(server: Redis, name: str, count: int = 2) -> AsyncIterator[list[Budget]]:
    """Budgets that share nothing but the Redis, and have met."""
    pools = [MeterPool(redis=Secret(server.url)) for _ in range(count)]
    try:
        made = [Budget(pool, name, "local", "key", SPECS) for pool in pools]
        for one in made:
            held = await one.reserve((("long", 1.0),), call())
            held.end(sent=False)
        await runtime.sleep(5 * shared_redis.TELL_S)
        yield made
    finally:
        for pool in pools:
            await pool.close()


async def reserved(own: Budget, cost: float, *meters: str, timeout_ms: int = 10_000) -> None:
    held = await own.reserve([(meter, cost) for meter in meters], call(timeout_ms))
    held.end()


async def least_s(count: int, meter: str, own: list[Budget]) -> float:
    """How long so many requests of 5 take, of which each second lets 2 through."""
    began = runtime.monotonic()
    await asyncio.gather(*(reserved(own[number % len(own)], 5.0, meter) for number in range(count)))
    return runtime.monotonic() - began


@pytest.mark.parametrize("meter", ["fixed", "sliding", "decaying"])
async def test_members_use_one_limit(server: Redis, meter: str) -> None:
    async with members(server, f"one {meter}") as both:
        await runtime.sleep(1 - runtime.wall_ns() / 1e9 % 1 + 0.55)
        took_s = await least_s(6, meter, both)
        assert took_s >= {"fixed": 1.4, "sliding": 2.0, "decaying": 1.9}[meter]
        assert took_s < 3.0


async def test_what_is_not_answered_is_held_and_what_was_not_sent_is_given_back(server: Redis) -> None:
    async with members(server, "held") as (one, other):
        held = await one.reserve((("decaying", 10.0),), call())
        with pytest.raises(RateLimitExceeded):
            await reserved(other, 5.0, "decaying", timeout_ms=300)
        held.end(sent=False)
        await reserved(other, 10.0, "decaying", timeout_ms=1_000)


async def test_a_stop_is_heard_by_all(server: Redis) -> None:
    async with members(server, "stopped") as (one, other):
        one.stop(1.5)
        await runtime.sleep(0.1)
        await one.reserve((), call(priority=Priority.CANCEL))
        began = runtime.monotonic()
        one.stop(1.0)
        await runtime.sleep(0.1)
        await reserved(other, 1.0, "long")
        assert runtime.monotonic() - began == pytest.approx(1.0, abs=0.2)


async def test_what_a_lost_member_held_is_settled(server: Redis) -> None:
    async with members(server, "lost") as (one, other):
        await one.reserve((("decaying", 10.0),), call())
        one._turnstile._exchange = asyncio.Event().wait  # type: ignore[attr-defined]
        began = runtime.monotonic()
        await reserved(other, 10.0, "decaying")
        assert GONE_S - 0.5 <= runtime.monotonic() - began <= GONE_S + 2.5


async def test_what_the_venue_says_is_heard_by_all(server: Redis) -> None:
    async with members(server, "observed") as (one, other):
        began = runtime.monotonic()
        one.observe([("long", 60.0)], began)
        await reserved(one, 1.0, "long")
        await reserved(other, 1.0, "long")
        assert other.usage()["long"] == (62.0, 100.0)


async def test_who_only_looks_sees_what_is_used(server: Redis) -> None:
    async with members(server, "looked at", 1) as (one,):
        await reserved(one, 20.0, "long")
        pool = MeterPool(redis=Secret(server.url))
        watcher = Budget(pool, "looked at", "local", "key", SPECS)
        watcher.usage()
        await runtime.sleep(0.3)
        assert watcher.usage()["long"] == (20.0, 100.0)
        await pool.close()


async def test_alone_it_is_a_share_and_together_again_it_is_all(tmp_path: Path) -> None:
    server = Redis(tmp_path)
    try:
        async with members(server, "gone") as both:
            await reserved(both[0], 20.0, "long")
            await reserved(both[1], 1.0, "long")
            server.stop()
            for own in both:
                await reserved(own, 1.0, "sliding")
            assert [own.usage()["sliding"][1] for own in both] == [5.0, 5.0]
            # of the 79 that are left of the long window, each has its half
            assert both[1].usage()["long"][1] - both[1].usage()["long"][0] == pytest.approx(39.5)
            began = runtime.monotonic()
            await asyncio.gather(*(reserved(own, 5.0, "sliding") for own in both for _ in range(2)))
            assert runtime.monotonic() - began >= 1.5
            server.start()
            await runtime.sleep(JOIN_S + 4 * shared_redis.RETRY_S)
            assert [own.usage()["sliding"][1] for own in both] == [10.0, 10.0]
            await reserved(both[0], 10.0, "sliding")
    finally:
        server.stop()


async def test_a_redis_that_was_never_there_leaves_a_small_share(tmp_path: Path) -> None:
    pool = MeterPool(redis=Secret(f"unix://{tmp_path}/nobody.sock"))
    own = Budget(pool, "never", "live", "key", SPECS)
    await reserved(own, 1.0, "sliding")
    assert own.usage()["sliding"][1] == 10 / STRANGERS
    await pool.close()


async def test_who_leaves_the_queue_takes_nothing_along(server: Redis) -> None:
    async with members(server, "left") as (one, other):
        held = await one.reserve((("decaying", 10.0),), call())
        waiting = runtime.spawn(other.reserve((("decaying", 10.0),), call()), name="waiting")
        await runtime.sleep(0.1)
        held.end(sent=False)
        waiting.cancel()
        await asyncio.wait([waiting])
        await reserved(one, 10.0, "decaying", timeout_ms=1_000)
