"""The events of the market streams (web-socket-streams.md). Each function gives a builder: time unit -> event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from planar.venue.engine.exchange import DAY_MS
from planar.venue.engine.types import AggTrade, Depth, Ticker, Trade
from planar.venue.wire.binance import filters
from planar.venue.wire.binance.desk import Desk
from planar.venue.wire.binance.feed_books import DepthChange
from planar.venue.wire.binance.feed_klines import KlineEvent
from planar.venue.wire.binance.formats import amount, optional_amount, percent, ratio8
from planar.venue.wire.binance.market_data import depth_json, last_trade_ms
from planar.venue.wire.binance.stream_names import WINDOWS_MS
from planar.venue.wire.binance.tickers import level_amount, level_price, rolling_window

Builder = Callable[[int], Any]

SHUTDOWN_STREAM: Final = "!serverShutdown"


def shutdown(now_ms: int) -> Builder:
    """`serverShutdown`."""
    return lambda unit: {"e": "serverShutdown", "E": now_ms * unit}


def trade(row: Trade, market_id: str, now_ms: int) -> Builder:
    """`@trade`."""
    return lambda unit: {
        "e": "trade",
        "E": now_ms * unit,
        "s": market_id,
        "t": row.id,
        "p": amount(row.price),
        "q": amount(row.amount),
        "T": row.ts_ms * unit,
        "m": row.buyer_is_maker,
        "M": True,
    }


def aggregate(row: AggTrade, market_id: str, now_ms: int) -> Builder:
    """`@aggTrade`."""
    return lambda unit: {
        "e": "aggTrade",
        "E": now_ms * unit,
        "s": market_id,
        "a": row.id,
        "p": amount(row.price),
        "q": amount(row.amount),
        "f": row.first_trade_id,
        "l": row.last_trade_id,
        "T": row.ts_ms * unit,
        "m": row.buyer_is_maker,
        "M": True,
    }


def book_ticker(book: Depth, market_id: str) -> Builder:
    """`@bookTicker`; zeros stand for an empty side, as in the answer of the same name."""
    bid, ask = (side[0] if side else None for side in (book.bids, book.asks))
    event = {
        "u": book.update_id,
        "s": market_id,
        "b": level_price(bid),
        "B": level_amount(bid),
        "a": level_price(ask),
        "A": level_amount(ask),
    }
    return lambda unit: event


def depth_update(change: DepthChange, market_id: str, now_ms: int) -> Builder:
    """`@depth`."""
    return lambda unit: {
        "e": "depthUpdate",
        "E": now_ms * unit,
        "s": market_id,
        "U": change.first_id,
        "u": change.last_id,
        "b": [[amount(price), amount(size)] for price, size in change.bids.items()],
        "a": [[amount(price), amount(size)] for price, size in change.asks.items()],
    }


def partial_depth(book: Depth) -> Builder:
    """`@depth5`, `@depth10`, `@depth20`."""
    event = depth_json(book)
    return lambda unit: event


def kline(event: KlineEvent, market_id: str, now_ms: int) -> Builder:
    """`@kline_*`."""
    candle = event.candle
    return lambda unit: {
        "e": "kline",
        "E": now_ms * unit,
        "s": market_id,
        "k": {
            "t": candle.open_ms * unit,
            "T": (candle.close_ms + 1) * unit - 1,
            "s": market_id,
            "i": event.interval.value,
            "f": event.first_trade_id,
            "L": event.last_trade_id,
            "o": amount(candle.open),
            "c": amount(candle.close),
            "h": amount(candle.high),
            "l": amount(candle.low),
            "v": amount(candle.volume),
            "n": candle.trades,
            "x": event.closed,
            "q": amount(candle.quote_volume),
            "V": amount(candle.taker_buy_volume),
            "Q": amount(candle.taker_buy_quote),
            "B": "0",
        },
    }


def mini_ticker(desk: Desk, symbol: str, now_ms: int) -> Builder:
    """`@miniTicker`."""
    ticker = desk.exchange.ticker(symbol)
    return lambda unit: {
        "e": "24hrMiniTicker",
        "E": now_ms * unit,
        "s": desk.symbols.ids[symbol],
        "c": amount(ticker.last),
        "o": amount(ticker.open),
        "h": amount(ticker.high),
        "l": amount(ticker.low),
        "v": amount(ticker.volume),
        "q": amount(ticker.quote_volume),
    }


def day_ticker(desk: Desk, symbol: str, now_ms: int) -> Builder:
    """`@ticker`."""
    ticker = desk.exchange.ticker(symbol)
    return lambda unit: {
        "e": "24hrTicker",
        "E": now_ms * unit,
        "s": desk.symbols.ids[symbol],
        **_change(ticker),
        "x": amount(ticker.previous_close),
        "c": amount(ticker.last),
        "Q": amount(ticker.last_amount),
        "b": level_price(ticker.bid),
        "B": level_amount(ticker.bid),
        "a": level_price(ticker.ask),
        "A": level_amount(ticker.ask),
        **_totals(ticker, ticker.close_ms - DAY_MS, unit),
    }


def rolling(desk: Desk, symbol: str, window: str, now_ms: int) -> Builder:
    """`@ticker_1h` and the like."""
    ticker = rolling_window(desk, symbol, WINDOWS_MS[window])
    return lambda unit: {
        "e": f"{window}Ticker",
        "E": now_ms * unit,
        "s": desk.symbols.ids[symbol],
        **_change(ticker),
        "c": amount(ticker.last),
        **_totals(ticker, ticker.open_ms, unit),
    }


def average(desk: Desk, symbol: str, now_ms: int) -> Builder:
    """`@avgPrice`."""
    price = desk.average_price(symbol)
    traded_ms = last_trade_ms(desk, symbol)
    return lambda unit: {
        "e": "avgPrice",
        "E": now_ms * unit,
        "s": desk.symbols.ids[symbol],
        "i": f"{filters.AVERAGE_MINUTES}m",
        "w": optional_amount(price),
        "T": traded_ms * unit,
    }


def _change(ticker: Ticker) -> dict[str, Any]:
    change = ticker.last - ticker.open
    return {
        "p": amount(change),
        "P": percent(change, ticker.open),
        "w": ratio8(ticker.quote_volume, ticker.volume, ticker.last),
    }


def _totals(ticker: Ticker, open_ms: int, unit: int) -> dict[str, Any]:
    return {
        "o": amount(ticker.open),
        "h": amount(ticker.high),
        "l": amount(ticker.low),
        "v": amount(ticker.volume),
        "q": amount(ticker.quote_volume),
        "O": open_ms * unit,
        "C": ticker.close_ms * unit,
        "F": ticker.first_trade_id,
        "L": ticker.last_trade_id,
        "n": ticker.trades,
    }
