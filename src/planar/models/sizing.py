"""Amounts and prices that a market takes: from a cost to an amount, and from a wish to the nearest valid order."""

from __future__ import annotations

from planar.errors import InvalidOrder, Outcome
from planar.models.amount import Amount
from planar.models.market import Market, MinMax, Suggestion
from planar.models.steps import Direction, rounded

ONE = Amount(1)


def value_of(market: Market, amount: Amount, price: Amount) -> Amount:
    """What `amount` is worth at `price`: in quote currency, on an inverse derivative in contracts' own currency."""
    size = market.contract_size or ONE
    if market.inverse:
        return amount * size
    return amount * price * (size if market.contract else ONE)


def amount_for(market: Market, cost: Amount, price: Amount) -> Amount:
    """See `Market.amount_for`."""
    for name, value in (("cost", cost), ("price", price)):
        if value <= 0:
            raise _invalid(f"{name} is {value}", "it must be more than 0")
    amount = rounded(cost / value_of(market, ONE, price), market.precision.amount, market.precision.mode, "down")
    least = least_amount(market, price)
    for what, most, wanted, unit in (
        ("an amount of ", market.limits.amount.max, amount, market.base),
        ("", market.limits.cost.max, value_of(market, amount, price), market.quote),
    ):
        if most and wanted > most:
            raise _invalid(
                f"{cost} {market.quote} at a price of {price} is more than one order of {market.symbol} may be",
                f"{what}{most} {unit} at most; split it",
            )
    if amount <= 0 or amount < least:
        needed = value_of(market, least, price) if least > 0 else value_of(market, _smallest(market), price)
        raise _invalid(
            f"{cost} {market.quote} at a price of {price} is less than {market.symbol} takes",
            f"at least {needed} {market.quote}",
        )
    return amount


def least_amount(market: Market, price: Amount | None) -> Amount:
    """The least amount that the market takes at `price`: by its own bound, and by the least notional. 0: no bound."""
    least = market.limits.amount.min or Amount(0)
    notional = market.limits.cost.min
    if notional and price:
        least = max(least, notional / value_of(market, ONE, price))
    return rounded(least, market.precision.amount, market.precision.mode, "up") if least else least


def suggest(market: Market, amount: Amount, price: Amount | None) -> Suggestion:
    """See `Market.suggest`."""
    changes: list[str] = []
    if price is not None:
        price = _into("price", price, market.limits.price, market.precision.price, market, changes)
    wished = amount
    amount = _into("amount", amount, market.limits.amount, market.precision.amount, market, changes)
    least = least_amount(market, price)
    if amount < least:
        amount = least
        changes.append(f"amount {wished} -> {amount}: the least notional is {market.limits.cost.min} {market.quote}")
    most = market.limits.cost.max
    if price and most and value_of(market, amount, price) > most:
        amount = _step(most / value_of(market, ONE, price), market.precision.amount, market, "down")
        changes.append(f"amount {wished} -> {amount}: the most notional is {most} {market.quote}")
    return Suggestion(amount, price, tuple(changes))


def _into(name: str, value: Amount, bounds: MinMax, step: Amount | None, market: Market, changes: list[str]) -> Amount:
    """`value` on the steps and within the bounds; says what it changed."""
    near = _step(value, step, market, "nearest")
    if near != value:
        changes.append(f"{name} {value} -> {near}: the step is {step}")
    if near <= 0 and not bounds.min:
        near = step or ONE
        changes.append(f"{name} {value} -> {near}: it must be more than 0")
    if bounds.min and near < bounds.min:
        near = _step(bounds.min, step, market, "up")
        changes.append(f"{name} {value} -> {near}: the least is {bounds.min}")
    if bounds.max and near > bounds.max:
        near = _step(bounds.max, step, market, "down")
        changes.append(f"{name} {value} -> {near}: the most is {bounds.max}")
    return near


def _step(value: Amount, step: Amount | None, market: Market, to: Direction) -> Amount:
    return rounded(value, step, market.precision.mode, to)


def _smallest(market: Market) -> Amount:
    step = market.precision.amount
    return step if step and market.precision.mode == "tick_size" else Amount(0)


def _invalid(message: str, hint: str) -> InvalidOrder:
    return InvalidOrder(message, outcome=Outcome.NOT_SENT, hint=hint)
