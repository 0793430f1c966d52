"""Events: their order, their numbers, and what subscribers may do."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planar.venue.engine.enums import EventKind, OrderStatus, Side
from planar.venue.engine.events import AggTradePrint, BalanceChange, BookChange, OrderEvent, TradePrint

D = Decimal
ENDING = ("BookChange", "BalanceChange")


def names(events):
    return [
        f"{event.order.account} {event.kind}" if isinstance(event, OrderEvent) else type(event).__name__
        for event in events
    ]


def test_an_operation_is_told_in_causal_order(desk):
    desk.put("ann", "sell", "1", "100")
    assert names(desk.events) == ["ann new", "BookChange", "BalanceChange"]
    desk.put("ann", "sell", "1", "101")
    desk.events.clear()
    desk.put("ben", "buy", "3", "101")
    assert names(desk.events) == [
        "ben new",
        *("ann trade", "ben trade", "TradePrint", "BookChange", "AggTradePrint"),
        *("ann trade", "ben trade", "TradePrint", "BookChange", "AggTradePrint"),
        "BookChange",
        "BalanceChange",
        "BalanceChange",
    ]


def test_each_snapshot_is_of_its_own_moment(desk):
    desk.put("ann", "sell", "1", "100")
    desk.put("ann", "sell", "1", "101")
    desk.events.clear()
    order = desk.put("ben", "buy", "2", "101")
    told = [event.order for event in desk.events if isinstance(event, OrderEvent) and event.order.id == order.id]
    assert [(one.status, one.filled) for one in told] == [
        (OrderStatus.NEW, D(0)),
        (OrderStatus.PARTIALLY_FILLED, D(1)),
        (OrderStatus.FILLED, D(2)),
    ]


def test_book_changes_rebuild_the_book(desk):
    start = desk.exchange.depth("BTC/USDT", 100)
    desk.put("ann", "sell", "1", "100")
    desk.put("ben", "sell", "2", "100")
    desk.put("ben", "sell", "2", "102", iceberg_amount="0.5")
    desk.put("cid", "buy", "2.75", "102")
    desk.put("cid", "buy", "1", "99")
    sides = {Side.BUY: {}, Side.SELL: {}}
    expected = start.update_id
    for event in desk.events:
        if isinstance(event, BookChange):
            expected += 1
            assert event.update_id == expected
            sides[event.side][event.price] = event.amount
    shown = {side: {p: a for p, a in levels.items() if a} for side, levels in sides.items()}
    depth = desk.exchange.depth("BTC/USDT", 100)
    assert depth.update_id == expected
    assert {level.price: level.amount for level in depth.bids} == shown[Side.BUY]
    assert {level.price: level.amount for level in depth.asks} == shown[Side.SELL]


def test_an_aggregate_trade_is_one_taker_at_one_price(desk):
    for amount in ("1", "2"):
        desk.put("ann", "sell", amount, "100")
    desk.put("ann", "sell", "1", "101")
    desk.put("ben", "buy", "4", "101")
    prints = [event.trade for event in desk.events if isinstance(event, AggTradePrint)]
    trades = [event.trade for event in desk.events if isinstance(event, TradePrint)]
    assert [(one.price, one.amount) for one in prints] == [(D(100), D(3)), (D(101), D(1))]
    assert [(one.first_trade_id, one.last_trade_id) for one in prints] == [
        (trades[0].id, trades[1].id),
        (trades[2].id, trades[2].id),
    ]
    assert [one.id for one in prints] == [prints[0].id, prints[0].id + 1]
    assert desk.exchange.agg_trades("BTC/USDT") == prints
    assert desk.exchange.trades("BTC/USDT") == trades
    assert [one.buyer_is_maker for one in trades] == [False] * 3


def test_trade_prints_name_both_orders(desk):
    maker = desk.put("ann", "buy", "1", "100")
    taker = desk.put("ben", "sell", "1", "100")
    [event] = [event for event in desk.events if isinstance(event, TradePrint)]
    assert (event.buyer_order_id, event.seller_order_id, event.trade.buyer_is_maker) == (maker.id, taker.id, True)


def test_balance_changes_show_what_balances_show(desk):
    desk.put("ann", "sell", "1", "100")
    desk.put("ben", "buy", "1", "100")
    last = {event.account: event for event in desk.events if isinstance(event, BalanceChange)}
    for account, event in last.items():
        assert list(event.balances) == [desk.exchange.balances(account)[one.asset] for one in event.balances]
        assert {one.asset for one in event.balances} == {"BTC", "USDT"}


def test_a_subscriber_may_act_and_sees_its_events_after_those_waiting(desk):
    seen = []

    def act(event):
        seen.append(event)
        if isinstance(event, OrderEvent) and event.kind is EventKind.NEW and event.order.account == "ann":
            desk.put("ben", "buy", "1", "50")

    desk.exchange.subscribe(act)
    desk.put("ann", "buy", "1", "100")
    assert names(seen) == [
        *("ann new", "BookChange", "BalanceChange"),
        *("ben new", "BookChange", "BalanceChange"),
    ]


def test_a_subscription_ends(desk):
    seen = []
    end = desk.exchange.subscribe(seen.append)
    end()
    end()
    desk.put("ann", "buy", "1", "100")
    assert seen == []


def test_an_error_of_a_subscriber_is_the_callers_and_nothing_is_lost(desk):
    fail = [True]

    def act(event):
        if fail.pop() if fail else False:
            raise RuntimeError("mine")

    desk.exchange.subscribe(act)
    with pytest.raises(RuntimeError, match="mine"):
        desk.put("ann", "buy", "1", "100")
    desk.put("ben", "buy", "1", "100")
    assert names(desk.events) == ["ann new", *ENDING, "ben new", *ENDING]
