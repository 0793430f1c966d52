"""Where candles begin and end."""

from __future__ import annotations

from datetime import UTC, datetime

from planar.venue.engine.bars import D1, H1, M1, M5, S1
from planar.venue.engine.enums import Interval

_EPOCH_MONDAY = 4 * D1
"""1970-01-05 was a Monday."""

_PERIODS: dict[Interval, tuple[int, int]] = {
    Interval.S1: (S1, S1),
    Interval.M1: (M1, M1),
    Interval.M3: (3 * M1, M1),
    Interval.M5: (M5, M5),
    Interval.M15: (3 * M5, M5),
    Interval.M30: (6 * M5, M5),
    Interval.H1: (H1, H1),
    Interval.H2: (2 * H1, H1),
    Interval.H4: (4 * H1, H1),
    Interval.H6: (6 * H1, H1),
    Interval.H8: (8 * H1, H1),
    Interval.H12: (12 * H1, H1),
    Interval.D1: (D1, D1),
    Interval.D3: (3 * D1, D1),
    Interval.W1: (7 * D1, D1),
}


def base_period(interval: Interval) -> int:
    """The base period that candles of an interval are made of, in ms."""
    return D1 if interval is Interval.MONTH1 else _PERIODS[interval][1]


def open_of(interval: Interval, at: int) -> int:
    """When the candle that covers a time begins, in ms."""
    if interval is Interval.MONTH1:
        moment = datetime.fromtimestamp(at // 1000, UTC)
        return _month_start(moment.year, moment.month)
    length = _PERIODS[interval][0]
    offset = _EPOCH_MONDAY if interval is Interval.W1 else 0
    return at - (at - offset) % length


def next_open(interval: Interval, opening: int, count: int = 1) -> int:
    """When the candle `count` after one that begins at `opening` begins; `count` may be negative."""
    if interval is not Interval.MONTH1:
        return opening + count * _PERIODS[interval][0]
    moment = datetime.fromtimestamp(opening // 1000, UTC)
    months = moment.year * 12 + moment.month - 1 + count
    return _month_start(months // 12, months % 12 + 1)


def _month_start(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
