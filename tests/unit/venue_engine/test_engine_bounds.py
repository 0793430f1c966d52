"""What a market keeps in memory has an end, however much of its past is asked for and however long it runs."""

from __future__ import annotations

import gc
import tracemalloc

from planar.venue.engine import world
from planar.venue.engine.enums import Interval
from planar.venue.engine.live_bars import LiveBars
from planar.venue.engine.tape import CAPACITY, Tape

START_MS = 1_760_012_345_678
DAY_MS = 86_400_000


def test_a_past_that_was_looked_at_is_forgotten_again(monkeypatch):
    for name in ("history._CACHED_SPLITS", "history._CACHED_DAYS", "reference._KEPT_DAYS", "reference._KEPT_HOURS"):
        monkeypatch.setattr(f"planar.venue.engine.{name}", 20)
    monkeypatch.setattr("planar.venue.engine.reference._KEPT_POINTS", 100)
    exchange = world.build(seed=3, clock=lambda: START_MS).exchange

    def look(first_day: int) -> int:
        for day in range(first_day, first_day + 40):
            exchange.candles("ETH/BTC", Interval.M1, end_ms=START_MS - day * DAY_MS, limit=10)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        look(1)
        full = look(400)
        assert look(900) - full < 20_000
    finally:
        tracemalloc.stop()


def test_three_years_of_candles_can_be_asked_for():
    exchange = world.build(seed=3, clock=lambda: START_MS).exchange
    begin = START_MS - START_MS % DAY_MS - 3 * 365 * DAY_MS
    minutes = exchange.candles("BTC/USDT", Interval.M1, start_ms=begin, limit=1440)
    [day] = exchange.candles("BTC/USDT", Interval.D1, start_ms=begin, limit=1)
    assert (len(minutes), minutes[0].open_ms, day.open_ms) == (1440, begin, begin)
    assert sum(minute.volume for minute in minutes) == day.volume
    assert len(exchange.candles("BTC/USDT", Interval.D1, start_ms=begin, limit=2000)) == 3 * 365 + 1


def test_live_trades_and_bars_are_bounded():
    tape, bars, all_bars = Tape(1), LiveBars(60_000, 100), LiveBars(60_000)
    for number in range(3 * CAPACITY):
        tape.add(number, 100, 1, True)
        tape.end_group()
    assert CAPACITY <= len(tape) <= 2 * CAPACITY
    for minute in range(1000):
        for kept in (bars, all_bars):
            kept.add(minute * 60_000, minute + 1, 1, True)
    starts = [minute for minute in range(1000) if bars.get(minute * 60_000) is not None]
    assert 87 <= len(starts) <= 100
    assert starts == list(range(starts[0], 1000))
    assert bars.forgotten_before == starts[0] * 60_000
    assert all(bars.get(minute * 60_000) == all_bars.get(minute * 60_000) for minute in starts)
    assert all_bars.get(0) is not None
