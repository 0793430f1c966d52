"""`StreamHub`: the streams of one exchange account. It shares pumps among consumers, and watches age and lag.

adapter.feed(topic) -> Pump -> Stream (async with, async for) | Cursor (await) | on_update
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import planar.runtime as runtime
from planar.adapters.feed import PRICES, Feed, Kind, Topic
from planar.errors import ArgumentsRequired, ExchangeNotAvailable, Outcome
from planar.models import AccountBalance, Candle, Fill, Order, Ticker, Trade
from planar.streams.book import LiveBook
from planar.streams.cursor import Cursor
from planar.streams.pump import Consumer, Pump
from planar.streams.states import DEFAULT_RULES, StreamRules, StreamState
from planar.streams.stream import BookStream, Policy, RowStream, Stale, StateStream, TableStream, TickersStream


class FeedSource(Protocol):
    """The part of an adapter that a hub needs."""

    def feed(self, topic: Topic) -> Feed:
        """The feed of a topic; nothing is sent before it runs. NotSupported where there is none."""
        ...


class StreamHub:
    """The streams of one account. Opens nothing until a stream is entered or awaited.

    Args:
        adapter: makes the feeds.
        on_order: gets every order that an order stream brings, before consumers do.
        rules: by what staleness, lag and pauses are judged.

    Attributes:
        on_fill: gets every own execution that a stream brings.
        on_balance: gets every balance that a balance stream brings.
        on_balance_lost: called when a balance stream has come back after it was lost.
        on_return: called with topic and reason when a stream of own orders or trades has come back after it was lost.
        lag_ms: how late the event loop was when it was last measured.
    """

    def __init__(
        self,
        adapter: FeedSource,
        on_order: Callable[[Order], None] | None = None,
        rules: StreamRules = DEFAULT_RULES,
    ) -> None:
        self.on_order = on_order
        self.on_return: Callable[[Topic, str], None] | None = None
        self.on_fill: Callable[[Fill], None] | None = None
        self.on_balance: Callable[[AccountBalance], None] | None = None
        self.on_balance_lost: Callable[[], None] | None = None
        self.lag_ms = 0.0
        self._adapter = adapter
        self._rules = rules
        self._pumps: dict[Topic, Pump] = {}
        self._stopping: dict[Topic, asyncio.Task[None]] = {}
        self._cursors: dict[Topic, Cursor] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._closed = False

    # -- market data -----------------------------------------------------------------------------------------------
    def order_book(
        self, symbol: str, limit: int | None = None, *, policy: Policy = "latest", stale: Stale = "raise"
    ) -> BookStream:
        """The order book; what is yielded holds the best `limit` levels a side, 20 for None."""
        return BookStream(self, Topic(Kind.ORDER_BOOK, (symbol,), depth=limit), limit, policy, stale)

    def trades(self, symbol: str, *, policy: Policy = "every") -> RowStream[Trade]:
        """Trades of the market."""
        return RowStream(self, Topic(Kind.TRADES, (symbol,)), policy)

    def ticker(self, symbol: str, *, policy: Policy = "latest", stale: Stale = "raise") -> StateStream[Ticker]:
        """The ticker of one market."""
        return StateStream(self, Topic(Kind.TICKER, (symbol,)), policy, stale)

    def tickers(self, symbols: Sequence[str], *, policy: Policy = "latest", stale: Stale = "raise") -> TickersStream:
        """The tickers of several markets."""
        if not symbols:
            raise ArgumentsRequired("no symbols are given", hint="name the markets: watch_tickers([...])")
        return TickersStream(self, Topic(Kind.TICKERS, tuple(symbols)), policy, stale)

    def ohlcv(self, symbol: str, timeframe: str, *, policy: Policy = "every") -> RowStream[Candle]:
        """Candles of one timeframe, each time the last one changes."""
        return RowStream(self, Topic(Kind.OHLCV, (symbol,), timeframe), policy)

    # -- the account -----------------------------------------------------------------------------------------------
    def orders(self, symbol: str | None = None, *, policy: Policy = "every") -> RowStream[Order]:
        """Orders of this account, each time one changes; of all markets for None."""
        return RowStream(self, Topic(Kind.ORDERS, (symbol,) if symbol else ()), policy)

    def my_trades(self, symbol: str | None = None, *, policy: Policy = "every") -> RowStream[Fill]:
        """Executions of this account; of all markets for None."""
        return RowStream(self, Topic(Kind.MY_TRADES, (symbol,) if symbol else ()), policy)

    def balance(self, *, policy: Policy = "latest", stale: Stale = "raise") -> StateStream[AccountBalance]:
        """The balances of this account, each time one changes."""
        return StateStream(self, Topic(Kind.BALANCE), policy, stale)

    # -- any kind --------------------------------------------------------------------------------------------------
    def rows(self, topic: Topic, *, policy: Policy = "every") -> RowStream[Any]:
        """Rows of a topic."""
        return RowStream(self, topic, policy)

    def state(self, topic: Topic, *, policy: Policy = "latest", stale: Stale = "raise") -> StateStream[Any]:
        """The state of a topic."""
        return StateStream(self, topic, policy, stale)

    def table(self, topic: Topic, *, policy: Policy = "latest", stale: Stale = "raise") -> TableStream[Any]:
        """The states of several markets."""
        if not topic.symbols:
            raise ArgumentsRequired("no symbols are given", hint=f"name the markets: watch_{topic.kind}([...])")
        return TableStream(self, topic, policy, stale)

    def price_of(self, symbol: str) -> float | None:
        """What the market trades at now by its live streams: the middle of the book, else the ticker's; None: no live
        stream tells."""
        for pump in self._pumps.values():
            if symbol in pump.feed.topic.symbols and pump.state is StreamState.LIVE:
                ladder, item = pump.ladder, pump.newest.get(symbol)
                if ladder is not None and ladder.bids and ladder.asks:
                    return (ladder.bids[0][0] + ladder.asks[0][0]) / 2
                if isinstance(item, Ticker) and pump.kind in PRICES:
                    return item.last if item.mid is None else item.mid
        return None

    def book_of(self, symbol: str) -> LiveBook | None:
        """The whole book of a live stream of it; None: there is none."""
        for pump in self._pumps.values():
            if pump.kind is Kind.ORDER_BOOK and symbol in pump.feed.topic.symbols and pump.state is StreamState.LIVE:
                return None if pump.ladder is None else LiveBook(pump.ladder, pump.age_ms)
        return None

    def lost(self, symbol: str) -> list[str]:
        """Why streams of a market that were live, or failed to become so, are not live now; not those that only began, nor
        what is this process's own lag."""
        return [
            pump.stale_error().message
            for pump in self._pumps.values()
            if symbol in pump.feed.topic.symbols
            and pump.state not in (StreamState.LIVE, StreamState.CONNECTING)
            and not pump.lagging
        ]

    # -- pumps -----------------------------------------------------------------------------------------------------
    async def attach(self, consumer: Consumer, topic: Topic) -> Pump:
        """Give `consumer` the pump of a topic, which runs if it is the first.

        Raises:
            NotSupported: the exchange offers no such data.
            ExchangeNotAvailable: the hub is closed.
        """
        feed = self._adapter.feed(topic)
        while (stopping := self._stopping.get(feed.topic)) is not None:
            await asyncio.wait([stopping])
        if self._closed:
            raise ExchangeNotAvailable("the exchange is closed", outcome=Outcome.NOT_SENT, retryable=False)
        pump = self._pumps.get(feed.topic)
        if pump is None or pump.ended:  # what was refused for good is asked for anew by who comes anew
            pump = self._pumps[feed.topic] = Pump(feed, self._rules, self._own, self._returned)
            pump.start()
        pump.attach(consumer)
        if self._timer is None:
            self._schedule()
        return pump

    async def detach(self, consumer: Consumer, pump: Pump) -> None:
        """Take `consumer` off its pump, which stops if it was the last. Waits until it has."""
        pump.detach(consumer)
        if pump.wanted or pump.stopped:
            return
        topic = pump.feed.topic
        if self._pumps.get(topic) is pump:
            del self._pumps[topic]
        stopping = self._stopping[topic] = runtime.spawn(pump.stop(), name=f"stop stream {topic}")
        stopping.add_done_callback(lambda _: self._stopping.pop(topic, None))
        # who leaves because it was cancelled does not cut the leaving short
        await asyncio.wait([stopping])

    async def cursor(self, topic: Topic) -> Cursor:
        """The place from which awaits of a topic read."""
        known = self._cursors.get(topic)
        if known is not None and not known.pump.ended:
            return known
        await self.unwatch(topic)
        made = Cursor()
        made.pump = await self.attach(made, topic)
        if topic in self._cursors:  # another await was faster
            await self.detach(made, made.pump)
        return self._cursors.setdefault(topic, made)

    async def unwatch(self, topic: Topic) -> None:
        """End what awaits of a topic have begun."""
        cursor = self._cursors.pop(topic, None)
        if cursor is not None:
            await self.detach(cursor, cursor.pump)

    async def unwatch_books(self, symbol: str) -> None:
        """End what awaits of a market's book have begun, of any depth."""
        for topic in [one for one in self._cursors if one.kind is Kind.ORDER_BOOK and one.symbols == (symbol,)]:
            await self.unwatch(topic)

    def report(self, error: Exception, what: str) -> None:
        """Hand an error of the user's own code to the event loop's exception handler."""
        asyncio.get_running_loop().call_exception_handler({"message": f"{what} failed", "exception": error})

    def _own(self, item: Order | Fill | AccountBalance) -> None:
        try:
            if isinstance(item, AccountBalance):
                if self.on_balance is not None:
                    self.on_balance(item)
            elif isinstance(item, Fill):
                if self.on_fill is not None:
                    self.on_fill(item)
            elif self.on_order is not None:
                self.on_order(item)
        except Exception as error:
            kind = "balance" if isinstance(item, AccountBalance) else "fill" if isinstance(item, Fill) else "order"
            self.report(error, f"on_{kind}")

    def _returned(self, topic: Topic, reason: str) -> None:
        if self.on_return is not None and topic.kind in (Kind.ORDERS, Kind.MY_TRADES):
            self.on_return(topic, reason)
        if self.on_balance_lost is not None and topic.kind is Kind.BALANCE:
            self.on_balance_lost()

    def hears_balance(self) -> bool:
        """Whether a live stream tells of the balances."""
        return any(
            topic.kind is Kind.BALANCE and pump.state is StreamState.LIVE and pump.feed.source == "websocket"
            for topic, pump in self._pumps.items()
        )

    def hears_orders(self) -> bool:
        """Whether a live stream tells of all own orders."""
        return any(
            topic.kind is Kind.ORDERS
            and not topic.symbols
            and pump.state is StreamState.LIVE
            and pump.feed.source == "websocket"
            for topic, pump in self._pumps.items()
        )

    async def close(self) -> None:
        """Stop every stream. Who iterates sees the end, who awaits an error. Nothing stays open."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pumps, self._pumps, self._cursors = list(self._pumps.values()), {}, {}
        tasks = [runtime.spawn(pump.stop(), name=f"stop stream {pump.feed.topic}") for pump in pumps]
        tasks += self._stopping.values()
        if tasks:
            await asyncio.wait(tasks)

    # -- age and lag -----------------------------------------------------------------------------------------------
    def _schedule(self) -> None:
        pause_s = self._rules.check_ms / 1000
        self._due = runtime.monotonic() + pause_s
        self._timer = asyncio.get_running_loop().call_later(pause_s, self._check)

    def _check(self) -> None:
        self.lag_ms = max(0.0, (runtime.monotonic() - self._due) * 1000)
        for pump in list(self._pumps.values()):
            pump.check(self.lag_ms)
        self._timer = None
        if self._pumps:
            self._schedule()
