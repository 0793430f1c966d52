"""Candles out of finer ones and out of trades: the same as counting by hand, and never a candle that was not traded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planar.errors import BadRequest
from planar.exchange.candles import begin_ms, from_candles, from_trades, source_of, step_ms
from planar.models import Candle, Trade

MINUTE = 60_000
MONDAY_MS = 1_767_571_200_000  # 2026-01-05


def trade(ts_ms: int, price: float, amount: float) -> Trade:
    return Trade(symbol="BTC/USDT", price=price, amount=amount, ts_ms=ts_ms)


@pytest.mark.parametrize(
    ("wanted", "offered", "found"),
    [
        ("10m", ("1m", "5m", "15m", "1h"), "5m"),
        ("1h", ("1m", "15m", "2h"), "15m"),
        ("1w", ("1h", "1d", "1M"), "1d"),
        ("7m", ("5m", "2m"), None),
        ("1M", ("1d",), None),
        ("30s", ("1m",), None),
    ],
)
def test_the_coarsest_timeframe_that_fits_is_taken(wanted: str, offered: tuple[str, ...], found: str | None) -> None:
    assert source_of(wanted, offered) == found


def test_weeks_begin_on_mondays() -> None:
    week = step_ms("1w")
    assert week is not None
    assert begin_ms(MONDAY_MS + 3 * 86_400_000, week) == MONDAY_MS
    assert begin_ms(MONDAY_MS - 1, week) == MONDAY_MS - week


@pytest.mark.parametrize("text", ["", "m", "0m", "5x", "1.5h", "-1m"])
def test_what_is_no_timeframe_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="timeframe"):
        step_ms(text)


trades = st.lists(
    st.tuples(st.integers(0, 3_600_000), st.floats(1, 1e6), st.floats(0.001, 1e3)), min_size=1, max_size=60
).map(lambda rows: [trade(*row) for row in sorted(rows, key=lambda row: row[0])])


@given(trades)
def test_candles_of_trades_and_of_finer_candles_are_the_same(rows: list[Trade]) -> None:
    fine = from_trades(rows, "1m", 0)
    coarse = from_trades(rows, "15m", 0)
    made = from_candles([Candle(0, *fine[0][1:5], 0.0), *fine] if fine[0].ts_ms % (15 * MINUTE) else fine, "15m")
    assert [candle[:5] for candle in made[1:]] == [candle[:5] for candle in coarse if candle.ts_ms > made[0].ts_ms]
    for one, other in zip(made[1:], coarse[-len(made) + 1 :], strict=False):
        assert one.volume == pytest.approx(other.volume)
    assert {candle.ts_ms for candle in coarse} == {
        row.ts_ms // (15 * MINUTE) * 15 * MINUTE for row in rows if row.ts_ms is not None
    }


def test_a_first_candle_whose_beginning_is_not_known_is_left_out() -> None:
    rows = [trade(90_000, 1.0, 1.0), trade(150_000, 2.0, 1.0)]
    assert [candle.ts_ms for candle in from_trades(rows, "1m", None)] == [120_000]
    assert [candle.ts_ms for candle in from_trades(rows, "1m", 60_000)] == [60_000, 120_000]
    parts = [Candle(MINUTE * n, 1, 2, 1, 2, 1.0) for n in range(3, 12)]
    assert [candle.ts_ms for candle in from_candles(parts, "5m")] == [300_000, 600_000]


def test_an_unknown_volume_stays_unknown() -> None:
    parts = [Candle(0, 1, 2, 1, 2, 1.0), Candle(MINUTE, 2, 3, 2, 3, None)]
    assert from_candles(parts, "5m") == [Candle(0, 1, 3, 1, 3, None)]


def test_volumes_are_summed_as_they_are_written() -> None:
    made = from_candles([Candle(0, 1.0, 1.0, 1.0, 1.0, 0.1), Candle(60_000, 1.0, 1.0, 1.0, 1.0, 0.2)], "2m")
    assert [one.volume for one in made] == [0.3]
