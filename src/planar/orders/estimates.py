"""What an order would trade at: a limit order at its price, a market order by walking the book."""

from __future__ import annotations

import msgspec

from planar.adapters.base import OrderRequest
from planar.models import Amount, Market, OrderBook
from planar.models.sizing import value_of


class Estimate(msgspec.Struct, frozen=True):
    """None: it cannot be told.

    Attributes:
        value: in quote currency, before fees.
        amount: in base currency.
        average: price of all of it.
        worst: price of its last part.
        exact: it is no more than what the order itself says; False where the book was walked.
        note: how it was found, or why not; "" where nothing is to be said.
    """

    value: Amount | None = None
    amount: Amount | None = None
    average: Amount | None = None
    worst: Amount | None = None
    exact: bool = True
    note: str = ""


def estimate(request: OrderRequest, market: Market, book: OrderBook | None) -> Estimate:
    """What an order would trade at.

    Args:
        book: the market's book now; None where there is none, which only market orders need.
    """
    if request.amount is not None and request.price is not None:
        value = value_of(market, request.amount, request.price)
        return Estimate(value, request.amount, request.price, request.price)
    if request.stop_price is not None:
        return _at_trigger(request, request.stop_price, market)
    if book is None:
        return Estimate(value=request.cost, note="there is no book to walk")
    return _walked(request, market, book)


def _at_trigger(request: OrderRequest, price: Amount, market: Market) -> Estimate:
    note = "valued at its trigger price; it will trade at the market's"
    if request.cost is not None:
        return Estimate(request.cost, Amount(request.cost / price), price, None, exact=False, note=note)
    if request.amount is None:
        return Estimate(note=note)
    return Estimate(value_of(market, request.amount, price), request.amount, price, None, exact=False, note=note)


def _walked(request: OrderRequest, market: Market, book: OrderBook) -> Estimate:
    """A market order takes level by level what stands against it."""
    levels = book.asks if request.side == "buy" else book.bids
    amount, value, worst = Amount(0), Amount(0), None
    for price, size in levels:
        level, part = Amount(price), Amount(size)
        if request.amount is not None:
            part = min(part, Amount(request.amount - amount))
        elif request.cost is not None:
            affordable = Amount((request.cost - value) / value_of(market, Amount(1), level))
            part = min(part, affordable)
        amount, value, worst = Amount(amount + part), Amount(value + value_of(market, part, level)), level
        if (request.amount is not None and amount >= request.amount) or (
            request.cost is not None and value >= request.cost * (1 - Amount("1e-12"))
        ):
            average = Amount(value / amount) if market.type == "spot" else None
            exact_value = value if request.cost is None else request.cost
            return Estimate(exact_value, amount, average, worst, exact=False, note="estimated from the book now")
    shown = f"{amount} {market.base}" if levels else "nothing"
    return Estimate(
        value=request.cost, exact=False, note=f"the book shows only {shown} of it within {len(levels)} levels"
    )
