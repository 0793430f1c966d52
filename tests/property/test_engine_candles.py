"""The past is one story however it is asked for: candles of all intervals and trades agree, in any order of questions."""

from __future__ import annotations

from functools import cache

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from planar.venue.engine import history, listing, world
from planar.venue.engine.enums import Interval
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.intervals import next_open, open_of
from planar.venue.engine.types import Candle

START_MS = 1_760_012_345_678
DAY_MS = 86_400_000
SYMBOLS = [spec.symbol for spec in listing.symbols()]
FINER = {
    Interval.MONTH1: Interval.D1,
    Interval.W1: Interval.D1,
    Interval.D3: Interval.H12,
    Interval.D1: Interval.H1,
    Interval.H4: Interval.M30,
    Interval.H1: Interval.M5,
    Interval.M15: Interval.M1,
    Interval.M5: Interval.M1,
    Interval.M1: Interval.S1,
}
times = st.integers(min_value=START_MS - history.HISTORY_DAYS * DAY_MS + 40 * DAY_MS, max_value=START_MS - 1)


@cache
def exchange(venue: str) -> VirtualExchange:
    return world.build(seed=17, clock=lambda: START_MS, venue=venue).exchange


def fresh(venue: str) -> VirtualExchange:
    return world.build(seed=17, clock=lambda: START_MS, venue=venue).exchange


def joins(whole: Candle, parts: list[Candle]) -> None:
    """A candle is its parts, to the last digit."""
    traded = [part for part in parts if part.trades]
    assert whole.trades == sum(part.trades for part in parts)
    for field in ("volume", "quote_volume", "taker_buy_volume", "taker_buy_quote"):
        assert getattr(whole, field) == sum(getattr(part, field) for part in parts)
    if traded:
        assert (whole.open, whole.close) == (traded[0].open, traded[-1].close)
        assert whole.high == max(part.high for part in traded)
        assert whole.low == min(part.low for part in traded)
    assert whole.low <= min(whole.open, whole.close) <= max(whole.open, whole.close) <= whole.high


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["a", "b"]), st.sampled_from(SYMBOLS), st.sampled_from(list(FINER)), times)
def test_a_candle_is_the_sum_of_shorter_ones(venue: str, symbol: str, interval: Interval, at: int) -> None:
    opening = open_of(interval, at)
    [whole] = exchange(venue).candles(symbol, interval, start_ms=opening, limit=1)
    last = next_open(interval, opening) - 1
    parts = exchange(venue).candles(symbol, FINER[interval], start_ms=opening, end_ms=last, limit=1000)
    assert [parts[0].open_ms, parts[-1].close_ms] == [opening, last] or last > START_MS
    joins(whole, parts)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["a", "b"]), st.sampled_from(SYMBOLS), times)
def test_a_minute_is_the_sum_of_its_trades(venue: str, symbol: str, at: int) -> None:
    opening = open_of(Interval.M1, at - 60_000)
    [minute] = exchange(venue).candles(symbol, Interval.M1, start_ms=opening, limit=1)
    found = exchange(venue).agg_trades(symbol, start_ms=opening, end_ms=opening + 59_999, limit=100_000)
    assert sum(trade.amount for trade in found) == minute.volume
    assert sum(trade.last_trade_id - trade.first_trade_id + 1 for trade in found) == minute.trades
    if found:
        assert (found[0].price, found[-1].price) == (minute.open, minute.close)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SYMBOLS), st.sampled_from(list(FINER)), times), min_size=1, max_size=12))
def test_answers_do_not_depend_on_what_was_asked_before(
    questions: list[tuple[str, Interval, int]],
) -> None:
    def answers(
        asked: VirtualExchange, order: list[tuple[str, Interval, int]]
    ) -> dict[tuple[str, Interval, int], bytes]:
        return {
            question: msgspec.json.encode(asked.candles(question[0], question[1], end_ms=question[2], limit=30))
            for question in order
        }

    assert answers(fresh("a"), questions) == answers(exchange("a"), questions[::-1])


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["XRP/BTC", "DOT/USDT", "ADA/USDT"]), st.integers(min_value=1, max_value=300), times)
def test_a_listing_cuts_the_past_and_changes_nothing_after_it(symbol: str, days: int, at: int) -> None:
    listed_ms = START_MS - START_MS % DAY_MS - days * DAY_MS
    made = _listed(symbol, days)
    found = made.candles(symbol, Interval.H1, start_ms=at, limit=20)
    usual = exchange("a").candles(symbol, Interval.H1, start_ms=max(at, listed_ms), limit=20)
    assert found == usual
    assert made.trades(symbol, from_id=0, limit=1)[0].ts_ms >= listed_ms


@cache
def _listed(symbol: str, days: int) -> VirtualExchange:
    made = world.build(seed=17, clock=lambda: START_MS, venue="a")
    made.model.list_from(symbol, START_MS - START_MS % DAY_MS - days * DAY_MS)
    return made.exchange
