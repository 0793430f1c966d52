"""Several processes with one Kraken key: their nonces arrive in order, whoever of them dies."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from planar.errors import RequestTimeout
from planar.transport.context import CallContext, Priority
from planar.transport.lanes import NonceLane, NonceLanes
from planar.venue.server import VenueServer
from planar.venue.wire import kraken
from planar.venue.wire.kraken.settings import TierLimits

CLIENT = """
import asyncio, sys
from pathlib import Path
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.transport.dialer import Dialer
from planar.transport.lanes import NonceLanes
from planar.transport.pool import MeterPool

async def main(socket, key, secret, directory, count):
    dialer, lanes = Dialer(), NonceLanes(Path(directory))
    request = OpeningRequest(exchange="kraken", environment="local", credentials={"apiKey": key, "secret": secret},
                             fingerprint="one", timeout_ms=30_000, pacing=False, unix_socket=socket)
    adapter = open_adapter(request, dialer, MeterPool(), MarketCache(Path(directory) / "cache"), None, lanes)
    left = iter(range(int(count)))
    async def ask():
        for _ in left:
            await adapter.fetch_balance({}, timeout_ms=30_000)
    await asyncio.gather(*(ask() for _ in range(8)))
    await adapter.close()
    await dialer.close()
    lanes.close()

asyncio.run(main(*sys.argv[1:]))
"""
REQUESTS = 500


async def test_two_processes_with_one_key_are_never_refused_for_a_nonce(tmp_path: Path) -> None:
    free = TierLimits(calls=1e9, calls_decay=1, orders=1e9, orders_decay=1, open_orders=1_000)
    wire = kraken.create(seed=1, activity=False, settings=kraken.Settings(own_limits=free))
    server = VenueServer([wire])
    await server.start(unix_path=str(tmp_path / "venue.sock"))
    account = wire.accounts()[0]
    arguments = [str(tmp_path / "venue.sock"), account.apiKey, account.secret, str(tmp_path), str(REQUESTS)]
    clients = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", CLIENT, *arguments, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        async with asyncio.timeout(60):
            told = await asyncio.gather(*(client.communicate() for client in clients))
    finally:
        for client in clients:
            if client.returncode is None:
                client.kill()
                await client.wait()
        await server.stop()
    assert [client.returncode for client in clients] == [0, 0], told[0][1].decode()[-500:] + told[1][1].decode()[-500:]


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
