"""Whether an order can begin now: what the present market and the account's free funds say."""

from __future__ import annotations

from planar.venue.engine.enums import OrderKind
from planar.venue.engine.orders import LIMIT_KINDS, LiveOrder
from planar.venue.engine.reach import reach
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.stops import is_due, waits_for_rise
from planar.venue.engine.units import to_decimal


def check_market(order: LiveOrder) -> None:
    """Conditions that the present market decides. Raises EngineReject."""
    market = order.market
    if order.stop and market.last is not None and is_due(order, market.last):
        raise EngineReject(RejectReason.WOULD_TRIGGER, "the last trade price already meets stop_price")
    if order.trail is not None:
        _check_trail(order)
    if order.post_only:
        best = market.book.opposite(order).best()
        if best is not None and order.accepts(best.price):
            raise EngineReject(RejectReason.WOULD_TAKE, "a post-only order would trade at once")


def _check_trail(order: LiveOrder) -> None:
    """From where a trailing stop will follow: its stop price or the last price. Notes what funds to lock for it."""
    trail, start = order.trail, order.stop or order.market.last
    if trail is None:
        return
    if start is None:
        raise EngineReject(RejectReason.INVALID_TRAILING, "trailing: there is no last trade price to follow")
    trigger = trail.trigger_from(start)
    if trigger <= 0:
        raise EngineReject(RejectReason.INVALID_TRAILING, "trailing: the distance reaches below a price of zero")
    trail.hold = trail.limit(trigger) if order.kind in LIMIT_KINDS else trigger


def check_pair(one: LiveOrder, other: LiveOrder) -> None:
    """Whether two orders of which one ends the other have their prices on the right sides of the last one.

    A stop-loss sell lies below it and its partner above, a stop-loss buy the other way round. A trailing stop without a
    stop price lies wherever the price goes. Raises EngineReject BAD_LIST_PRICES.
    """
    last = one.market.last
    if last is None:
        return
    for order in (one, other):
        level = order.price if order.kind is OrderKind.LIMIT else order.stop
        above = waits_for_rise(order) if order.is_stop else not order.is_buy
        if level and not (level > last if above else level < last):
            message = f"the price {level} is not {'above' if above else 'below'} the last trade price {last} (in ticks)"
            raise EngineReject(RejectReason.BAD_LIST_PRICES, message)


def check_funds(order: LiveOrder) -> None:
    """An order needs what it could cost at its limit or stop price; a market order what the present book asks.

    A quote-sized buy needs the whole of its quote amount (Binance: refused if it could not be filled completely).
    Where commission comes on top, a market order gets what is free as its budget. Raises EngineReject.
    """
    free = order.account.free(order.pays)
    if order.price or order.is_stop:
        needed = order.expected_hold()
    else:
        needed = order.with_fee(_market_need(order))
        order.budget = free if order.hold_rate else None
    if needed > free:
        message = f"the order needs {to_decimal(needed):f} {order.pays}, {to_decimal(free):f} are free"
        raise EngineReject(RejectReason.INSUFFICIENT_BALANCE, message)


def _market_need(order: LiveOrder) -> int:
    if order.is_buy:
        return order.quote_wanted or reach(order).quote
    return (order.lots or reach(order).lots) * order.market.lot_units
