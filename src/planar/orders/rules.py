"""What a market demands of an order, checked before anything is journaled. Nothing is rounded silently.

The rules are the market's own (`planar.models.Market`): tick size, lot size, least and most amount, price and notional.
Each refusal names the rule, the value and the nearest valid one.

Rules that the exchange applies to a price of its own making (price bands, the notional of a market order) are applied
here to the market's last known price, if there is a fresh one, and only where the difference between both cannot matter
(`SLACK`); what lies between is for the exchange to decide.
"""

from __future__ import annotations

from planar.adapters.base import OrderRequest
from planar.adapters.kinds import KindTable
from planar.errors import ArgumentsRequired, InvalidOrder, MarketClosed, Outcome
from planar.models import Amount, Market, PriceBand
from planar.models.market import MinMax
from planar.models.sizing import least_amount, value_of
from planar.models.steps import fits, rounded
from planar.orders.kind_rules import check_kinds, check_trigger

SIDES = ("buy", "sell")
TYPES = ("limit", "market")
SLACK = Amount("0.1")
"""How far the exchange's own reference price may be from the last price, as a fraction of it."""


def check_order(
    request: OrderRequest,
    market: Market,
    exchange: str,
    kinds: KindTable,
    *,
    band: PriceBand | None = None,
    last_price: Amount | None = None,
) -> None:
    """Refuse an order that the market's rules would not take.

    Args:
        kinds: what of them the market takes.
        band: how far from the market its prices may be.
        last_price: what the market trades at now; None if nothing fresh is known.

    Raises:
        InvalidOrder, ArgumentsRequired, MarketClosed, NotSupported: all NOT_SENT.
    """
    _check_words(request, exchange)
    if market.active is False:
        raise MarketClosed(f"{market.symbol} is not active", outcome=Outcome.NOT_SENT, exchange=exchange)
    if request.type == "limit" and request.price is None:
        raise ArgumentsRequired("a limit order needs a price", exchange=exchange, hint="price=...")
    if request.type == "market" and request.price is not None:
        raise _invalid("a market order has no price", exchange, "leave price out, or use a limit order")
    if (request.amount is None) == (request.cost is None):
        raise ArgumentsRequired("give either amount or cost", exchange=exchange)
    check_kinds(request, market, exchange, kinds)
    _check_numbers(request, market, exchange)
    if last_price is not None:
        check_trigger(request, last_price, exchange, kinds)
        _check_market_notional(request, last_price, market, exchange)
        if band is not None:
            _check_band(request, band, last_price, market, exchange)


def _check_words(request: OrderRequest, exchange: str) -> None:
    for name, value, allowed in (("side", request.side, SIDES), ("type", request.type, TYPES)):
        if value not in allowed:
            raise _invalid(f"{name} is {value!r}", exchange, f"one of {', '.join(allowed)}")


def _check_numbers(request: OrderRequest, market: Market, exchange: str) -> None:
    limits, precision = market.limits, market.precision
    for name, value, step, bounds in (
        ("amount", request.amount, precision.amount, limits.amount),
        ("price", request.price, precision.price, limits.price),
        ("stop_price", request.stop_price, precision.price, limits.price),
        ("cost", request.cost, precision.cost or precision.price, limits.cost),
        ("trailing_amount", request.trailing_amount, precision.price, MinMax()),
    ):
        if value is None:
            continue
        if value <= 0:
            raise _invalid(f"{name} is {value}", exchange, "it must be more than 0")
        if not fits(value, step, precision.mode):
            raise _off_step(name, value, step or value, market, exchange)
        if bounds.min and value < bounds.min:
            raise _invalid(f"{name} {value} is below the least of {market.symbol}", exchange, f"at least {bounds.min}")
        if bounds.max and value > bounds.max:
            raise _invalid(f"{name} {value} is above the most of {market.symbol}", exchange, f"at most {bounds.max}")
    if request.amount is not None and request.type == "market":
        _check_market_bounds(request.amount, market, exchange)
    if request.amount is not None and request.price is not None:
        _check_notional(request.amount, request.price, market, exchange)


def _check_market_bounds(amount: Amount, market: Market, exchange: str) -> None:
    """The bounds that market orders have beside those of all orders."""
    bounds = market.limits.market
    if bounds.min and amount < bounds.min:
        raise _invalid(
            f"amount {amount} is below the least of a market order of {market.symbol}",
            exchange,
            f"at least {bounds.min}",
        )
    if bounds.max and amount > bounds.max:
        raise _invalid(
            f"amount {amount} is above the most of a market order of {market.symbol}",
            exchange,
            f"at most {bounds.max}; split it, or use a limit order",
        )


def _check_notional(amount: Amount, price: Amount, market: Market, exchange: str) -> None:
    least, most = market.limits.cost.min, market.limits.cost.max
    notional = value_of(market, amount, price)
    if least and notional < least:
        raise _invalid(
            f"amount x price = {notional} is below the least notional of {market.symbol}",
            exchange,
            f"at least {least} {market.quote}, that is an amount of {least_amount(market, price)}",
        )
    if most and notional > most:
        raise _invalid(
            f"amount x price = {notional} is above the most notional of {market.symbol}",
            exchange,
            f"at most {most} {market.quote}",
        )


def _check_market_notional(request: OrderRequest, last_price: Amount, market: Market, exchange: str) -> None:
    """A market order that is far too small at the last price."""
    least = market.limits.cost.min
    if request.type != "market" or request.waits or request.amount is None or not least:
        return
    notional = value_of(market, request.amount, last_price)
    if notional < least * (1 - SLACK):
        raise _invalid(
            f"amount x last price = {notional} is below the least notional of {market.symbol}",
            exchange,
            f"at least {least} {market.quote}, that is an amount of {least_amount(market, last_price)}",
        )


def _check_band(request: OrderRequest, band: PriceBand, last_price: Amount, market: Market, exchange: str) -> None:
    """A limit price that is too far from the market."""
    bounds, price = band.of(request.side), request.price
    if price is None:
        return
    if bounds.max and price > last_price * bounds.max * (1 + SLACK):
        most = rounded(last_price * bounds.max, market.precision.price, market.precision.mode, "down")
        raise _invalid(
            f"price {price} is above the price band of {market.symbol}, {bounds.max} times the market's price",
            exchange,
            f"about {most} at most while the last price is {last_price}",
        )
    if bounds.min and price < last_price * bounds.min * (1 - SLACK):
        least = rounded(last_price * bounds.min, market.precision.price, market.precision.mode, "up")
        raise _invalid(
            f"price {price} is below the price band of {market.symbol}, {bounds.min} times the market's price",
            exchange,
            f"about {least} at least while the last price is {last_price}",
        )


def _off_step(name: str, value: Amount, step: Amount, market: Market, exchange: str) -> InvalidOrder:
    near = rounded(value, step, market.precision.mode)
    if market.precision.mode == "significant_digits":
        return _invalid(
            f"{name} {value} has more than the {step} significant digits of {market.symbol}",
            exchange,
            f"the nearest is {near}",
        )
    rule = "lot size" if name == "amount" else "tick size"
    return _invalid(
        f"{name} {value} is no multiple of the {rule} {step} of {market.symbol}",
        exchange,
        f"the nearest is {near if near > 0 else step}",
    )


def _invalid(message: str, exchange: str, hint: str) -> InvalidOrder:
    return InvalidOrder(message, outcome=Outcome.NOT_SENT, exchange=exchange, hint=hint)
