"""P8: a fresh process to its first ticker, with 3,000 markets. P9: 3,000 markets from the cache. And how long a program
stands still while they are loaded again.

Each figure is of a process of its own; the peer loads its markets from the same front, as it has no cache.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5

_MEMORY = """
def memory():
    # the peak of this program; ru_maxrss would include the process that started it
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0])
"""

_PEER = """
import asyncio, sys
import aiohttp
import ccxt.pro
async def main():
    session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(sys.argv[1]))
    exchange = ccxt.pro.binance({"session": session, "enableRateLimit": False})
    await exchange.fetch_ticker("BTC/USDT")
    print(memory(), flush=True)
    await exchange.close()
    await session.close()
asyncio.run(main())
"""

_FLOOR = """
import asyncio, sys
import aiohttp, orjson
async def main():
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(sys.argv[1])) as session:
        async with session.get("https://api.binance.com/api/v3/ticker/24hr?symbol=BTCUSDT") as answer:
            orjson.loads(await answer.read())
    print(memory(), flush=True)
asyncio.run(main())
"""

_PLANAR = """
import asyncio, sys
from pathlib import Path
import planar.workspace
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.transport.pool import MeterPool
from planar.transport.dialer import Dialer
async def main():
    dialer = Dialer()
    request = OpeningRequest(exchange="binance", environment="local", credentials={}, fingerprint="public",
                             timeout_ms=10_000, unix_socket=sys.argv[1])
    adapter = open_adapter(request, dialer, MeterPool(), MarketCache(Path(sys.argv[2])))
    await adapter.load_markets(timeout_ms=10_000)
    await adapter.fetch_ticker("BTC/USDT", {}, timeout_ms=10_000)
    print(memory(), flush=True)
    await adapter.close()
    await dialer.close()
asyncio.run(main())
"""

_CACHE = """
import sys, time
from pathlib import Path
import planar.adapters.ccxt_adapter
from planar.adapters import lazy_ccxt
from planar.adapters.market_file import MarketFile
from planar.adapters.market_cache import MarketSet
lazy_ccxt.install()
path = next(Path(sys.argv[1]).glob("*.markets"))
before = memory()
began = time.perf_counter()
markets = MarketSet.of_file(MarketFile(path.read_bytes()))
market = markets.table["BTC/USDT"]
taken = time.perf_counter() - began
print(len(markets.table), taken * 1000, (memory() - before) / 1024)
"""

_STILL = """
async def stands_still(load):
    # the longest time that a timer of a millisecond was late, of each load
    longest = []
    for _ in range(5):
        waits = []
        async def tick():
            while True:
                began = time.perf_counter()
                await asyncio.sleep(0.001)
                waits.append(time.perf_counter() - began - 0.001)
        ticking = asyncio.create_task(tick())
        await load()
        ticking.cancel()
        longest.append(max(waits))
    print(statistics.median(longest), flush=True)
"""

_STILL_PLANAR = (
    "import statistics, time\n"
    + _STILL
    + _PLANAR.replace(
        "print(memory(), flush=True)",
        "await stands_still(lambda: adapter.load_markets(timeout_ms=10_000, reload=True))",
    )
)

_STILL_PEER = (
    "import statistics, time\n"
    + _STILL
    + _PEER.replace("print(memory(), flush=True)", "await stands_still(lambda: exchange.load_markets(True))")
)


def _first_line(program: str, *arguments: str) -> tuple[float, str]:
    """Seconds from the start of a process to its first line, and the line."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", _MEMORY + program, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    taken = time.perf_counter() - began
    if process.wait() != 0:
        raise SystemExit("a measured process failed; see above")
    return taken, line


def report() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        socket, cache = str(Path(name) / "front.sock"), str(Path(name) / "cache")
        front = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.front", socket], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        assert front.stdout is not None
        front.stdout.readline()
        try:
            _first_line(_PLANAR, socket, cache)  # fills the cache
            programs = {"floor": (_FLOOR, socket), "ccxt.pro": (_PEER, socket), "planar": (_PLANAR, socket, cache)}
            taken: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
            for _ in range(RUNS):
                for name, command in programs.items():
                    seconds, line = _first_line(*command)
                    taken[name].append((seconds, int(line) / 1024))
            _print_startup(taken)
            rows = [_first_line(_CACHE, cache)[1].split() for _ in range(RUNS)]
            still = {
                "ccxt.pro": _first_line(_STILL_PEER, socket)[1],
                "planar": _first_line(_STILL_PLANAR, socket, cache)[1],
            }
        finally:
            front.terminate()
            front.wait()
    count = rows[0][0]
    print(f"\nP9  {count} markets from the cache (median of {RUNS} processes)")
    print(
        f"    {statistics.median(float(row[1]) for row in rows):.1f} ms, "
        f"{statistics.median(float(row[2]) for row in rows):.1f} MB more; target: <= 50 ms, <= 20 MB"
    )
    print(f"\nHow long the loop stands still while {count} markets are loaded again, ms (median of 5 loads)")
    for name, seconds in still.items():
        print(f"    {name:<10}{float(seconds) * 1000:>7.0f}")


def _print_startup(taken: dict[str, list[tuple[float, float]]]) -> None:
    print(f"\nP8  fresh process to first ticker, 3,000 markets (median of {RUNS}; floor: aiohttp, no markets)")
    for name, rows in taken.items():
        seconds, memory = (statistics.median(column) for column in zip(*rows, strict=True))
        target = "   target: <= 0.40 s, <= 75 MB" if name == "planar" else ""
        print(f"    {name:<10}{seconds:>7.2f} s{memory:>8.0f} MB{target}")
