"""Which readings are backfill: those of the past alone, which can wait while somebody wants the present.

| reading | is backfill, if |
|---|---|
| candles | the page that is asked for ends before now: whoever warms up an indicator to the present does not page |
| public trades | they are asked for from more than `TRADES_MS` ago: a stream that catches up asks for less |
| own trades, orders of any state | they are asked for from more than `OWN_MS` ago: a morning after an outage is no history |
| any of these | `until` lies as far back, or CCXT is to page (`paginate`), which makes many requests of one |

All other readings are of the present. Backfill goes last where the budget is short, and who waits long goes first in the
end (`turnstile`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import planar.runtime as runtime
from planar.transport.context import Priority

PAGE: Final = 1_000
"""Candles of one answer where nothing is said: no large venue gives more (Binance 1,000, OKX 300, Kraken 720)."""
TRADES_MS: Final = 300_000
OWN_MS: Final = 86_400_000
UNIT_MS: Final = {
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "M": 2_592_000_000,
    "y": 31_536_000_000,
}
"""CCXT's units of candle intervals."""


def candles(timeframe: str, since_ms: int | None, limit: int | None, params: Mapping[str, Any]) -> Priority:
    """Of reading candles."""
    step_ms = UNIT_MS.get(timeframe[-1:], 0) * int(timeframe[:-1]) if timeframe[:-1].isdigit() else 0
    return _of(Priority.MARKET, step_ms * (limit or PAGE), since_ms, params)


def trades(since_ms: int | None, params: Mapping[str, Any]) -> Priority:
    """Of reading public trades."""
    return _of(Priority.MARKET, TRADES_MS, since_ms, params)


def own(since_ms: int | None, params: Mapping[str, Any]) -> Priority:
    """Of reading what an account has done."""
    return _of(Priority.ACCOUNT, OWN_MS, since_ms, params)


def _of(usual: Priority, reach_ms: int, since_ms: int | None, params: Mapping[str, Any]) -> Priority:
    if params.get("paginate"):
        return Priority.BACKFILL
    asked_ms = [at_ms for at_ms in (since_ms, params.get("until")) if isinstance(at_ms, int)]
    past = reach_ms > 0 and any(at_ms + reach_ms < runtime.wall_ms() for at_ms in asked_ms)
    return Priority.BACKFILL if past else usual
