"""Names of market streams, such as `btcusdt@depth@100ms` (web-socket-streams.md)."""

from __future__ import annotations

import enum
import re
from typing import Final

import msgspec

from planar.venue.engine.enums import Interval

SECOND_MS: Final = 1000
FAST_MS: Final = 100
KLINE_MS: Final = 2000
ZONE_MS: Final = 8 * 3_600_000
WINDOWS_MS: Final = {"1h": 3_600_000, "4h": 4 * 3_600_000, "1d": 86_400_000}
LEVELS: Final = (5, 10, 20)


class Kind(enum.Enum):
    """What a stream carries."""

    TRADE = "trade"
    AGG_TRADE = "aggTrade"
    BOOK_TICKER = "bookTicker"
    DEPTH = "depth"
    PARTIAL_DEPTH = "partial depth"
    KLINE = "kline"
    TICKER = "ticker"
    MINI_TICKER = "miniTicker"
    ROLLING = "ticker_"
    AVERAGE = "avgPrice"


class StreamName(msgspec.Struct, frozen=True):
    """A stream of a kind.

    Attributes:
        market_id: the exchange's id of its market, upper case; None for all markets.
        period_ms: time between its events; 0 for one at each change.
        levels: levels of a partial book.
        interval: of candles.
        zone_ms: time zone of candles, east of UTC.
        window: of rolling statistics.
    """

    name: str
    kind: Kind
    market_id: str | None
    period_ms: int = 0
    levels: int = 0
    interval: Interval | None = None
    zone_ms: int = 0
    window: str = ""


_LEGAL: Final = re.compile(r"[!\w@.:+\-]+\Z")
_KLINE: Final = re.compile(r"kline_(\w+?)(@\+08:00)?\Z")
_DEPTH: Final = re.compile(r"depth(\d*)(?:@(\d+)ms)?\Z")
_PLAIN: Final = {
    "trade": (Kind.TRADE, 0),
    "aggTrade": (Kind.AGG_TRADE, 0),
    "bookTicker": (Kind.BOOK_TICKER, 0),
    "ticker": (Kind.TICKER, SECOND_MS),
    "miniTicker": (Kind.MINI_TICKER, SECOND_MS),
    "avgPrice": (Kind.AVERAGE, SECOND_MS),
}


def is_legal(name: str) -> bool:
    """Whether the exchange takes this as the name of a stream at all, existing or not."""
    return _LEGAL.match(name) is not None


def parse(name: str) -> StreamName | None:
    """The market stream of this name; None if there is none (a legal name of none is silent)."""
    if name.startswith("!"):
        return _parse_all(name)
    market, at, rest = name.partition("@")
    if not at or market != market.lower():
        return None
    market_id = market.upper()
    if rest in _PLAIN:
        kind, period_ms = _PLAIN[rest]
        return StreamName(name, kind, market_id, period_ms)
    if rest.startswith("ticker_"):
        return _rolling(name, market_id, rest.removeprefix("ticker_"))
    return _parse_depth(name, market_id, rest) or _parse_kline(name, market_id, rest)


def _parse_all(name: str) -> StreamName | None:
    if name == "!miniTicker@arr":
        return StreamName(name, Kind.MINI_TICKER, None, SECOND_MS)
    if name == "!ticker@arr":
        return StreamName(name, Kind.TICKER, None, SECOND_MS)
    if name.startswith("!ticker_") and name.endswith("@arr"):
        return _rolling(name, None, name.removeprefix("!ticker_").removesuffix("@arr"))
    return None


def _rolling(name: str, market_id: str | None, window: str) -> StreamName | None:
    return StreamName(name, Kind.ROLLING, market_id, SECOND_MS, window=window) if window in WINDOWS_MS else None


def _parse_depth(name: str, market_id: str, rest: str) -> StreamName | None:
    match = _DEPTH.match(rest)
    if match is None:
        return None
    levels = int(match[1] or 0)
    period_ms = int(match[2] or SECOND_MS)
    if period_ms not in (FAST_MS, SECOND_MS) or (levels and levels not in LEVELS):
        return None
    return StreamName(name, Kind.PARTIAL_DEPTH if levels else Kind.DEPTH, market_id, period_ms, levels)


def _parse_kline(name: str, market_id: str, rest: str) -> StreamName | None:
    match = _KLINE.match(rest)
    if match is None or match[1] not in {interval.value for interval in Interval}:
        return None
    interval = Interval(match[1])
    period_ms = SECOND_MS if interval is Interval.S1 else KLINE_MS
    return StreamName(name, Kind.KLINE, market_id, period_ms, interval=interval, zone_ms=ZONE_MS if match[2] else 0)
