"""REST, market data: Time, SystemStatus, Assets, AssetPairs, Ticker, OHLC, Depth, Trades, Spread."""

from __future__ import annotations

from decimal import Decimal
from email.utils import formatdate
from typing import Any, Final

import planar.runtime as runtime
from planar.venue import clock
from planar.venue.engine.bars import D1
from planar.venue.engine.enums import Interval, MarketStatus, SystemStatus
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.types import Candle
from planar.venue.wire.kraken import errors
from planar.venue.wire.kraken import params as p
from planar.venue.wire.kraken.desk import Call, Desk
from planar.venue.wire.kraken.formats import ZERO, fixed, plain, quotient, rfc3339_seconds, seconds
from planar.venue.wire.kraken.names import Asset, Pair, percent

PAIR_STATUSES: Final = {
    MarketStatus.TRADING: "online",
    MarketStatus.HALTED: "cancel_only",
    MarketStatus.POST_ONLY: "post_only",
    MarketStatus.LIMIT_ONLY: "limit_only",
    MarketStatus.BREAK: "maintenance",
    MarketStatus.DELISTED: "delisted",
}
"""Words of AssetPairs and of the channel `instrument`."""
SYSTEM_STATUSES: Final = {
    SystemStatus.ONLINE: "online",
    SystemStatus.POST_ONLY: "post_only",
    SystemStatus.CANCEL_ONLY: "cancel_only",
    SystemStatus.MAINTENANCE: "maintenance",
}
"""Words of SystemStatus and of the channel `status`."""
INTERVALS: Final = {
    1: Interval.M1,
    5: Interval.M5,
    15: Interval.M15,
    30: Interval.M30,
    60: Interval.H1,
    240: Interval.H4,
    1440: Interval.D1,
}
LONG: Final = (10_080, 21_600)
"""Minutes of the intervals that Kraken counts from the epoch and the engine does not know."""
_OHLC_ROWS: Final = 720
_TRADE_ROWS: Final = 1000
_DEPTH_ROWS: Final = 500
_ASCENDING: Final = 60_000


def time(_desk: Desk, _call: Call) -> dict[str, Any]:
    """Time."""
    now_s = clock.wall_ms() // 1000
    return {"unixtime": now_s, "rfc1123": formatdate(now_s, usegmt=True).replace("GMT", "+0000")}


def system_status(desk: Desk, _call: Call) -> dict[str, Any]:
    """SystemStatus."""
    return {"status": SYSTEM_STATUSES[desk.exchange.conditions.system], "timestamp": rfc3339_seconds(clock.wall_ms())}


def assets(desk: Desk, call: Call) -> dict[str, Any]:
    """Assets."""
    wanted = p.words(call.params, "asset")
    found = [desk.names.asset(name) for name in wanted] if wanted else list(desk.names.assets.values())
    return {asset.id: _asset(asset) for asset in found}


def _asset(asset: Asset) -> dict[str, Any]:
    return {
        "aclass": "currency",
        "altname": asset.altname,
        "decimals": asset.decimals,
        "display_decimals": asset.display_decimals,
        "status": "enabled",
    }


def asset_pairs(desk: Desk, call: Call) -> dict[str, Any]:
    """AssetPairs."""
    return {pair.id: _pair(desk, pair) for pair in _pairs(desk, call)}


def _pairs(desk: Desk, call: Call) -> list[Pair]:
    wanted = p.words(call.params, "pair")
    return [desk.names.pair(name) for name in wanted] if wanted else list(desk.names.listed.values())


def status_word(desk: Desk, pair: Pair) -> str:
    """Whether the pair trades."""
    return PAIR_STATUSES[desk.exchange.status(pair.symbol)]


def _pair(desk: Desk, pair: Pair) -> dict[str, Any]:
    spec = pair.spec
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": "currency",
        "base": pair.base.id,
        "aclass_quote": "currency",
        "quote": pair.quote.id,
        "lot": "unit",
        "cost_decimals": 8,
        "pair_decimals": pair.price_decimals,
        "lot_decimals": pair.lot_decimals,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, float(percent(spec.taker_fee))]],
        "fees_maker": [[0, float(percent(spec.maker_fee))]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": plain(spec.min_amount),
        "costmin": plain(spec.min_notional),
        "tick_size": plain(spec.tick),
        "status": status_word(desk, pair),
    }


def ticker(desk: Desk, call: Call) -> dict[str, Any]:
    """Ticker."""
    return {pair.id: _ticker(desk, pair) for pair in _pairs(desk, call)}


def _ticker(desk: Desk, pair: Pair) -> dict[str, Any]:
    day = desk.exchange.ticker(pair.symbol)
    now_ms = runtime.wall_ms()
    found = desk.exchange.candles(pair.symbol, Interval.D1, start_ms=now_ms - now_ms % D1, limit=1)
    today = found[0] if found else _untraded(now_ms - now_ms % D1, day.last)
    places = pair.price_decimals

    def price(value: Decimal) -> str:
        return fixed(value, places)

    def side(level: Any) -> list[str]:
        shown = ZERO if level is None else level.amount
        return [price(ZERO if level is None else level.price), str(int(shown)), fixed(shown, 3)]

    return {
        "a": side(day.ask),
        "b": side(day.bid),
        "c": [price(day.last), fixed(day.last_amount)],
        "v": [fixed(today.volume), fixed(day.volume)],
        "p": [
            price(quotient(today.quote_volume, today.volume) or today.close),
            price(quotient(day.quote_volume, day.volume) or day.last),
        ],
        "t": [today.trades, day.trades],
        "l": [price(today.low), price(day.low)],
        "h": [price(today.high), price(day.high)],
        "o": price(today.open),
    }


def _untraded(opening: int, price: Decimal) -> Candle:
    """The day of a pair that has not traded yet."""
    return Candle(
        open_ms=opening,
        close_ms=opening + D1 - 1,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=ZERO,
        quote_volume=ZERO,
        trades=0,
        taker_buy_volume=ZERO,
        taker_buy_quote=ZERO,
    )


def candles(exchange: VirtualExchange, symbol: str, minutes: int, start_ms: int | None, limit: int) -> list[Candle]:
    """Candles of a Kraken interval by rising time, the newest `limit` of those from `start_ms` on. Raises ApiError."""
    period_ms = minutes * 60_000
    now_ms = exchange.now_ms()
    first = now_ms - now_ms % period_ms - (limit - 1) * period_ms
    if start_ms is not None:
        first = max(first, -(-start_ms // period_ms) * period_ms)
    interval = INTERVALS.get(minutes)
    if interval is not None:
        return exchange.candles(symbol, interval, start_ms=max(first, 0), limit=limit)
    if minutes not in LONG:
        raise errors.invalid("interval")
    groups: dict[int, list[Candle]] = {}
    for day in exchange.candles(symbol, Interval.D1, start_ms=max(first, 0), limit=_ASCENDING):
        groups.setdefault(day.open_ms - day.open_ms % period_ms, []).append(day)
    return [_joined(opening, period_ms, days) for opening, days in groups.items()]


def _joined(opening: int, period_ms: int, days: list[Candle]) -> Candle:
    return Candle(
        open_ms=opening,
        close_ms=opening + period_ms - 1,
        open=days[0].open,
        high=max(day.high for day in days),
        low=min(day.low for day in days),
        close=days[-1].close,
        volume=sum((day.volume for day in days), ZERO),
        quote_volume=sum((day.quote_volume for day in days), ZERO),
        trades=sum(day.trades for day in days),
        taker_buy_volume=sum((day.taker_buy_volume for day in days), ZERO),
        taker_buy_quote=sum((day.taker_buy_quote for day in days), ZERO),
    )


def ohlc(desk: Desk, call: Call) -> dict[str, Any]:
    """OHLC: the newest 720 at most, the unfinished one last."""
    pair = desk.names.pair(call.params.get("pair"))
    minutes = p.integer(call.params, "interval") or 1
    since = p.decimal(call.params, "since")
    start_ms = None if since is None else int(since * 1000)
    found = candles(desk.exchange, pair.symbol, minutes, start_ms, _OHLC_ROWS)
    places = pair.price_decimals
    rows = [
        [
            candle.open_ms // 1000,
            *(fixed(value, places) for value in (candle.open, candle.high, candle.low, candle.close)),
            fixed(quotient(candle.quote_volume, candle.volume), places),
            fixed(candle.volume),
            candle.trades,
        ]
        for candle in found
    ]
    last = found[-2].open_ms if len(found) > 1 else runtime.wall_ms() // (minutes * 60_000) * minutes * 60_000
    return {pair.id: rows, "last": last // 1000}


def depth(desk: Desk, call: Call) -> dict[str, Any]:
    """Depth."""
    pair = desk.names.pair(call.params.get("pair"))
    count = p.integer(call.params, "count")
    if count is not None and not 1 <= count <= _DEPTH_ROWS:
        raise errors.invalid("count")
    book = desk.exchange.depth(pair.symbol, count or 100)
    now_s = runtime.wall_ms() // 1000

    def side(levels: Any) -> list[list[Any]]:
        return [
            [fixed(level.price, pair.price_decimals), fixed(level.amount, pair.lot_decimals), now_s] for level in levels
        ]

    return {pair.id: {"asks": side(book.asks), "bids": side(book.bids)}}


def trades(desk: Desk, call: Call) -> dict[str, Any]:
    """Trades: from `since` (Unix time in seconds or nanoseconds) on, otherwise the newest."""
    pair = desk.names.pair(call.params.get("pair"))
    count = p.integer(call.params, "count") or _TRADE_ROWS
    since = p.decimal(call.params, "since")
    rows_wanted = min(max(count, 1), _TRADE_ROWS)
    found = desk.exchange.trades(pair.symbol, limit=rows_wanted)
    if since is not None:
        start_ms = int(since // 1_000_000) if since > 10**14 else int(since * 1000)
        exact = since > 10**14
        first = desk.exchange.agg_trades(pair.symbol, start_ms=start_ms + exact, limit=1)
        found = desk.exchange.trades(pair.symbol, from_id=first[0].first_trade_id, limit=rows_wanted) if first else []
    rows = [
        [
            fixed(trade.price, pair.price_decimals),
            fixed(trade.amount),
            seconds(trade.ts_ms),
            "s" if trade.buyer_is_maker else "b",
            "m",
            "",
            trade.id,
        ]
        for trade in found
    ]
    return {pair.id: rows, "last": str(found[-1].ts_ms * 1_000_000) if found else str(int(since or 0))}


def spread(desk: Desk, call: Call) -> dict[str, Any]:
    """Spread: the present best prices; the local venue keeps no history of them."""
    pair = desk.names.pair(call.params.get("pair"))
    book = desk.exchange.depth(pair.symbol, 1)
    now_s = runtime.wall_ms() // 1000
    places = pair.price_decimals
    rows = [
        [now_s, fixed(bid.price, places), fixed(ask.price, places)]
        for bid, ask in zip(book.bids, book.asks, strict=False)
    ]
    return {pair.id: rows, "last": now_s}
