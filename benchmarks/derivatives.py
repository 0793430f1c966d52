"""P6 for data of derivatives: the CPU of a call over bare CCXT, where no local exchange has derivatives.

A process of its own answers OKX's requests for a funding rate and for positions with fixed texts, through a socket of this
machine; Planar and bare CCXT ask it in rounds that take turns.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import ccxt.async_support as ccxt
from aiohttp import web

from benchmarks.calls import unlimited
from planar.adapters.exchange_ids import exchange_ids
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.config import load
from planar.exchange import Exchange
from planar.models import from_ccxt as convert
from planar.orders import OrderManager
from planar.streams import StreamHub
from planar.transport.alarms import Alarms
from planar.transport.dialer import Dialer
from planar.transport.pool import MeterPool

ID, SYMBOL = "okx", "BTC/USDT:USDT"
ROUNDS, CALLS = 11, 40
KEYS = {"apiKey": "a" * 36, "secret": "b" * 32, "password": "none"}
TIMES = {"fundingTime": "1790000000000", "nextFundingTime": "1790028800000", "ts": "1789999990000"}
FUNDING = {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "fundingRate": "0.00011", "method": "current_period", **TIMES}
POSITION = {
    "instId": "BTC-USDT-SWAP",
    "instType": "SWAP",
    "posId": "307173036051017730",
    "posSide": "net",
    "mgnMode": "cross",
    "pos": "12",
    "avgPx": "60000.5",
    "markPx": "60010.1",
    "last": "60011",
    "lever": "5",
    "liqPx": "48011.9",
    "imr": "1440.2",
    "mmr": "28.8",
    "mgnRatio": "41.2",
    "notionalUsd": "7201.2",
    "upl": "1.15",
    "uplRatio": "0.0008",
    "cTime": "1789990000000",
    "uTime": "1789999990000",
}
ANSWERS = {
    "/api/v5/public/funding-rate": {"code": "0", "msg": "", "data": [FUNDING]},
    "/api/v5/account/positions": {"code": "0", "msg": "", "data": [POSITION]},
}
MARKET: dict[str, Any] = {
    "id": "BTC-USDT-SWAP",
    "symbol": SYMBOL,
    "base": "BTC",
    "quote": "USDT",
    "settle": "USDT",
    "type": "swap",
    "baseId": "BTC",
    "quoteId": "USDT",
    "settleId": "USDT",
    "active": True,
    "swap": True,
    "contract": True,
    "spot": False,
    "linear": True,
    "inverse": False,
    "contractSize": 0.01,
    "info": {},
    "limits": {},
    "precision": {"amount": 1.0, "price": 0.1},
}


def serve(path: str) -> None:
    """Answer requests until standard input ends."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/api/v5/public/time":  # by which requests are signed
            return web.json_response({"code": "0", "msg": "", "data": [{"ts": str(time.time_ns() // 1_000_000)}]})
        return web.json_response(ANSWERS[request.path])

    async def run() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.UnixSite(runner, path).start()
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(run())


def _own(directory: Path, socket: str, dialer: Dialer) -> Exchange:
    """Planar's exchange with one market, as if its markets had been loaded."""
    request = OpeningRequest(
        exchange=ID, environment="local", credentials=KEYS, fingerprint="bench", timeout_ms=5_000, unix_socket=socket
    )
    adapter: Any = open_adapter(request, dialer, MeterPool(), MarketCache(directory, max_age_ms=0))
    adapter.exchange.set_markets([adapter.exchange.safe_market_structure(MARKET)])
    configuration = load(None, None, known_ids=exchange_ids())
    exchange = Exchange(
        adapter,
        configuration.with_options(ID, {"environment": "local", "timeout": 5_000}),
        configuration,
        account="",
        authenticated=True,
        make_orders=lambda: OrderManager(adapter, directory / "okx.db", 5_000, Alarms([]), ""),
        hub=StreamHub(adapter),
    )
    made = convert.market(
        adapter.exchange.markets[SYMBOL], exchange=ID, precision_mode=int(adapter.exchange.precisionMode)
    )
    exchange._markets = {SYMBOL: made}
    adapter.market_of = exchange._markets.get
    return exchange


async def _cpu_us(call: Callable[[], Awaitable[object]]) -> float:
    gc.collect()
    began = time.process_time_ns()
    for _ in range(CALLS):
        await call()
    return (time.process_time_ns() - began) / CALLS / 1000


async def measure(directory: Path, socket: str) -> list[dict[str, Any]]:
    """Rows of CPU microseconds per call, medians of rounds."""
    session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket))
    bare = ccxt.okx({**KEYS, "session": session, "enableRateLimit": False})
    bare.set_markets([bare.safe_market_structure(MARKET)])
    dialer = Dialer()
    own = _own(directory, socket, dialer)
    unlimited(own, MeterPool(directory))
    calls: dict[str, tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]] = {
        "funding rate": (lambda: bare.fetch_funding_rate(SYMBOL), lambda: own.fetch_funding_rate(SYMBOL)),
        "positions": (lambda: bare.fetch_positions(), lambda: own.fetch_positions()),
    }
    rows: list[dict[str, Any]] = []
    for name, (peer, mine) in calls.items():
        taken: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            taken.append((await _cpu_us(peer), await _cpu_us(mine)))
        middle = [statistics.median(column) for column in zip(*taken, strict=True)]
        rows.append({"call": name, "ccxt": middle[0], "planar": middle[1]})
    await own.close()
    await dialer.close()
    await bare.close()
    await session.close()
    return rows


def report() -> list[dict[str, Any]]:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        socket = f"{name}/okx.sock"
        command = [sys.executable, "-m", "benchmarks.derivatives", "--serve", socket]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ))
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdout.readline()
            rows = asyncio.run(measure(Path(name), socket))
        finally:
            process.stdin.close()
            process.wait()
    print("\nP6  CPU per REST call of data of derivatives, microseconds, medians of rounds (OKX, fixed answers)")
    print(f"    {'call':<15}{'ccxt':>8}{'planar':>8}{'over ccxt':>11}   target")
    for row in rows:
        over = row["planar"] - row["ccxt"]
        print(f"    {row['call']:<15}{row['ccxt']:>8.0f}{row['planar']:>8.0f}{over:>+11.0f}   <= +60")
    return rows


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    else:
        report()
