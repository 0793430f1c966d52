"""Recordings: what is written of a market is what a replay makes, among users' orders, at any speed."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

import pytest

from planar.errors import BadRequest
from planar.venue import recording
from planar.venue.convert import convert
from planar.venue.engine import world
from planar.venue.engine.enums import OrderKind, OrderStatus, Side, TimeInForce
from planar.venue.engine.events import TradePrint
from planar.venue.engine.player import MOST_AT_ONCE, Player
from planar.venue.engine.recorded import RecordedBook, RecordedTrade
from planar.venue.engine.types import NewOrder, OrderRef

START_MS = 1_760_012_345_678
BTC, ETH = "BTC/USDT", "ETH/USDT"
D = Decimal


class Live:
    def __init__(self, seed=3, venue="one"):
        self.now = START_MS
        made = world.build(seed=seed, clock=lambda: self.now, venue=venue)
        self.exchange, self.model = made.exchange, made.model
        self.trades = []
        self.exchange.subscribe(self._on_event)

    def _on_event(self, event):
        if isinstance(event, TradePrint):
            trade = event.trade
            self.trades.append((trade.symbol, trade.price, trade.amount, trade.buyer_is_maker))

    def run(self, steps, step_ms=100):
        for _ in range(steps):
            self.now += step_ms
            self.model.step(self.now)

    def put(self, side, amount, price, symbol=BTC, tif=TimeInForce.GTC):
        new = NewOrder(
            account="alice", symbol=symbol, side=side, kind=OrderKind.LIMIT, amount=D(amount), price=D(price), tif=tif
        )
        return self.exchange.submit(new)

    def get(self, order):
        return self.exchange.order("alice", order.symbol, OrderRef(order.id))

    def play(self, entries, speed=1.0, symbols=(BTC,)):
        self.model.play(Player(self.exchange.core, iter(entries), symbols, speed=speed))
        return self.model.player

    def book(self, symbol=BTC, limit=1000):
        depth = self.exchange.depth(symbol, limit)
        return [(level.price, level.amount) for level in depth.bids], [
            (level.price, level.amount) for level in depth.asks
        ]


def book(ts_ms, bids=(), asks=(), snapshot=False):
    rows = [[(D(price), D(amount)) for price, amount in side] for side in (bids, asks)]
    return RecordedBook(ts_ms=ts_ms, symbol=BTC, bids=rows[0], asks=rows[1], snapshot=snapshot)


def trade(ts_ms, side, price, amount):
    return RecordedTrade(ts_ms=ts_ms, symbol=BTC, side=side, price=D(price), amount=D(amount))


OPENING = book(1000, bids=[("60000", "1"), ("59990", "2")], asks=[("60010", "1"), ("60020", "2")], snapshot=True)


@pytest.mark.parametrize("name", ["market.ndjson", "market.ndjson.gz"])
def test_a_replay_has_the_books_and_trades_of_the_recording(tmp_path, name):
    path = tmp_path / name
    first = Live()
    first.run(10)
    recorder = recording.Recorder(first.exchange, path, [BTC, ETH], "one")
    first.trades.clear()
    first.run(100)
    first.put(Side.SELL, "0.3", "1", tif=TimeInForce.IOC)
    first.put(Side.BUY, "0.001", str(first.book()[0][0][0]))  # a user's order is no part of the market
    first.run(50)
    first.exchange.cancel_all("alice", BTC)
    first.run(1)
    recorder.close()
    recorder.close()
    first_trades = [one for one in first.trades if one[0] in (BTC, ETH)]

    second = Live(seed=4, venue="two")
    for symbol in (BTC, ETH):
        for account in second.exchange.accounts():
            second.exchange.cancel_all(account, symbol)
            first.exchange.cancel_all(account, symbol)
    entries = recording.read(path, second.exchange.symbols)
    player = second.play(entries, symbols=recording.read_header(path).symbols)
    second.trades.clear()
    second.run(161)
    assert (player.done, player.problem, player.played) == (True, None, recorder.written)
    assert [one for one in second.trades if one[0] in (BTC, ETH)] == first_trades
    assert len(first_trades) > 20
    for symbol in (BTC, ETH):
        assert second.book(symbol) == first.book(symbol)
    assert second.book("SOL/USDT")[0]
    assert second.exchange.audit() == []


def test_orders_of_users_are_no_part_of_a_recording(tmp_path):
    live = Live()
    (best, amount), *_ = live.book()[0]
    before = live.put(Side.BUY, "0.5", str(best))
    recorder = recording.Recorder(live.exchange, tmp_path / "a.ndjson", [BTC], "one")
    live.put(Side.BUY, "0.25", str(best))
    live.exchange.cancel("alice", BTC, OrderRef(before.id))
    live.put(Side.BUY, "0.25", "59.01", symbol=BTC)
    recorder.close()
    opening, *changes = recording.read(tmp_path / "a.ndjson", live.exchange.symbols)
    assert opening.snapshot
    assert (opening.bids[0], len(opening.asks)) == ((best, amount), 30)
    assert [change.bids for change in changes] == [[(best, amount)], [(best, amount)], [(D("59.01"), D(0))]]


def test_speed_freezing_and_steps():
    entries = [OPENING, *(book(1000 + 100 * n, bids=[(str(60000 - n), "1")]) for n in range(1, 101))]
    for speed, steps, played in ((1.0, 20, 21), (10.0, 5, 51), (0.5, 20, 11), (None, 1, 101)):
        live = Live()
        player = live.play(entries, speed=speed)
        live.run(steps)
        assert player.played == played
    live = Live()
    player = live.play(entries)
    live.model.frozen = True
    live.run(20)
    assert (player.played, player.state()["at_ms"]) == (0, None)
    live.model.advance(2_500)
    assert player.played == 26
    live.model.frozen = False
    live.run(100)
    assert player.done
    last = live.book()
    live.run(50)
    assert live.book() == last


def test_as_fast_as_it_goes_leaves_room_for_others():
    live = Live()
    player = live.play([trade(1, "buy", "60000", "0.001")] * (MOST_AT_ONCE + 1), speed=None)
    live.run(1)
    assert (player.played, player.done) == (MOST_AT_ONCE, False)
    live.run(1)
    assert player.done


def test_users_orders_trade_with_the_recording():
    live = Live()
    for account in live.exchange.accounts():
        live.exchange.cancel_all(account, BTC)
    live.play(
        [
            OPENING,
            trade(2000, "sell", "60000", "0.4"),
            book(2000, bids=[("60000", "0.6")]),
            trade(3000, "sell", "59990", "2"),
        ]
    )
    live.run(1)
    assert live.book() == ([(D(60000), D(1)), (D(59990), D(2))], [(D(60010), D(1)), (D(60020), D(2))])
    taken = live.put(Side.BUY, "0.25", "60010")
    assert (taken.status, taken.filled) == (OrderStatus.FILLED, D("0.25"))
    behind, ahead = live.put(Side.BUY, "0.5", "60000"), live.put(Side.BUY, "0.5", "60005")
    live.run(10)
    assert live.get(ahead).filled == D("0.4")
    assert live.get(behind).filled == 0
    assert live.book()[0][1] == (D(60000), D("1.1"))
    live.run(10)
    assert [live.get(one).status for one in (ahead, behind)] == [OrderStatus.FILLED, OrderStatus.FILLED]
    assert live.exchange.audit() == []


def test_trades_alone_are_enough():
    live = Live()
    live.trades.clear()
    live.play(
        [trade(1000 + n, side, price, "0.5") for n, (side, price) in enumerate([("buy", "60000"), ("sell", "59000")])]
    )
    live.run(2)
    made = [one for one in live.trades if one[0] == BTC]
    assert made == [(BTC, D(60000), D("0.5"), False), (BTC, D(59000), D("0.5"), True)]
    assert all(level[1] < 1 for side in live.book() for level in side)
    assert live.exchange.last_price(BTC) == 59000


def test_a_trade_takes_from_its_level_and_shows_that_better_ones_had_gone():
    live = Live()
    live.play([OPENING, trade(1500, "buy", "60010", "0.4"), trade(1600, "buy", "60020", "0.5")])
    live.trades.clear()
    live.run(5)
    assert live.book()[1][:2] == [(D(60010), D("0.6")), (D(60020), D(2))]
    live.run(1)
    assert live.book()[1][0] == (D(60020), D("1.5"))
    assert [one[1:3] for one in live.trades if one[0] == BTC] == [(D(60010), D("0.4")), (D(60020), D("0.5"))]


def test_the_newest_level_wins_over_one_that_it_crosses():
    live = Live()
    live.play([OPENING, book(1500, asks=[("59995", "1")]), book(1600, snapshot=True, bids=[("58000", "1")])])
    live.trades.clear()
    live.run(5)
    assert live.book()[1][0] == (D(59995), D(1))
    assert live.book()[0][0] == (D(59990), D(2))
    live.run(2)
    assert live.book()[0][0] == (D(58000), D(1))
    assert not [one for one in live.trades if one[0] == BTC]


def test_the_model_goes_on_when_a_replay_is_stopped():
    live = Live()
    live.play(
        [book(1000, bids=[("30000", "1")], asks=[("30001", "1")], snapshot=True), trade(1001, "buy", "30001", "0.1")]
    )
    live.run(3)
    assert live.book()[0][0] == (D(30000), D(1))
    live.model.stop_playing()
    live.model.stop_playing()
    bids, asks = live.book()
    assert len(bids) > 20
    assert 29_900 < asks[0][0] < 30_100
    live.run(40, 5000)
    assert live.book()[0][0][0] > 50_000


def write(path, *lines):
    data = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path.write_text(data)
    return path


HEADER = {"type": "recording", "version": 1, "symbols": [BTC]}
TRADE = {"type": "trade", "ts_ms": 5, "symbol": BTC, "side": "buy", "price": "60000", "amount": 0.5}


@pytest.mark.parametrize(
    ("lines", "where", "what"),
    [
        ([], "line 1", "empty"),
        (["{"], "line 1", "truncated"),
        ([{**HEADER, "version": 2}], "line 1", "version = 2"),
        ([{**HEADER, "symbols": ["X/Y"]}], "line 1", "X/Y is not listed"),
        ([{**HEADER, "symbols": []}], "line 1", "names no symbol"),
        ([TRADE], "line 1", "trade"),
        ([HEADER, TRADE, "not json"], "line 3", "JSON"),
        ([HEADER, {**TRADE, "side": "up"}], "line 2", "side"),
        ([HEADER, {**TRADE, "symbol": ETH}], "line 2", ETH),
        ([HEADER, TRADE, {**TRADE, "ts_ms": 4}], "line 3", "ts_ms = 4"),
        ([HEADER, {**TRADE, "price": "60000.001"}], "line 2", "tick 0.01"),
        ([HEADER, {**TRADE, "amount": "0.000001"}], "line 2", "lot 0.00001"),
        ([HEADER, {**TRADE, "amount": 0}], "line 2", "no trade"),
        ([HEADER, {**TRADE, "amounts": 0}], "line 2", "amounts"),
        ([HEADER, {"type": "book", "ts_ms": 1, "symbol": BTC, "bids": [["-1", "2"]]}], "line 2", "price = -1"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path, lines, where, what):
    path = write(tmp_path / "bad.ndjson", *lines)
    with pytest.raises(BadRequest) as refused:
        recording.check(path, Live().exchange.symbols)
    assert f"{path}, {where}: " in refused.value.message
    assert what in refused.value.message


def test_files_that_cannot_be_read(tmp_path):
    symbols = Live().exchange.symbols
    whole = gzip.compress(write(tmp_path / "a", HEADER, *[TRADE] * 5000).read_bytes())
    (tmp_path / "cut.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadRequest, match="end-of-stream"):
        recording.check(tmp_path / "cut.ndjson.gz", symbols)
    with pytest.raises(BadRequest, match="there is no recording"):
        recording.read_header(tmp_path / "none.ndjson")
    write(tmp_path / "plain.gz", HEADER)
    with pytest.raises(BadRequest, match="gzip"):
        recording.read_header(tmp_path / "plain.gz")
    with pytest.raises(BadRequest, match="cannot be written"):
        recording.Writer(tmp_path / "none" / "x", [BTC], None)


def test_a_wrong_line_ends_a_replay_and_is_told(tmp_path):
    live = Live()
    path = write(tmp_path / "bad.ndjson", HEADER, TRADE, TRADE, {**TRADE, "price": "0.001"}, TRADE)
    player = live.play(recording.read(path, live.exchange.symbols))
    live.run(3)
    assert player.played == 2
    assert "line 4" in player.problem
    assert player.state()["done"] is True


CSV = """side,ts_ms,amount,price
bid,1000,1.5,59999.994
ask,1000,1,60000.01
bid,1000,0.5,59999.99
buy,1005,0.123456,60000.01
sell,1006,0.0000001,60000
ask,1010,1,60001
ask,1020,1,60002
"""


def test_csv_becomes_a_recording(tmp_path):
    source, target = tmp_path / "a.csv", tmp_path / "a.ndjson.gz"
    source.write_text(CSV)
    symbols = Live().exchange.symbols
    assert convert(source, target, symbols[BTC]) == 4
    assert recording.check(target, symbols) == 4
    assert list(recording.read(target, symbols)) == [
        book(1000, bids=[("59999.99", "2.0")], asks=[("60000.01", "1")], snapshot=True),
        trade(1005, "buy", "60000.01", "0.12346"),
        book(1010, asks=[("60001", "1")], snapshot=True),
        book(1020, asks=[("60002", "1")], snapshot=True),
    ]
    with pytest.raises(BadRequest, match="exists"):
        convert(source, target, symbols[BTC])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ts_ms,side,price\n", "line 1: no column amount"),
        ("ts_ms,side,price,amount\n1,up,1,1\n", "line 2: side = 'up'"),
        ("ts_ms,side,price,amount\n1,buy,x,1\n", "line 2: price = 'x'"),
        ("ts_ms,side,price,amount\n1,buy,1\n", "line 2: amount"),
        ("ts_ms,side,price,amount\n1,buy,-1,1\n", "line 2: price = -1"),
        ("ts_ms,side,price,amount\n1,buy,0.001,1\n", "less than a tick"),
        ("ts_ms,side,price,amount\n2,buy,1,1\n1,buy,1,1\n", "line 3: ts_ms = 1"),
    ],
)
def test_csv_that_is_wrong_is_refused_with_its_line(tmp_path, text, what):
    source, target = tmp_path / "a.csv", tmp_path / "a.ndjson"
    source.write_text(text)
    with pytest.raises(BadRequest, match=what):
        convert(source, target, Live().exchange.symbols[BTC])
    assert not target.exists()
