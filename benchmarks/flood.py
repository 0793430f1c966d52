"""P11: how long a cancel waits in this process while market data floods its loop.

From the call of `cancel_order` until its request is handed to the HTTP client. All markets of the local exchange trade as
fast as they can, and the program reads their trades, books and best prices, in bursts of ten a second. Floor: the same
without streams. Peer: CCXT's own streams and cancels, unmodified, through the exchange's proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import ccxt.pro

import planar
from benchmarks.calls import unlimited
from planar.exchange import Exchange
from planar.transport.local import LocalVenue, account_keys
from planar.transport.pool import MeterPool
from planar.venue.client import VenueControl
from planar.venue.registry import VenueRecord
from planar.venue.steering.market import ShapeMarket

SYMBOL = "BTC/USDT"
CANCELS = 200
EVERY_S = 0.023
"""Not in step with the exchange's bursts."""
RATE = 100.0
"""Trades in a second, of each market."""


class Flood:
    """What has been read.

    Attributes:
        read: updates.
    """

    def __init__(self) -> None:
        self.read = 0
        self._tasks: list[asyncio.Task[None]] = []

    def follow(self, updates: Callable[[], AsyncIterator[Any]]) -> None:
        """Read one stream."""
        self._tasks.append(asyncio.create_task(self._follow(updates)))

    async def _follow(self, updates: Callable[[], AsyncIterator[Any]]) -> None:
        async for update in updates():
            self.read += len(update) if isinstance(update, list) else 1

    async def close(self) -> None:
        """Read no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _cancels(place: Callable[[], Awaitable[str]], cancel: Callable[[str], Awaitable[float]]) -> list[float]:
    """Milliseconds of each."""
    waits: list[float] = []
    for _ in range(CANCELS):
        order_id = await place()
        await asyncio.sleep(EVERY_S)
        waits.append(await cancel(order_id) * 1000)
    return waits


async def _planar(venue: LocalVenue, pool: MeterPool, *, flooded: bool) -> tuple[list[float], float]:
    async with planar.open(local_venue=venue) as workspace:
        exchange = await workspace.exchange("binance", environment="local", account="alice")
        unlimited(exchange, pool)
        await exchange.reconcile()
        price = round(((await exchange.fetch_order_book(SYMBOL, 5)).best_bid or 0.0) * 0.7, 1)
        left: list[float] = []
        workspace.on_request(lambda _, record: left.append(record.began_s) if record.method == "DELETE" else None)
        flood, began = Flood(), time.monotonic()
        if flooded:
            _follow_planar(flood, exchange)
            await asyncio.sleep(1)

        async def place() -> str:
            return (await exchange.create_limit_buy_order(SYMBOL, "0.01", price)).id or ""

        async def cancel(order_id: str) -> float:
            left.clear()
            called = planar.runtime.monotonic()
            await exchange.cancel_order(order_id, SYMBOL)
            return left[0] - called

        waits = await _cancels(place, cancel)
        await flood.close()
        return waits, flood.read / (time.monotonic() - began)


def _follow_planar(flood: Flood, exchange: Exchange) -> None:
    for symbol in exchange.symbols:
        flood.follow(lambda symbol=symbol: _items(exchange.watch_trades(symbol)))
        flood.follow(lambda symbol=symbol: _items(exchange.watch_order_book(symbol, stale="yield")))
        flood.follow(lambda symbol=symbol: _items(exchange.watch_bids_asks([symbol], stale="yield")))


async def _items(stream: Any) -> AsyncIterator[Any]:
    async with stream as opened:
        async for item in opened:
            yield item


class _Timed(ccxt.pro.binance):
    """CCXT's, unmodified but for a note of when its request leaves."""

    left = 0.0

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        if method == "DELETE":
            self.left = time.perf_counter()
        return await super().fetch(url, method, headers, body)


async def _peer(record: VenueRecord, venue: LocalVenue) -> tuple[list[float], float]:
    keys, proxy = await account_keys(venue, "binance", "bob"), f"http://{record.near}"
    exchange = _Timed(
        {
            **keys,
            "httpsProxy": proxy,
            "wssProxy": proxy,
            "cafile": record.ca,
            "enableRateLimit": False,
            "options": {"fetchMarkets": {"types": ["spot"]}},
        }
    )
    exchange.has["fetchCurrencies"] = False
    try:
        await exchange.load_markets()
        price = round((await exchange.fetch_order_book(SYMBOL, 5))["bids"][0][0] * 0.7, 1)
        flood, began = Flood(), time.monotonic()
        for symbol in exchange.symbols:
            flood.follow(lambda symbol=symbol: _awaited(lambda: exchange.watch_trades(symbol)))
            flood.follow(lambda symbol=symbol: _awaited(lambda: exchange.watch_order_book(symbol)))
            flood.follow(lambda symbol=symbol: _awaited(lambda: exchange.watch_bids_asks([symbol])))
        await asyncio.sleep(1)

        async def place() -> str:
            return (await exchange.create_order(SYMBOL, "limit", "buy", 0.01, price))["id"]

        async def cancel(order_id: str) -> float:
            called = time.perf_counter()
            await exchange.cancel_order(order_id, SYMBOL)
            return exchange.left - called

        waits = await _cancels(place, cancel)
        await flood.close()
        return waits, flood.read / (time.monotonic() - began)
    finally:
        with contextlib.suppress(AttributeError):  # asyncio of early 3.11, when a TLS connection has ended already
            await exchange.close()


async def _awaited(watch: Callable[[], Awaitable[Any]]) -> AsyncIterator[Any]:
    while True:
        yield await watch()


async def _measure(record: VenueRecord, venue: LocalVenue, pool: MeterPool) -> list[tuple[str, list[float], float]]:
    async with VenueControl(record) as control:
        await control.command(ShapeMarket(trade_rate=RATE), venue="binance")
        try:
            rows = [("no streams", *await _planar(venue, pool, flooded=False))]
            rows.append(("planar", *await _planar(venue, pool, flooded=True)))
            with contextlib.suppress(ccxt.pro.NetworkError):  # it is cut off where it cannot keep up
                rows.append(("ccxt.pro", *await _peer(record, venue)))
            return rows
        finally:
            await control.command(ShapeMarket(reset=True), venue="binance")


def report(record: VenueRecord, venue: LocalVenue, pool: MeterPool) -> None:
    """Measure and print."""
    print(f"\nP11 a cancel's wait in this process while market data comes in bursts, ms ({CANCELS} cancels)")
    print(f"    {'':<12}{'p50':>9}{'p99':>9}{'updates/s':>12}   target: p99 <= 2")
    for name, waits, rate in asyncio.run(_measure(record, venue, pool)):
        cuts = statistics.quantiles(waits, n=100)
        print(f"    {name:<12}{cuts[49]:>9.2f}{cuts[98]:>9.2f}{rate:>12.0f}")
