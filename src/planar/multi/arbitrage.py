"""Cross-exchange arbitrage: what could be bought on one exchange and sold on another at this instant, for how much.

Pure: offers in, opportunities out. `scanner` feeds it with live books. Nothing here trades.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from planar.models import Amount
from planar.models.steps import rounded
from planar.multi.sides import ZERO, Offer, Walk


class Opportunity(msgspec.Struct, frozen=True, kw_only=True):
    """Two orders that together would have earned `profit`, by the books of this instant.

    Attributes:
        symbol: the market on both.
        buy, sell: ids of the exchanges.
        buy_amount: of the order that buys, in base currency.
        sell_amount: of the order that sells: what arrives of the other, on the steps there. What is left over is dust, and
            counted as worth nothing.
        buy_price, sell_price: averages without fees.
        buy_limit, sell_limit: the worst levels that are needed: prices for limit orders.
        cost: what is paid, fee included, in quote currency.
        proceeds: what arrives, fee deducted, in quote currency.
        fees: both, in quote currency.
        profit: `proceeds - cost`.
        profit_pct: in percent of the cost.
        age_ms: of the older book.
        skew_ms: between the ages of both books.
        bounded_by: what kept it from being larger: "books", "balance" or "steps".
        seen_ms: UTC milliseconds.
    """

    symbol: str
    buy: str
    sell: str
    buy_amount: Amount
    sell_amount: Amount
    buy_price: Amount
    sell_price: Amount
    buy_limit: Amount
    sell_limit: Amount
    cost: Amount
    proceeds: Amount
    fees: Amount
    profit: Amount
    profit_pct: Amount
    age_ms: float
    skew_ms: float
    bounded_by: str
    seen_ms: int

    def same_as(self, other: Opportunity | None) -> bool:
        """Whether nothing but ages and time differs."""
        fields = ("buy_amount", "sell_amount", "cost", "proceeds")
        return other is not None and all(getattr(self, name) == getattr(other, name) for name in fields)


def between(symbol: str, bought: Offer, sold: Offer, seen_ms: int) -> Opportunity | None:
    """The best that buying at `bought` and selling at `sold` carries; None if it earns nothing.

    Levels are taken while a unit still earns after both fees; the orders lie on the steps and above the minimums of their
    markets; the profit is computed anew from the orders as they would be sent.
    """
    kept = bought.received(Amount(1))
    wanted = min(_crossing(bought, sold), sold.depth / kept)
    if wanted <= 0:
        return None
    # a coarse step or a minimum may cut off all of it, while the next size that is allowed still earns in sum
    least = rounded(max(bought.least, sold.least / kept), bought.step, to="up")
    sizes = [_sizes(bought, sold, size) for size in (wanted, wanted + (bought.step or ZERO), least)]
    earning = [found for found in sizes if found is not None]
    if not earning:
        return None
    buy_amount, sell_amount, paid, got = max(earning, key=lambda one: one[3].total - one[2].total)
    profit = got.total - paid.total
    if paid.worst is None or got.worst is None:
        return None
    limited = [one for one in (bought, sold) if one.most is not None and one.depth == one.most]
    short = any(buy_amount + (one.step or ZERO) > one.depth for one in limited)
    return Opportunity(
        symbol=symbol,
        buy=bought.exchange,
        sell=sold.exchange,
        buy_amount=buy_amount,
        sell_amount=sell_amount,
        buy_price=paid.value / buy_amount,
        sell_price=got.value / sell_amount,
        buy_limit=paid.worst,
        sell_limit=got.worst,
        cost=paid.total,
        proceeds=got.total,
        fees=paid.fee + got.fee,
        profit=profit,
        profit_pct=profit / paid.total * 100,
        age_ms=max(bought.age_ms, sold.age_ms),
        skew_ms=abs(bought.age_ms - sold.age_ms),
        bounded_by="balance" if short else "books",
        seen_ms=seen_ms,
    )


def _sizes(bought: Offer, sold: Offer, wanted: Amount) -> tuple[Amount, Amount, Walk, Walk] | None:
    """What to buy, up to `wanted`, and to sell of it, with what each trades at; None if it earns nothing."""
    buy_amount = bought.fitting(wanted)
    sell_amount = sold.fitting(bought.received(buy_amount))
    if not buy_amount or not sell_amount:
        return None
    if sell_amount < bought.received(buy_amount):
        # no more is bought than can be sold
        needed = sell_amount / bought.received(Amount(1))
        buy_amount = bought.fitting(min(buy_amount, rounded(needed, bought.step, to="up")))
        if not buy_amount:
            return None
    paid, got = bought.walk(buy_amount), sold.walk(sell_amount)
    return (buy_amount, sell_amount, paid, got) if got.total > paid.total else None


def _crossing(bought: Offer, sold: Offer) -> Amount:
    """How much to order at `bought` so that each unit of it still earns at `sold`, after both fees."""
    asks, bids = iter(bought.levels), iter(sold.levels)
    ask, bid = next(asks, None), next(bids, None)
    total = ZERO
    ask_left = ask[1] if ask else ZERO
    bid_left = bid[1] if bid else ZERO
    kept = bought.received(Amount(1))
    while ask is not None and bid is not None and bought.price_with_fee(ask[0]) < sold.price_with_fee(bid[0]):
        ordered = min(ask_left, bid_left / kept)
        total += ordered
        ask_left -= ordered
        bid_left -= ordered * kept
        if ask_left <= 0:
            ask = next(asks, None)
            ask_left = ask[1] if ask else ZERO
        if bid_left * (bid[0] if bid else ZERO) <= ZERO:
            bid = next(bids, None)
            bid_left = bid[1] if bid else ZERO
    return total


def opportunities(
    symbol: str, buys: Mapping[str, Offer], sells: Mapping[str, Offer], seen_ms: int, max_age_ms: float
) -> list[Opportunity]:
    """All pairs of exchanges that earn something, the most profitable first.

    Args:
        max_age_ms: a book that is older is not looked at.
    """
    found: list[Opportunity] = []
    for buyer, bought in buys.items():
        for seller, sold in sells.items():
            if buyer == seller or max(bought.age_ms, sold.age_ms) > max_age_ms:
                continue
            one = between(symbol, bought, sold, seen_ms)
            if one is not None:
                found.append(one)
    return sorted(found, key=lambda one: one.profit, reverse=True)
