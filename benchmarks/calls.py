"""P6: what Planar costs beside raw aiohttp and beside bare CCXT, per REST call, in CPU time of this process.

All of them talk to the same local exchange through the same kind of socket, one call after the other, in rounds that take
turns. The exchange counts no limits, and Planar's budget is one that nobody fills: its cost is measured, its waits are
not (see `benchmarks.waits`).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import hmac
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any
from urllib.parse import urlencode

import aiohttp
import ccxt.async_support as ccxt
import msgspec
import orjson

import planar
from planar.adapters.base import OrderRef, OrderRequest
from planar.exchange import Exchange
from planar.models import Amount
from planar.transport.budget import Budget
from planar.transport.local import LocalVenue, account_keys
from planar.transport.pool import MeterPool

ROUNDS = 11
CALLS = 40
SYMBOL = "BTC/USDT"
PLENTY = 1e12
API = "https://api.binance.com/api/v3"
Operation = Callable[[int], Awaitable[object]]
TARGETS = {
    "ticker": 1.2,
    "book of 100": 1.2,
    "balance": 1.2,
    "order's call": 1.2,
    "order": 1.2,
    "cancel's call": 1.2,
    "cancel": 1.2,
    "1,000 candles": 1.0,
}
"""Of raw aiohttp and orjson. The call is the request and its answer; the order is it with all that makes it safe."""
CALLS_OF = {"order": "order's call", "cancel": "cancel's call"}
"""What is safe -> its call alone, which is what CCXT does."""


class Raw:
    """aiohttp and orjson, signed by hand: the floor."""

    def __init__(self, session: aiohttp.ClientSession, keys: dict[str, str]) -> None:
        self._session = session
        self._secret = keys["secret"].encode()
        self._headers = {"X-MBX-APIKEY": keys["apiKey"], "Content-Type": "application/x-www-form-urlencoded"}

    async def get(self, path: str) -> Any:
        """One public call."""
        async with self._session.get(f"{API}/{path}") as answer:
            return orjson.loads(await answer.read())

    def _signed(self, **fields: str) -> str:
        query = urlencode({**fields, "recvWindow": "5000", "timestamp": str(time.time_ns() // 1_000_000)})
        return f"{query}&signature={hmac.new(self._secret, query.encode(), hashlib.sha256).hexdigest()}"

    async def balance(self) -> Any:
        """What the account holds."""
        async with self._session.get(f"{API}/account?{self._signed()}", headers=self._headers) as answer:
            return orjson.loads(await answer.read())

    async def order(self, price: str, life: str) -> Any:
        """One limit order."""
        body = self._signed(symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce=life, quantity="0.01", price=price)
        async with self._session.post(f"{API}/order", data=body, headers=self._headers) as answer:
            return orjson.loads(await answer.read())

    async def cancel(self, order_id: str) -> Any:
        """One cancel."""
        query = self._signed(symbol="BTCUSDT", orderId=order_id)
        async with self._session.delete(f"{API}/order?{query}", headers=self._headers) as answer:
            return orjson.loads(await answer.read())


class Client:
    """One of the clients that are compared: its operations, by name.

    Attributes:
        resting: makes an order that rests and gives its id; what `cancel` then cancels is not timed itself.
    """

    def __init__(
        self,
        calls: dict[str, Operation],
        resting: Callable[[], Awaitable[str]],
        cancels: dict[str, Callable[[str], Awaitable[object]]],
    ) -> None:
        self._calls = calls
        self._resting = resting
        self._cancels = cancels

    async def cpu_us(self, name: str) -> float:
        """CPU microseconds of this process per call."""
        operation = self._calls.get(name)
        if operation is None:
            ids = [await self._resting() for _ in range(CALLS)]
            cancel = self._cancels[name]
            operation = lambda number: cancel(ids[number])  # noqa: E731
        gc.collect()
        calls = CALLS // 4 if name == "1,000 candles" else CALLS
        began = time.process_time_ns()
        for number in range(calls):
            await operation(number)
        return (time.process_time_ns() - began) / calls / 1000


def raw_client(raw: Raw, prices: tuple[float, float]) -> Client:
    """The floor."""
    low, lower = (str(price) for price in prices)

    async def resting() -> str:
        return str((await raw.order(lower, "GTC"))["orderId"])

    return Client(
        {
            "ticker": lambda _: raw.get("ticker/24hr?symbol=BTCUSDT"),
            "book of 100": lambda _: raw.get("depth?symbol=BTCUSDT&limit=100"),
            "1,000 candles": lambda _: raw.get("klines?symbol=BTCUSDT&interval=1m&limit=1000"),
            "balance": lambda _: raw.balance(),
            "order's call": lambda _: raw.order(low, "IOC"),
            "order": lambda _: raw.order(low, "IOC"),
        },
        resting,
        {"cancel's call": raw.cancel, "cancel": raw.cancel},
    )


def unified_calls(exchange: Any) -> dict[str, Operation]:
    """CCXT's names, which are Planar's too."""
    return {
        "ticker": lambda _: exchange.fetch_ticker(SYMBOL),
        "book of 100": lambda _: exchange.fetch_order_book(SYMBOL, 100),
        "1,000 candles": lambda _: exchange.fetch_ohlcv(SYMBOL, "1m", None, 1000),
        "balance": lambda _: exchange.fetch_balance(),
    }


def ccxt_client(exchange: Any, prices: tuple[float, float]) -> Client:
    """The peer: it knows of an order nothing but its call."""
    low, lower = prices

    async def resting() -> str:
        return (await exchange.create_order(SYMBOL, "limit", "buy", "0.01", lower))["id"]

    def order(_: int) -> Awaitable[object]:
        return exchange.create_order(SYMBOL, "limit", "buy", "0.01", low, {"timeInForce": "IOC"})

    def cancel(order_id: str) -> Awaitable[object]:
        return exchange.cancel_order(order_id, SYMBOL)

    calls = {**unified_calls(exchange), "order's call": order, "order": order}
    return Client(calls, resting, {"cancel's call": cancel, "cancel": cancel})


@contextlib.contextmanager
def untold(adapter: Any) -> Generator[None]:
    """Calls within the block are not told to the audit trail."""
    wiring = adapter.exchange.planar
    trail, wiring.trail = wiring.trail, None
    try:
        yield
    finally:
        wiring.trail = trail


def planar_client(exchange: Exchange, prices: tuple[float, float]) -> Client:
    """Planar: the calls of its adapter alone, and the orders of its users."""
    low, lower = prices
    adapter = exchange._adapter  # pyright: ignore[reportPrivateUsage]
    wish = OrderRequest("", SYMBOL, "buy", "limit", Amount("0.01"), Amount(low), time_in_force="IOC")
    numbers = itertools.count()

    async def resting() -> str:
        return (await exchange.create_order(SYMBOL, "limit", "buy", "0.01", lower)).id or ""

    async def call(_: int) -> object:
        request = msgspec.structs.replace(wish, client_id=f"plbenchx-{next(numbers):08d}")
        with untold(adapter):
            return await adapter.submit(request, timeout_ms=10_000, on_send=lambda: None)

    async def cancel(order_id: str) -> object:
        with untold(adapter):
            return await adapter.cancel(OrderRef(SYMBOL, order_id=order_id), {}, timeout_ms=10_000)

    calls = {
        **unified_calls(exchange),
        "order's call": call,
        "order": lambda _: exchange.create_order(SYMBOL, "limit", "buy", "0.01", low, {"timeInForce": "IOC"}),
    }
    cancels: dict[str, Callable[[str], Awaitable[object]]] = {
        "cancel's call": cancel,
        "cancel": lambda name: exchange.cancel_order(name, SYMBOL),
    }
    return Client(calls, resting, cancels)


def unlimited(exchange: Any, pool: MeterPool) -> None:
    """Give an exchange of Planar's a budget whose meters nobody fills."""
    wiring = exchange._adapter.exchange.planar
    specs = [
        msgspec.structs.replace(spec, limit=PLENTY, decay_per_s=PLENTY if spec.decay_per_s else None)
        for spec in wiring.profile.meters
    ]
    wiring.budget = Budget(pool, exchange.id, "local", "bench", specs, instance="bench")


async def measure(venue: LocalVenue, name: str, pool: MeterPool) -> list[dict[str, Any]]:
    """Rows of CPU microseconds per call, medians of rounds, of one local exchange: Binance with the floor."""
    keys = await account_keys(venue, name, "alice")
    session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(venue.socket or ""))
    options = {"fetchMarkets": {"types": ["spot"]}}
    bare = getattr(ccxt, name)({**keys, "session": session, "enableRateLimit": False, "options": options})
    bare.has["fetchCurrencies"] = False
    rows: list[dict[str, Any]] = []
    async with planar.open(local_venue=venue) as workspace:
        own = await workspace.exchange(name, environment="local", account="bob")
        unlimited(own, pool)
        await bare.load_markets()
        await own.reconcile()
        bid = (await own.fetch_order_book(SYMBOL, 5)).best_bid or 0.0
        prices = (float(round(bid * 0.7)), float(round(bid * 0.6)))
        clients = {"ccxt": ccxt_client(bare, prices), "planar": planar_client(own, prices)}
        if name == "binance":
            clients = {"raw": raw_client(Raw(session, keys), prices), **clients}
        for call in TARGETS:
            if name != "binance" and call == "1,000 candles":
                continue  # Kraken has no more than 720
            taken: dict[str, list[float]] = {client: [] for client in clients}
            for _ in range(ROUNDS):
                for client, one in clients.items():
                    taken[client].append(await one.cpu_us(call))
            rows.append({"call": call, **{client: statistics.median(times) for client, times in taken.items()}})
    await bare.close()
    await session.close()
    return rows


def report(venue: LocalVenue, name: str, pool: MeterPool) -> list[dict[str, Any]]:
    """Measure and print."""
    rows = asyncio.run(measure(venue, name, pool))
    print(f"\nP6  CPU per REST call on the local {name.capitalize()}, microseconds, medians of rounds")
    print("    floor: aiohttp + orjson; peer: bare CCXT; target: of the floor, and over CCXT <= 60")
    print(f"    {'call':<15}{'floor':>8}{'ccxt':>8}{'planar':>8}{'/ floor':>9}{'/ ccxt':>8}{'over ccxt':>11}   target")
    calls = {row["call"]: row["planar"] for row in rows}
    for row in rows:
        raw, peer, own = row.get("raw"), row["ccxt"], row["planar"]
        floor = f"{raw:>8.0f}" if raw else f"{'-':>8}"
        ratio = f"{own / raw:>9.2f}" if raw else f"{'-':>9}"
        alone = CALLS_OF.get(row["call"])
        if alone is not None:
            target = f"its call and {own - calls[alone]:.0f} for what CCXT does not do"
        else:
            target = f"<= {TARGETS[row['call']]:.1f} x, <= +60" if raw else "<= +60"
        print(
            f"    {row['call']:<15}{floor}{peer:>8.0f}{own:>8.0f}{ratio}{own / peer:>8.2f}{own - peer:>+11.0f}   {target}"
        )
    print(
        "    what CCXT does not do: three commits to the journal (P10), the audit trail, the checks of rules, limits and"
    )
    print(
        "    funds, a task that nobody can cancel; of Kraken's cancel a second request, which asks what became of the order"
    )
    return rows
