"""Stops: wait, trigger once on the last trade price, then work as what they are."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planar.venue.engine.enums import EventKind, OrderKind, OrderStatus, TimeInForce
from planar.venue.engine.events import OrderEvent
from planar.venue.engine.rejects import EngineReject, RejectReason

D = Decimal


def trade_at(desk, price):
    desk.put("cid", "sell", "0.001", price)
    desk.put("ann", "buy", "0.001", price, tif=TimeInForce.IOC)


def kinds_of(desk, order):
    return [event.kind for event in desk.events if isinstance(event, OrderEvent) and event.order.id == order.id]


@pytest.mark.parametrize(
    ("kind", "side", "stop", "no", "yes"),
    [
        (OrderKind.STOP_LOSS, "sell", "90", "90.01", "90"),
        (OrderKind.STOP_LOSS, "buy", "110", "109.99", "110"),
        (OrderKind.TAKE_PROFIT, "sell", "110", "109.99", "110"),
        (OrderKind.TAKE_PROFIT, "buy", "90", "90.01", "90"),
    ],
)
def test_each_stop_waits_for_its_side_of_the_price(desk, kind, side, stop, no, yes):
    trade_at(desk, "100")
    desk.now += 5
    order = desk.put("ben", side, "1", kind=kind, stop_price=stop)
    assert (order.status, order.working_ms, order.triggered_ms) == (OrderStatus.NEW, None, None)
    trade_at(desk, no)
    assert desk.get(order).triggered_ms is None
    desk.now += 7
    trade_at(desk, yes)
    after = desk.get(order)
    assert (after.triggered_ms, after.working_ms, after.created_ms) == (desk.now, desk.now, desk.now - 7)
    assert not after.is_open
    trade_at(desk, "100")
    trade_at(desk, yes)
    assert kinds_of(desk, order).count(EventKind.TRIGGERED) == 1


def test_a_stop_whose_condition_holds_is_refused(desk):
    trade_at(desk, "100")
    for side, stop in (("sell", "100"), ("buy", "99")):
        with pytest.raises(EngineReject) as caught:
            desk.put("ben", side, "1", kind=OrderKind.STOP_LOSS, stop_price=stop)
        assert caught.value.reason is RejectReason.WOULD_TRIGGER


def test_a_stop_limit_rests_at_its_limit_after_the_trigger(desk):
    trade_at(desk, "100")
    order = desk.put("ben", "sell", "1", "95", kind=OrderKind.STOP_LOSS_LIMIT, stop_price="90")
    assert desk.balance("ben", "BTC") == (D(99), D(1))
    assert desk.book() == ([], [])
    trade_at(desk, "90")
    assert desk.book() == ([], [(D(95), D(1))])
    assert kinds_of(desk, order) == [EventKind.NEW, EventKind.TRIGGERED]
    assert desk.balance("ben", "BTC") == (D(99), D(1))


def test_a_stop_limit_keeps_its_time_in_force(desk):
    trade_at(desk, "100")
    order = desk.put("ben", "sell", "1", "95", kind=OrderKind.STOP_LOSS_LIMIT, stop_price="90", tif=TimeInForce.IOC)
    trade_at(desk, "90")
    assert desk.get(order).status is OrderStatus.EXPIRED
    assert desk.balance("ben", "BTC") == (D(100), D(0))


def test_stops_set_off_each_other_nearest_first(desk):
    trade_at(desk, "100")
    desk.put("ann", "buy", "1", "89")
    desk.put("ann", "buy", "5", "80")
    far = desk.put("ben", "sell", "1", kind=OrderKind.STOP_LOSS, stop_price="85")
    near = desk.put("ben", "sell", "2", kind=OrderKind.STOP_LOSS, stop_price="90")
    trade_at(desk, "90")
    triggered = [e.order.id for e in desk.events if isinstance(e, OrderEvent) and e.kind is EventKind.TRIGGERED]
    assert triggered == [near.id, far.id]
    assert [fill.price for fill in desk.fills(near)] == [D(89), D(80)]
    assert [fill.price for fill in desk.fills(far)] == [D(80)]


def test_a_triggered_market_buy_spends_no_more_than_is_free(desk):
    trade_at(desk, "100")
    order = desk.put("ben", "buy", "9", kind=OrderKind.STOP_LOSS, stop_price="110000")
    desk.put("ben", "buy", "0.1", "1")
    desk.put("ann", "sell", "10", "120000")
    desk.put("cid", "buy", "0.001", "120000")
    after = desk.get(order)
    assert after.status is OrderStatus.EXPIRED
    assert after.filled == D("8.33333")
    assert desk.balance("ben", "USDT")[0] >= 0


def test_waiting_stops_can_be_canceled_and_give_back_their_funds(desk):
    trade_at(desk, "100")
    order = desk.put("ben", "buy", "2", kind=OrderKind.STOP_LOSS, stop_price="110")
    assert desk.balance("ben", "USDT") == (D(999_780), D(220))
    assert desk.cancel(order).status is OrderStatus.CANCELED
    assert desk.balance("ben", "USDT") == (D(1_000_000), D(0))
    trade_at(desk, "110")
    assert EventKind.TRIGGERED not in kinds_of(desk, order)


def test_only_so_many_stops_may_wait(desk):
    trade_at(desk, "100")
    for _ in range(5):
        desk.put("ben", "sell", "1", kind=OrderKind.STOP_LOSS, stop_price="90")
    with pytest.raises(EngineReject) as caught:
        desk.put("ben", "sell", "1", kind=OrderKind.STOP_LOSS, stop_price="90")
    assert caught.value.reason is RejectReason.TOO_MANY_STOP_ORDERS
