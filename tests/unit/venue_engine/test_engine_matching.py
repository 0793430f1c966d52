"""Matching: priority, order kinds, times in force, as the Binance spot documentation has them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planar.venue.engine.enums import OrderKind, OrderStatus, TimeInForce
from planar.venue.engine.rejects import EngineReject, RejectReason

D = Decimal


def test_a_limit_order_without_a_match_rests_and_locks_what_it_could_cost(desk):
    order = desk.put("ann", "buy", "2", "100")
    assert (order.status, order.filled, order.working_ms) == (OrderStatus.NEW, D(0), desk.now)
    assert desk.book() == ([(D(100), D(2))], [])
    assert desk.balance("ann", "USDT") == (D(999_800), D(200))
    desk.cancel(order)
    assert desk.balance("ann", "USDT") == (D(1_000_000), D(0))
    assert desk.book() == ([], [])


def test_a_trade_happens_at_the_makers_price_and_fees_come_out_of_what_is_received(desk):
    maker = desk.put("ann", "sell", "1", "100")
    taker = desk.put("ben", "buy", "1.5", "110")
    assert (taker.status, taker.filled, taker.quote_filled) == (OrderStatus.PARTIALLY_FILLED, D(1), D(100))
    assert desk.get(maker).status is OrderStatus.FILLED
    assert desk.balance("ann", "USDT") == (D("1000099.9"), D(0))
    assert desk.balance("ann", "BTC") == (D(99), D(0))
    assert desk.balance("ben", "BTC") == (D("100.999"), D(0))
    assert desk.balance("ben", "USDT") == (D(1_000_000) - 100 - 55, D(55))
    assert desk.book() == ([(D(110), D("0.5"))], [])
    [sold], [bought] = desk.fills(maker), desk.fills(taker)
    assert sold.trade_id == bought.trade_id
    assert (sold.is_maker, sold.commission, sold.commission_asset) == (True, D("0.1"), "USDT")
    assert (bought.is_maker, bought.commission, bought.commission_asset) == (False, D("0.001"), "BTC")
    assert desk.exchange.ledger.balances("@fees") == {"USDT": D("0.1"), "BTC": D("0.001")}


def test_commission_is_rounded_half_up_to_eight_places(make_desk):
    desk = make_desk(taker_fee=D("0.0000023"), maker_fee=D(0))
    desk.put("ann", "buy", "0.49975", "35000")
    order = desk.put("ben", "sell", "0.49975")
    assert desk.fills(order)[0].commission == D("0.04022988")


def test_better_prices_trade_first_then_older_orders(desk):
    late = desk.put("ann", "sell", "1", "101")
    first = desk.put("ann", "sell", "1", "100")
    second = desk.put("ben", "sell", "1", "100")
    taker = desk.put("cid", "buy", "2.5", "105")
    assert [fill.price for fill in desk.fills(taker)] == [D(100), D(100), D(101)]
    assert [len(desk.fills(order)) for order in (first, second, late)] == [1, 1, 1]
    ids = [desk.fills(order)[0].trade_id for order in (first, second, late)]
    assert ids == sorted(ids)
    assert desk.get(late).remaining == D("0.5")


def test_trade_ids_rise_by_one_within_a_symbol(desk):
    for amount in ("1", "2", "3"):
        desk.put("ann", "sell", amount, "100")
        desk.put("ben", "buy", amount, "100")
    ids = [trade.id for trade in desk.exchange.trades("BTC/USDT")]
    assert ids == list(range(ids[0], ids[0] + 3))


class TestMarketOrders:
    def test_base_sized_takes_level_after_level(self, desk):
        desk.put("ann", "sell", "1", "100")
        desk.put("ann", "sell", "1", "102")
        order = desk.put("ben", "buy", "1.5")
        assert (order.status, order.quote_filled, order.price) == (OrderStatus.FILLED, D(151), None)

    def test_what_finds_no_liquidity_expires(self, desk):
        desk.put("ann", "sell", "1", "100")
        order = desk.put("ben", "buy", "6")
        assert (order.status, order.filled, order.amount) == (OrderStatus.EXPIRED, D(1), D(6))
        empty = desk.put("ben", "buy", "6")
        assert (empty.status, empty.filled) == (OrderStatus.EXPIRED, D(0))

    def test_it_is_refused_if_the_book_asks_more_than_is_free(self, desk):
        desk.put("ann", "sell", "20", "60000")
        with pytest.raises(EngineReject) as caught:
            desk.put("ben", "buy", "17")
        assert caught.value.reason is RejectReason.INSUFFICIENT_BALANCE
        assert desk.put("ben", "buy", "16").status is OrderStatus.FILLED

    def test_quote_sized_buy_fills_whole_lots_within_its_quote(self, desk):
        desk.put("ann", "sell", "1", "30000")
        order = desk.put("ben", "buy", quote_amount="1000")
        assert order.status is OrderStatus.FILLED
        assert order.filled == order.amount == D("0.03333")
        assert order.quote_filled == D("999.9")
        assert order.quote_amount == D(1000)

    def test_quote_sized_sell_receives_at_most_its_quote(self, desk):
        desk.put("ann", "buy", "1", "30000")
        order = desk.put("ben", "sell", quote_amount="1000")
        assert (order.status, order.filled) == (OrderStatus.FILLED, D("0.03333"))

    def test_quote_sized_over_levels_counts_what_is_left_at_each(self, desk):
        desk.put("ann", "sell", "0.01", "30000")
        desk.put("ann", "sell", "1", "40000")
        order = desk.put("ben", "buy", quote_amount="1000")
        assert order.filled == D("0.01") + D("0.0175")
        assert order.quote_filled == D(1000)

    def test_quote_sized_expires_when_the_book_ends_first(self, desk):
        desk.put("ann", "sell", "0.01", "30000")
        order = desk.put("ben", "buy", quote_amount="1000")
        assert (order.status, order.amount) == (OrderStatus.EXPIRED, D("0.01"))

    def test_quote_below_one_lot_expires_without_a_fill(self, desk):
        desk.put("ann", "sell", "1", "30000")
        order = desk.put("ben", "buy", quote_amount="0.2")
        assert (order.status, order.filled) == (OrderStatus.EXPIRED, D(0))

    def test_quote_sized_buy_needs_all_of_its_quote(self, desk):
        desk.put("ann", "sell", "1", "30000")
        with pytest.raises(EngineReject) as caught:
            desk.put("ben", "buy", quote_amount="1000001")
        assert caught.value.reason is RejectReason.INSUFFICIENT_BALANCE


class TestTimesInForce:
    def test_ioc_takes_what_is_there_and_expires_the_rest(self, desk):
        desk.put("ann", "sell", "1", "100")
        order = desk.put("ben", "buy", "3", "100", tif=TimeInForce.IOC)
        assert (order.status, order.filled) == (OrderStatus.EXPIRED, D(1))
        assert desk.balance("ben", "USDT")[1] == 0

    def test_fok_fills_whole_or_not_at_all(self, desk):
        desk.put("ann", "sell", "1", "100")
        desk.put("ann", "sell", "1", "101")
        refused = desk.put("ben", "buy", "2", "100", tif=TimeInForce.FOK)
        assert (refused.status, refused.filled) == (OrderStatus.EXPIRED, D(0))
        assert desk.put("ben", "buy", "2", "101", tif=TimeInForce.FOK).status is OrderStatus.FILLED

    def test_fok_sees_hidden_amounts(self, desk):
        desk.put("ann", "sell", "5", "100", iceberg_amount="1")
        assert desk.put("ben", "buy", "5", "100", tif=TimeInForce.FOK).status is OrderStatus.FILLED

    def test_fok_does_not_count_own_orders(self, desk):
        desk.put("ben", "sell", "1", "99")
        desk.put("ann", "sell", "1", "100")
        order = desk.put("ben", "buy", "2", "100", tif=TimeInForce.FOK)
        assert (order.status, order.filled) == (OrderStatus.EXPIRED, D(0))


class TestPostOnly:
    def test_it_is_refused_if_it_would_trade(self, desk):
        desk.put("ann", "sell", "1", "100")
        with pytest.raises(EngineReject) as caught:
            desk.put("ben", "buy", "1", "100", post_only=True)
        assert caught.value.reason is RejectReason.WOULD_TAKE
        assert desk.put("ben", "buy", "1", "99.99", post_only=True).status is OrderStatus.NEW


class TestIceberg:
    def test_only_a_part_is_shown_and_a_new_part_queues_last(self, desk):
        big = desk.put("ann", "sell", "5", "100", iceberg_amount="1")
        small = desk.put("ben", "sell", "1", "100")
        assert desk.book()[1] == [(D(100), D(2))]
        taker = desk.put("cid", "buy", "3", "100")
        owners = [fill.amount for fill in desk.fills(taker)]
        assert owners == [D(1), D(1), D(1)]
        assert desk.get(big).filled == D(2)
        assert desk.get(small).filled == D(1)
        assert desk.fills(small)[0].trade_id == desk.fills(big)[0].trade_id + 1
        assert desk.book()[1] == [(D(100), D(1))]

    def test_the_last_part_may_be_smaller(self, desk):
        order = desk.put("ann", "sell", "2.5", "100", iceberg_amount="1")
        desk.put("ben", "buy", "2", "100")
        assert desk.book()[1] == [(D(100), D("0.5"))]
        desk.put("ben", "buy", "1", "100", tif=TimeInForce.IOC)
        assert desk.get(order).status is OrderStatus.FILLED

    @pytest.mark.parametrize("shown", ["0.4", "6", "0.000001"])
    def test_too_many_parts_or_less_than_one_are_refused(self, desk, shown):
        with pytest.raises(EngineReject) as caught:
            desk.put("ann", "sell", "5", "100", iceberg_amount=shown)
        assert caught.value.reason is RejectReason.INVALID_ICEBERG


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"amount": "0.000001", "price": "100"}, RejectReason.INVALID_AMOUNT),
        ({"amount": "0", "price": "100"}, RejectReason.INVALID_AMOUNT),
        ({"amount": "-1", "price": "100"}, RejectReason.INVALID_AMOUNT),
        ({"amount": "NaN", "price": "100"}, RejectReason.INVALID_AMOUNT),
        ({"amount": "9001", "price": "100"}, RejectReason.INVALID_AMOUNT),
        ({"amount": "101"}, RejectReason.INVALID_AMOUNT),
        ({"quote_amount": "0.000000001"}, RejectReason.INVALID_AMOUNT),
        ({"amount": "1", "price": "100.001"}, RejectReason.INVALID_PRICE),
        ({"amount": "1", "price": "-100"}, RejectReason.INVALID_PRICE),
        ({"amount": "1", "price": "1000000.01"}, RejectReason.INVALID_PRICE),
        (
            {"amount": "1", "price": "1", "stop_price": "0.001", "kind": OrderKind.STOP_LOSS_LIMIT},
            RejectReason.INVALID_STOP_PRICE,
        ),
        ({"amount": "1", "price": "1", "kind": OrderKind.MARKET}, RejectReason.INVALID_COMBINATION),
        ({"amount": "1", "kind": OrderKind.LIMIT}, RejectReason.INVALID_COMBINATION),
        ({"amount": "1", "kind": OrderKind.STOP_LOSS}, RejectReason.INVALID_COMBINATION),
        ({"amount": "1", "price": "1", "stop_price": "2"}, RejectReason.INVALID_COMBINATION),
        ({"amount": "1", "quote_amount": "1"}, RejectReason.INVALID_COMBINATION),
        ({}, RejectReason.INVALID_COMBINATION),
        ({"quote_amount": "1", "price": "1"}, RejectReason.INVALID_COMBINATION),
        ({"amount": "1", "tif": TimeInForce.IOC}, RejectReason.INVALID_COMBINATION),
        ({"amount": "1", "price": "1", "tif": TimeInForce.IOC, "post_only": True}, RejectReason.INVALID_COMBINATION),
        (
            {"amount": "1", "price": "1", "tif": TimeInForce.FOK, "iceberg_amount": "1"},
            RejectReason.INVALID_COMBINATION,
        ),
        ({"amount": "1", "price": "1", "symbol": "NO/PE"}, RejectReason.UNKNOWN_SYMBOL),
        ({"amount": "10", "price": "100001"}, RejectReason.INSUFFICIENT_BALANCE),
    ],
)
def test_a_bad_order_is_refused_with_its_reason_and_changes_nothing(desk, fields, reason):
    with pytest.raises(EngineReject) as caught:
        desk.put("ann", "buy", **fields)
    assert caught.value.reason is reason
    with pytest.raises(EngineReject):
        desk.exchange.check(desk.new("ann", "buy", **fields))
    assert desk.exchange.orders("ann", "BTC/USDT") == []
    assert desk.balance("ann", "USDT") == (D(1_000_000), D(0))
    assert desk.events == []


def test_check_accepts_what_submit_accepts_and_changes_nothing(desk):
    desk.exchange.check(desk.new("ann", "buy", "1", "100"))
    assert desk.exchange.open_orders("ann") == []
    assert desk.events == []


def test_unknown_and_internal_accounts_are_refused(desk):
    for account in ("nobody", "@market", "@fees"):
        with pytest.raises(EngineReject) as caught:
            desk.put(account, "buy", "1", "100")
        assert caught.value.reason is RejectReason.UNKNOWN_ACCOUNT


def test_money_is_exact_whatever_the_decimal_context(desk):
    import decimal

    with decimal.localcontext() as context:
        context.prec = 3
        order = desk.put("ann", "sell", "1.23456", "60123.45")
        desk.put("ben", "buy", "1.23456", "60123.45")
    assert desk.get(order).quote_filled == D("74226.006432")
