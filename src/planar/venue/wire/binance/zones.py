"""Candles whose intervals are counted in another time zone than UTC (`timeZone` of klines, `@+08:00` of streams).

They are put together from shorter candles, which lie on the boundaries of every zone: zones are whole quarters of an
hour away from UTC.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from planar.venue.engine.enums import Interval
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.types import Candle
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.params import Params

_ZONE: Final = re.compile(r"([+-]?)(\d{1,2})(?::(\d{2}))?\Z")
ZONE_MIN_MS: Final = -12 * 3_600_000
ZONE_MAX_MS: Final = 14 * 3_600_000
MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
MONDAY_MS: Final = 4 * DAY_MS
"""The first Monday after the epoch."""
QUARTER_MS: Final = 15 * MINUTE_MS

_LENGTHS_MS: Final = {
    Interval.M30: 30 * MINUTE_MS,
    Interval.H1: 60 * MINUTE_MS,
    Interval.H2: 120 * MINUTE_MS,
    Interval.H4: 240 * MINUTE_MS,
    Interval.H6: 360 * MINUTE_MS,
    Interval.H8: 480 * MINUTE_MS,
    Interval.H12: 720 * MINUTE_MS,
    Interval.D1: DAY_MS,
    Interval.D3: 3 * DAY_MS,
}
"""Intervals that a shift by quarters of an hour can move; shorter ones stay where they are."""


def read_zone(params: Params) -> int:
    """`timeZone` as milliseconds east of UTC; 0 if it was not sent.

    Raises:
        ApiError: -1130, no zone, or outside -12:00 to +14:00.
    """
    text = params.raw("timeZone")
    return 0 if text is None else parse_zone(text)


def parse_zone(text: str) -> int:
    """Milliseconds east of UTC of `-1:00`, `05:45`, `8`.

    Raises:
        ApiError: -1130.
    """
    match = _ZONE.match(text)
    if match is None or int(match[3] or 0) >= 60:
        raise errors.not_valid("timeZone")
    offset_ms = (int(match[2]) * 60 + int(match[3] or 0)) * MINUTE_MS * (-1 if match[1] == "-" else 1)
    if not ZONE_MIN_MS <= offset_ms <= ZONE_MAX_MS or offset_ms % QUARTER_MS:
        raise errors.not_valid("timeZone")
    return offset_ms


def zoned_candles(
    exchange: VirtualExchange,
    symbol: str,
    interval: Interval,
    zone_ms: int,
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
) -> list[Candle]:
    """Candles of a zone, chosen as `VirtualExchange.candles` chooses them."""
    opens = opening(interval, zone_ms)
    if opens is None:
        return exchange.candles(symbol, interval, start_ms=start_ms, end_ms=end_ms, limit=limit)
    span_ms = 32 * DAY_MS if interval is Interval.MONTH1 else _LENGTHS_MS.get(interval, WEEK_MS)
    count = (limit + 1) * (span_ms // QUARTER_MS)
    first_ms = None if start_ms is None else _next_opening(opens, start_ms, span_ms)
    last_ms = None if end_ms is None else _closing(opens, end_ms, span_ms)
    parts = exchange.candles(symbol, Interval.M15, start_ms=first_ms, end_ms=last_ms, limit=count)
    if not parts:
        return []
    rows = [_join(list(group), opens, span_ms) for _, group in groupby(parts, key=lambda part: opens(part.open_ms))]
    if opens(parts[0].open_ms) != parts[0].open_ms and start_ms is None:
        rows = rows[1:]  # it began before what was asked of the engine
    return rows[:limit] if start_ms is not None else rows[-limit:]


def opening(interval: Interval, zone_ms: int) -> Callable[[int], int] | None:
    """The function from a time to the opening of its candle; None where the zone makes no difference."""
    if interval is Interval.MONTH1:
        return lambda time_ms: _month_opening(time_ms + zone_ms) - zone_ms
    if interval is Interval.W1:
        return lambda time_ms: (time_ms + zone_ms - MONDAY_MS) // WEEK_MS * WEEK_MS + MONDAY_MS - zone_ms
    length_ms = _LENGTHS_MS.get(interval)
    if length_ms is None or zone_ms % length_ms == 0:
        return None
    return lambda time_ms: (time_ms + zone_ms) // length_ms * length_ms - zone_ms


def _month_opening(time_ms: int) -> int:
    moment = dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC)
    return int(dt.datetime(moment.year, moment.month, 1, tzinfo=dt.UTC).timestamp() * 1000)


def _next_opening(opens: Callable[[int], int], time_ms: int, span_ms: int) -> int:
    opened = opens(time_ms)
    return opened if opened == time_ms else opens(opened + span_ms)


def _closing(opens: Callable[[int], int], time_ms: int, span_ms: int) -> int:
    """Last millisecond of the candle that a time is in."""
    return opens(opens(time_ms) + span_ms) - 1


def _join(parts: Sequence[Candle], opens: Callable[[int], int], span_ms: int) -> Candle:
    open_ms = opens(parts[0].open_ms)
    return Candle(
        open_ms=open_ms,
        close_ms=_closing(opens, open_ms, span_ms),
        open=parts[0].open,
        high=max(part.high for part in parts),
        low=min(part.low for part in parts),
        close=parts[-1].close,
        volume=sum((part.volume for part in parts[1:]), parts[0].volume),
        quote_volume=sum((part.quote_volume for part in parts[1:]), parts[0].quote_volume),
        trades=sum(part.trades for part in parts),
        taker_buy_volume=sum((part.taker_buy_volume for part in parts[1:]), parts[0].taker_buy_volume),
        taker_buy_quote=sum((part.taker_buy_quote for part in parts[1:]), parts[0].taker_buy_quote),
    )
