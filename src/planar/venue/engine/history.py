"""The past of one symbol before the venue started: invented, the same for a seed, computed only where asked.

Prices at the hours, and within the hours as far as there are trades enough, follow the common reference (`reference`),
so that crosses agree with their legs and exchanges with each other; all else is cut from the day (see `splitting`).
The open of the day in which the venue starts is the reference price.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from planar.venue.engine.bars import D1, FINER, H1, M1, S1, Bar
from planar.venue.engine.noise import Stream
from planar.venue.engine.reference import AssetWalk
from planar.venue.engine.splitting import LOTS_PER_TRADE, MIN_TRADES, split, trades_of

HISTORY_DAYS = 1_500
_CACHED_SPLITS = 1_500
_CACHED_DAYS = 400
_OWN_NOISE = 1.5e-4
"""How far the prices of one exchange are from the reference at the hours: the deviation, as a fraction."""
_FEWEST_TRADES = 48 * MIN_TRADES
"""Of a day, so that each of its hours has enough."""


class MarketProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How a symbol behaves, in the past and under the model."""

    reference_price: float
    """Price at the start of the day in which the venue starts."""
    trades_per_day: int
    trade_notional: float
    """Mean size of a trade in quote."""
    spread_ticks: int
    """Usual distance between best bid and best ask."""
    level_gap_ticks: int
    """Usual distance between two levels."""
    level_notional: float
    """Mean amount of a level near the top, in quote."""


class RawTrade(msgspec.Struct, frozen=True, gc=False):
    """A public trade in integers. `group` is the id of its aggregate trade."""

    id: int
    group: int
    ts_ms: int
    price: int
    lots: int
    taker_bought: bool


class SplitCache:
    """Bars already cut, shared by all symbols; those not asked for the longest are forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], list[Bar]] = OrderedDict()

    def get(self, symbol: str, parent: int, start: int) -> list[Bar] | None:
        """Children of a period."""
        key = (symbol, parent, start)
        bars = self._kept.get(key)
        if bars is not None:
            self._kept.move_to_end(key)
        return bars

    def put(self, symbol: str, parent: int, start: int, bars: list[Bar]) -> None:
        """Keeps children of a period."""
        self._kept[symbol, parent, start] = bars
        if len(self._kept) > _CACHED_SPLITS:
            self._kept.popitem(last=False)


class History:
    """Bars and trades of one symbol from `HISTORY_DAYS` before the start until the start.

    Args:
        symbol: its name, part of every seed.
        seed: of everything but the reference; an exchange's own seed makes its past another than its neighbours'.
        walks: the reference of base and quote.
        tick, lot: as floats, of price and base amount.
        end_ms: where the past ends, a whole second.
    """

    def __init__(
        self,
        seed: str,
        symbol: str,
        profile: MarketProfile,
        walks: tuple[AssetWalk, AssetWalk],
        splits: SplitCache,
        *,
        tick: float,
        lot: float,
        end_ms: int,
    ) -> None:
        self.end_ms = end_ms
        self._seed = seed
        self._symbol = symbol
        self._profile = profile
        self._walks = walks
        self._splits = splits
        self._mean_lots = max(2.5 * LOTS_PER_TRADE, profile.trade_notional / profile.reference_price / lot)
        self._volatility = math.hypot(walks[0].daily_volatility, walks[1].daily_volatility)
        self._last_day = end_ms // D1
        self._first_day = max(0, self._last_day - HISTORY_DAYS)
        self._noise = lru_cache(_CACHED_DAYS)(self._draw_noise)
        zero = walks[1].at(self._last_day) - walks[0].at(self._last_day)
        self._scale = profile.reference_price / tick * math.exp(zero - self._noise(24 * self._last_day))
        self._day = lru_cache(_CACHED_DAYS)(self._make_day)
        self.begin_ms = self._first_day * D1
        self.next_trade_id = self.count_before(end_ms) + 1
        self.last_price = self.close_before(end_ms)

    # -- bars ---------------------------------------------------------------------------------------------------

    def bar(self, period: int, start: int) -> Bar:
        """The whole bar of a base period that begins at `start`, at or after `begin_ms`."""
        if period == D1:
            return self._day(start // D1)
        parent = next(longer for longer, finer in FINER.items() if finer == period)
        parent_start = start - start % parent
        return self._children(parent, parent_start)[(start - parent_start) // period]

    def span(self, start: int, end: int) -> list[Bar]:
        """Bars of the longest possible base periods that cover whole seconds from `start` to `end`."""
        return [self.bar(period, at) for period, at in self._periods(start, end)]

    @staticmethod
    def _periods(start: int, end: int) -> Iterator[tuple[int, int]]:
        while start < end:
            for period in (*FINER, S1):
                if start % period == 0 and start + period <= end:
                    yield period, start
                    start += period
                    break
            else:
                raise ValueError(f"{start}..{end} is not in whole seconds")

    def close_before(self, at: int) -> int:
        """Last price before a whole second, in ticks."""
        return self._prices(self._first_day)[0] if at <= self.begin_ms else self.bar(S1, at - S1).close

    def _children(self, parent: int, start: int) -> list[Bar]:
        bars = self._splits.get(self._symbol, parent, start)
        if bars is None:
            draws = Stream(self._seed, self._symbol, parent, start)
            bar = self.bar(parent, start)
            bars = split(bar, parent // FINER[parent], draws, self._path(bar, parent, start))
            self._splits.put(self._symbol, parent, start, bars)
        return bars

    def _path(self, bar: Bar, parent: int, start: int) -> list[int] | None:
        """Prices of the reference at the borders of a period's children, within its bar; None below a minute."""
        if parent == D1:
            return self._prices(start // D1)
        if parent == M1:
            return None
        hour, first = start // H1, start % H1 // M1
        step = FINER[parent] // M1
        marks = range(first, first + parent // M1 + 1, step)
        base, quote = (walk.minutes(hour) for walk in self._walks)
        noise, after = self._noise(hour), self._noise(hour + 1)
        inner = [
            min(bar.high, max(bar.low, self._ticks(base[i] - quote[i] + noise + (after - noise) * i / 60)))
            for i in marks[1:-1]
        ]
        return [bar.open, *inner, bar.close]

    def _prices(self, day: int) -> list[int]:
        """The 25 prices at the hours of a day, in ticks."""
        base, quote = (walk.hours(day) for walk in self._walks)
        return [self._ticks(base[i] - quote[i] + self._noise(24 * day + i)) for i in range(25)]

    def _ticks(self, value: float) -> int:
        return max(10, round(self._scale * math.exp(value)))

    def _draw_noise(self, hour: int) -> float:
        """How far the exchange's own price is from the reference at an hour."""
        return _OWN_NOISE * Stream(self._seed, self._symbol, "noise", hour).gauss()

    def _make_day(self, day: int) -> Bar:
        draws = Stream(self._seed, self._symbol, "day", day)
        prices = self._prices(day)
        opening, closing = prices[0], prices[-1]
        reach = opening * self._volatility * 0.1
        high = max(prices) + 1 + int(reach * draws.uniform())
        low = max(1, min(prices) - 1 - int(reach * draws.uniform()))
        trades = self._count(day + 1) - self._count(day)
        lots = int(trades * self._mean_lots * (0.95 + 0.4 * draws.uniform()))
        buy_lots = int(lots * (0.45 + 0.1 * draws.uniform()))
        middle = 0.35 + 0.3 * draws.uniform()
        buy_quote = low * buy_lots + int((high - low) * buy_lots * middle)
        sell_quote = low * (lots - buy_lots) + int((high - low) * (lots - buy_lots) * middle)
        return Bar(opening, high, low, closing, trades, buy_lots, buy_quote, lots - buy_lots, sell_quote)

    # -- trades -------------------------------------------------------------------------------------------------

    def _count(self, day: int) -> int:
        """Trades before a day."""
        if day <= self._first_day:
            return 0
        usual = max(_FEWEST_TRADES, self._profile.trades_per_day)
        return usual * (day - self._first_day) + Stream(self._seed, self._symbol, "count", day).below(usual // 2)

    def count_before(self, at: int) -> int:
        """Trades before a whole second."""
        day = at - at % D1
        return self._count(day // D1) + sum([bar.trades for bar in self.span(day, at)])

    def id_at(self, at: int) -> int:
        """Id of the first trade at or after a time, at most `next_trade_id`."""
        if at >= self.end_ms:
            return self.next_trade_id
        second = max(self.begin_ms, at - at % S1)
        first = self.count_before(second) + 1
        return first + sum([trade.ts_ms < at for trade in self._trades_in(second, first)])

    def trades(self, from_id: int, limit: int) -> list[RawTrade]:
        """Up to `limit` trades from an id on, by rising id."""
        found: list[RawTrade] = []
        second = self._second_of(max(1, from_id))
        first = self.count_before(second) + 1
        while second < self.end_ms and len(found) < limit:
            trades = self._trades_in(second, first)
            found += [trade for trade in trades if trade.id >= from_id]
            first += len(trades)
            second = self._next_active(second)
        return found[:limit]

    def _second_of(self, trade_id: int) -> int:
        """The second in which a trade happened; the end if it has not."""
        if trade_id >= self.next_trade_id:
            return self.end_ms
        day = self._first_day
        low, high = self._first_day, self._last_day
        while low <= high:
            day = (low + high) // 2
            if self._count(day) >= trade_id:
                high = day - 1
            elif self._count(day + 1) < trade_id:
                low = day + 1
            else:
                break
        start, before = day * D1, self._count(day)
        for parent, finer in FINER.items():
            for bar in self._children(parent, start):
                if before + bar.trades >= trade_id:
                    break
                before += bar.trades
                start += finer
        return start

    def _next_active(self, second: int) -> int:
        """The next second with trades; the end if there is none."""
        at = second + S1
        while at < self.end_ms:
            for period in (*FINER, S1):
                if at % period == 0 and not self.bar(period, at).trades:
                    at += period
                    break
            else:
                return at
        return self.end_ms

    def _trades_in(self, second: int, first_id: int) -> list[RawTrade]:
        bar = self.bar(S1, second)
        if not bar.trades:
            return []
        draws = Stream(self._seed, self._symbol, "trades", second)
        parts = trades_of(bar, draws)
        # each at a time of its own: trades of one taker, with which its prices rise or fall, are those of one time
        times = sorted([second + draws.below(max(1, S1 + 1 - len(parts))) for _ in parts])
        return [
            RawTrade(first_id + i, first_id + i, times[i] + i % S1, price, lots, bought)
            for i, (price, lots, bought) in enumerate(parts)
        ]
