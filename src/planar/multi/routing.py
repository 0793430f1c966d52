"""Splitting one order over several exchanges: which part goes where, and what that saves against each exchange alone.

Pure: offers in, a route out. The most of the wish that can be traded is traded; among all ways to do so, the one with the
best total after fees is taken. With up to `EXACT_UNITS` common steps every split is tried (in the manner of a knapsack);
beyond, the cheapest units are taken first within each set of exchanges, which is the best split up to one step on each.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import chain, combinations
from math import gcd
from typing import Final

import msgspec

from planar.models import Amount
from planar.models.steps import rounded
from planar.multi.sides import ZERO, Offer, Walk

EXACT_UNITS: Final = 200
MOST_SETS: Final = 8
"""So many exchanges are tried in all sets; of more, only sets that lack one."""


class Leg(msgspec.Struct, frozen=True):
    """A part of a route.

    Attributes:
        exchange: its id.
        amount: of the order there, in base currency.
        average: price without fees.
        worst: the last level's price that is needed.
        value: without fees, in quote currency.
        fee: in quote currency, or its worth there.
        total: what is paid, or arrives, in quote currency.
        age_ms: of the book.
    """

    exchange: str
    amount: Amount
    average: Amount
    worst: Amount
    value: Amount
    fee: Amount
    total: Amount
    age_ms: float


class Route(msgspec.Struct, frozen=True):
    """How a wish would be split, and what each exchange alone would give.

    Attributes:
        side: "buy" or "sell".
        wanted: the wish, in base currency.
        amount: what the legs trade together.
        total: what is paid, or arrives, in quote currency, after fees.
        legs: the largest first.
        alone: the same with one exchange each, the best first; those that can trade nothing of it are left out.
        left_out: exchange -> why it has no part.
    """

    side: str
    wanted: Amount
    amount: Amount
    total: Amount
    legs: tuple[Leg, ...]
    alone: tuple[Leg, ...]
    left_out: dict[str, str]

    @property
    def average(self) -> Amount | None:
        """Price after fees; None if nothing can be traded."""
        return self.total / self.amount if self.amount else None

    @property
    def saves(self) -> Amount | None:
        """What it is better than the best exchange alone that trades as much; None if none does."""
        whole = [leg for leg in self.alone if leg.amount == self.amount]
        if not whole:
            return None
        difference = whole[0].total - self.total
        return difference if self.side == "buy" else -difference


def route(offers: Sequence[Offer], wanted: Amount, left_out: dict[str, str] | None = None) -> Route:
    """The best split of `wanted` over the offers, which are of one side."""
    out = dict(left_out or {})
    side = offers[0].side if offers else "buy"
    usable: list[Offer] = []
    for one in offers:
        if one.fitting(wanted):
            usable.append(one)
        else:
            out[one.exchange] = _why_not(one, wanted)
    amounts = _best(usable, wanted)
    legs = [_leg(one, amount) for one, amount in zip(usable, amounts, strict=True) if amount]
    for one, amount in zip(usable, amounts, strict=True):
        if not amount:
            out[one.exchange] = "the others are better for this amount"
    alone = [_leg(one, one.fitting(wanted)) for one in usable]
    sign = 1 if side == "buy" else -1
    return Route(
        side=side,
        wanted=wanted,
        amount=sum((leg.amount for leg in legs), ZERO),
        total=sum((leg.total for leg in legs), ZERO),
        legs=tuple(sorted(legs, key=lambda leg: -leg.amount)),
        alone=tuple(sorted(alone, key=lambda leg: (-leg.amount, sign * leg.total))),
        left_out=out,
    )


def _why_not(one: Offer, wanted: Amount) -> str:
    if not one.levels:
        return "its book is empty"
    if one.most is not None and one.most < one.least:
        return f"what is free there is worth {one.most:f}, and the least order is {one.least:f}"
    if wanted < one.least:
        return f"the least order is {one.least:f}"
    return f"it has {one.depth:f} on its levels, and the least order is {one.least:f}"


def _leg(one: Offer, amount: Amount) -> Leg:
    walk: Walk = one.walk(amount)
    assert walk.average is not None
    assert walk.worst is not None
    return Leg(one.exchange, amount, walk.average, walk.worst, walk.value, walk.fee, walk.total, one.age_ms)


def _worth(offers: Sequence[Offer], amounts: Sequence[Amount]) -> tuple[Amount, Amount]:
    """(amount, total), greater is better in both."""
    totals = [one.walk(amount).total for one, amount in zip(offers, amounts, strict=True) if amount]
    total = sum(totals, ZERO)
    buying = bool(offers) and offers[0].side == "buy"
    return sum(amounts, ZERO), -total if buying else total


def _best(offers: Sequence[Offer], wanted: Amount) -> list[Amount]:
    if not offers:
        return []
    unit = _common_step(offers)
    if unit is not None and wanted / unit <= EXACT_UNITS:
        return _every_split(offers, wanted, unit)
    found = [_cheapest_first(offers, chosen, wanted) for chosen in _sets(len(offers))]
    return max(found, key=lambda amounts: _worth(offers, amounts))


def _common_step(offers: Sequence[Offer]) -> Amount | None:
    """The greatest step of which all steps are multiples; None if one of them has none."""
    steps = [one.step for one in offers]
    if any(step is None for step in steps):
        return None
    ratios = [Decimal(step).as_integer_ratio() for step in steps if step is not None]
    bottom = 1
    for _, below in ratios:
        bottom = bottom * below // gcd(bottom, below)
    top = gcd(*(above * (bottom // below) for above, below in ratios))
    return Amount(top) / Amount(bottom)


def _every_split(offers: Sequence[Offer], wanted: Amount, unit: Amount) -> list[Amount]:
    """All splits, exchange after exchange: for each sum so far the best way to reach it."""
    best: dict[int, tuple[Amount, tuple[Amount, ...]]] = {0: (ZERO, ())}
    most = int(wanted / unit)
    buying = offers[0].side == "buy"
    for one in offers:
        sizes = [(0, ZERO, ZERO)]
        step = int((one.step or unit) / unit)
        for units in range(step, most + 1, step):
            amount = unit * units
            if amount > one.depth:
                break
            if amount >= one.least:
                total = one.walk(amount).total
                sizes.append((units, amount, -total if buying else total))
        reached: dict[int, tuple[Amount, tuple[Amount, ...]]] = {}
        for so_far, (worth, chosen) in best.items():
            for units, amount, more in sizes:
                at = so_far + units
                if at <= most and (at not in reached or reached[at][0] < worth + more):
                    reached[at] = (worth + more, (*chosen, amount))
        best = reached
    return list(best[max(best)][1])


def _sets(count: int) -> list[tuple[int, ...]]:
    """The sets of exchanges that are tried."""
    everyone = range(count)
    if count <= MOST_SETS:
        return list(chain.from_iterable(combinations(everyone, size) for size in range(1, count + 1)))
    return [tuple(everyone), *combinations(everyone, count - 1)]


def _cheapest_first(offers: Sequence[Offer], chosen: tuple[int, ...], wanted: Amount) -> list[Amount]:
    """Each of the chosen gets its least order, then the best levels of all are filled until the wish is met."""
    amounts = [ZERO] * len(offers)
    for at in chosen:
        amounts[at] = rounded(offers[at].least, offers[at].step, to="up")
    left = wanted - sum(amounts, ZERO)
    if left < 0:
        return [ZERO] * len(offers)
    for _, at, size in _levels(offers, chosen, amounts):
        taken = min(size, left)
        amounts[at] += taken
        left -= taken
        if left <= 0:
            break
    amounts = [rounded(amount, one.step, to="down") for amount, one in zip(amounts, offers, strict=True)]
    return _with_rest(offers, chosen, amounts, wanted)


def _levels(
    offers: Sequence[Offer], chosen: tuple[int, ...], amounts: Sequence[Amount]
) -> list[tuple[Amount, int, Amount]]:
    """(price after fees, exchange, size) of all that is beyond `amounts`, the best first."""
    found: list[tuple[Amount, int, Amount]] = []
    for at in chosen:
        one, skip, room = offers[at], amounts[at], offers[at].depth - amounts[at]
        for price, size in one.levels:
            beyond = max(ZERO, size - skip)
            skip = max(ZERO, skip - size)
            usable = min(beyond, room)
            if usable > 0:
                found.append((_unit_total(one, price), at, usable))
                room -= usable
    buying = bool(chosen) and offers[chosen[0]].side == "buy"
    return sorted(found, key=lambda level: level[0] if buying else -level[0])


def _unit_total(one: Offer, price: Amount) -> Amount:
    """What one unit of an order changes of the quote currency at a price."""
    if one.side == "sell":
        return price * (1 - one.fee)
    return price if one.fee_in_base else price * (1 + one.fee)


def _with_rest(offers: Sequence[Offer], chosen: tuple[int, ...], amounts: list[Amount], wanted: Amount) -> list[Amount]:
    """What the steps cut off, given to whoever takes most of it for the best price."""
    while True:
        left = wanted - sum(amounts, ZERO)
        more = [(at, rounded(left, offers[at].step, to="down")) for at in chosen]
        fitting = [(at, size) for at, size in more if size > 0 and amounts[at] + size <= offers[at].depth]
        if not fitting:
            return amounts
        tried = [[*amounts[:at], amounts[at] + size, *amounts[at + 1 :]] for at, size in fitting]
        amounts = max(tried, key=lambda one: _worth(offers, one))
