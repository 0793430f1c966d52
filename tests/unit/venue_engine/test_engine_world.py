"""The standard market: seeded accounts, the model, equal seeds giving equal bytes."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from planar.venue.engine import listing, world
from planar.venue.engine.enums import MarketStatus, OrderKind, OrderStatus, Side
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.market_model import MarketModel
from planar.venue.engine.types import NewOrder, OrderRef

START_MS = 1_760_012_345_678
D = Decimal


class Live:
    def __init__(self, seed=3, start_ms=START_MS, activity=1.0):
        self.now = start_ms
        self.world = world.build(seed=seed, clock=lambda: self.now, activity=activity)
        self.exchange, self.model = self.world.exchange, self.world.model
        self.log = []
        self.exchange.subscribe(self.log.append)

    def run(self, steps, step_ms=100):
        for _ in range(steps):
            self.now += step_ms
            self.model.step(self.now)

    def put(self, side, amount, price, symbol="BTC/USDT"):
        kind = OrderKind.MARKET if price is None else OrderKind.LIMIT
        return self.exchange.submit(
            NewOrder(account="alice", symbol=symbol, side=side, kind=kind, amount=D(amount), price=price)
        )

    def mid(self, symbol="BTC/USDT"):
        depth = self.exchange.depth(symbol, 1)
        return (depth.bids[0].price + depth.asks[0].price) / 2

    def bytes(self):
        exchange = self.exchange
        parts = [self.log, exchange.ledger.entries()]
        parts += [exchange.depth(symbol, 100) for symbol in exchange.symbols]
        parts += [exchange.ticker(symbol) for symbol in exchange.symbols]
        parts += [exchange.orders(account, "BTC/USDT") for account in exchange.accounts()]
        return msgspec.json.encode(parts)


def story(seed):
    live = Live(seed)
    live.run(30)
    order = live.put(Side.BUY, "0.5", live.mid().quantize(D("0.01")))
    live.run(30)
    live.put(Side.SELL, "0.2", None)
    live.exchange.cancel_all("alice", "BTC/USDT")
    live.exchange.deposit("bob", "BTC", D(1))
    assert order.client_id
    assert live.exchange.audit() == []
    return live.bytes()


def test_equal_seeds_give_equal_bytes_and_others_do_not():
    first = story(11)
    assert first == story(11)
    assert first != story(12)


def test_twenty_symbols_each_with_a_lively_book():
    live = Live()
    live.run(300)
    assert len(live.exchange.symbols) == 20
    for symbol in live.exchange.symbols:
        depth = live.exchange.depth(symbol, 100)
        assert len(depth.bids) >= 20
        assert len(depth.asks) >= 20
        assert depth.bids[0].price < depth.asks[0].price
        assert depth.asks[0].price / depth.bids[0].price < D("1.01")
    changes = {type(event).__name__ for event in live.log}
    assert changes == {"BookChange", "TradePrint", "AggTradePrint"}
    prints = [event for event in live.log if type(event).__name__ == "TradePrint"]
    assert 60 < len(prints) < 600
    assert live.exchange.audit() == []


def test_activity_scales_the_rate_of_trades():
    quiet, busy = Live(activity=0.2), Live(activity=5)
    counts = []
    for live in (quiet, busy):
        live.run(200)
        counts.append(sum(type(event).__name__ == "TradePrint" for event in live.log))
    assert counts[0] * 5 < counts[1]
    with pytest.raises(ValueError, match="activity"):
        Live(activity=0)


def test_a_frozen_market_stands_still_and_does_not_jump_afterwards():
    live = Live()
    live.run(10)
    live.log.clear()
    live.model.frozen = True
    live.run(50)
    assert live.log == []
    live.model.advance(100)
    assert live.log
    live.model.frozen = False
    before = live.mid()
    live.run(1)
    assert abs(live.mid() / before - 1) < D("0.001")


def test_a_frozen_market_can_be_advanced_by_any_time():
    live = Live()
    live.model.frozen = True
    live.model.advance(30_000)
    prints = [event for event in live.log if type(event).__name__ == "TradePrint"]
    assert 60 < len(prints) < 600
    assert {event.trade.ts_ms for event in prints} == {live.now}


def test_no_time_no_change():
    live = Live()
    live.model.step(live.now)
    live.model.step(live.now - 500)
    assert live.log == []


def test_the_model_leaves_a_halted_market_alone():
    live = Live()
    live.exchange.set_status("BTC/USDT", MarketStatus.HALTED)
    update_id = live.exchange.depth("BTC/USDT", 1).update_id
    live.run(20)
    assert live.exchange.depth("BTC/USDT", 1).update_id == update_id


def test_an_order_at_the_best_price_is_filled_before_long():
    """One that goes with the best price of its side; where it stays behind, nobody has to trade with it."""
    live = Live()
    live.run(5)
    for side in (Side.BUY, Side.SELL):
        for _ in range(60):
            depth = live.exchange.depth("BTC/USDT", 1)
            order = live.put(side, "0.01", (depth.bids if side is Side.BUY else depth.asks)[0].price)
            live.run(50)
            status = live.exchange.order("alice", "BTC/USDT", OrderRef(order.id)).status
            if status is OrderStatus.FILLED:
                break
            live.exchange.cancel_all("alice", "BTC/USDT")
        assert status is OrderStatus.FILLED


def test_a_wall_is_eaten_when_the_price_wants_through():
    live = Live()
    live.exchange.set_balance("alice", "BTC", D(1000))
    depth = live.exchange.depth("BTC/USDT", 1)
    wall = live.put(Side.SELL, "1000", depth.asks[0].price)
    live.run(600)
    eaten = live.exchange.order("alice", "BTC/USDT", OrderRef(wall.id)).filled
    assert eaten > 0
    assert live.exchange.depth("BTC/USDT", 1).bids[0].price < wall.price
    assert live.exchange.audit() == []


def test_a_swept_book_fills_up_again():
    live = Live()
    live.exchange.set_balance("alice", "USDT", D(10**9))
    live.put(Side.BUY, "90", None)
    assert len(live.exchange.depth("BTC/USDT", 100).asks) < 20
    live.run(100)
    assert len(live.exchange.depth("BTC/USDT", 100).asks) >= 20


def test_a_long_pause_moves_prices_no_further_than_a_minute():
    live = Live()
    live.run(5)
    before = live.mid()
    live.now += 10 * 86_400_000
    live.model.step(live.now)
    assert abs(live.mid() / before - 1) < D("0.01")


def test_seeded_accounts_have_a_past_that_agrees_with_the_public_one():
    live = Live()
    exchange = live.exchange
    assert exchange.accounts() == ["alice", "bob", "carol"]
    assert exchange.audit() == []
    fills = 0
    for account in exchange.accounts():
        for symbol in exchange.symbols:
            orders = exchange.orders(account, symbol)
            assert [order.id for order in orders] == sorted(order.id for order in orders)
            assert [order.created_ms for order in orders] == sorted(order.created_ms for order in orders)
            for order in orders:
                made = exchange.fills(account, symbol, order_id=order.id)
                assert sum(fill.amount for fill in made) == order.filled
                assert sum(fill.quote for fill in made) == order.quote_filled
                assert order.created_ms <= order.updated_ms < START_MS
            for fill in exchange.fills(account, symbol):
                [trade] = exchange.trades(symbol, from_id=fill.trade_id, limit=1)
                assert (trade.id, trade.price, trade.amount, trade.ts_ms) == (
                    fill.trade_id,
                    fill.price,
                    fill.amount,
                    fill.ts_ms,
                )
                assert trade.buyer_is_maker == ((fill.side is Side.BUY) == fill.is_maker)
                fills += 1
    assert fills >= 8
    statuses = {order.status for order in exchange.orders("alice", "BTC/USDT")}
    assert statuses == {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.NEW}
    assert len(exchange.deposits("alice")) == 7
    assert len(exchange.withdrawals("alice")) == 2
    new = live.put(Side.BUY, "0.01", D(40_000))
    assert new.id > exchange.orders("alice", "BTC/USDT")[-2].id


def test_transfer_ids_go_on_after_the_seeded_ones():
    exchange = Live().exchange
    made = exchange.deposit("alice", "BTC", D(1))
    ids = [record.id for account in exchange.accounts() for record in exchange.deposits(account)]
    assert len(set(ids)) == len(ids)
    assert made.id in ids


def test_a_clock_without_room_for_a_past_is_refused():
    with pytest.raises(ValueError, match="clock"):
        Live(start_ms=1_000)
    assert Live(start_ms=40 * 86_400_000).exchange.audit() == []


def test_the_listing_is_sound():
    assets = {spec.asset: spec for spec in listing.assets()}
    for spec in listing.symbols():
        assert spec.base in assets
        assert spec.quote in assets
        profile = listing.profiles()[spec.symbol]
        assert profile.trade_notional > 2 * float(spec.min_notional)
        assert float(spec.min_price) < profile.reference_price < float(spec.max_price)
    for spec in assets.values():
        for network in spec.networks:
            assert 0 < network.withdraw_fee < network.withdraw_min < network.withdraw_max


def test_specs_that_cannot_be_exact_are_refused():
    [spec] = [spec for spec in listing.symbols() if spec.symbol == "ETH/BTC"]
    for wrong, match in (({"lot": D("0.0001")}, "tick"), ({"base": "NOPE"}, "NOPE"), ({"tick": D("1e-9")}, "tick")):
        changed = msgspec.structs.replace(spec, **wrong)
        with pytest.raises(ValueError, match=match):
            VirtualExchange([changed], listing.assets(), seed=1, clock=lambda: START_MS)


def test_a_model_needs_prices_to_start_from():
    exchange = VirtualExchange(listing.symbols(), listing.assets(), seed=1, clock=lambda: START_MS)
    with pytest.raises(ValueError, match="no last price"):
        MarketModel(exchange.core, listing.profiles(), {}, seed="1")


def test_a_market_that_never_traded_shows_zeros():
    exchange = VirtualExchange(listing.symbols(), listing.assets(), seed=1, clock=lambda: START_MS)
    ticker = exchange.ticker("BTC/USDT")
    assert (ticker.last, ticker.volume, ticker.trades, ticker.last_trade_id) == (0, 0, 0, -1)
    assert (ticker.bid, ticker.ask) == (None, None)
    assert exchange.last_price("BTC/USDT") is None
    assert exchange.trades("BTC/USDT") == exchange.agg_trades("BTC/USDT") == []
    assert exchange.agg_trades("BTC/USDT", start_ms=0, end_ms=START_MS + 5) == []
