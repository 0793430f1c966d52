"""The public channels: ticker, book, trade, ohlc, instrument. Who listens to which, and the frames they get.

Trades go out as they happen, books and tickers when what changed them is complete (documentation: they are pushed in real
time), candles ten times a second, if they changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec

from planar.venue.engine.events import BookChange, Event, FiltersChange, MarketStatusChange, TradePrint
from planar.venue.engine.types import Candle, Trade
from planar.venue.wire.kraken.books import Book
from planar.venue.wire.kraken.desk import Desk
from planar.venue.wire.kraken.formats import number, quotient, rfc3339
from planar.venue.wire.kraken.names import Pair
from planar.venue.wire.kraken.public import candles, status_word
from planar.venue.wire.kraken.socket import Connection, encode

_SNAPSHOT_TRADES: Final = 50
_SNAPSHOT_CANDLES: Final = 720
_RESTING: Final = 2
"""Candles that an update looks at: the open one, and the one that has just closed."""


class Topic(msgspec.Struct, frozen=True):
    """What can be subscribed to: a channel, a pair, and what tells two subscriptions of these apart.

    Attributes:
        symbol: the pair; empty for instrument.
        option: depth of a book, minutes of a candle, trigger of a ticker.
    """

    channel: str
    symbol: str = ""
    option: int | str = ""


class _Audience:
    """The listeners of a topic and what it remembers."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.listeners: dict[Connection, None] = {}
        self.book: Book | None = None
        self.last: Any = None
        self.dirty = False

    def publish(self, frame: bytes) -> None:
        """Send a frame to all listeners."""
        for listener in list(self.listeners):
            listener.send(frame)


class MarketFeed:
    """All public topics that have listeners."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._exchange = desk.exchange
        self._audiences: dict[Topic, _Audience] = {}
        self._by_symbol: dict[str, dict[Topic, _Audience]] = {}
        self._due = False
        desk.exchange.subscribe(self._on_event)

    def join(self, topic: Topic, listener: Connection, *, snapshot: bool) -> Callable[[], None]:
        """Begin to listen, with a snapshot first; returns what ends it."""
        audience = self._audiences.get(topic)
        if audience is None:
            audience = self._audiences[topic] = _Audience(topic)
            self._by_symbol.setdefault(topic.symbol, {})[topic] = audience
            if topic.channel == "book":
                audience.book = Book(self._exchange, self._desk.names.pairs[topic.symbol], int(topic.option))
        else:
            self._flush(audience)
        if snapshot:
            listener.send(self._snapshot(audience))
        audience.listeners[listener] = None

        def leave() -> None:
            audience.listeners.pop(listener, None)
            if not audience.listeners and self._audiences.get(topic) is audience:
                del self._audiences[topic]
                del self._by_symbol[topic.symbol][topic]

        return leave

    def tick(self) -> None:
        """Send the candles that have changed."""
        self._send("ohlc")

    def _send_now(self) -> None:
        self._due = False
        self._send("book", "ticker")

    def _send(self, *channels: str) -> None:
        for topic, audience in list(self._audiences.items()):
            if audience.dirty and topic.channel in channels:
                self._flush(audience)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, BookChange):
            self._touch(event.symbol, ("book", "ticker"))
        elif isinstance(event, TradePrint):
            self._touch(event.trade.symbol, ("ticker", "ohlc"))
            for topic, audience in self._by_symbol.get(event.trade.symbol, {}).items():
                if topic.channel == "trade":
                    audience.publish(_frame("trade", "update", [_trade(event.trade, self._pair(topic))]))
        elif isinstance(event, MarketStatusChange | FiltersChange):
            symbol = event.symbol if isinstance(event, MarketStatusChange) else event.spec.symbol
            for audience in self._by_symbol.get("", {}).values():
                audience.publish(encode(self._instruments("update", [self._desk.names.pairs[symbol]])))

    def _touch(self, symbol: str, channels: tuple[str, ...]) -> None:
        for topic, audience in self._by_symbol.get(symbol, {}).items():
            if topic.channel in channels:
                audience.dirty = True
                if not self._due and topic.channel != "ohlc":
                    # the operation may change more: all of it goes into one frame
                    self._due = True
                    asyncio.get_running_loop().call_soon(self._send_now)

    def _pair(self, topic: Topic) -> Pair:
        return self._desk.names.pairs[topic.symbol]

    def _snapshot(self, audience: _Audience) -> bytes:
        topic = audience.topic
        if topic.channel == "instrument":
            return encode(self._instruments("snapshot", list(self._desk.names.listed.values())))
        pair = self._pair(topic)
        if audience.book is not None:
            return _frame("book", "snapshot", [audience.book.snapshot()])
        if topic.channel == "trade":
            found = self._exchange.trades(topic.symbol, limit=_SNAPSHOT_TRADES)
            return _frame("trade", "snapshot", [_trade(trade, pair) for trade in found])
        if topic.channel == "ticker":
            return _frame("ticker", "snapshot", [self._ticker(pair)])
        minutes = int(topic.option)
        rows = candles(self._exchange, topic.symbol, minutes, None, _SNAPSHOT_CANDLES)
        return self._ohlc("snapshot", rows, pair, minutes)

    def _flush(self, audience: _Audience) -> None:
        """Send what a topic has new."""
        audience.dirty = False
        topic = audience.topic
        if audience.book is not None:
            row = audience.book.changes()
            if row is not None:
                audience.publish(_frame("book", "update", [row]))
        elif topic.channel == "ticker":
            pair = self._pair(topic)
            seen = self._seen(topic)
            if seen != audience.last:
                audience.last = seen
                audience.publish(_frame("ticker", "update", [self._ticker(pair)]))
        elif topic.channel == "ohlc":
            minutes = int(topic.option)
            found = candles(self._exchange, topic.symbol, minutes, None, _RESTING)
            rows = [candle for candle in found if audience.last is None or candle.open_ms >= audience.last]
            audience.last = found[-1].open_ms if found else None
            audience.publish(self._ohlc("update", rows, self._pair(topic), minutes))

    def _seen(self, topic: Topic) -> Any:
        """What a ticker update depends on: the best prices, or the newest trade."""
        if topic.option == "bbo":
            book = self._exchange.depth(topic.symbol, 1)
            return (tuple(book.bids), tuple(book.asks))
        newest = self._exchange.trades(topic.symbol, limit=1)
        return newest[-1].id if newest else None

    def _ticker(self, pair: Pair) -> dict[str, Any]:
        day = self._exchange.ticker(pair.symbol)
        places, lots = pair.price_decimals, pair.lot_decimals
        zero = day.last * 0
        change = day.last - day.open
        return {
            "symbol": pair.symbol,
            "bid": number(day.bid.price if day.bid else zero, places),
            "bid_qty": number(day.bid.amount if day.bid else zero, lots),
            "ask": number(day.ask.price if day.ask else zero, places),
            "ask_qty": number(day.ask.amount if day.ask else zero, lots),
            "last": number(day.last, places),
            "volume": number(day.volume),
            "vwap": number(quotient(day.quote_volume, day.volume) or day.last, places),
            "low": number(day.low, places),
            "high": number(day.high, places),
            "change": number(change, places),
            "change_pct": number(quotient(change * 100, day.open), 2),
        }

    def _ohlc(self, kind: str, rows: list[Candle], pair: Pair, minutes: int) -> bytes:
        places = pair.price_decimals
        data = [
            {
                "symbol": pair.symbol,
                "open": number(candle.open, places),
                "high": number(candle.high, places),
                "low": number(candle.low, places),
                "close": number(candle.close, places),
                "trades": candle.trades,
                "volume": number(candle.volume),
                "vwap": number(quotient(candle.quote_volume, candle.volume), places),
                "interval_begin": rfc3339(candle.open_ms),
                "interval": minutes,
                "timestamp": rfc3339(candle.close_ms + 1),
            }
            for candle in rows
        ]
        return encode({"channel": "ohlc", "type": kind, "timestamp": rfc3339(self._exchange.now_ms()), "data": data})

    def _instruments(self, kind: str, pairs: list[Pair]) -> dict[str, Any]:
        assets = self._desk.names.assets.values() if kind == "snapshot" else ()
        return {
            "channel": "instrument",
            "type": kind,
            "data": {
                "assets": [
                    {
                        "id": asset.code,
                        "status": "enabled",
                        "precision": asset.decimals,
                        "precision_display": asset.display_decimals,
                        "borrowable": False,
                        "collateral_value": 0.0,
                    }
                    for asset in assets
                ],
                "pairs": [self._instrument(pair) for pair in pairs],
            },
        }

    def _instrument(self, pair: Pair) -> dict[str, Any]:
        spec = pair.spec
        tick, lot = number(spec.tick, pair.price_decimals), number(spec.lot, pair.lot_decimals)
        return {
            "symbol": pair.symbol,
            "base": pair.base.code,
            "quote": pair.quote.code,
            "status": status_word(self._desk, pair),
            "qty_precision": pair.lot_decimals,
            "qty_increment": lot,
            "price_precision": pair.price_decimals,
            "cost_precision": 8,
            "marginable": False,
            "has_index": False,
            "cost_min": number(spec.min_notional),
            "tick_size": tick,
            "price_increment": tick,
            "qty_min": number(spec.min_amount),
        }


def _trade(trade: Trade, pair: Pair) -> dict[str, Any]:
    return {
        "symbol": trade.symbol,
        "side": "sell" if trade.buyer_is_maker else "buy",
        "price": number(trade.price, pair.price_decimals),
        "qty": number(trade.amount, pair.lot_decimals),
        "ord_type": "market",
        "trade_id": trade.id,
        "timestamp": rfc3339(trade.ts_ms),
    }


def _frame(channel: str, kind: str, data: list[dict[str, Any]]) -> bytes:
    return encode({"channel": channel, "type": kind, "data": data})
