"""Orders and fills as records: ids, client ids, queries, cancel, replace, amend."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planar.venue.engine.enums import EventKind, MarketStatus, OrderKind, OrderStatus
from planar.venue.engine.events import MarketStatusChange, OrderEvent
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.types import OrderRef

D = Decimal
BTC = "BTC/USDT"


def reason_of(call, *args, **kwargs):
    with pytest.raises(EngineReject) as caught:
        call(*args, **kwargs)
    return caught.value.reason


def test_a_client_id_is_unique_only_among_open_orders_and_names_the_newest(desk):
    first = desk.put("ann", "buy", "1", "100", client_id="x")
    assert reason_of(desk.put, "ann", "buy", "1", "100", client_id="x") is RejectReason.DUPLICATE_CLIENT_ID
    desk.put("ben", "buy", "1", "100", client_id="x")
    desk.put("ann", "buy", "1", "100", client_id="x", symbol="ETH/USDT")
    desk.cancel(first)
    second = desk.put("ann", "buy", "1", "101", client_id="x")
    assert desk.exchange.order("ann", BTC, OrderRef(client_id="x")).id == second.id
    assert desk.exchange.order("ann", BTC, OrderRef(order_id=first.id)).status is OrderStatus.CANCELED
    assert reason_of(desk.exchange.order, "ann", BTC, OrderRef(first.id, "y")) is RejectReason.UNKNOWN_ORDER
    assert desk.exchange.order("ann", BTC, OrderRef(first.id, "x")).id == first.id


def test_an_order_without_a_client_id_gets_one(desk):
    ids = {desk.put("ann", "buy", "1", "100").client_id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(client_id) == 22 and client_id.isalnum() for client_id in ids)


def test_orders_of_others_and_unknown_ones_are_not_found(desk):
    order = desk.put("ann", "buy", "1", "100")
    for account, ref in (("ben", OrderRef(order.id)), ("ann", OrderRef(order.id + 1)), ("ann", OrderRef())):
        assert reason_of(desk.exchange.order, account, BTC, ref) is RejectReason.UNKNOWN_ORDER
        assert reason_of(desk.exchange.cancel, account, BTC, ref) is RejectReason.UNKNOWN_ORDER


def test_an_ended_order_cannot_be_canceled_again(desk):
    order = desk.put("ann", "buy", "1", "100")
    desk.cancel(order)
    assert reason_of(desk.cancel, order) is RejectReason.UNKNOWN_ORDER


def test_cancel_tells_the_request_id(desk):
    order = desk.put("ann", "buy", "1", "100")
    desk.cancel(order, request_id="why")
    [event] = [e for e in desk.events if isinstance(e, OrderEvent) and e.kind is EventKind.CANCELED]
    assert event.request_id == "why"


def test_cancel_all_ends_the_accounts_orders_of_the_symbol_oldest_first(desk):
    orders = [desk.put("ann", "buy", "1", price) for price in ("100", "102", "101")]
    other = desk.put("ann", "buy", "1", "100", symbol="ETH/USDT")
    foreign = desk.put("ben", "buy", "1", "100")
    assert [order.id for order in desk.exchange.cancel_all("ann", BTC)] == [order.id for order in orders]
    assert desk.exchange.open_orders("ann") == [other]
    assert desk.exchange.open_orders("ben") == [foreign]
    assert desk.exchange.cancel_all("ann", BTC) == []


def test_open_orders_come_by_market_then_age(desk):
    eth = desk.put("ann", "buy", "1", "100", symbol="ETH/USDT")
    one, two = desk.put("ann", "buy", "1", "102"), desk.put("ann", "buy", "1", "100")
    assert desk.exchange.open_orders("ann") == [one, two, eth]
    assert desk.exchange.open_orders("ann", "ETH/USDT") == [eth]


def test_orders_are_selected_by_id_time_and_count(desk):
    orders = []
    for _ in range(6):
        desk.now += 10
        orders.append(desk.put("ann", "buy", "1", "100"))
    ids = [order.id for order in orders]

    def chosen(**selection):
        return [ids.index(order.id) for order in desk.exchange.orders("ann", BTC, **selection)]

    first, start = orders[0].created_ms, 10
    assert chosen() == [0, 1, 2, 3, 4, 5]
    assert chosen(limit=2) == [4, 5]
    assert chosen(from_id=ids[1], limit=2) == [1, 2]
    assert chosen(start_ms=first + start, limit=2) == [1, 2]
    assert chosen(start_ms=first + 1, end_ms=first + 20) == [1, 2]
    assert chosen(end_ms=first + 20, limit=2) == [1, 2]
    assert chosen(from_id=ids[-1] + 1) == []


def test_fills_are_selected_by_order_id_trade_id_and_time(desk):
    fills = []
    for _ in range(4):
        desk.now += 10
        desk.put("ben", "sell", "1", "100")
        fills.append(desk.fills(desk.put("ann", "buy", "1", "100"))[0])
    query = desk.exchange.fills
    assert query("ann", BTC) == fills
    assert query("ann", BTC, limit=1) == fills[3:]
    assert query("ann", BTC, from_id=fills[1].trade_id, limit=2) == fills[1:3]
    assert query("ann", BTC, start_ms=fills[2].ts_ms) == fills[2:]
    assert query("ann", BTC, end_ms=fills[0].ts_ms) == fills[:1]
    assert query("ann", BTC, order_id=fills[2].order_id) == [fills[2]]


def test_time_never_goes_back(desk):
    first = desk.put("ann", "buy", "1", "100")
    desk.now -= 1000
    assert desk.put("ann", "buy", "1", "100").created_ms == first.created_ms


class TestReplace:
    def test_both_halves(self, desk):
        old = desk.put("ann", "buy", "1", "100", client_id="x")
        new = desk.new("ann", "buy", "2", "101", client_id="x")
        result = desk.exchange.replace("ann", BTC, OrderRef(old.id), new, stop_on_failure=True)
        assert result.canceled is not None
        assert result.created is not None
        assert (result.canceled.status, result.created.status) == (OrderStatus.CANCELED, OrderStatus.NEW)

    def test_a_failed_cancel_stops_it_or_not(self, desk):
        new, ref = desk.new("ann", "buy", "2", "101"), OrderRef(12345)
        stopped = desk.exchange.replace("ann", BTC, ref, new, stop_on_failure=True)
        assert (stopped.created, stopped.create_reject) == (None, None)
        assert stopped.cancel_reject.reason is RejectReason.UNKNOWN_ORDER
        went_on = desk.exchange.replace("ann", BTC, ref, new, stop_on_failure=False)
        assert went_on.created is not None
        assert went_on.cancel_reject is not None

    def test_a_refused_new_order_does_not_bring_back_the_old(self, desk):
        old = desk.put("ann", "buy", "1", "100")
        new = desk.new("ann", "buy", "1", "100.001")
        result = desk.exchange.replace("ann", BTC, OrderRef(old.id), new, stop_on_failure=True)
        assert result.create_reject.reason is RejectReason.INVALID_PRICE
        assert desk.get(old).status is OrderStatus.CANCELED


class TestAmend:
    def amend(self, desk, order, amount, **more):
        return desk.exchange.amend_keep_priority(order.account, BTC, OrderRef(order.id), D(amount), **more)

    def test_a_smaller_amount_keeps_the_place_in_the_queue(self, desk):
        first = desk.put("ann", "sell", "5", "100", client_id="a")
        second = desk.put("ben", "sell", "5", "100")
        after = self.amend(desk, first, "2", client_id="b")
        assert (after.id, after.client_id, after.amount) == (first.id, "b", D(2))
        assert desk.balance("ann", "BTC") == (D(98), D(2))
        assert desk.book()[1] == [(D(100), D(7))]
        desk.put("cid", "buy", "3", "100")
        assert desk.get(first).status is OrderStatus.FILLED
        assert desk.get(second).filled == D(1)
        [event] = [e for e in desk.events if isinstance(e, OrderEvent) and e.kind is EventKind.REPLACED]
        assert (event.previous_client_id, event.order.client_id) == ("a", "b")
        assert reason_of(desk.exchange.order, "ann", BTC, OrderRef(client_id="a")) is RejectReason.UNKNOWN_ORDER

    @pytest.mark.parametrize("amount", ["1", "5", "6"])
    def test_only_between_filled_and_present(self, desk, amount):
        order = desk.put("ann", "sell", "5", "100")
        desk.put("ben", "buy", "1", "100")
        assert reason_of(self.amend, desk, order, amount) is RejectReason.AMEND_NOT_SMALLER

    def test_what_cannot_be_amended(self, desk):
        order = desk.put("ann", "sell", "5", "100", client_id="a")
        desk.put("ann", "sell", "5", "100", client_id="b")
        assert reason_of(self.amend, desk, order, "2", client_id="b") is RejectReason.DUPLICATE_CLIENT_ID
        assert reason_of(self.amend, desk, order, "2.000001") is RejectReason.INVALID_AMOUNT
        stop = desk.put("ann", "buy", "2", kind=OrderKind.STOP_LOSS, stop_price="200")
        assert reason_of(self.amend, desk, stop, "1") is RejectReason.INVALID_COMBINATION
        assert self.amend(desk, order, "2", client_id="a").client_id == "a"

    def test_an_iceberg_shows_less_only_when_less_is_left(self, desk):
        order = desk.put("ann", "sell", "5", "100", iceberg_amount="2")
        self.amend(desk, order, "3")
        assert desk.book()[1] == [(D(100), D(2))]
        self.amend(desk, order, "1")
        assert desk.book()[1] == [(D(100), D(1))]

    def test_a_waiting_stop_limit(self, desk):
        order = desk.put("ann", "buy", "4", "210", kind=OrderKind.STOP_LOSS_LIMIT, stop_price="200")
        self.amend(desk, order, "1")
        assert desk.balance("ann", "USDT") == (D(999_790), D(210))


def test_a_halted_market_takes_no_orders_but_cancels(desk):
    order = desk.put("ann", "buy", "1", "100")
    desk.exchange.set_status(BTC, MarketStatus.HALTED)
    assert reason_of(desk.put, "ann", "buy", "1", "100") is RejectReason.MARKET_HALTED
    assert desk.cancel(order).status is OrderStatus.CANCELED
    desk.exchange.set_status(BTC, MarketStatus.TRADING)
    assert desk.exchange.status(BTC) is MarketStatus.TRADING
    assert [e.status for e in desk.events if isinstance(e, MarketStatusChange)] == [
        MarketStatus.HALTED,
        MarketStatus.TRADING,
    ]


def test_only_so_many_orders_may_be_open(make_desk):
    desk = make_desk(max_open_orders=3)
    for _ in range(3):
        desk.put("ann", "buy", "1", "100")
    assert reason_of(desk.put, "ann", "buy", "1", "100") is RejectReason.TOO_MANY_OPEN_ORDERS
