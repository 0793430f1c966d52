"""Tickers: 24 hours, the trading day, rolling windows, last price, best of the book (rest-api.md)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import planar.runtime as runtime
from planar.venue.engine.exchange import DAY_MS
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.types import Level, Ticker
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.exchange_info import STATUS_WORDS
from planar.venue.wire.binance.formats import ZERO, amount, optional_amount, percent, ratio8
from planar.venue.wire.binance.market_data import check_status
from planar.venue.wire.binance.params import Params
from planar.venue.wire.binance.zones import DAY_MS as ZONE_DAY_MS
from planar.venue.wire.binance.zones import read_zone

WINDOWED_MAX: Final = 100
MINUTE_MS: Final = 60_000
_WINDOW: Final = re.compile(r"(\d{1,2})([mhd])\Z")
_UNITS: Final = {"m": (MINUTE_MS, 59), "h": (3_600_000, 23), "d": (DAY_MS, 7)}
TYPES: Final = {"FULL": True, "MINI": False}


def names_sent(params: Params) -> int | None:
    """How many markets are asked for; None if all are."""
    if params.peek("symbol"):
        return 1
    symbols = params.peek("symbols")
    return symbols.count(",") + 1 if symbols else None


def day_weight(params: Params) -> int:
    """Weight of ticker/24hr."""
    count = names_sent(params)
    if count is None:
        return 80
    return 2 if count <= 20 else 40 if count <= 100 else 80


def window_weight(params: Params) -> int:
    """Weight of ticker and ticker/tradingDay."""
    return min(200, 4 * (names_sent(params) or 1))


def simple_weight(params: Params) -> int:
    """Weight of ticker/price and ticker/bookTicker."""
    return 2 if params.peek("symbol") else 4


def day(desk: Desk, call: Call) -> Any:
    """GET /api/v3/ticker/24hr."""
    full = _full(call.params)
    return _for_markets(desk, call, lambda spec: day_json(desk, spec, full=full), everything=True)


def day_json(desk: Desk, spec: SymbolSpec, *, full: bool) -> dict[str, Any]:
    """Statistics of the last 24 hours."""
    ticker = desk.exchange.ticker(spec.symbol)
    answer = _window(ticker, desk.symbols.ids[spec.symbol], ticker.close_ms - DAY_MS, ticker.close_ms, full=full)
    if full:
        bid, ask = ticker.bid, ticker.ask
        answer |= {
            "prevClosePrice": amount(ticker.previous_close),
            "lastQty": amount(ticker.last_amount),
            "bidPrice": level_price(bid),
            "bidQty": level_amount(bid),
            "askPrice": level_price(ask),
            "askQty": level_amount(ask),
        }
    return answer


def trading_day(desk: Desk, call: Call) -> Any:
    """GET /api/v3/ticker/tradingDay."""
    zone_ms = read_zone(call.params)
    full = _full(call.params)
    now_ms = runtime.wall_ms()
    open_ms = (now_ms + zone_ms) // ZONE_DAY_MS * ZONE_DAY_MS - zone_ms
    minutes_ms = now_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS - open_ms

    def one(spec: SymbolSpec) -> dict[str, Any]:
        ticker = desk.exchange.ticker(spec.symbol, minutes_ms)
        return _window(ticker, desk.symbols.ids[spec.symbol], open_ms, open_ms + ZONE_DAY_MS - 1, full=full)

    return _for_markets(desk, call, one, everything=False)


def rolling(desk: Desk, call: Call) -> Any:
    """GET /api/v3/ticker."""
    window_ms = _window_ms(call.params)
    full = _full(call.params)

    def one(spec: SymbolSpec) -> dict[str, Any]:
        ticker = rolling_window(desk, spec.symbol, window_ms)
        return _window(ticker, desk.symbols.ids[spec.symbol], ticker.open_ms, ticker.close_ms, full=full)

    return _for_markets(desk, call, one, everything=False)


def rolling_window(desk: Desk, symbol: str, window_ms: int) -> Ticker:
    """Statistics from the full minute before the window on: up to 59,999 ms wider, as documented."""
    return desk.exchange.ticker(symbol, window_ms + MINUTE_MS)  # which counts the present minute as one


def price(desk: Desk, call: Call) -> Any:
    """GET /api/v3/ticker/price."""

    def one(spec: SymbolSpec) -> dict[str, Any]:
        return {
            "symbol": desk.symbols.ids[spec.symbol],
            "price": optional_amount(desk.exchange.last_price(spec.symbol)),
        }

    return _for_markets(desk, call, one, everything=True)


def book(desk: Desk, call: Call) -> Any:
    """GET /api/v3/ticker/bookTicker."""

    def one(spec: SymbolSpec) -> dict[str, Any]:
        top = desk.exchange.depth(spec.symbol, 1)
        bid, ask = (side[0] if side else None for side in (top.bids, top.asks))
        return {
            "symbol": desk.symbols.ids[spec.symbol],
            "bidPrice": level_price(bid),
            "bidQty": level_amount(bid),
            "askPrice": level_price(ask),
            "askQty": level_amount(ask),
        }

    return _for_markets(desk, call, one, everything=True)


def level_price(level: Level | None) -> str:
    """Price of a level; zero stands for an empty side."""
    return ZERO if level is None else amount(level.price)


def level_amount(level: Level | None) -> str:
    """Amount of a level; zero stands for an empty side."""
    return ZERO if level is None else amount(level.amount)


def _for_markets(desk: Desk, call: Call, one: Callable[[SymbolSpec], dict[str, Any]], *, everything: bool) -> Any:
    """Answer for `symbol`, for `symbols`, or (with `everything`) for all markets."""
    params = call.params
    single = params.optional_market(desk.symbols)
    several = params.markets(desk.symbols)
    if single is not None and several is not None:
        raise errors.bad_combination()
    if single is not None:
        check_status(desk, params, single.symbol)
        params.end()
        return one(single)
    status = params.choice("symbolStatus", STATUS_WORDS, lambda: ApiError(-1122, "Invalid symbolStatus."))
    has_status = params.peek("symbolStatus") is not None
    params.end()
    if several is None:
        if not everything:
            raise errors.missing_both("symbol", "symbols")
        several = list(desk.symbols.by_id.values())
    elif not everything and len(several) > WINDOWED_MAX:
        raise ApiError(-1101, "Too many parameters sent for this endpoint.")
    return [one(spec) for spec in several if not has_status or desk.exchange.status(spec.symbol) is status]


def _full(params: Params) -> bool:
    full = params.choice("type", TYPES, lambda: ApiError(-1139, "Invalid ticker type."))
    return full is not False


def _window_ms(params: Params) -> int:
    text = params.raw("windowSize") or "1d"
    match = _WINDOW.match(text)
    unit_ms, most = _UNITS[match[2]] if match else (0, 0)
    count = int(match[1]) if match else 0
    if not 1 <= count <= most:
        raise errors.not_valid("windowSize")
    return count * unit_ms


def _window(ticker: Ticker, market_id: str, open_ms: int, close_ms: int, *, full: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"symbol": market_id}
    if full:
        change = ticker.last - ticker.open
        answer |= {
            "priceChange": amount(change),
            "priceChangePercent": percent(change, ticker.open),
            "weightedAvgPrice": ratio8(ticker.quote_volume, ticker.volume, ticker.last),
        }
    return answer | {
        "openPrice": amount(ticker.open),
        "highPrice": amount(ticker.high),
        "lowPrice": amount(ticker.low),
        "lastPrice": amount(ticker.last),
        "volume": amount(ticker.volume),
        "quoteVolume": amount(ticker.quote_volume),
        "openTime": open_ms,
        "closeTime": close_ms,
        "firstId": ticker.first_trade_id,
        "lastId": ticker.last_trade_id,
        "count": ticker.trades,
    }
