"""The market streams: who listens to which, and the events they get, made once each.

`MarketFeed` takes the engine's events as they happen (trades, best prices, book changes) and is ticked every 100 ms for
what goes out on a clock (depth, candles, statistics). Only streams with a listener cost anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import planar.runtime as runtime
from planar.venue.engine.events import AggTradePrint, BookChange, Event, TradePrint
from planar.venue.wire.binance import stream_json
from planar.venue.wire.binance.desk import Desk
from planar.venue.wire.binance.feed_books import BestPrices, DiffDepth
from planar.venue.wire.binance.feed_klines import KlineTracker
from planar.venue.wire.binance.payload import Payload
from planar.venue.wire.binance.stream_names import Kind, StreamName, parse

TICK_MS: Final = 100


class Listener(Protocol):
    """A connection that listens to streams."""

    def receive(self, payload: Payload) -> None:
        """Take an event; never waits."""
        ...


class Topic:
    """One stream with its listeners, and what it remembers between two events."""

    def __init__(self, stream: StreamName, symbol: str | None) -> None:
        self.stream = stream
        self.symbol = symbol
        """Unified symbol; None for all markets."""
        self.listeners: dict[Listener, None] = {}
        self.depth: DiffDepth | None = None
        self.best: BestPrices | None = None
        self.klines: KlineTracker | None = None

    def publish(self, build: Callable[[int], Any]) -> None:
        """Send an event to all listeners."""
        payload = Payload(self.stream.name, build)
        for listener in list(self.listeners):
            listener.receive(payload)


class MarketFeed:
    """All topics that have listeners."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._topics: dict[str, Topic] = {}
        self._by_market: dict[tuple[Kind, str], dict[str, Topic]] = {}
        self._traded: dict[str, None] = {}
        """Markets with a trade since the last second, in order of their first one."""
        self._ticked_ms = 0
        desk.exchange.subscribe(self._on_event)

    def listen(self, name: str, listener: Listener) -> None:
        """Begin to listen to the stream of this name. A name without a stream stays silent."""
        topic = self._topics.get(name) or self._open(name)
        if topic is not None:
            topic.listeners[listener] = None

    def leave(self, name: str, listener: Listener) -> None:
        """Listen no more."""
        topic = self._topics.get(name)
        if topic is None:
            return
        topic.listeners.pop(listener, None)
        if not topic.listeners:
            del self._topics[name]
            if topic.symbol is not None:
                del self._by_market[topic.stream.kind, topic.symbol][name]

    def _open(self, name: str) -> Topic | None:
        stream = parse(name)
        if stream is None:
            return None
        spec = self._desk.symbols.by_id.get(stream.market_id or "")
        if stream.market_id is not None and spec is None:
            return None
        topic = Topic(stream, spec.symbol if spec else None)
        exchange = self._desk.exchange
        if spec is not None:
            if stream.kind is Kind.DEPTH:
                topic.depth = DiffDepth(exchange.depth(spec.symbol, 1).update_id)
            elif stream.kind is Kind.BOOK_TICKER:
                topic.best = BestPrices(exchange.depth(spec.symbol, 1))
            elif stream.kind is Kind.KLINE and stream.interval is not None:
                topic.klines = KlineTracker(exchange, spec.symbol, stream.interval, stream.zone_ms)
            self._by_market.setdefault((stream.kind, spec.symbol), {})[name] = topic
        self._topics[name] = topic
        return topic

    def _listening(self, kind: Kind, symbol: str) -> Iterable[Topic]:
        topics = self._by_market.get((kind, symbol))
        return list(topics.values()) if topics else ()

    # -- as it happens ------------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        if isinstance(event, BookChange):
            self._on_book_change(event)
        elif isinstance(event, TradePrint):
            self._traded[event.trade.symbol] = None
            for topic in self._listening(Kind.TRADE, event.trade.symbol):
                topic.publish(stream_json.trade(event.trade, self._id(event.trade.symbol), runtime.wall_ms()))
        elif isinstance(event, AggTradePrint):
            for topic in self._listening(Kind.AGG_TRADE, event.trade.symbol):
                topic.publish(stream_json.aggregate(event.trade, self._id(event.trade.symbol), runtime.wall_ms()))

    def _on_book_change(self, change: BookChange) -> None:
        for topic in self._listening(Kind.DEPTH, change.symbol):
            if topic.depth is not None:
                topic.depth.add(change)
        for topic in self._listening(Kind.BOOK_TICKER, change.symbol):
            if topic.best is not None:
                book = topic.best.update(self._desk.exchange.depth(change.symbol, 1))
                if book is not None:
                    topic.publish(stream_json.book_ticker(book, self._id(change.symbol)))

    def _id(self, symbol: str) -> str:
        return self._desk.symbols.ids[symbol]

    # -- on the clock -------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Send what is due. Periods are counted on the clock: a second's events go out at the full second."""
        now_ms = runtime.wall_ms()
        before_ms, self._ticked_ms = self._ticked_ms, now_ms
        second = now_ms // 1000 != before_ms // 1000
        for topic in list(self._topics.values()):
            period_ms = topic.stream.period_ms
            if period_ms and (period_ms == TICK_MS or now_ms // period_ms != before_ms // period_ms):
                self._send_timed(topic, now_ms)
        if second:
            self._traded.clear()

    def _send_timed(self, topic: Topic, now_ms: int) -> None:
        kind, symbol = topic.stream.kind, topic.symbol
        if symbol is None:
            self._send_all_markets(topic, now_ms)
        elif kind is Kind.DEPTH and topic.depth is not None:
            change = topic.depth.take()
            if change is not None:
                topic.publish(stream_json.depth_update(change, self._id(symbol), now_ms))
        elif kind is Kind.PARTIAL_DEPTH:
            topic.publish(stream_json.partial_depth(self._desk.exchange.depth(symbol, topic.stream.levels)))
        elif kind is Kind.KLINE and topic.klines is not None:
            for candle in topic.klines.due(now_ms):
                topic.publish(stream_json.kline(candle, self._id(symbol), now_ms))
        elif kind is Kind.AVERAGE:
            topic.publish(stream_json.average(self._desk, symbol, now_ms))
        else:
            topic.publish(self._statistics(topic.stream, symbol, now_ms))

    def _send_all_markets(self, topic: Topic, now_ms: int) -> None:
        """The statistics of the markets that traded since the last second."""
        builders = [self._statistics(topic.stream, symbol, now_ms) for symbol in self._traded]
        if builders:
            topic.publish(lambda unit: [build(unit) for build in builders])

    def _statistics(self, stream: StreamName, symbol: str, now_ms: int) -> Callable[[int], Any]:
        if stream.kind is Kind.MINI_TICKER:
            return stream_json.mini_ticker(self._desk, symbol, now_ms)
        if stream.kind is Kind.ROLLING:
            return stream_json.rolling(self._desk, symbol, stream.window, now_ms)
        return stream_json.day_ticker(self._desk, symbol, now_ms)
