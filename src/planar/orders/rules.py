"""What a market demands of an order, checked before anything is journaled. Nothing is rounded silently.

The rules are the market's own (`planar.models.Market`): tick size, lot size, least and most amount, price and notional.
Each refusal names the rule, the value and the nearest valid one.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN

from planar.adapters.base import OrderRequest
from planar.errors import ArgumentsRequired, InvalidOrder, MarketClosed, NotSupported, Outcome
from planar.models import Amount, Market

SIDES = ("buy", "sell")
TYPES = ("limit", "market")


def check_order(request: OrderRequest, market: Market, exchange: str, times_in_force: Sequence[str]) -> None:
    """Refuse an order that the market's rules would not take.

    Args:
        times_in_force: those that the exchange has.

    Raises:
        InvalidOrder, ArgumentsRequired, MarketClosed, NotSupported: all NOT_SENT.
    """
    _check_words(request, exchange, times_in_force)
    if market.active is False:
        raise MarketClosed(f"{market.symbol} is not active", outcome=Outcome.NOT_SENT, exchange=exchange)
    if request.type == "limit" and request.price is None:
        raise ArgumentsRequired("a limit order needs a price", exchange=exchange, hint="price=...")
    if request.type == "market" and request.price is not None:
        raise _invalid("a market order has no price", exchange, "leave price out, or use a limit order")
    if (request.amount is None) == (request.cost is None):
        raise ArgumentsRequired("give either amount or cost", exchange=exchange)
    if request.cost is not None and request.type != "market":
        raise _invalid("only market orders are sized by cost", exchange, "give an amount")
    if request.post_only and (request.type != "limit" or request.time_in_force not in (None, "GTC")):
        raise _invalid("post_only needs a limit order that may rest", exchange, "leave time_in_force out")
    _check_numbers(request, market, exchange)


def _check_words(request: OrderRequest, exchange: str, times_in_force: Sequence[str]) -> None:
    for name, value, allowed in (("side", request.side, SIDES), ("type", request.type, TYPES)):
        if value not in allowed:
            raise _invalid(f"{name} is {value!r}", exchange, f"one of {', '.join(allowed)}")
    if request.time_in_force is not None and request.time_in_force not in times_in_force:
        raise NotSupported(
            f"time_in_force is {request.time_in_force!r}", exchange=exchange, hint=f"one of {', '.join(times_in_force)}"
        )


def _check_numbers(request: OrderRequest, market: Market, exchange: str) -> None:
    limits, precision = market.limits, market.precision
    for name, value, step, bounds in (
        ("amount", request.amount, precision.amount, limits.amount),
        ("price", request.price, precision.price, limits.price),
        ("stop_price", request.stop_price, precision.price, limits.price),
        ("cost", request.cost, precision.price, limits.cost),
    ):
        if value is None:
            continue
        if value <= 0:
            raise _invalid(f"{name} is {value}", exchange, "it must be more than 0")
        if precision.mode == "tick_size" and step:
            _check_step(name, value, step, market.symbol, exchange)
        if bounds.min and value < bounds.min:
            raise _invalid(f"{name} {value} is below the least of {market.symbol}", exchange, f"at least {bounds.min}")
        if bounds.max and value > bounds.max:
            raise _invalid(f"{name} {value} is above the most of {market.symbol}", exchange, f"at most {bounds.max}")
    if request.amount is not None and request.price is not None:
        _check_notional(Amount(request.amount * request.price), request.price, market, exchange)


def _check_notional(notional: Amount, price: Amount, market: Market, exchange: str) -> None:
    least, most = market.limits.cost.min, market.limits.cost.max
    if least and notional < least:
        amount = _up(Amount(least / price), market.precision.amount)
        raise _invalid(
            f"amount x price = {notional} is below the least notional of {market.symbol}",
            exchange,
            f"at least {least} {market.quote}, that is an amount of {amount}",
        )
    if most and notional > most:
        raise _invalid(
            f"amount x price = {notional} is above the most notional of {market.symbol}",
            exchange,
            f"at most {most} {market.quote}",
        )


def _check_step(name: str, value: Amount, step: Amount, symbol: str, exchange: str) -> None:
    if value % step == 0:
        return
    rule = "lot size" if name == "amount" else "tick size"
    nearest = Amount((value / step).quantize(Amount(1), rounding=ROUND_HALF_EVEN) * step)
    raise _invalid(
        f"{name} {value} is no multiple of the {rule} {step} of {symbol}",
        exchange,
        f"the nearest is {nearest if nearest > 0 else step}",
    )


def _up(value: Amount, step: Amount | None) -> Amount:
    if not step:
        return value
    floor = Amount((value / step).quantize(Amount(1), rounding=ROUND_FLOOR) * step)
    return floor if floor == value else Amount(floor + step)


def _invalid(message: str, exchange: str, hint: str) -> InvalidOrder:
    return InvalidOrder(message, outcome=Outcome.NOT_SENT, exchange=exchange, hint=hint)
