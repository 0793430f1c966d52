"""Several processes with one Kraken key: their nonces arrive in order, whoever of them dies."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import pytest

from planar.errors import RequestTimeout
from planar.transport.context import CallContext, Priority
from planar.transport.lanes import NonceLane, NonceLanes
from planar.venue.server import VenueServer
from planar.venue.wire import kraken
from planar.venue.wire.kraken.settings import TierLimits

CLIENT = """
import asyncio, sys, time
from pathlib import Path
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.errors import InvalidNonce
from planar.runtime.system import SystemRuntime
from planar.transport.dialer import Dialer
from planar.transport.lanes import NonceLanes
from planar.transport.pool import MeterPool

async def main(socket, key, secret, lane, cache, count, back_s):
    dialer, lanes = Dialer(), NonceLanes(Path(lane))
    wall_ns = SystemRuntime.wall_ns
    request = OpeningRequest(exchange="kraken", environment="local", credentials={"apiKey": key, "secret": secret},
                             fingerprint="one", timeout_ms=60_000, pacing=False, unix_socket=socket)
    adapter = open_adapter(request, dialer, MeterPool(), MarketCache(Path(cache)), None, lanes)
    left = iter(range(int(count)))
    async def ask():
        for number in left:
            if number == int(count) // 2:
                SystemRuntime.wall_ns = lambda self: wall_ns(self) - int(back_s) * 1_000_000_000
            try:
                await adapter.fetch_balance({}, timeout_ms=60_000)
                print("ok", flush=True)
            except InvalidNonce:
                print("refused", flush=True)
    await adapter.fetch_time(timeout_ms=5_000)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    await asyncio.gather(*(ask() for _ in range(50)))
    # a read that was refused is asked again, so the answers are counted
    refused = sum(host.totals.get("refused", 0) for host in adapter.exchange.planar.monitor.hosts.values())
    print(refused, round(int(count) / (time.monotonic() - began)), flush=True)
    await adapter.close()
    await dialer.close()
    lanes.close()

asyncio.run(main(*sys.argv[1:]))
"""
"""50 calls at once until `count` were made; half-way the system clock is set back by `back_s`. The last line of what it
prints: requests that were refused for their nonce, requests per second."""

Process: TypeAlias = asyncio.subprocess.Process


@contextlib.asynccontextmanager
async def clients(directory: Path, lanes: list[str], count: int, back_s: int = 0) -> AsyncIterator[list[Process]]:
    """A local Kraken, and for each of `lanes` (a directory of lock files) a process with the same key."""
    free = TierLimits(calls=1e9, calls_decay=1, orders=1e9, orders_decay=1, open_orders=1_000)
    wire = kraken.create(seed=1, activity=False, settings=kraken.Settings(own_limits=free))
    server = VenueServer([wire])
    socket = str(directory / "venue.sock")
    await server.start(unix_path=socket)
    account = wire.accounts()[0]
    started = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CLIENT, socket, account.apiKey, account.secret, str(directory / lane)),
            *(str(directory / "cache"), str(count), str(back_s)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for lane in lanes
    ]
    try:
        async with asyncio.timeout(60):
            for client in started:
                assert client.stdout is not None
                assert await client.stdout.readline() == b"ready\n"
            for client in started:
                assert client.stdin is not None
                client.stdin.write(b"\n")
            yield started
    finally:
        for client in started:
            if client.returncode is None:
                client.kill()
                await client.wait()
        await server.stop()


async def refused(client: Process) -> int:
    """How many requests of a client were refused for their nonce."""
    told = (await client.communicate())[0].split(b"\n")
    assert client.returncode == 0
    return int(told[-2].split()[0])


async def test_processes_with_one_key_are_never_refused_for_a_nonce(tmp_path: Path) -> None:
    """50 calls at once in each; the system clock of each is set back by an hour half-way."""
    async with clients(tmp_path, ["one", "one"], 200, back_s=3_600) as started:
        assert await asyncio.gather(*map(refused, started)) == [0, 0]


async def test_without_the_shared_lock_the_exchange_refuses_nonces(tmp_path: Path) -> None:
    """What the lane is for: the same processes, each with a lane of its own."""
    async with clients(tmp_path, ["one", "two"], 100) as started:
        assert sum(await asyncio.gather(*map(refused, started))) > 0


async def test_one_that_is_killed_between_its_requests_hinders_no_other(tmp_path: Path) -> None:
    async with clients(tmp_path, ["one", "one"], 300) as (victim, heir):
        assert victim.stdout is not None
        assert heir.stdout is not None
        for _ in range(20):
            assert await victim.stdout.readline() == b"ok\n"
        victim.kill()
        await victim.wait()
        assert await refused(heir) == 0


async def test_nonces_of_all_holders_of_a_file_grow(tmp_path: Path) -> None:
    lanes = [NonceLane(tmp_path / "key.lane") for _ in range(3)]
    taken: list[int] = []

    async def take(lane: NonceLane) -> None:
        for _ in range(20):
            async with lane.turn(CallContext("x", 5_000, Priority.ORDER)):
                taken.append(lane.nonce())
                await asyncio.sleep(0)

    await asyncio.gather(*(take(lane) for lane in lanes))
    assert taken == sorted(set(taken))
    assert len(taken) == 60
    for lane in lanes:
        lane.close()
    later = NonceLanes(tmp_path).lane("key")
    async with later.turn(CallContext("x", 5_000, Priority.ORDER)):
        assert later.nonce() > taken[-1]
    later.close()


async def test_a_call_whose_time_is_over_does_not_stand_in_the_queue() -> None:
    lane, late = NonceLane(), CallContext("late", 0, Priority.CANCEL)
    async with lane.turn(CallContext("x", 5_000, Priority.ORDER)):
        with pytest.raises(RequestTimeout):
            async with lane.turn(late):
                raise AssertionError("its time is over")
    async with lane.turn(CallContext("x", 100, Priority.ORDER)):
        assert lane.nonce() > 0


async def test_a_holder_that_dies_lets_go(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys, os\n"
        "from pathlib import Path\n"
        "from planar.transport.context import CallContext, Priority\n"
        "from planar.transport.lanes import NonceLane\n"
        "async def main():\n"
        "    lane = NonceLane(Path(sys.argv[1]))\n"
        "    async with lane.turn(CallContext('x', 5_000, Priority.ORDER)):\n"
        "        print(lane.nonce(), flush=True)\n"
        "        sys.stdin.read()\n"
        "asyncio.run(main())\n"
    )
    pipe = subprocess.PIPE
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path / "key.lane"), stdin=pipe, stdout=pipe
    )
    assert holder.stdout is not None
    held = int(await holder.stdout.readline())
    lane = NonceLane(tmp_path / "key.lane")
    with pytest.raises(RequestTimeout, match="behind other signed requests"):
        async with lane.turn(CallContext("x", 50, Priority.ORDER)):
            raise AssertionError("it is held")
    holder.kill()
    await holder.wait()
    async with lane.turn(CallContext("x", 2_000, Priority.ORDER)):
        assert lane.nonce() > held
    lane.close()
