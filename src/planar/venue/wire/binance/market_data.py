"""Public market data: book, trades, candles (rest-api.md, "General endpoints" and "Market Data endpoints")."""

from __future__ import annotations

from typing import Any, Final

from planar.venue import clock
from planar.venue.engine.enums import Interval
from planar.venue.engine.types import AggTrade, Candle, Depth, Trade
from planar.venue.wire.binance import errors, filters
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.exchange_info import STATUS_WORDS
from planar.venue.wire.binance.formats import amount
from planar.venue.wire.binance.params import Params, given
from planar.venue.wire.binance.zones import read_zone, zoned_candles

DEPTH_WEIGHTS: Final = ((100, 5), (500, 25), (1000, 50), (5000, 250))
DEPTH_DEFAULT: Final = 100
DEPTH_MAX: Final = 5000
LIMIT_DIGITS: Final = 20
ROWS_DEFAULT: Final = 500
ROWS_MAX: Final = 1000
INTERVALS: Final = {interval.value: interval for interval in Interval}


def ping(desk: Desk, call: Call) -> Any:
    """GET /api/v3/ping."""
    call.params.end()
    return {}


def time(desk: Desk, call: Call) -> Any:
    """GET /api/v3/time."""
    call.params.end()
    return {"serverTime": clock.wall_ms()}


def depth_weight(params: Params) -> int:
    """Weight by the number of levels; a limit that is no number costs as the default."""
    text = params.peek("limit") or ""
    limit = int(text) if text.isdecimal() and len(text) <= LIMIT_DIGITS else DEPTH_DEFAULT
    return next((weight for most, weight in DEPTH_WEIGHTS if limit <= most), DEPTH_WEIGHTS[-1][1])


def check_status(desk: Desk, params: Params, symbol: str) -> None:
    """`symbolStatus` of a question about one market.

    Raises:
        ApiError: -1122 no such status; -1220 the market has another.
    """
    status = params.choice("symbolStatus", STATUS_WORDS, lambda: ApiError(-1122, "Invalid symbolStatus."))
    if params.peek("symbolStatus") is not None and desk.exchange.status(symbol) is not status:
        raise ApiError(-1220, "The symbol's status does not match the requested symbolStatus.")


def depth(desk: Desk, call: Call) -> Any:
    """GET /api/v3/depth."""
    params = call.params
    spec = params.market(desk.symbols)
    limit = params.limit(DEPTH_DEFAULT, DEPTH_MAX)
    check_status(desk, params, spec.symbol)
    params.end()
    return depth_json(desk.exchange.depth(spec.symbol, limit))


def depth_json(book: Depth) -> dict[str, Any]:
    """A book as answers and partial depth streams show it."""
    return {
        "lastUpdateId": book.update_id,
        "bids": [[amount(level.price), amount(level.amount)] for level in book.bids],
        "asks": [[amount(level.price), amount(level.amount)] for level in book.asks],
    }


def recent_trades(desk: Desk, call: Call) -> Any:
    """GET /api/v3/trades."""
    spec = call.params.market(desk.symbols)
    limit = call.params.limit(ROWS_DEFAULT, ROWS_MAX)
    call.params.end()
    return [_trade(trade) for trade in desk.exchange.trades(spec.symbol, limit=limit)]


def historical_trades(desk: Desk, call: Call) -> Any:
    """GET /api/v3/historicalTrades."""
    spec = call.params.market(desk.symbols)
    from_id = call.params.integer("fromId")
    limit = call.params.limit(ROWS_DEFAULT, ROWS_MAX)
    call.params.end()
    return [_trade(trade) for trade in desk.exchange.trades(spec.symbol, from_id=from_id, limit=limit)]


def aggregate_trades(desk: Desk, call: Call) -> Any:
    """GET /api/v3/aggTrades."""
    params = call.params
    spec = params.market(desk.symbols)
    from_id = params.integer("fromId")
    start_ms, end_ms = params.time_ms("startTime"), params.time_ms("endTime")
    limit = params.limit(ROWS_DEFAULT, ROWS_MAX)
    params.end()
    if from_id is not None and (start_ms is not None or end_ms is not None):
        raise errors.bad_combination()
    rows = desk.exchange.agg_trades(spec.symbol, from_id=from_id, start_ms=start_ms, end_ms=end_ms, limit=limit)
    return [aggregate_json(row) for row in rows]


def klines(desk: Desk, call: Call) -> Any:
    """GET /api/v3/klines and uiKlines."""
    params = call.params
    spec = params.market(desk.symbols)
    interval = given("interval", params.choice("interval", INTERVALS, errors.bad_interval))
    start_ms, end_ms = params.time_ms("startTime"), params.time_ms("endTime")
    zone_ms = read_zone(params)
    limit = params.limit(ROWS_DEFAULT, ROWS_MAX)
    params.end()
    if zone_ms:
        rows = zoned_candles(desk.exchange, spec.symbol, interval, zone_ms, start_ms, end_ms, limit)
    else:
        rows = desk.exchange.candles(spec.symbol, interval, start_ms=start_ms, end_ms=end_ms, limit=limit)
    return [_kline(row) for row in rows]


def average_price(desk: Desk, call: Call) -> Any:
    """GET /api/v3/avgPrice."""
    spec = call.params.market(desk.symbols)
    call.params.end()
    price = desk.average_price(spec.symbol)
    if price is None:
        raise ApiError(-1112, "No orders on book for symbol.")
    return {
        "mins": filters.AVERAGE_MINUTES,
        "price": amount(price),
        "closeTime": last_trade_ms(desk, spec.symbol),
    }


def last_trade_ms(desk: Desk, symbol: str) -> int:
    """Time of the last trade; 0 if there never was one."""
    newest = desk.exchange.trades(symbol, limit=1)
    return newest[0].ts_ms if newest else 0


def aggregate_json(row: AggTrade) -> dict[str, Any]:
    """An aggregate trade as `aggTrades` answers it."""
    return {
        "a": row.id,
        "p": amount(row.price),
        "q": amount(row.amount),
        "f": row.first_trade_id,
        "l": row.last_trade_id,
        "T": row.ts_ms,
        "m": row.buyer_is_maker,
        "M": True,
    }


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "id": trade.id,
        "price": amount(trade.price),
        "qty": amount(trade.amount),
        "quoteQty": amount(trade.quote),
        "time": trade.ts_ms,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def _kline(candle: Candle) -> list[Any]:
    return [
        candle.open_ms,
        amount(candle.open),
        amount(candle.high),
        amount(candle.low),
        amount(candle.close),
        amount(candle.volume),
        candle.close_ms,
        amount(candle.quote_volume),
        candle.trades,
        amount(candle.taker_buy_volume),
        amount(candle.taker_buy_quote),
        "0",
    ]
