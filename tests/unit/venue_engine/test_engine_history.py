"""The invented past and what joins it: candles of all intervals, trades and tickers agree with each other."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from planar.venue.engine import world
from planar.venue.engine.bars import D1, H1, M1, M5, S1, flat, merge
from planar.venue.engine.enums import Interval
from planar.venue.engine.history import HISTORY_DAYS
from planar.venue.engine.intervals import next_open, open_of

START_MS = 1_760_012_345_678
DAY = 86_400_000
SYMBOLS = ("BTC/USDT", "XRP/BTC", "USDC/USDT")


class Live:
    def __init__(self, start_ms=START_MS):
        self.now = start_ms
        self.world = world.build(seed=3, clock=lambda: self.now)
        self.exchange = self.world.exchange
        self.first_id = self.exchange.core.markets["BTC/USDT"].data.next_trade_id

    def run(self, steps, step_ms=100):
        for _ in range(steps):
            self.now += step_ms
            self.world.model.step(self.now)


@pytest.fixture(scope="module")
def live():
    """A market two and a half minutes after its start."""
    made = Live()
    made.run(1500)
    return made


def same(candle, parts):
    traded = [part for part in parts if part.trades]
    assert candle.trades == sum(part.trades for part in parts)
    for field in ("volume", "quote_volume", "taker_buy_volume", "taker_buy_quote"):
        assert getattr(candle, field) == sum(getattr(part, field) for part in parts)
    if traded:
        assert (candle.open, candle.close) == (traded[0].open, traded[-1].close)
        assert candle.high == max(part.high for part in traded)
        assert candle.low == min(part.low for part in traded)


def all_of(live, symbol, interval, start, end):
    """Every candle that opens within start and end, by pages."""
    found = []
    while start <= end:
        page = live.exchange.candles(symbol, interval, start_ms=start, end_ms=end, limit=1000)
        if not page:
            break
        found += page
        start = page[-1].close_ms + 1
    return found


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize(
    ("long", "short"),
    [
        (Interval.M1, Interval.S1),
        (Interval.M3, Interval.M1),
        (Interval.M5, Interval.M1),
        (Interval.M15, Interval.M3),
        (Interval.M30, Interval.M15),
        (Interval.H1, Interval.M1),
        (Interval.H2, Interval.M30),
        (Interval.H4, Interval.H2),
        (Interval.H6, Interval.H1),
        (Interval.H8, Interval.H4),
        (Interval.H12, Interval.H6),
        (Interval.D1, Interval.H8),
        (Interval.D3, Interval.D1),
        (Interval.W1, Interval.D1),
        (Interval.MONTH1, Interval.D1),
    ],
)
def test_longer_candles_are_made_of_shorter_ones(live, symbol, long, short):
    """The last one is unfinished and began before the start, the ones before it are past."""
    for candle in live.exchange.candles(symbol, long, limit=3):
        parts = all_of(live, symbol, short, candle.open_ms, min(candle.close_ms, live.now))
        assert parts[0].open_ms == candle.open_ms
        same(candle, parts)


@pytest.mark.parametrize("interval", list(Interval))
def test_candles_follow_each_other_and_are_possible(live, interval):
    candles = live.exchange.candles("BTC/USDT", interval, limit=60)
    assert candles[-1].open_ms <= live.now <= candles[-1].close_ms
    for one, two in pairwise(candles):
        assert two.open_ms == one.close_ms + 1 == next_open(interval, one.open_ms)
        if not two.trades:
            assert two.open == two.high == two.low == two.close == one.close
    for candle in candles:
        assert candle.low <= min(candle.open, candle.close)
        assert max(candle.open, candle.close) <= candle.high
        assert 0 <= candle.taker_buy_volume <= candle.volume
        assert candle.low * candle.volume <= candle.quote_volume <= candle.high * candle.volume


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_trades_make_up_the_candles_of_past_and_present(live, symbol):
    edge = START_MS - START_MS % M1
    for minute in (edge - 3 * DAY, edge - M1, edge, edge + M1):
        [candle] = live.exchange.candles(symbol, Interval.M1, start_ms=minute, limit=1)
        trades = live.exchange.agg_trades(symbol, start_ms=minute, end_ms=minute + M1 - 1, limit=1000)
        count = sum(trade.last_trade_id - trade.first_trade_id + 1 for trade in trades)
        assert count == candle.trades
        assert sum(trade.amount for trade in trades) == candle.volume
        assert sum(trade.amount * trade.price for trade in trades) == candle.quote_volume
        bought = sum(trade.amount for trade in trades if not trade.buyer_is_maker)
        assert bought == candle.taker_buy_volume
        if trades:
            assert (trades[0].price, trades[-1].price) == (candle.open, candle.close)
            assert max(trade.price for trade in trades) == candle.high
            assert min(trade.price for trade in trades) == candle.low


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_trade_ids_are_unbroken_across_the_start(live, symbol):
    newest = live.exchange.trades(symbol, limit=400)
    assert len(newest) == 400
    assert newest[0].ts_ms < START_MS < newest[-1].ts_ms
    for one, two in pairwise(newest):
        assert two.id == one.id + 1
        assert two.ts_ms >= one.ts_ms
    again = live.exchange.trades(symbol, from_id=newest[100].id, limit=50)
    assert again == newest[100:150]


def test_any_past_trade_is_found_by_its_id(live):
    last = live.exchange.trades("BTC/USDT", limit=1)[0].id
    for trade_id in (1, 2, last // 3, last // 2, last - 100_000):
        found = live.exchange.trades("BTC/USDT", from_id=trade_id, limit=3)
        assert [trade.id for trade in found] == [trade_id, trade_id + 1, trade_id + 2]
    assert live.exchange.trades("BTC/USDT", from_id=last + 1) == []


def test_aggregate_trades_are_selected_by_id_and_time(live):
    query = live.exchange.agg_trades
    newest = query("BTC/USDT", limit=300)
    assert len(newest) == 300
    assert newest[0].ts_ms < START_MS < newest[-1].ts_ms
    for one, two in pairwise(newest):
        assert (two.id, two.first_trade_id) == (one.id + 1, one.last_trade_id + 1)
    assert query("BTC/USDT", from_id=newest[5].id, limit=10) == newest[5:15]
    start = newest[20].ts_ms
    by_time = query("BTC/USDT", start_ms=start, end_ms=newest[40].ts_ms)
    assert by_time == [trade for trade in newest if start <= trade.ts_ms <= newest[40].ts_ms]
    assert query("BTC/USDT", end_ms=newest[40].ts_ms, limit=5)[-1].ts_ms <= newest[40].ts_ms
    assert query("BTC/USDT", start_ms=live.now + 1) == []


@pytest.mark.parametrize("window", [M1, 5 * M1, H1, DAY, 7 * DAY])
def test_a_ticker_is_the_candles_of_its_window(live, window):
    ticker = live.exchange.ticker("BTC/USDT", window)
    assert ticker.open_ms % M1 == 0
    assert ticker.close_ms == live.now
    assert live.now - window < ticker.open_ms <= live.now - window + M1
    if window <= DAY:
        parts = all_of(live, "BTC/USDT", Interval.M1, ticker.open_ms, live.now)
        assert sum(part.volume for part in parts) == ticker.volume
        assert sum(part.quote_volume for part in parts) == ticker.quote_volume
        assert (parts[0].open, parts[-1].close) == (ticker.open, ticker.last)
        assert (max(p.high for p in parts), min(p.low for p in parts)) == (ticker.high, ticker.low)
        assert sum(part.trades for part in parts) == ticker.trades
        [before] = live.exchange.candles("BTC/USDT", Interval.M1, end_ms=ticker.open_ms - 1, limit=1)
        assert ticker.previous_close == before.close
    newest = live.exchange.trades("BTC/USDT", limit=1)[0]
    assert (ticker.last_trade_id, ticker.last, ticker.last_amount) == (newest.id, newest.price, newest.amount)
    assert ticker.first_trade_id == newest.id - ticker.trades + 1
    top = live.exchange.depth("BTC/USDT", 1)
    assert (ticker.bid, ticker.ask) == (top.bids[0], top.asks[0])


def test_candles_are_selected_by_time_and_count(live):
    query = live.exchange.candles
    minute = START_MS - START_MS % M1
    opens = [candle.open_ms for candle in query("BTC/USDT", Interval.M1, start_ms=minute - 10, limit=2)]
    assert opens == [minute, minute + M1]
    opens = [candle.open_ms for candle in query("BTC/USDT", Interval.M1, end_ms=minute + 5, limit=2)]
    assert opens == [minute - M1, minute]
    opens = [c.open_ms for c in query("BTC/USDT", Interval.M1, start_ms=minute - 2 * M1, end_ms=minute - 1)]
    assert opens == [minute - 2 * M1, minute - M1]
    assert query("BTC/USDT", Interval.M1, start_ms=live.now + M1) == []
    first = query("BTC/USDT", Interval.D1, start_ms=0, limit=1)[0]
    assert first.open_ms == (START_MS // DAY - HISTORY_DAYS) * DAY
    assert first.trades > 0


def test_there_is_a_past_for_every_symbol_and_it_starts_near_its_reference(live):
    for symbol in live.exchange.symbols:
        candles = live.exchange.candles(symbol, Interval.H1, limit=24)
        assert len(candles) == 24
        assert all(candle.volume > 0 for candle in candles)
    [today] = live.exchange.candles("BTC/USDT", Interval.D1, limit=1)
    assert today.open == Decimal(60_000)


def test_crosses_agree_with_their_legs(live):
    price = live.exchange.last_price
    for base, quote in (("ETH", "BTC"), ("BNB", "BTC"), ("XRP", "BTC"), ("BNB", "ETH")):
        ratio = price(f"{base}/USDT") / price(f"{quote}/USDT")
        assert abs(price(f"{base}/{quote}") / ratio - 1) < Decimal("0.02")


def test_seconds_whose_trades_are_forgotten_are_left_out(monkeypatch):
    monkeypatch.setattr("planar.venue.engine.tape.CAPACITY", 40)
    made = Live()
    made.run(800)
    data = made.exchange.core.markets["BTC/USDT"].data
    horizon = data.tape.forgotten_before
    assert START_MS < horizon < made.now
    candles = made.exchange.candles("BTC/USDT", Interval.S1, start_ms=START_MS - 5_000, limit=1000)
    opens = [candle.open_ms for candle in candles]
    assert opens[:5] == [open_of(Interval.S1, START_MS) + n * S1 for n in range(-4, 0)] + [opens[4]]
    assert opens[4] > horizon
    trades = made.exchange.agg_trades("BTC/USDT", start_ms=opens[4], limit=1000)
    assert sum(candle.volume for candle in candles[4:]) == sum(trade.amount for trade in trades)
    [minute] = made.exchange.candles("BTC/USDT", Interval.M1, start_ms=START_MS, limit=1)
    assert minute.trades > 0


def test_minutes_that_are_forgotten_are_left_out_and_longer_candles_stay(monkeypatch):
    monkeypatch.setattr("planar.venue.engine.market_data.KEPT_BARS", 16)
    hour = START_MS - START_MS % H1
    made = Live(hour - 90_000)
    made.run(500, 5000)
    data = made.exchange.core.markets["BTC/USDT"].data
    candles = made.exchange.candles
    minutes = candles("BTC/USDT", Interval.M1, start_ms=hour - H1, limit=1000)
    opens = [candle.open_ms for candle in minutes]
    gap = next(i for i, (a, b) in enumerate(pairwise(opens)) if b - a > M1)
    assert opens[gap] < hour - 90_000 < opens[gap + 1] - M1
    assert 14 <= len(opens) - gap - 1 <= 17
    assert [b - a for a, b in pairwise(opens[gap + 1 :])] == [M1] * (len(opens) - gap - 2)
    hours = candles("BTC/USDT", Interval.H1, start_ms=hour - H1, limit=10)
    assert sum(one.trades for one in hours) > data.tape.next_id - made.first_id
    [three] = candles("BTC/USDT", Interval.M3, start_ms=opens[gap + 1], limit=1)
    assert three.volume == sum(one.volume for one in minutes if three.open_ms <= one.open_ms <= three.close_ms)
    before = data.price_before(hour + 10 * M1)
    assert before not in (None, data.price_before(hour - 90_000))


@pytest.mark.parametrize(
    ("interval", "at", "opening"),
    [
        (Interval.W1, 1_760_012_345_678, 1_759_708_800_000),  # Monday 2025-10-06
        (Interval.D3, 1_502_928_000_000, 1_502_841_600_000),
        (Interval.MONTH1, 1_760_012_345_678, 1_759_276_800_000),  # 2025-10-01
        (Interval.MONTH1, 1_709_164_800_000, 1_706_745_600_000),  # 2024-02-29
        (Interval.H12, 1_760_012_345_678, 1_760_011_200_000),
    ],
)
def test_where_long_candles_begin(interval, at, opening):
    assert open_of(interval, at) == opening
    after = next_open(interval, opening)
    assert open_of(interval, after) == after
    assert open_of(interval, after - 1) == opening
    assert next_open(interval, after, -1) == opening


def test_merging_bars_passes_over_those_without_trades():
    assert merge([flat(5), flat(5)]) is None
    assert {D1, H1, M5, M1, S1} == {86_400_000, 3_600_000, 300_000, 60_000, 1_000}
