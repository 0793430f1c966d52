"""A feed that a test plays by hand, and a hub on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from planar.adapters.feed import Kind, Sink, Source, Topic
from planar.errors import ExchangeNotAvailable, NotSupported, PlanarError
from planar.models import Amount, Candle, Order, OrderState, Ticker, Trade

SYMBOL = "BTC/USDT"


async def until(condition: Callable[[], bool]) -> None:
    """Let the streams work until it holds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


class Book:
    """A ladder that a test changes."""

    def __init__(self, bids: list[list[float]], asks: list[list[float]], nonce: int | None = 1) -> None:
        self.symbol = SYMBOL
        self.bids = bids
        self.asks = asks
        self.nonce = nonce
        self.ts_ms: int | None = None


class ScriptedFeed:
    """Does what the test says.

    Attributes:
        sink: where to put data while it runs.
        runs: how often it was started.
        failing: what each start fails with at once, if anything.
    """

    source: Source = "websocket"

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.heard_ms: int | None = None
        self.sink: Sink
        self.runs = 0
        self.closed = 0
        self.failing: PlanarError | None = None
        self.running = asyncio.Event()
        self._error: asyncio.Future[None] | None = None

    async def run(self, sink: Sink) -> None:
        self.runs += 1
        if self.failing is not None:
            raise self.failing
        self.sink = sink
        self._error = asyncio.get_running_loop().create_future()
        self.running.set()
        try:
            await self._error
        finally:
            self.running.clear()

    def fail(self, error: PlanarError) -> None:
        assert self._error is not None
        if not self._error.done():
            self._error.set_exception(error)

    def lose(self) -> None:
        self.fail(ExchangeNotAvailable("the line is dead", exchange="here"))

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed += 1


class Scripted:
    """An adapter whose feeds are played by hand; all that were made are kept, the newest of a topic is the one in use."""

    def __init__(self) -> None:
        self.feeds: dict[Topic, ScriptedFeed] = {}
        self.failing: PlanarError | None = None

    def feed(self, topic: Topic) -> ScriptedFeed:
        if topic.kind is Kind.BALANCE:
            raise NotSupported("no balance here")
        topic = msgspec.structs.replace(topic, depth=None)
        made = ScriptedFeed(topic)
        made.failing = self.failing
        known = self.feeds.get(topic)
        if known is None or known.closed:
            self.feeds[topic] = made
        return made

    async def running(self, kind: Kind) -> ScriptedFeed:
        (feed,) = (feed for topic, feed in self.feeds.items() if topic.kind is kind)
        await feed.running.wait()
        return feed


def trade(number: int) -> Trade:
    return Trade(id=str(number), symbol=SYMBOL, price=100.0, amount=1.0, ts_ms=number)


def ticker(last: float, symbol: str = SYMBOL) -> Ticker:
    return Ticker(symbol=symbol, last=last)


def candle(ts_ms: int, close: float) -> Candle:
    return Candle(ts_ms, 1.0, 9.0, 1.0, close, 1.0)


def order(order_id: str, filled: str) -> Order:
    return Order(
        id=order_id, symbol=SYMBOL, side="buy", state=OrderState.OPEN, amount=Amount("1"), filled=Amount(filled)
    )
