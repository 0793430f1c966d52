"""What one exchange offers for one market at one moment: levels, fees, steps and minimums, walked exactly.

Pure and in `Amount`. Books come from streams or queries; `arbitrage` and `routing` compute with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from planar.models import Amount, Market, OrderBook
from planar.models.sizing import least_amount
from planar.models.steps import rounded

ZERO, ONE = Amount(0), Amount(1)
Side = Literal["buy", "sell"]


class Offer(msgspec.Struct, frozen=True):
    """One exchange's side of a book, with what trading on it costs and requires.

    Attributes:
        exchange: its id.
        side: what the taker does: "buy" walks the asks, "sell" the bids.
        levels: (price, amount), best first.
        fee: the taker's rate, as a fraction.
        fee_in_base: the fee of a buy is taken out of what is bought, and not on top of its cost.
        step: of amounts.
        least: the least amount of an order at the best price.
        most: no more can be traded for what is free there (in base currency); None: not limited, or not known.
        age_ms: of the book.
    """

    exchange: str
    side: Side
    levels: tuple[tuple[Amount, Amount], ...]
    fee: Amount
    fee_in_base: bool = False
    step: Amount | None = None
    least: Amount = ZERO
    most: Amount | None = None
    age_ms: float = 0.0

    @property
    def depth(self) -> Amount:
        """All that the levels hold, or `most` if that is less."""
        held = sum((amount for _, amount in self.levels), ZERO)
        return held if self.most is None else min(held, self.most)

    def price_with_fee(self, price: Amount) -> Amount:
        """What one unit that is really received costs, or brings, at a level's price."""
        if self.side == "sell":
            return price * (ONE - self.fee)
        return price / (ONE - self.fee) if self.fee_in_base else price * (ONE + self.fee)

    def received(self, amount: Amount) -> Amount:
        """What arrives, in base currency, of a buy of `amount`."""
        return amount * (ONE - self.fee) if self.side == "buy" and self.fee_in_base else amount

    def fitting(self, amount: Amount) -> Amount:
        """The most that an order may be, up to `amount`: on the steps, within what is there; 0 if that is too little."""
        amount = rounded(min(amount, self.depth), self.step, to="down")
        return amount if amount > 0 and amount >= self.least else ZERO

    def walk(self, amount: Amount) -> Walk:
        """What an order of `amount` would trade at; no more than the levels hold."""
        left, value, worst = amount, ZERO, None
        for price, size in self.levels:
            if left <= 0:
                break
            taken = min(left, size)
            value, left, worst = value + taken * price, left - taken, price
        filled = amount - left
        fee = value * self.fee
        if self.side == "sell":
            total = value - fee
        else:
            total = value if self.fee_in_base else value + fee
        return Walk(filled, value, fee, total, worst)


class Walk(msgspec.Struct, frozen=True):
    """The result of walking one side.

    Attributes:
        filled: in base currency.
        value: without fees, in quote currency.
        fee: in quote currency, or its worth there.
        total: what is paid of, or arrives in, the quote currency.
        worst: the last level's price; None if nothing was filled.
    """

    filled: Amount
    value: Amount
    fee: Amount
    total: Amount
    worst: Amount | None

    @property
    def average(self) -> Amount | None:
        """Price without fees; None if nothing was filled."""
        return self.value / self.filled if self.filled else None


def offer(
    exchange: str,
    side: Side,
    book: OrderBook,
    market: Market,
    fee: Amount,
    *,
    fee_in_base: bool = False,
    free: Amount | None = None,
    age_ms: float | None = None,
) -> Offer:
    """An offer from a book and the market's rules.

    Args:
        free: what the account has of the currency that the order spends; None: not asked.
        age_ms: of the book, where it does not know it itself.
    """
    rows: Sequence[tuple[float, float]] = book.asks if side == "buy" else book.bids
    levels = tuple((Amount(price), Amount(amount)) for price, amount in rows)
    best = levels[0][0] if levels else None
    made = Offer(
        exchange=exchange,
        side=side,
        levels=levels,
        fee=fee,
        fee_in_base=fee_in_base and side == "buy",
        step=market.precision.amount if market.precision.mode == "tick_size" else None,
        least=least_amount(market, best) if best is not None else ZERO,
        age_ms=age_ms if age_ms is not None else (book.age_ms or 0.0),
    )
    if free is None:
        return made
    return msgspec.structs.replace(made, most=free if side == "sell" else _payable(made, free))


def _payable(made: Offer, free: Amount) -> Amount:
    """The base amount that `free` of the quote currency buys."""
    left, bought = free, ZERO
    for price, size in made.levels:
        each = price if made.fee_in_base else price * (ONE + made.fee)
        taken = min(size, left / each)
        bought, left = bought + taken, left - taken * each
        if left <= 0:
            break
    return bought
