"""How a market behaves, as far as somebody shaped it. Values come from steering commands and shape files."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import msgspec

MINUTES_PER_DAY: Final = 1_440
_WINDOW: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What is shaped in one symbol. None: as is usual for the symbol.

    Attributes:
        volatility: deviation of the daily change, as a fraction (0.03 is 3 %).
        drift: what the price gains in a day, as a fraction; on top of what the common reference does.
        spread_bps: mean distance between best bid and best ask that the market makers want.
        depth: mean amount of a level near the top, in quote.
        trade_rate: trades in a second.
        basis_bps: lasting distance of the middle price from the common reference.
        quiet: windows of the day, UTC, without trades and with thin books: "22:00-06:30".
    """

    volatility: float | None = None
    drift: float = 0.0
    spread_bps: float | None = None
    depth: float | None = None
    trade_rate: float | None = None
    basis_bps: float = 0.0
    quiet: tuple[str, ...] = ()


USUAL: Final = Shape()


class QuietHours:
    """Windows of the day.

    Raises:
        ValueError: a window is not written as "22:00-06:30".
    """

    def __init__(self, windows: tuple[str, ...]) -> None:
        self._windows = [_minutes(window) for window in windows]

    def hold(self, at_ms: int) -> bool:
        """Whether a moment (UTC epoch, ms) is within one of them. The end of a window is not."""
        if not self._windows:
            return False
        minute = at_ms // 60_000 % MINUTES_PER_DAY
        return any(start <= minute < end if start <= end else not end <= minute < start for start, end in self._windows)


def _minutes(window: str) -> tuple[int, int]:
    found = _WINDOW.fullmatch(window)
    if found is not None:
        hours, minutes, end_hours, end_minutes = map(int, found.groups())
        start, end = 60 * hours + minutes, 60 * end_hours + end_minutes
        if minutes < 60 and end_minutes < 60 and start != end and max(start, end) <= MINUTES_PER_DAY:
            return start, end
    raise ValueError(f"'{window}' is no window of the day")


def midnight_ms(date: str) -> int:
    """Start of a day, UTC, from "2026-01-31".

    Raises:
        ValueError: it is no date.
    """
    return int(datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1000
