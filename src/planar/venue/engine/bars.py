"""Candles as integers, the base periods they are kept at, and how several become one."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

S1 = 1_000
M1 = 60_000
M5 = 300_000
H1 = 3_600_000
D1 = 86_400_000

FINER = {D1: H1, H1: M5, M5: M1, M1: S1}
"""Each base period and the one it is made of. All begin at multiples of themselves since the epoch, UTC."""


class Bar(msgspec.Struct, frozen=True, gc=False):
    """What happened in a period: prices in ticks, amounts in lots, quote amounts in ticks times lots.

    Takers that bought and takers that sold are kept apart. Without trades all prices are the last one before.
    """

    open: int
    high: int
    low: int
    close: int
    trades: int
    buy_lots: int
    buy_quote: int
    sell_lots: int
    sell_quote: int


def flat(price: int) -> Bar:
    """A period without trades."""
    return Bar(price, price, price, price, 0, 0, 0, 0, 0)


def merge(bars: Iterable[Bar]) -> Bar | None:
    """Consecutive periods as one; those without trades do not count. None if there are only such."""
    traded = [bar for bar in bars if bar.trades]
    if not traded:
        return None
    if len(traded) == 1:
        return traded[0]
    return Bar(
        open=traded[0].open,
        high=max([bar.high for bar in traded]),
        low=min([bar.low for bar in traded]),
        close=traded[-1].close,
        trades=sum([bar.trades for bar in traded]),
        buy_lots=sum([bar.buy_lots for bar in traded]),
        buy_quote=sum([bar.buy_quote for bar in traded]),
        sell_lots=sum([bar.sell_lots for bar in traded]),
        sell_quote=sum([bar.sell_quote for bar in traded]),
    )
