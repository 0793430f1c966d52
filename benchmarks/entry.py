"""How long an order waits for its acknowledgement, by REST and over the socket, of the local exchanges.

Wall time of `create_limit_order`, one order after the other and twenty at once, in rounds that take turns; the journal,
the budget and the parsing are in it. Measured with nothing between, and with answers that take their time.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

import planar
from benchmarks.calls import unlimited
from planar.exchange import Exchange
from planar.transport.local import LocalVenue
from planar.transport.pool import MeterPool
from planar.venue.client import VenueControl
from planar.venue.registry import VenueRecord
from planar.venue.steering import SetLatency

SYMBOL = "BTC/USDT"
ROUNDS, CALLS, AT_ONCE = 5, 20, 20
LATENCY_MS = 20
WAYS = ("rest", "websocket")
ACCOUNTS = {"rest": "alice", "websocket": "bob"}


async def _one_by_one(exchange: Exchange, price: float) -> list[float]:
    took: list[float] = []
    for _ in range(CALLS):
        began = time.perf_counter_ns()
        await exchange.create_limit_buy_order(SYMBOL, "0.001", price, {"timeInForce": "IOC"})
        took.append((time.perf_counter_ns() - began) / 1e6)
    return took


async def _at_once(exchange: Exchange, price: float) -> float:
    began = time.perf_counter_ns()
    await asyncio.gather(
        *(exchange.create_limit_buy_order(SYMBOL, "0.001", price, {"timeInForce": "IOC"}) for _ in range(AT_ONCE))
    )
    return (time.perf_counter_ns() - began) / 1e6


async def measure(venue: LocalVenue, name: str, pool: MeterPool) -> list[dict[str, Any]]:
    """A row for each way: milliseconds of one order (median, 99th percentile), and of twenty at once."""
    rows: list[dict[str, Any]] = []
    async with planar.open(local_venue=venue) as rest, planar.open(local_venue=venue) as socket:
        exchanges: dict[str, Exchange] = {}
        for way, workspace in zip(WAYS, (rest, socket), strict=True):
            opened = await workspace.exchange(name, environment="local", account=ACCOUNTS[way], order_entry=way)
            unlimited(opened, pool)
            await opened.reconcile()
            exchanges[way] = opened
        price = round(((await exchanges["rest"].fetch_order_book(SYMBOL, 5)).best_bid or 0.0) * 0.9, 1)
        ones: dict[str, list[float]] = {way: [] for way in WAYS}
        many: dict[str, list[float]] = {way: [] for way in WAYS}
        for way in WAYS:
            await _one_by_one(exchanges[way], price)  # a connection is there, and what is made once
        for _ in range(ROUNDS):
            for way in WAYS:
                ones[way] += await _one_by_one(exchanges[way], price)
                many[way].append(await _at_once(exchanges[way], price))
        for way in WAYS:
            cuts = statistics.quantiles(ones[way], n=100)
            rows.append({"way": way, "median": cuts[49], "p99": cuts[98], "at once": statistics.median(many[way])})
    return rows


async def _shaped(record: VenueRecord, latency_ms: int) -> None:
    async with VenueControl(record) as control:
        await control.command(SetLatency(latency_ms=latency_ms), venue=record.venues[0])


def report(record: VenueRecord, venue: LocalVenue, pool: MeterPool) -> None:
    """Measure and print: with no way between, and with a way."""
    name = record.venues[0]
    for latency_ms in (0, LATENCY_MS):
        asyncio.run(_shaped(record, latency_ms))
        print(f"\nan order until its acknowledgement, {name}, answers {latency_ms} ms away, ms")
        print(f"{'':12}{'median':>9}{'p99':>9}{f'{AT_ONCE} at once':>12}")
        for row in asyncio.run(measure(venue, name, pool)):
            print(f"{row['way']:12}{row['median']:9.2f}{row['p99']:9.2f}{row['at once']:12.1f}")
    asyncio.run(_shaped(record, 0))
