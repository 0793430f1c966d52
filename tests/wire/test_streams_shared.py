"""Streams that share one connection, on a venue that repeats its last trades, refuses under the request's id, and knows
no way to leave a single stream: Kraken's second protocol, played by the test frame by frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from streams_kit import QUICK, until

import planar.runtime as runtime
from planar.adapters import lazy_ccxt
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.ccxt_listener import listening
from planar.adapters.ccxt_seam import SeamWiring, create
from planar.adapters.ccxt_socket import SocketGuard
from planar.adapters.market_cache import MarketCache
from planar.adapters.profile import Profile
from planar.errors import BadSymbol, ExchangeError
from planar.streams import StreamHub, StreamState
from planar.transport.budget import Budget
from planar.transport.dialer import Dialer, Route
from planar.transport.guard import HostRules
from planar.transport.observe import Observatory
from planar.transport.pool import MeterPool

LIVE = StreamState.LIVE
MARKETS = [("XXBTZUSD", "BTC/USD"), ("XETHZUSD", "ETH/USD")]


class Frames:
    """A WebSocket server that plays what the test says.

    Attributes:
        requests: what the client sent, with the moment of arrival.
        answers: called with each request; gives the frames to answer with.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.connections = 0
        self.refused: dict[str, str] = {}
        self.trades: list[dict[str, Any]] = []
        self.answering = True

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.sockets.append(socket)
        async for message in socket:
            asked = json.loads(message.data)
            self.times.append(runtime.monotonic())
            self.requests.append(asked)
            if self.answering:
                for frame in self.answer(asked):
                    await socket.send_str(json.dumps(frame))
        self.sockets.remove(socket)
        return socket

    def answer(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        channel, symbol = asked["params"]["channel"], asked["params"]["symbol"][0]
        if symbol in self.refused:
            return [{"error": self.refused[symbol], "method": "subscribe", "req_id": asked["req_id"], "success": False}]
        made = [{"method": "subscribe", "result": {"channel": channel}, "success": True, "req_id": asked["req_id"]}]
        if channel == "trade" and self.trades:
            made.append({"channel": "trade", "type": "snapshot", "data": self.trades[-3:]})
        elif channel == "book":
            made.append(book("snapshot", symbol, bid=100.0, ask=101.0))
        return made

    async def trade(self, number: int, symbol: str = "BTC/USD") -> None:
        self.trades.append(
            {"symbol": symbol, "side": "buy", "price": 100.0, "qty": 1.0, "ord_type": "limit", "trade_id": number}
        )
        self.trades[-1]["timestamp"] = "2023-09-25T07:49:37.708706Z"
        await self.send({"channel": "trade", "type": "update", "data": self.trades[-1:]})

    async def send(self, frame: dict[str, Any]) -> None:
        for socket in self.sockets:
            await socket.send_str(json.dumps(frame))

    def cut(self) -> None:
        for socket in list(self.sockets):
            assert socket._req is not None
            assert socket._req.transport is not None
            socket._req.transport.abort()


def book(kind: str, symbol: str, bid: float, ask: float) -> dict[str, Any]:
    data = {"symbol": symbol, "bids": [{"price": bid, "qty": 1.0}], "asks": [{"price": ask, "qty": 1.0}], "checksum": 1}
    return {"channel": "book", "type": kind, "data": [{**data, "timestamp": "2023-09-25T07:49:37.708706Z"}]}


@contextlib.asynccontextmanager
async def kraken(directory: Path, per_s: float | None = None) -> AsyncIterator[tuple[Frames, StreamHub, CcxtAdapter]]:
    lazy_ccxt.install()
    frames, path = Frames(), str(directory / "frames.sock")
    runner = web.ServerRunner(web.Server(frames.handle))
    await runner.setup()
    await web.UnixSite(runner, path).start()
    dialer, profile = Dialer(), Profile(id="kraken", websocket_messages_per_s=per_s)
    session = dialer.session(Route("kraken", "local", HostRules((".kraken.com",)), unix_socket=path))
    budget = Budget(MeterPool(), "kraken", "local", "test", ())
    monitor = Observatory().monitor("kraken", "local", "")
    exchange = create("kraken", {"enableRateLimit": False}, SeamWiring(profile, session, budget, "local", monitor))
    exchange.set_markets(
        [
            exchange.safe_market_structure(
                {"id": name, "symbol": symbol, "base": symbol[:3], "quote": "USD", "type": "spot", "spot": True}
            )
            for name, symbol in MARKETS
        ]
    )
    adapter = CcxtAdapter(exchange, profile, MarketCache(directory), "local")
    hub = StreamHub(adapter, rules=QUICK)
    try:
        async with asyncio.timeout(15):
            yield frames, hub, adapter
    finally:
        await hub.close()
        await adapter.close()
        await dialer.close()
        await runner.cleanup()


async def test_trades_that_a_venue_repeats_come_once(tmp_path: Path) -> None:
    async with kraken(tmp_path) as (frames, hub, _), hub.trades("BTC/USD") as trades:
        await until(lambda: trades.state is LIVE)
        for number in (1, 2, 3):
            await frames.trade(number)
        assert [(await anext(trades)).id for _ in range(3)] == ["1", "2", "3"]
        frames.cut()
        await until(lambda: trades.gaps)
        for number in (4, 5):
            await frames.trade(number)
        assert [(await anext(trades)).id for _ in range(2)] == ["4", "5"]
        async with hub.trades("BTC/USD") as later:
            await frames.trade(6)
            assert (await anext(later)).id == "6"  # a later consumer begins where it came
        assert (await anext(trades)).id == "6"


async def test_leaving_one_stream_leaves_the_others_of_its_connection(tmp_path: Path) -> None:
    async with kraken(tmp_path) as (frames, hub, adapter):
        async with hub.trades("BTC/USD") as trades:
            async with hub.order_book("BTC/USD") as books:
                assert (await anext(books)).best_bid == 100.0
            assert frames.connections == 1
            await frames.send(book("update", "BTC/USD", bid=100.5, ask=101.0))  # it goes on, and nobody listens
            await frames.trade(1)
            assert (await anext(trades)).id == "1"
            assert trades.gaps == ()
            async with hub.order_book("BTC/USD") as again:
                await frames.send(book("update", "BTC/USD", bid=100.7, ask=101.0))
                assert (await anext(again)).best_bid == 100.7
            assert frames.connections == 1
        await until(lambda: not frames.sockets)
        assert adapter.exchange.clients == {}


async def test_a_refusal_reaches_the_one_who_asked(tmp_path: Path) -> None:
    async with kraken(tmp_path) as (frames, hub, _), hub.trades("BTC/USD") as trades:
        await until(lambda: trades.state is LIVE)
        frames.refused = {"ETH/USD": "Currency pair not supported ETH/USD"}
        async with hub.trades("ETH/USD") as refused:
            with pytest.raises(BadSymbol, match="not supported"):
                await anext(refused)
        frames.refused = {"ETH/USD": "Something else is wrong"}
        async with hub.trades("ETH/USD") as refused:
            with pytest.raises(ExchangeError, match="Something else"):
                await anext(refused)
            frames.refused = {}
            await until(lambda: refused.state is LIVE)  # asked again, although CCXT counts it as subscribed
            await frames.trade(7, "ETH/USD")
            assert (await anext(refused)).id == "7"
        assert trades.state is LIVE
        assert trades.gaps == ()
        assert frames.connections == 1


async def test_a_subscription_that_nobody_confirms_is_not_live(tmp_path: Path) -> None:
    async with kraken(tmp_path) as (frames, hub, _):
        frames.answering = False
        async with hub.trades("BTC/USD") as trades:
            await until(lambda: frames.requests)
            await asyncio.sleep(0.05)
            assert trades.state is StreamState.CONNECTING
            await frames.send({"method": "subscribe", "success": True, "req_id": frames.requests[0]["req_id"]})
            await until(lambda: trades.state is LIVE)


class Told:
    """A listener that notes what it is told."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def joined(self, socket: SocketGuard) -> None:
        self.log.append("joined")

    def subscribed(self) -> None:
        self.log.append("subscribed")

    def resolved(self, result: object) -> None:
        self.log.append(f"resolved {result}")

    def failed(self, error: Exception) -> None:
        self.log.append(f"failed {error}")


async def test_a_stream_that_its_url_subscribes_is_live_when_it_is_connected(tmp_path: Path) -> None:
    async with kraken(tmp_path) as (_, _, adapter):
        told, url = Told(), "wss://ws.kraken.com/by-url"
        token = listening.set(told)
        future = adapter.exchange.watch(url, "hash", None, "by-url")
        listening.reset(token)
        assert told.log == ["joined"]
        await until(lambda: told.log == ["joined", "subscribed"])
        socket = adapter.exchange.clients[url]
        socket.resolve("data", "hash")
        assert await future == "data"
        socket.resolve("more", "hash")  # nobody awaits it
        socket.reject(ValueError("no"), "by-url")
        assert told.log[2:] == ["resolved data", "resolved more", "failed no"]
        socket.forget(told)
        socket.reject(ValueError("nobody's"), "hash")
        with pytest.raises(ValueError, match="nobody's"):  # kept for the next call, as CCXT does
            await adapter.exchange.watch(url, "hash", None, "by-url")
        assert len(told.log) == 5


async def test_subscriptions_are_sent_at_the_venues_pace(tmp_path: Path) -> None:
    async with kraken(tmp_path, per_s=4) as (frames, hub, _), contextlib.AsyncExitStack() as stack:
        streams = [hub.trades("BTC/USD"), hub.trades("ETH/USD"), hub.order_book("BTC/USD"), hub.order_book("ETH/USD")]
        streams += [hub.ohlcv("BTC/USD", "1m"), hub.ohlcv("ETH/USD", "1m")]  # type: ignore[list-item]
        for stream in streams:
            await stack.enter_async_context(stream)
        await until(lambda: len(frames.times) == len(streams))
        first, *_, fourth, fifth, sixth = frames.times
        assert fourth - first < 0.5
        assert fifth - first >= 0.99
        assert sixth - first >= 0.99


async def test_closing_does_not_wait_for_what_was_not_sent(tmp_path: Path) -> None:
    async with kraken(tmp_path, per_s=0.2) as (frames, hub, adapter):
        async with hub.trades("BTC/USD"), hub.trades("ETH/USD"):
            await until(lambda: frames.requests)
            begun = runtime.monotonic()
            await hub.close()
            await adapter.close()
            assert runtime.monotonic() - begun < 1
        assert len(frames.requests) == 1
        await until(lambda: all("send_message" not in repr(task) for task in asyncio.all_tasks()), within_s=1)
