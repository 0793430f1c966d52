"""Markets that somebody shaped: what changes, when it ends, and how two exchanges of one seed stay together."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise
from statistics import pstdev

import pytest

from planar.venue.engine import world
from planar.venue.engine.enums import Interval, MarketStatus, OrderKind, OrderStatus, Side
from planar.venue.engine.events import BookChange, TradePrint
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.shape import USUAL, QuietHours, Shape, midnight_ms
from planar.venue.engine.types import NewOrder, OrderRef

START_MS = 1_760_012_345_678
DAY = 86_400_000
BTC = "BTC/USDT"
D = Decimal


class Pair:
    """Two exchanges of one seed."""

    def __init__(self, seed=5, start_ms=START_MS):
        self.now = start_ms
        self.a = world.build(seed=seed, clock=lambda: self.now, venue="one")
        self.b = world.build(seed=seed, clock=lambda: self.now, venue="two")
        self.log = []

    def listen(self):
        self.a.exchange.subscribe(self.log.append)

    def run(self, steps, step_ms=100):
        for _ in range(steps):
            self.now += step_ms
            self.a.model.step(self.now)
            self.b.model.step(self.now)

    def gap_bps(self, symbol=BTC):
        return (mid(self.a, symbol) / mid(self.b, symbol) - 1) * 10_000

    def prints(self, symbol=BTC):
        return [one.trade for one in self.log if isinstance(one, TradePrint) and one.trade.symbol == symbol]


def mid(one, symbol=BTC):
    depth = one.exchange.depth(symbol, 1)
    return float(depth.bids[0].price + depth.asks[0].price) / 2


def spread_bps(one, symbol=BTC):
    depth = one.exchange.depth(symbol, 1)
    return float(depth.asks[0].price / depth.bids[0].price - 1) * 10_000


def put(one, side, amount, price=None):
    kind = OrderKind.MARKET if price is None else OrderKind.LIMIT
    return one.exchange.submit(
        NewOrder(account="alice", symbol=BTC, side=side, kind=kind, amount=D(amount), price=price)
    )


def test_two_exchanges_of_one_seed_are_near_one_another_and_not_the_same():
    pair = Pair()
    pair.run(20, 5000)
    gaps = []
    for _ in range(60):
        pair.run(1, 1000)
        gaps.append(pair.gap_bps())
        assert abs(pair.gap_bps("ETH/BTC")) < 15
    assert max(map(abs, gaps)) < 10
    assert pstdev(gaps) > 0
    closes = [
        [candle.close for candle in one.exchange.candles(BTC, Interval.H1, end_ms=START_MS - 2 * DAY, limit=200)]
        for one in (pair.a, pair.b)
    ]
    apart = [abs(float(x / y) - 1) * 10_000 for x, y in zip(*closes, strict=True)]
    assert 0 < max(apart) < 25
    volumes = [one.exchange.candles(BTC, Interval.D1, limit=3)[0].volume for one in (pair.a, pair.b)]
    assert volumes[0] != volumes[1]


def test_basis_is_a_lasting_distance_between_exchanges():
    pair = Pair()
    pair.run(20, 5000)
    before = pair.gap_bps()
    pair.a.model.shape(BTC, Shape(basis_bps=50))
    assert 35 < pair.gap_bps() - before < 65
    pair.run(12, 5000)
    assert 35 < pair.gap_bps() < 65
    pair.a.model.shape(BTC, USUAL)
    pair.run(20, 5000)
    assert abs(pair.gap_bps()) < 10


def test_an_exchange_that_stood_still_catches_up_with_the_others():
    pair = Pair()
    pair.run(20, 5000)
    pair.a.model.frozen = True
    pair.run(24, 60_000)
    symbols = (BTC, "ETH/USDT", "BNB/USDT", "SOL/USDT")
    assert max(abs(pair.gap_bps(symbol)) for symbol in symbols) > 30
    pair.a.model.frozen = False
    pair.run(60, 5000)
    assert max(abs(pair.gap_bps(symbol)) for symbol in symbols) < 15
    for one in (pair.a, pair.b):
        one.model.frozen = True
    pair.run(10, 60_000)
    for one in (pair.a, pair.b):
        one.model.advance(600_000)
        one.model.frozen = False
    pair.run(1)
    assert abs(pair.gap_bps()) < 10


def test_exchanges_that_are_shaped_alike_stay_together():
    pair = Pair()
    pair.run(12, 5000)
    for one in (pair.a, pair.b):
        one.model.shape(BTC, Shape(volatility=0.2, drift=5.0))
    start = mid(pair.a)
    gaps = []
    for _ in range(60):
        pair.run(3, 2000)
        gaps.append(abs(pair.gap_bps()))
    assert sum(gaps) / len(gaps) < 10
    assert mid(pair.a) / start > 1.003  # a gain of 500 % a day makes 0.7 % in six minutes; the rest is chance


@pytest.mark.parametrize("volatility", [0.0, 0.5])
def test_volatility_is_that_of_the_price(volatility):
    pair = Pair()
    pair.run(20, 5000)
    pair.a.model.shape(BTC, Shape(volatility=volatility))
    marks = []
    for _ in range(60):
        pair.run(2, 5000)
        marks.append(math.log(mid(pair.a)))
    moves = pstdev([b - a for a, b in pairwise(marks)]) * math.sqrt(8_640)
    if volatility:
        assert 0.3 < moves < 0.8
    else:
        assert moves < 0.02  # the exchange's own noise is left


def test_spread_depth_and_trade_rate():
    pair = Pair()
    pair.listen()
    pair.a.model.shape(BTC, Shape(spread_bps=20, depth=60_000, trade_rate=5))
    assert 10 < spread_bps(pair.a) < 60
    pair.log.clear()
    spreads = []
    for _ in range(60):
        pair.run(10)
        spreads.append(spread_bps(pair.a))
    assert 10 < sum(spreads) / len(spreads) < 40
    assert 200 < len({trade.ts_ms for trade in pair.prints()}) <= 600
    shown = [
        sum(float(level.price * level.amount) for level in one.exchange.depth(BTC, 20).bids) for one in (pair.a, pair.b)
    ]
    assert shown[0] > 4 * shown[1]
    pair.a.model.shape(BTC, Shape(trade_rate=0))
    pair.log.clear()
    pair.run(100)
    assert pair.prints() == []
    assert pair.a.exchange.audit() == []


def test_quiet_hours_have_no_trades_and_thin_books():
    pair = Pair(start_ms=START_MS - START_MS % DAY + 22 * 3_600_000 - 30_000)
    pair.listen()
    pair.a.model.shape(BTC, Shape(quiet=("22:00-22:01",), trade_rate=5))
    pair.run(40, 500)
    assert pair.prints()
    usual = pair.a.exchange.depth(BTC, 100)
    pair.run(22, 500)
    pair.log.clear()
    pair.run(100, 500)
    quiet = pair.a.exchange.depth(BTC, 100)
    assert pair.prints() == []
    assert any(isinstance(one, BookChange) and one.symbol == BTC for one in pair.log)
    assert len(quiet.bids) < len(usual.bids) / 2
    assert sum(level.amount for level in quiet.asks) < sum(level.amount for level in usual.asks) / 10
    pair.run(50, 500)
    assert pair.prints()
    assert len(pair.a.exchange.depth(BTC, 100).bids) > 20


def test_windows_of_the_day():
    night = QuietHours(("22:30-06:00", "12:00-12:01"))
    hour = 3_600_000
    assert [night.hold(DAY * 20_000 + int(at * hour)) for at in (22, 22.5, 23.9, 0, 5.99, 6, 12, 12.02)] == [
        False,
        True,
        True,
        True,
        True,
        False,
        True,
        False,
    ]
    for wrong in ("22:00", "25:00-26:00", "10:60-11:00", "10:00-10:00", "9:00-10:00"):
        with pytest.raises(ValueError, match="window"):
            QuietHours((wrong,))
    with pytest.raises(ValueError, match="match"):
        midnight_ms("yesterday")


def test_a_shock_stays_and_a_flash_crash_comes_back():
    pair = Pair()
    pair.run(20, 5000)
    before = mid(pair.a)
    pair.a.model.shock(BTC, -0.1, 60_000)
    assert mid(pair.a) / before == pytest.approx(0.9, abs=0.002)
    pair.run(6, 5000)
    assert mid(pair.a) / before == pytest.approx(0.95, abs=0.005)
    pair.run(8, 5000)
    assert mid(pair.a) / before == pytest.approx(1, abs=0.003)
    pair.a.model.shock(BTC, 0.1, 0)
    pair.a.model.shock(BTC, 0.1, 0)
    pair.run(12, 5000)
    assert mid(pair.a) / before == pytest.approx(1.21, abs=0.005)
    assert abs(pair.gap_bps("ETH/USDT")) < 10
    assert pair.a.exchange.audit() == []


@pytest.mark.parametrize(("is_buy", "side"), [(False, Side.BUY), (True, Side.SELL)])
def test_a_planted_opportunity_is_taken_by_users_alone_and_ends(is_buy, side):
    pair = Pair()
    pair.run(20, 5000)
    lots = 50_000  # half a BTC
    price = pair.a.model.plant(BTC, is_buy=is_buy, bps=80, lots=lots, for_ms=20_000) * D("0.01")
    pair.run(100)
    depth, other = (one.exchange.depth(BTC, 1) for one in (pair.a, pair.b))
    best = (depth.bids if is_buy else depth.asks)[0]
    assert (best.price, best.amount) == (price, D("0.5"))
    if is_buy:
        assert best.price > other.asks[0].price
    else:
        assert best.price < other.bids[0].price
    took = put(pair.a, side, "0.2")
    fills = pair.a.exchange.fills("alice", BTC, order_id=took.id)
    assert [(fill.price, fill.amount) for fill in fills] == [(price, D("0.2"))]
    assert pair.a.model.planted_lots(BTC) == 30_000
    pair.run(110)
    assert pair.a.model.planted_lots(BTC) == 0
    pair.run(6, 5000)
    assert abs(pair.gap_bps()) < 10
    pair.a.model.plant(BTC, is_buy=is_buy, bps=80, lots=100, for_ms=10**9)
    put(pair.a, side, "0.001")
    pair.run(6, 5000)
    assert abs(pair.gap_bps()) < 10
    assert pair.a.exchange.audit() == []


def test_nothing_is_there_before_the_listing():
    pair = Pair()
    listed = START_MS - START_MS % DAY - 40 * DAY
    symbol, exchange = "DOT/USDT", pair.a.exchange
    before = exchange.candles(symbol, Interval.D1, start_ms=listed, limit=5)
    pair.a.model.list_from(symbol, listed)
    assert exchange.candles(symbol, Interval.D1, start_ms=0, limit=5) == before
    assert listed <= exchange.candles(symbol, Interval.M1, start_ms=0, limit=1)[0].open_ms < listed + 600_000
    assert exchange.candles(symbol, Interval.M1, end_ms=listed - 1) == []
    first = exchange.trades(symbol, from_id=0, limit=1)[0]
    assert first.ts_ms >= listed
    assert exchange.trades(symbol, from_id=first.id - 5, limit=1) == [first]
    assert exchange.agg_trades(symbol, start_ms=listed - DAY, limit=1)[0].first_trade_id == first.id
    month = exchange.candles(symbol, Interval.MONTH1, start_ms=0, limit=1)[0]
    parts = exchange.candles(symbol, Interval.D1, start_ms=listed, end_ms=month.close_ms, limit=40)
    assert month.volume == sum(part.volume for part in parts)
    assert pair.b.exchange.candles(symbol, Interval.D1, start_ms=0, limit=1)[0].open_ms < listed


def test_a_symbol_that_is_still_to_be_listed_takes_no_orders_until_then():
    pair = Pair(start_ms=START_MS - START_MS % DAY + DAY - 5_000)
    tomorrow, symbol, exchange = pair.now + 5_000, "DOT/USDT", pair.a.exchange
    pair.a.model.list_from(symbol, tomorrow)
    pair.run(20)
    assert exchange.status(symbol) is MarketStatus.HALTED
    assert exchange.depth(symbol, 5).bids == exchange.trades(symbol) == exchange.candles(symbol, Interval.M1) == []
    assert (exchange.last_price(symbol), exchange.ticker(symbol).trades) == (None, 0)
    new = NewOrder(account="alice", symbol=symbol, side=Side.BUY, kind=OrderKind.LIMIT, amount=D(10), price=D(1))
    with pytest.raises(EngineReject) as refused:
        exchange.submit(new)
    assert refused.value.reason is RejectReason.MARKET_HALTED
    pair.run(60)
    assert exchange.status(symbol) is MarketStatus.TRADING
    assert len(exchange.depth(symbol, 50).asks) > 20
    pair.run(120, 500)
    [first, *_] = exchange.candles(symbol, Interval.M1, start_ms=0)
    assert first.open_ms == tomorrow
    assert exchange.trades(symbol)[0].ts_ms >= tomorrow
    assert exchange.submit(new).status is OrderStatus.NEW


def test_shaped_markets_are_the_same_for_a_seed():
    def story():
        pair = Pair(seed=9)
        pair.listen()
        pair.a.model.shape(BTC, Shape(volatility=0.3, spread_bps=3, quiet=("03:00-04:00",)))
        pair.a.model.shock("ETH/USDT", -0.05, 3_000)
        pair.run(30)
        pair.a.model.plant(BTC, is_buy=True, bps=30, lots=5, for_ms=1_000)
        pair.run(30)
        return repr(pair.log)

    assert story() == story()


def test_users_orders_meet_a_shocked_market():
    pair = Pair()
    low = (D(mid(pair.a)) * D("0.95")).quantize(D("0.01"))
    order = put(pair.a, Side.BUY, "0.01", low)
    pair.a.model.shock(BTC, -0.1, 0)
    assert pair.a.exchange.order("alice", BTC, OrderRef(order.id)).status is OrderStatus.FILLED
    assert pair.a.exchange.audit() == []
