"""P5: what the limiter adds to calls that the venue allows: the time of 20 of them, one after the other.

Floor: the same calls of the same program with the limiter switched off. Peer: bare CCXT with its limiter, as it comes.
The limits are the real venue's; all rounds together stay within them, so nothing has to wait.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import ccxt.async_support as ccxt

import planar
from planar.transport.local import LocalVenue, account_keys

CALLS = 20
SYMBOL = "BTC/USDT"
ROUNDS = {"ticker": 15, "book of 100": 9, "order": 4}
"""100 orders in 10 s, and a weight of 6,000 a minute, are what Binance allows."""


def operation(exchange: Any, name: str, price: float) -> Any:
    """One call, by CCXT's names."""
    if name == "ticker":
        return exchange.fetch_ticker(SYMBOL)
    if name == "order":
        return exchange.create_order(SYMBOL, "limit", "buy", "0.01", price, {"timeInForce": "IOC"})
    return exchange.fetch_order_book(SYMBOL, 100)


async def wall_ms(exchange: Any, name: str, price: float) -> float:
    """Milliseconds of 20 calls."""
    began = time.perf_counter_ns()
    for _ in range(CALLS):
        await operation(exchange, name, price)
    return (time.perf_counter_ns() - began) / 1e6


async def measure(venue: LocalVenue) -> list[dict[str, Any]]:
    """Rows of (call, without limiter, CCXT, Planar) in milliseconds; the best of rounds that take turns."""
    keys = await account_keys(venue, "binance", "alice")
    session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(venue.socket or ""))
    peer = ccxt.binance({**keys, "session": session, "options": {"fetchMarkets": {"types": ["spot"]}}})
    peer.has["fetchCurrencies"] = False
    rows: list[dict[str, Any]] = []
    async with planar.open(local_venue=venue) as paced, planar.open(local_venue=venue) as free:
        own = await paced.exchange("binance", environment="local", account="bob")
        floor = await free.exchange("binance", environment="local", account="carol", enableRateLimit=False)
        await peer.load_markets()
        await own.reconcile()
        await floor.reconcile()
        price = float(round(((await own.fetch_order_book(SYMBOL, 5)).best_bid or 0.0) * 0.7))
        for name, rounds in ROUNDS.items():
            for one in (own, floor):
                await operation(one, name, price)  # a connection is there, and what is made once
            taken: list[tuple[float, float]] = []
            for number in range(rounds):
                first, second = (floor, own) if number % 2 else (own, floor)
                times = {one: await wall_ms(one, name, price) for one in (first, second)}
                taken.append((times[floor], times[own]))
            floor_ms, own_ms = (min(column) for column in zip(*taken, strict=True))
            ccxt_ms = await wall_ms(peer, name, price)
            rows.append({"call": name, "floor_ms": floor_ms, "ccxt_ms": ccxt_ms, "planar_ms": own_ms})
    await peer.close()
    await session.close()
    return rows


def report(venue: LocalVenue) -> list[dict[str, Any]]:
    """Measure and print."""
    rows = asyncio.run(measure(venue))
    print(f"\nP5  {CALLS} calls one after the other inside the venue's budget, milliseconds, the best of rounds")
    print("    floor: the same calls without a limiter; peer: bare CCXT with its own")
    print(f"    {'call':<15}{'floor':>8}{'ccxt':>8}{'planar':>8}{'/ floor':>9}   target: <= 1.1 x the floor")
    for row in rows:
        ratio = row["planar_ms"] / row["floor_ms"]
        print(
            f"    {row['call']:<15}{row['floor_ms']:>8.1f}{row['ccxt_ms']:>8.0f}{row['planar_ms']:>8.1f}{ratio:>9.2f}"
        )
    return rows
