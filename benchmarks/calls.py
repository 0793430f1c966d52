"""P6: what Planar costs beside bare CCXT and beside raw aiohttp, per REST call, in CPU time of this process.

All three talk to the same local Binance through the same kind of socket, one call after the other, in alternating rounds.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import ccxt.async_support as ccxt
import orjson

import planar
from planar.transport.local import LocalVenue, account_keys

ROUNDS = 7
CALLS = 60
Operation = Callable[[int], Awaitable[object]]


class Raw:
    """aiohttp and orjson, signed by hand: the floor."""

    def __init__(self, session: aiohttp.ClientSession, keys: dict[str, str]) -> None:
        self._session = session
        self._keys = keys

    async def get(self, path: str) -> Any:
        """One public call."""
        async with self._session.get(f"https://api.binance.com/api/v3/{path}") as answer:
            return orjson.loads(await answer.read())

    async def order(self, number: int) -> Any:
        """One order that ends at once."""
        query = urlencode(
            {
                "symbol": "BTCUSDT",
                "side": "BUY",
                "type": "LIMIT",
                "timeInForce": "IOC",
                "quantity": "0.01",
                "price": "20000",
                "newClientOrderId": f"raw{number}",
                "recvWindow": "5000",
                "timestamp": str(time.time_ns() // 1_000_000),
            }
        )
        signature = hmac.new(self._keys["secret"].encode(), query.encode(), hashlib.sha256).hexdigest()
        headers = {"X-MBX-APIKEY": self._keys["apiKey"], "Content-Type": "application/x-www-form-urlencoded"}
        async with self._session.post(
            "https://api.binance.com/api/v3/order", data=f"{query}&signature={signature}", headers=headers
        ) as answer:
            return orjson.loads(await answer.read())


async def cpu_us(operation: Operation) -> float:
    """CPU microseconds of this process per call."""
    began = time.process_time_ns()
    for number in range(CALLS):
        await operation(number)
    return (time.process_time_ns() - began) / CALLS / 1000


async def measure(venue: LocalVenue) -> list[dict[str, Any]]:
    """Rows of (operation, raw, ccxt, planar) in CPU microseconds per call; medians of rounds."""
    keys = await account_keys(venue, "binance", "alice")
    session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(venue.socket or ""))
    raw = Raw(session, keys)
    bare = ccxt.binance(
        {**keys, "session": session, "enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot"]}}}
    )
    bare.has["fetchCurrencies"] = False
    await bare.load_markets()
    rows: list[dict[str, Any]] = []
    async with planar.open(local_venue=venue) as workspace:
        own = await workspace.exchange("binance", environment="local", account="bob", enableRateLimit=False)
        await own.reconcile()
        ioc = {"timeInForce": "IOC"}
        operations: dict[str, tuple[Operation, Operation, Operation]] = {
            "ticker": (
                lambda _: raw.get("ticker/24hr?symbol=BTCUSDT"),
                lambda _: bare.fetch_ticker("BTC/USDT"),
                lambda _: own.fetch_ticker("BTC/USDT"),
            ),
            "book (100)": (
                lambda _: raw.get("depth?symbol=BTCUSDT&limit=100"),
                lambda _: bare.fetch_order_book("BTC/USDT", 100),
                lambda _: own.fetch_order_book("BTC/USDT", 100),
            ),
            "order": (
                raw.order,
                lambda _: bare.create_order("BTC/USDT", "limit", "buy", 0.01, 20_000, ioc),
                lambda _: own.create_order("BTC/USDT", "limit", "buy", "0.01", 20_000, ioc),
            ),
        }
        for name, three in operations.items():
            taken: list[list[float]] = [[], [], []]
            for _ in range(ROUNDS):
                for column, operation in enumerate(three):
                    taken[column].append(await cpu_us(operation))
            raw_us, ccxt_us, planar_us = (statistics.median(column) for column in taken)
            rows.append({"call": name, "raw_us": raw_us, "ccxt_us": ccxt_us, "planar_us": planar_us})
    await bare.close()
    await session.close()
    return rows


def report(venue: LocalVenue) -> None:
    """Measure and print."""
    print("P6  CPU per REST call, microseconds (median of rounds; floor: aiohttp + orjson; peer: bare CCXT)")
    print(f"    {'call':<12}{'floor':>9}{'ccxt':>9}{'planar':>9}{'over ccxt':>11}   target: <= 60 over ccxt")
    for row in asyncio.run(measure(venue)):
        over = row["planar_us"] - row["ccxt_us"]
        print(f"    {row['call']:<12}{row['raw_us']:>9.0f}{row['ccxt_us']:>9.0f}{row['planar_us']:>9.0f}{over:>11.0f}")
