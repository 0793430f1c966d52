"""The public record of one symbol: invented before the start, made of the engine's trades since.

Both halves answer the same questions here; a period in which the venue started is put together from both.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from planar.venue.engine.bars import D1, H1, M1, M5, S1, Bar, flat, merge
from planar.venue.engine.enums import Interval
from planar.venue.engine.history import History, RawTrade
from planar.venue.engine.intervals import base_period, next_open, open_of
from planar.venue.engine.live_bars import LiveBars
from planar.venue.engine.scale import Scale
from planar.venue.engine.tape import Tape
from planar.venue.engine.types import AggTrade, Candle, Trade

_CACHED_WINDOWS = 100
KEPT_BARS = 11_520
"""Live bars of a minute (eight days) and of five minutes (forty days) that are kept; those of longer periods all are."""


class MarketData:
    """Trades, candles and rolling statistics of one symbol.

    Args:
        scale: turns integers into Decimals.
        history: the past; None for a market that begins empty.
        start_ms: when the venue starts; the history ends in this second.
    """

    def __init__(self, scale: Scale, history: History | None, start_ms: int) -> None:
        self.scale = scale
        self._history = history
        self._start = start_ms - start_ms % S1
        self._live = {M1: LiveBars(M1, KEPT_BARS), M5: LiveBars(M5, KEPT_BARS), H1: LiveBars(H1), D1: LiveBars(D1)}
        self._before_start: dict[int, list[Bar]] = {}
        self._window_cache: dict[int, tuple[int, Bar | None]] = {}
        self.tape = Tape(1 if history is None else history.next_trade_id)
        self.last_price: int | None = None if history is None else history.last_price
        self.begin_ms = self._start if history is None else history.begin_ms
        self._first_id = 1

    def list_from(self, listed_ms: int) -> None:
        """Nothing before the start of that day is shown any more; the past begins with the history at the earliest."""
        if self._history is not None:
            self.begin_ms = max(listed_ms, self._history.begin_ms)
            self._first_id = self._history.id_at(self.begin_ms)
        self._window_cache.clear()

    # -- trades -------------------------------------------------------------------------------------------------

    @property
    def next_trade_id(self) -> int:
        """Id of the next trade."""
        return self.tape.next_id

    def record(self, ts_ms: int, price: int, lots: int, taker_bought: bool) -> None:
        """Takes in a trade of the engine."""
        self.tape.add(ts_ms, price, lots, taker_bought)
        for bars in self._live.values():
            bars.add(ts_ms, price, lots, taker_bought)
        self.last_price = price

    def end_group(self) -> None:
        """An aggregate trade is complete."""
        self.tape.end_group()

    def newest_trade(self) -> Trade:
        """The last trade of the engine."""
        return self._trade(self.tape.get(self.tape.next_id - 1))

    def newest_agg_trade(self) -> AggTrade:
        """The last complete aggregate trade of the engine."""
        return self._agg_trades(self.tape.groups(self.tape.next_group - 1, 1))[0]

    def trades(self, from_id: int | None, limit: int) -> list[Trade]:
        """Trades from an id on, or the newest."""
        first = max(self._first_id, self.next_trade_id - limit if from_id is None else from_id)
        return [self._trade(raw) for raw in self._raw(first, limit, self.tape.range)]

    def agg_trades(self, from_id: int | None, start_ms: int | None, end_ms: int | None, limit: int) -> list[AggTrade]:
        """Aggregate trades; before the start each trade is one."""
        first = self._first_id if from_id is None else max(self._first_id, from_id)
        if start_ms is not None:
            first = max(first, self._group_at(start_ms))
        last = self.tape.next_group if end_ms is None else self._group_at(end_ms + 1)
        if from_id is None and start_ms is None:
            first = max(first, last - limit)
        return self._agg_trades(self._raw(first, min(limit, last - first), self.tape.groups))

    def _group_at(self, at: int) -> int:
        """Id of the first aggregate trade at or after a time."""
        if self._history is not None and at < self._start:
            return self._history.id_at(at)
        return self.tape.group_at(at)

    def _raw(self, first: int, limit: int, live: Callable[[int, int], list[RawTrade]]) -> list[RawTrade]:
        if limit <= 0:
            return []
        found: list[RawTrade] = []
        if self._history is not None and first < self._history.next_trade_id:
            found = self._history.trades(first, limit)
            first = self._history.next_trade_id
        return found + live(first, limit - len(found)) if limit > len(found) else found

    def _trade(self, raw: RawTrade) -> Trade:
        scale = self.scale
        return Trade(
            id=raw.id,
            symbol=scale.symbol,
            price=scale.price(raw.price),
            amount=scale.amount(raw.lots),
            quote=scale.value(raw.price * raw.lots),
            ts_ms=raw.ts_ms,
            buyer_is_maker=not raw.taker_bought,
        )

    def _agg_trades(self, raws: list[RawTrade]) -> list[AggTrade]:
        return [self._agg_trade(group, list(parts)) for group, parts in groupby(raws, key=lambda raw: raw.group)]

    def _agg_trade(self, group: int, parts: list[RawTrade]) -> AggTrade:
        return AggTrade(
            id=group,
            symbol=self.scale.symbol,
            price=self.scale.price(parts[0].price),
            amount=self.scale.amount(sum(raw.lots for raw in parts)),
            first_trade_id=parts[0].id,
            last_trade_id=parts[-1].id,
            ts_ms=parts[0].ts_ms,
            buyer_is_maker=not parts[0].taker_bought,
        )

    # -- candles ------------------------------------------------------------------------------------------------

    def candles(
        self, interval: Interval, start_ms: int | None, end_ms: int | None, limit: int, now: int
    ) -> list[Candle]:
        """Candles whose open time is in the bounds; see `VirtualExchange.candles`.

        Candles since the start are made of what is kept of it; older ones of short intervals are left out.
        """
        last = open_of(interval, now if end_ms is None else min(end_ms, now))
        first = open_of(interval, self.begin_ms)
        if start_ms is None:
            first = max(first, next_open(interval, last, 1 - limit))
        else:
            opening = open_of(interval, max(start_ms, 0))
            first = max(first, opening if opening >= start_ms else next_open(interval, opening))
        found: list[Candle] = []
        price: int | None = None
        period = base_period(interval)
        kept_from = self.tape.forgotten_before + 1 if period == S1 else self._live[period].forgotten_before
        while first <= last and len(found) < limit:
            after = next_open(interval, first)
            if first < kept_from and after > self._start:
                first, price = next_open(interval, open_of(interval, kept_from - 1)), None
                continue
            bar = self._cover(period, first, min(after, now + 1))
            if bar is None:
                price = self.price_before(first) if price is None else price
                bar = None if price is None else flat(price)
            if bar is not None:
                price = bar.close
                found.append(self._candle(first, after - 1, bar))
            first = after
        return found

    def window(self, start: int, now: int) -> Bar | None:
        """All trades from a whole minute until now as one bar; None if there were none."""
        minute = now - now % M1
        if minute < self.begin_ms - self.begin_ms % M1:
            return None
        length = minute - start
        kept = self._window_cache.get(length)
        if kept is None or kept[0] != minute:
            if len(self._window_cache) >= _CACHED_WINDOWS:
                self._window_cache.clear()
            kept = self._window_cache[length] = (minute, merge(self._bars(start, minute)))
        current = self._bar(M1, minute)
        return merge([bar for bar in (kept[1], current) if bar is not None])

    def price_before(self, at: int) -> int | None:
        """Last price before a whole second, in ticks; None if there was no trade before."""
        if at <= self.begin_ms and self._first_id > 1:
            return None
        if at > self._start:
            seconds = self._bar_of_seconds(max(self._start, at - at % M1), at)
            if seconds is not None:
                return seconds.close
            for period, bars in self._live.items():
                live = bars.newest_before(at - at % period)
                if live is not None:
                    return live.close
        if self._history is None:
            return None
        return self._history.close_before(min(at, self._start))

    def _cover(self, period: int, start: int, end: int) -> Bar | None:
        """The trades of consecutive base periods as one bar, None if there were none."""
        starts = range(max(start, self.begin_ms - self.begin_ms % period), end, period)
        return merge([bar for at in starts if (bar := self._bar(period, at)) is not None])

    def _bars(self, start: int, end: int) -> list[Bar]:
        """Bars with trades that cover whole minutes, in the longest possible base periods."""
        found: list[Bar] = []
        start = max(start, self.begin_ms - self.begin_ms % M1)
        while start < end:
            period = next(p for p in (D1, H1, M5, M1) if start % p == 0 and (start + p <= end or p == M1))
            bar = self._bar(period, start)
            if bar is not None:
                found.append(bar)
            start += period
        return found

    def _bar(self, period: int, start: int) -> Bar | None:
        """The bar of a base period; None if it has no trades so far."""
        end = start + period
        parts: list[Bar] = []
        if self._history is not None and start < self._start:
            if end <= self._start:
                bar = self._history.bar(period, start)
                return bar if bar.trades else None
            if period not in self._before_start:
                self._before_start[period] = self._history.span(start, self._start)
            parts = self._before_start[period]
        live = self._bar_of_seconds(start, end) if period == S1 else self._live[period].get(start)
        return merge(parts if live is None else [*parts, live])

    def _bar_of_seconds(self, start: int, end: int) -> Bar | None:
        trades = self.tape.between(start, end)
        if not trades:
            return None
        bars = LiveBars(D1)
        for raw in trades:
            bars.add(start, raw.price, raw.lots, raw.taker_bought)
        return bars.get(start - start % D1)

    def _candle(self, opening: int, closing: int, bar: Bar) -> Candle:
        scale = self.scale
        return Candle(
            open_ms=opening,
            close_ms=closing,
            open=scale.price(bar.open),
            high=scale.price(bar.high),
            low=scale.price(bar.low),
            close=scale.price(bar.close),
            volume=scale.amount(bar.buy_lots + bar.sell_lots),
            quote_volume=scale.value(bar.buy_quote + bar.sell_quote),
            trades=bar.trades,
            taker_buy_volume=scale.amount(bar.buy_lots),
            taker_buy_quote=scale.value(bar.buy_quote),
        )
