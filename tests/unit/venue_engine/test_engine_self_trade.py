"""Self-trade prevention, after the scenarios of the Binance STP page."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planar.venue.engine.enums import EventKind, OrderStatus, SelfTradeMode
from planar.venue.engine.events import OrderEvent
from planar.venue.engine.rejects import EngineReject, RejectReason

D = Decimal


@pytest.fixture
def makers(desk):
    amounts_and_prices = (("1.2", "1.2"), ("1.3", "1.1"), ("8.1", "1"))
    return [desk.put("ann", "buy", amount, price) for amount, price in amounts_and_prices]


def statuses(desk, orders):
    return [desk.get(order).status for order in orders]


def test_none_lets_them_trade(desk, makers):
    taker = desk.put("ann", "sell", "3", "1", self_trade_mode=SelfTradeMode.NONE)
    assert taker.status is OrderStatus.FILLED
    assert len(desk.exchange.fills("ann", "BTC/USDT")) == 6


def test_expire_maker_lets_the_taker_go_on(desk, makers):
    taker = desk.put("ann", "sell", "3", "1", self_trade_mode=SelfTradeMode.EXPIRE_MAKER)
    assert (taker.status, taker.filled, taker.prevented_match_id) == (OrderStatus.NEW, D(0), None)
    assert statuses(desk, makers) == [OrderStatus.EXPIRED_IN_MATCH] * 3
    assert [desk.get(maker).prevented_amount for maker in makers] == [D("1.2"), D("1.3"), D("8.1")]
    records = desk.exchange.prevented_matches("ann", "BTC/USDT", order_id=taker.id)
    assert [record.maker_order_id for record in records] == [maker.id for maker in makers]
    assert [record.maker_prevented for record in records] == [D("1.2"), D("1.3"), D("8.1")]
    assert {record.taker_prevented for record in records} == {None}
    assert [desk.get(maker).prevented_match_id for maker in makers] == [record.id for record in records]
    assert desk.balance("ann", "USDT") == (D(1_000_000), D(0))
    assert desk.book() == ([], [(D(1), D(3))])


def test_expire_taker_leaves_the_makers(desk, makers):
    taker = desk.put("ann", "sell", "3", "1", self_trade_mode=SelfTradeMode.EXPIRE_TAKER)
    assert (taker.status, taker.prevented_amount) == (OrderStatus.EXPIRED_IN_MATCH, D(3))
    assert statuses(desk, makers) == [OrderStatus.NEW] * 3
    assert len(desk.exchange.prevented_matches("ann", "BTC/USDT")) == 1


def test_expire_both_ends_the_taker_and_the_first_maker(desk, makers):
    taker = desk.put("ann", "sell", "3", "1", self_trade_mode=SelfTradeMode.EXPIRE_BOTH)
    assert taker.status is OrderStatus.EXPIRED_IN_MATCH
    assert statuses(desk, makers) == [OrderStatus.EXPIRED_IN_MATCH, OrderStatus.NEW, OrderStatus.NEW]
    [record] = desk.exchange.prevented_matches("ann", "BTC/USDT", match_id=taker.prevented_match_id)
    assert (record.maker_prevented, record.taker_prevented) == (D("1.2"), D(3))


def test_the_takers_mode_decides_and_only_own_orders_are_concerned(desk, makers):
    other = desk.put("ben", "buy", "2", "1.15")
    taker = desk.put("ann", "sell", "3", "1.15", self_trade_mode=SelfTradeMode.EXPIRE_MAKER)
    assert (taker.status, taker.filled) == (OrderStatus.PARTIALLY_FILLED, D(2))
    assert desk.get(other).status is OrderStatus.FILLED
    assert statuses(desk, makers) == [OrderStatus.EXPIRED_IN_MATCH, OrderStatus.NEW, OrderStatus.NEW]


def test_the_default_of_the_symbol_applies(desk, makers):
    assert desk.put("ann", "sell", "1", "1").self_trade_mode is SelfTradeMode.EXPIRE_MAKER


def test_a_mode_the_symbol_does_not_allow_is_refused(make_desk):
    desk = make_desk(self_trade_modes=(SelfTradeMode.EXPIRE_MAKER, SelfTradeMode.NONE))
    with pytest.raises(EngineReject) as caught:
        desk.put("ann", "sell", "1", "1", self_trade_mode=SelfTradeMode.EXPIRE_BOTH)
    assert caught.value.reason is RejectReason.INVALID_COMBINATION


def test_events_tell_of_the_prevented_match(desk, makers):
    taker = desk.put("ann", "sell", "3", "1", self_trade_mode=SelfTradeMode.EXPIRE_BOTH)
    told = [event for event in desk.events if isinstance(event, OrderEvent)][-2:]
    assert [event.kind for event in told] == [EventKind.TRADE_PREVENTION] * 2
    assert [event.order.id for event in told] == [makers[0].id, taker.id]
    assert told[0].prevented == told[1].prevented is not None


def test_a_market_order_skips_own_liquidity_when_it_counts_its_cost(desk):
    desk.put("ben", "sell", "1", "100")
    desk.put("ann", "sell", "20", "60000")
    with pytest.raises(EngineReject) as caught:
        desk.put("ben", "buy", "17")
    assert caught.value.reason is RejectReason.INSUFFICIENT_BALANCE
