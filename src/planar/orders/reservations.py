"""What orders of the journal may still take from the balances: pure functions over what is known of them.

They stand on the facts of `planar.orders.machine`; the funds check and the portfolio use them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from planar.adapters.base import OrderRequest
from planar.models import FINAL_STATES, Amount, Market
from planar.models.sizing import value_of
from planar.orders.events import Intent
from planar.orders.machine import Facts, state_of

ZERO = Amount(0)
BORROWING = ("marginMode", "sideEffectType", "isIsolated", "leverage")
"""Parameters of orders that are not paid with what the account holds alone."""


def need(wish: Intent | OrderRequest, market: Market, filled: Amount = ZERO) -> tuple[str, Amount] | None:
    """The currency that an order binds and at least how much of it, fees left out.

    Args:
        filled: part of it that has traded already, in base currency.

    Returns:
        None where it cannot be told: no spot market, a market buy by amount, or a stop order, which some venues take
        without the funds for it; and where the order may borrow.
    """
    if market.type != "spot" or wish.waits or any(name in wish.params for name in BORROWING):
        return None
    if wish.member is not None and wish.member.contingency == "bracket" and wish.member.role != "entry":
        return None  # it sells what its entry buys, or the reverse
    left = None if wish.amount is None else max(ZERO, Amount(wish.amount - filled))
    if wish.side == "sell":
        return None if left is None else (market.base, left)
    if wish.cost is not None:
        return market.quote, wish.cost
    if left is None or wish.price is None or wish.type != "limit":
        return None
    return market.quote, value_of(market, left, wish.price)


def most_needed(facts: Facts, market: Market) -> tuple[str, Amount] | None:
    """What an order may bind: as its terms are now, or as a change would make it of which nobody knows yet."""
    found = [need(wish, market, facts.filled) for wish in facts.wishes]
    return max((one for one in found if one is not None), key=lambda one: one[1], default=None)


def more_needed(facts: Facts, market: Market) -> tuple[str, Amount] | None:
    """How much more than now an order would bind after a change of which nobody knows yet."""
    if not facts.unsettled:
        return None
    now, then = need(facts.wishes[0], market, facts.filled), most_needed(facts, market)
    if now is None or then is None or then[1] <= now[1]:
        return None
    return then[0], Amount(then[1] - now[1])


def reserved(
    known: Iterable[Facts], market_of: Callable[[str], Market | None], *, fees_on_top: bool
) -> dict[str, Amount]:
    """What these orders may need, by currency, ended ones left out.

    Args:
        market_of: the market of a symbol; orders of markets that it does not know are left out.
        fees_on_top: the venue takes the fee of a buy in quote currency, above its cost; the market's dearer fee counts.
    """
    sums: dict[str, Amount] = {}
    for facts in known:
        intent = facts.intent
        market = None if intent is None else market_of(intent.symbol)
        if intent is None or market is None or state_of(facts) in FINAL_STATES:
            continue
        found = most_needed(facts, market)
        if found is None:
            continue
        currency, amount = found
        if fees_on_top and intent.side == "buy":
            amount = Amount(amount * (1 + max(market.taker or ZERO, market.maker or ZERO)))
        sums[currency] = Amount(sums.get(currency, ZERO) + amount)
    return dict(sorted(sums.items()))
