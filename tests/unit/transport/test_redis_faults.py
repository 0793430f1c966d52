"""A Redis that is slow, full, refuses the password, loses its data or comes back: shares, never more, and clear words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from benchmarks.meters.redis_server import Redis, SlowWay, find_redis

import planar.runtime as runtime
from planar.config import Secret
from planar.errors import RateLimitExceeded
from planar.transport import addresses, shared_redis
from planar.transport.addresses import ROUTER, Way, own_address, way_out
from planar.transport.budget import Budget
from planar.transport.context import CallContext, Priority
from planar.transport.meters import MeterSpec
from planar.transport.pool import MeterPool
from planar.transport.shared_redis_script import JOIN_S
from planar.transport.store import STRANGERS

pytest.importorskip("redis", reason="the package redis is not installed")
pytestmark = pytest.mark.skipif(find_redis() is None, reason="no redis-server: sh scripts/redis.sh gets one")

SPECS = (
    MeterSpec("sliding", 10, 1_000, cancels=False),
    MeterSpec("long", 100, 60_000, cancels=False),
    MeterSpec("orders", 100, 60_000, scope="key", cancels=False),
)
PASSWORD = "open-sesame"


def call(timeout_ms: int = 10_000) -> CallContext:
    return CallContext("call", timeout_ms, Priority.MARKET)


async def reserved(own: Budget, cost: float, meter: str, timeout_ms: int = 10_000) -> None:
    (await own.reserve(((meter, cost),), call(timeout_ms))).end()


@asynccontextmanager
async def members(
    url: str, *names: str, exchange: str = "x", ways: tuple[Way, ...] = ()
) -> AsyncIterator[list[Budget]]:
    """One budget for each machine of these names."""
    pools = [MeterPool(redis=Secret(url), address=name) for name in names]
    try:
        made = [
            Budget(pool, exchange, "local", "key", SPECS, way=way)
            for pool, way in zip(pools, ways or [Way()] * len(names), strict=True)
        ]
        for own in made:
            (await own.reserve((("sliding", 1.0),), call())).end(sent=False)
        await runtime.sleep(5 * shared_redis.TELL_S)
        yield made
    finally:
        for pool in pools:
            await pool.close()


async def told(own: Budget, meter: str, other: Budget) -> float:
    """What `other` sees of a meter after `own` has used 30."""
    await reserved(own, 30.0, meter)
    await runtime.sleep(0.1)
    await reserved(other, 1.0, meter)
    return other.usage()[meter][0]


async def test_each_machine_has_its_address_and_a_key_is_everybodys(tmp_path: Path) -> None:
    server = Redis(tmp_path)
    try:
        async with members(server.url, "one", "two", "one") as (one, two, same):
            assert await told(one, "long", two) == 1
            assert await told(one, "long", same) == 61
            assert await told(one, "orders", two) == 31
            one.stop(0.5)
            await reserved(two, 1.0, "long", timeout_ms=300)
            with pytest.raises(RateLimitExceeded):
                await reserved(same, 1.0, "long", timeout_ms=300)
            server.stop()
            await runtime.sleep(1.5)
            # three members had the key, two of them this address
            assert (one.usage()["sliding"][1], two.usage()["sliding"][1]) == (5.0, 10.0)
            assert one.usage()["orders"][1] == pytest.approx(100 / 3)
    finally:
        server.stop()


async def test_ways_have_addresses_of_their_own(tmp_path: Path) -> None:
    proxy, local = Way("http://proxy.example:3128", True), Way("192.168.1.7")
    server = Redis(tmp_path)
    try:
        ways = (Way(), proxy, proxy, local, local)
        async with members(server.url, "one", "one", "two", "one", "two", ways=ways) as (direct, p1, p2, l1, l2):
            assert await told(direct, "long", p1) == 1
            assert await told(p1, "long", p2) == 32
            assert await told(l1, "long", l2) == 1
    finally:
        server.stop()


async def test_ways_are_apart_in_one_process_too() -> None:
    pool = MeterPool()
    ways = (Way(), Way("http://proxy.example:3128", True), Way("192.168.1.7"))
    made = [Budget(pool, "x", "local", "key", SPECS, way=way) for way in ways]
    await reserved(made[0], 5.0, "long")
    await reserved(made[0], 5.0, "orders")
    assert [own.usage()["long"][0] for own in made] == [5, 0, 0]
    assert [own.usage()["orders"][0] for own in made] == [5, 5, 5]
    made[1].stop(5.0)
    assert [own.stopped_s() > 0 for own in made] == [False, True, False]


@pytest.mark.parametrize(
    ("proxy", "no_proxy", "source", "way"),
    [
        (None, (), None, Way()),
        ("http://me:secret@proxy.example:3128", (), None, Way("http://proxy.example:3128", True)),
        ("socks5://127.0.0.1:1080", (), None, Way("socks5://127.0.0.1:1080", False)),
        ("socks5h://localhost", (), None, Way("socks5h://localhost:1080", False)),
        ("http://proxy.example:3128", ("api.example.com",), None, Way()),
        ("http://proxy.example:3128", ("api.example.com",), "192.168.1.7", Way("192.168.1.7")),
        (None, (), "8.8.8.8", Way("8.8.8.8", True)),
    ],
)
def test_the_way_of_an_exchange(proxy: str | None, no_proxy: tuple[str, ...], source: str | None, way: Way) -> None:
    assert way_out("api.example.com", Secret(proxy) if proxy else None, no_proxy, source) == way


@pytest.mark.parametrize(
    ("found", "named"), [("10.0.0.4", ROUTER), ("8.8.4.4", "8.8.4.4"), ("2001:4860::1", "2001:4860::1"), (None, ROUTER)]
)
def test_machines_behind_routers_are_one_address(
    found: str | None, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asked:
        def __init__(self, family: int, kind: int) -> None:
            pass

        def __enter__(self) -> Asked:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def connect(self, address: object) -> None:
            if found is None:
                raise OSError

        def getsockname(self) -> tuple[str, int]:
            return str(found), 1

    monkeypatch.setattr(addresses.socket, "socket", Asked)
    assert own_address() == named


async def test_a_slow_redis_is_slow_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server, slow = Redis(tmp_path), SlowWay(tmp_path, 0.05)
    await slow.open()
    try:
        async with members(slow.url, "one", "one") as both:
            began = runtime.monotonic()
            await asyncio.gather(*(reserved(both[number % 2], 5.0, "sliding") for number in range(6)))
            assert 2.0 <= runtime.monotonic() - began < 4.0
            assert "is left" not in caplog.text
    finally:
        await slow.close()
        server.stop()


async def test_a_full_redis_leaves_everybody_a_share_until_it_has_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = Redis(tmp_path)
    try:
        async with members(server.url, "one", "one") as both:
            server.tell("CONFIG", "SET", "maxmemory", "1")
            for own in both:
                await reserved(own, 5.0, "sliding")
            assert [own.usage()["sliding"][1] for own in both] == [5.0, 5.0]
            assert "its memory is full: raise its maxmemory" in caplog.text
            server.tell("CONFIG", "SET", "maxmemory", "0")
            await runtime.sleep(JOIN_S + 4 * shared_redis.RETRY_S)
            assert [own.usage()["sliding"][1] for own in both] == [10.0, 10.0]
    finally:
        server.stop()


async def test_a_wrong_password_is_said_and_leaves_a_small_share(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = Redis(tmp_path, "--requirepass", PASSWORD)
    try:
        async with members(server.url.replace("unix://", "unix://:wrong-word@"), "one") as (own,):
            assert own.usage()["sliding"][1] == 10 / STRANGERS
            assert "refuses the password: give the right one by the environment variable" in caplog.text
            assert "wrong-word" not in caplog.text
        async with members(server.url.replace("unix://", f"unix://:{PASSWORD}@"), "one") as (own,):
            assert own.usage()["sliding"][1] == 10
    finally:
        server.stop()


@pytest.mark.parametrize("loss", ["all", "one meter"])
async def test_data_that_the_redis_has_lost_count_as_used(loss: str, tmp_path: Path) -> None:
    server = Redis(tmp_path)
    try:
        async with members(server.url, "one", "one", exchange=loss.replace(" ", "")) as (one, other):
            await reserved(one, 30.0, "long")
            await runtime.sleep(0.1)
            if loss == "all":
                server.tell("FLUSHALL")
            else:
                server.tell("DEL", "planar:{onemeter-local}:m:sliding/long/@one")
            for own in (one, other):
                with pytest.raises(RateLimitExceeded):
                    await reserved(own, 1.0, "long", timeout_ms=1_500)
    finally:
        server.stop()


async def test_who_spent_nothing_alone_comes_back_without_a_pause_for_all(tmp_path: Path) -> None:
    server, slow = Redis(tmp_path), SlowWay(tmp_path, 0.0)
    await slow.open()
    try:
        async with members(server.url, "one") as (steady,), members(slow.url, "one") as (lost,):
            slow._delay_s = 2.0
            with pytest.raises(RateLimitExceeded):
                await reserved(lost, 1.0, "long", timeout_ms=1_000)
            slow._delay_s = 0.0
            for _ in range(20):
                began = runtime.monotonic()
                await reserved(steady, 0.5, "long")
                assert runtime.monotonic() - began < 0.5
                await runtime.sleep(0.2)
            await reserved(lost, 1.0, "long", timeout_ms=500)
            assert lost.usage()["long"][0] in (11.0, 12.0)  # the one whose answer was late may count
    finally:
        await slow.close()
        server.stop()
