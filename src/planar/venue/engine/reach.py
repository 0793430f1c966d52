"""What an order would find in the book, without touching it."""

from __future__ import annotations

from typing import NamedTuple

from planar.venue.engine.enums import SelfTradeMode
from planar.venue.engine.orders import LiveOrder


class Reach(NamedTuple):
    """What would be traded: lots, and units of quote."""

    lots: int
    quote: int


def reach(order: LiveOrder) -> Reach:
    """What the order would trade if it were matched now, hidden amounts included.

    Mirrors `Matcher`: makers of the same account are skipped or end it, as the order's self-trade mode says.
    """
    value_of_lot = order.market.lot_value
    lots = quote = 0
    for level in order.market.book.opposite(order).best_first():
        if not order.accepts(level.price):
            break
        unit = level.price * value_of_lot
        for maker in level.orders.values():
            if maker.account is order.account and order.mode is not SelfTradeMode.NONE:
                if order.mode is SelfTradeMode.EXPIRE_MAKER:
                    continue
                return Reach(lots, quote)
            wanted = _wanted(order, unit, lots, quote)
            taken = min(wanted, maker.remaining)
            lots += taken
            quote += taken * unit
            if taken == wanted:
                return Reach(lots, quote)
    return Reach(lots, quote)


def _wanted(order: LiveOrder, unit: int, lots: int, quote: int) -> int:
    """Lots still wanted at a price after `lots` for `quote`."""
    if order.quote_wanted:
        return (order.quote_wanted - quote) // unit
    return order.lots - lots
