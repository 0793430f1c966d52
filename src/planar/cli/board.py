"""Streams of several markets as rows to paint: the newest state of each, how old it is, how much comes.

`planar watch` and `planar demo` paint from it. The rows come from `planar.streams` through `exchange.watch_*`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import planar.runtime as runtime
from planar.errors import PlanarError
from planar.models import Market, Model, OrderBook, Ticker, Trade

if TYPE_CHECKING:
    from planar.exchange import Exchange
    from planar.streams import Stream

Channel = Literal["book", "trades", "ticker"]
CHANNELS: tuple[Channel, ...] = ("book", "trades", "ticker")
RATE_WINDOW_S = 3.0


class Rate:
    """Events a second over the last seconds."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque([(runtime.monotonic(), 0)])

    def at(self, count: int) -> float:
        """The rate, given how many there were up to now."""
        now = runtime.monotonic()
        self._marks.append((now, count))
        while len(self._marks) > 2 and now - self._marks[1][0] >= RATE_WINDOW_S:
            self._marks.popleft()
        began, before = self._marks[0]
        return (count - before) / (now - began) if now > began else 0.0


class Row:
    """One market of one exchange.

    Attributes:
        market: what it lists.
        book, trade, ticker: the newest of each; None before the first.
        errors: why a channel has ended, by channel.
        rate: of the updates of all channels.
    """

    def __init__(self, exchange: str, market: Market) -> None:
        self.exchange = exchange
        self.market = market
        self.book: OrderBook | None = None
        self.trade: Trade | None = None
        self.ticker: Ticker | None = None
        self.errors: dict[Channel, PlanarError] = {}
        self.rate = Rate()
        self._taken = 0
        self._streams: dict[Channel, Stream[Any]] = {}

    def open(self, channel: Channel, stream: Stream[Any]) -> None:
        """A channel begins to bring data."""
        self._streams[channel] = stream

    def take(self, channel: Channel, item: Model) -> None:
        """The newest of a channel."""
        self._taken += 1
        if isinstance(item, OrderBook):
            self.book = item
        elif isinstance(item, Trade):
            self.trade = item
        elif isinstance(item, Ticker):
            self.ticker = item

    @property
    def symbol(self) -> str:
        """Unified symbol."""
        return self.market.symbol

    @property
    def state(self) -> str:
        """The state of the worst channel: live, stale, connecting, resyncing, down."""
        if self.errors:
            return "down"
        states = [str(stream.state) for stream in self._streams.values()]
        return max(states, key=_SEVERITY.index, default="connecting")

    @property
    def age_ms(self) -> float | None:
        """Milliseconds since the newest data of the channel that has the prices; None before the first."""
        stream = self._streams.get("book") or self._streams.get("ticker") or self._streams.get("trades")
        return stream.age_ms if stream is not None else None

    def stream(self, channel: Channel) -> Stream[Any]:
        """The stream of a channel that is open."""
        return self._streams[channel]

    @property
    def dropped(self) -> int:
        """Updates that were replaced by newer ones before they were painted."""
        return sum(stream.dropped for stream in self._streams.values())

    @property
    def updates(self) -> int:
        """All updates so far, painted or not."""
        return self._taken + self.dropped

    @property
    def bid(self) -> float | None:
        """Best bid."""
        return self.book.best_bid if self.book is not None else self.ticker.bid if self.ticker is not None else None

    @property
    def ask(self) -> float | None:
        """Best ask."""
        return self.book.best_ask if self.book is not None else self.ticker.ask if self.ticker is not None else None

    @property
    def spread_pct(self) -> float | None:
        """The spread in percent of the middle."""
        source = self.book if self.book is not None else self.ticker
        return source.spread_pct if source is not None else None


_SEVERITY = ("live", "stale", "resyncing", "connecting", "down")


async def follow(
    row: Row, exchange: Exchange, channel: Channel, depth: int, on_item: Callable[[Row, Channel, Model], None]
) -> None:
    """Bring a channel's items into its row until it ends; an error that ends it is kept in the row."""
    symbol = row.symbol
    try:
        # each is a stream of its own model; what is common to them is enough here
        stream: Stream[Any]
        if channel == "book":
            stream = exchange.watch_order_book(symbol, depth, stale="yield")
        elif channel == "trades":
            stream = exchange.watch_trades(symbol)
        else:
            stream = exchange.watch_ticker(symbol, stale="yield")
        row.open(channel, stream)
        async with stream:
            async for item in stream:
                row.take(channel, item)
                on_item(row, channel, item)
    except PlanarError as error:
        row.errors[channel] = error


def started(coroutine: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """A task whose failure its owner reads when it is done with it; until then nobody complains."""
    task = runtime.spawn(coroutine, name=name)
    task.add_done_callback(_read)
    return task


def _read(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()


@asynccontextmanager
async def running(
    coroutines: Iterable[tuple[str, Coroutine[Any, Any, None]]],
) -> AsyncGenerator[list[asyncio.Task[None]]]:
    """Run named coroutines beside the block; they are canceled and waited for at its end.

    Raises:
        Exception: what one of them failed with, unless the block failed itself.
    """
    tasks = [started(coroutine, name) for name, coroutine in coroutines]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled() and (failure := task.exception()) is not None:
            raise failure
