"""Trailing stops, order lists, scheduled orders and fee assets of the engine, case by case."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planar.venue.engine.enums import Contingency, EventKind, FeeAsset, ListChange, OrderKind, OrderStatus, Side
from planar.venue.engine.events import ListEvent, OrderEvent
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.types import NewOrder, NewOrderList, OrderRef, Trailing

D = Decimal
BTC = "BTC/USDT"
LOSS, LOSS_LIMIT = OrderKind.STOP_LOSS, OrderKind.STOP_LOSS_LIMIT
PROFIT, PROFIT_LIMIT = OrderKind.TAKE_PROFIT, OrderKind.TAKE_PROFIT_LIMIT


def trade_at(desk, *prices):
    for price in prices:
        desk.put("cid", "sell", "0.001", str(price))
        desk.put("ann", "buy", "0.001", str(price))


@pytest.mark.parametrize(
    ("kind", "side", "activation", "bps", "limit", "quiet", "trigger"),
    [
        (LOSS_LIMIT, "buy", "44000", 500, "45000", (37000, 44000, 45000, 46000, 42000), 44100),
        (LOSS_LIMIT, "sell", "39000", 1000, "38000", (41500, 39000, 37000, 41000), 36900),
        (PROFIT_LIMIT, "buy", "38000", 850, "38500", (42000, 38000, 37000, 39000, 38000), 40145),
        (PROFIT_LIMIT, "sell", "42000", 750, "41000", (41500, 39000, 42000, 45000, 44000, 46500), D("43012.5")),
        (LOSS_LIMIT, "sell", None, 700, "39000", (42000, 39500, 45500), 42315),
    ],
)
def test_the_scenarios_of_the_trailing_stop_faq(desk, kind, side, activation, bps, limit, quiet, trigger):
    """Binance, "Spot Trailing Stop order FAQ", scenarios A to E."""
    trade_at(desk, 40000)
    trailing = Trailing(fraction=bps * D("0.0001"))
    stop = {} if activation is None else {"stop_price": activation}
    order = desk.put("ben", side, "0.01", limit, kind=kind, trailing=trailing, **stop)
    trade_at(desk, *quiet)
    assert desk.get(order).triggered_ms is None
    assert desk.get(order).trigger_price == trigger
    trade_at(desk, trigger)
    assert desk.get(order).triggered_ms is not None


def test_a_stop_is_met_by_any_trade_on_the_way(desk):
    """The last of several trades of one order is not the only one that counts."""
    trade_at(desk, 100)
    rising = desk.put("ben", "buy", "0.001", kind=LOSS, stop_price="105")
    desk.put("ann", "buy", "0.001", "106")
    desk.put("ann", "buy", "0.001", "90")
    desk.put("cid", "sell", "0.002", "90")
    assert desk.exchange.last_price(BTC) == 90
    assert desk.get(rising).triggered_ms is not None


def test_a_triggered_market_buy_pays_its_commission_from_what_is_free(desk):
    trade_at(desk, 100)
    desk.exchange.set_balance("ben", "USDT", D(1000))
    order = desk.put("ben", "buy", "9", kind=LOSS, stop_price="110", fee_asset=FeeAsset.QUOTE)
    for price in ("110", "115", "118", "125"):
        desk.put("cid", "sell", "3", price)
    desk.put("ann", "buy", "1", "110")
    after = desk.get(order)
    assert after.status is OrderStatus.EXPIRED
    assert {fill.commission_asset for fill in desk.fills(order)} == {"USDT"}
    assert 0 <= desk.balance("ben", "USDT")[0] < D("0.01")
    assert desk.exchange.audit() == []


def leg(account, side, amount, kind, **fields):
    for name in ("price", "stop_price"):
        if name in fields:
            fields[name] = D(fields[name])
    return NewOrder(account=account, symbol=BTC, side=Side(side), kind=kind, amount=D(amount), **fields)


def sell_oco(stop="90", price="110"):
    return NewOrderList(
        contingency=Contingency.OCO,
        orders=(
            leg("ben", "sell", "1", LOSS, stop_price=stop),
            leg("ben", "sell", "1", OrderKind.LIMIT, price=price, post_only=True),
        ),
    )


def changes(desk):
    return [event.change for event in desk.events if isinstance(event, ListEvent)]


def test_the_first_fill_of_an_oco_ends_its_stop(desk):
    trade_at(desk, 100)
    found = desk.exchange.submit_list(sell_oco())
    assert desk.balance("ben", "BTC") == (D(99), D(1))
    desk.put("ann", "buy", "0.4", "110")
    stop, limit = desk.exchange.order_list("ben", list_id=found.id).orders
    assert (stop.status, limit.status) == (OrderStatus.EXPIRED, OrderStatus.PARTIALLY_FILLED)
    assert changes(desk) == [ListChange.STARTED]
    desk.put("ann", "buy", "0.6", "110")
    assert changes(desk) == [ListChange.STARTED, ListChange.DONE]
    assert desk.exchange.audit() == []


def test_an_oco_needs_its_prices_on_both_sides(desk):
    trade_at(desk, 100)
    for stop, price in (("101", "110"), ("90", "99")):
        with pytest.raises(EngineReject) as caught:
            desk.exchange.submit_list(sell_oco(stop, price))
        assert caught.value.reason is RejectReason.BAD_LIST_PRICES
    assert desk.exchange.open_orders("ben") == []


def test_a_buy_oco_locks_the_dearer_of_its_orders_once(desk):
    trade_at(desk, 100)
    stop = leg("ben", "buy", "1", LOSS_LIMIT, stop_price="110", price="120")
    limit = leg("ben", "buy", "1", OrderKind.LIMIT, price="90", post_only=True)
    desk.exchange.submit_list(NewOrderList(contingency=Contingency.OCO, orders=(stop, limit)))
    assert desk.balance("ben", "USDT")[1] == 120
    desk.put("cid", "sell", "0.5", "90")
    assert desk.balance("ben", "USDT")[1] == 45
    assert desk.exchange.audit() == []


def oto(pending):
    working = leg("ben", "buy", "1", OrderKind.LIMIT, price="90")
    return NewOrderList(contingency=Contingency.OTO, orders=(working, pending))


def test_a_pending_order_that_cannot_begin_is_rejected_with_the_reason(desk):
    trade_at(desk, 100)
    found = desk.exchange.submit_list(oto(leg("ben", "sell", "500", OrderKind.LIMIT, price="120")))
    desk.put("cid", "sell", "1", "90")
    working, pending = desk.exchange.order_list("ben", list_id=found.id).orders
    assert (working.status, pending.status) == (OrderStatus.FILLED, OrderStatus.REJECTED)
    assert pending.reject_reason == RejectReason.INSUFFICIENT_BALANCE
    assert changes(desk) == [ListChange.STARTED, ListChange.DONE]


def test_the_end_of_the_working_order_ends_the_pending_one(desk):
    trade_at(desk, 100)
    found = desk.exchange.submit_list(oto(leg("ben", "sell", "1", OrderKind.MARKET)))
    desk.put("cid", "sell", "0.5", "90")
    desk.exchange.cancel("ben", BTC, OrderRef(found.orders[0].id), request_id="mine")
    orders = desk.exchange.order_list("ben", list_id=found.id).orders
    assert [order.status for order in orders] == [OrderStatus.CANCELED, OrderStatus.CANCELED]
    told = [e for e in desk.events if isinstance(e, OrderEvent) and e.kind is EventKind.CANCELED]
    assert [event.request_id for event in told] == ["mine", "mine"]


def test_what_does_not_go_together_is_refused(desk):
    trade_at(desk, 100)
    market = leg("ben", "sell", "1", OrderKind.MARKET)
    stop = leg("ben", "sell", "1", LOSS, stop_price="90")
    for contingency, orders in (
        (Contingency.OCO, (stop, stop)),
        (Contingency.OCO, (stop, market)),
        (Contingency.OCO, (stop,)),
        (Contingency.OTO, (market, stop)),
        (Contingency.OTO, (leg("ann", "buy", "1", OrderKind.LIMIT, price="90"), stop)),
    ):
        with pytest.raises(EngineReject) as caught:
            desk.exchange.submit_list(NewOrderList(contingency=contingency, orders=orders))
        assert caught.value.reason is RejectReason.INVALID_COMBINATION
    for trailing in (Trailing(), Trailing(offset=D(0)), Trailing(offset=D("0.001")), Trailing(offset=D(100))):
        with pytest.raises(EngineReject) as caught:
            desk.put("ben", "sell", "1", kind=LOSS, trailing=trailing)
        assert caught.value.reason is RejectReason.INVALID_TRAILING
