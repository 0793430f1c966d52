"""Candles made of finer candles, or of trades, for exchanges that lack a timeframe.

Pure: `composing` fetches the parts. A candle in which nothing traded does not exist, as at exchanges that leave them out;
the last one may still be forming.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from planar.adapters.priorities import UNIT_MS
from planar.errors import BadRequest, Outcome
from planar.models import Candle, Trade

_WEEK_MS: Final = UNIT_MS["w"]
_MONDAY_MS: Final = 4 * UNIT_MS["d"]
"""The epoch was a Thursday; weeks begin on Mondays (CCXT's and the exchanges' habit)."""
_FIXED: Final = "smhdw"
"""Units of a fixed length. Months and years have none, so they are never composed."""


def step_ms(timeframe: str) -> int | None:
    """Length of a timeframe, milliseconds; None for those without a fixed one.

    Raises:
        BadRequest: (NOT_SENT) it is no timeframe.
    """
    count, unit = timeframe[:-1], timeframe[-1:]
    if not count.isdigit() or not int(count) or unit not in UNIT_MS:
        raise BadRequest(
            f"timeframe {timeframe!r} is none",
            outcome=Outcome.NOT_SENT,
            hint='write a number and a unit: "1m", "4h", "1d"',
        )
    return int(count) * UNIT_MS[unit] if unit in _FIXED else None


def begin_ms(ts_ms: int, step: int) -> int:
    """The beginning of the candle that holds a time."""
    shift = _MONDAY_MS if step % _WEEK_MS == 0 else 0
    return (ts_ms - shift) // step * step + shift


def source_of(timeframe: str, offered: Iterable[str]) -> str | None:
    """The coarsest offered timeframe of which `timeframe` can be made; None if there is none."""
    whole = step_ms(timeframe)
    if whole is None:
        return None
    steps = ((step_ms(one), one) for one in offered if one[-1:] in _FIXED)
    fitting = [(step, one) for step, one in steps if step is not None and step < whole and whole % step == 0]
    return max(fitting)[1] if fitting else None


def from_candles(parts: Sequence[Candle], timeframe: str) -> list[Candle]:
    """Candles of `timeframe` from finer ones, which are in order of time.

    A first candle whose beginning the parts do not reach is left out: its open would not be one.
    """
    whole = step_ms(timeframe) or 0
    made: list[Candle] = []
    for part in parts:
        at_ms = begin_ms(part.ts_ms, whole)
        if made and made[-1].ts_ms == at_ms:
            made[-1] = _joined(made[-1], part)
        elif made or part.ts_ms == at_ms:
            made.append(Candle(at_ms, part.open, part.high, part.low, part.close, part.volume))
    return made


def from_trades(trades: Sequence[Trade], timeframe: str, since_ms: int | None) -> list[Candle]:
    """Candles from public trades in order of time.

    The first is left out unless the trades reach back to its beginning (`since_ms`).
    """
    whole = step_ms(timeframe) or 0
    made: list[Candle] = []
    for trade in trades:
        if trade.ts_ms is None:
            continue
        at_ms, price = begin_ms(trade.ts_ms, whole), trade.price
        one = Candle(at_ms, price, price, price, price, trade.amount)
        if made and made[-1].ts_ms == at_ms:
            made[-1] = _joined(made[-1], one)
        else:
            made.append(one)
    reached = since_ms is not None and bool(made) and since_ms <= made[0].ts_ms
    return made if reached else made[1:]


def _joined(first: Candle, then: Candle) -> Candle:
    volume = None
    if first.volume is not None and then.volume is not None:
        volume = float(Decimal(repr(first.volume)) + Decimal(repr(then.volume)))  # 0.1 + 0.2 is 0.3
    return Candle(first.ts_ms, first.open, max(first.high, then.high), min(first.low, then.low), then.close, volume)
