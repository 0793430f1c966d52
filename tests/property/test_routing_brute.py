"""Routes and strategies against plain fractions: books of every shape, rules of markets, rebates, ties."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from planar.models import Amount
from planar.multi.routing import route
from planar.multi.selection import Candidate, Memory
from planar.multi.sides import ZERO, Offer, Side

NAMES = ("a", "b", "c")
BOOKS = st.lists(st.tuples(st.integers(98, 102), st.integers(1, 8)), max_size=4)
"""Prices lie so close that most examples have ties, within a book and between books; some books are empty."""


def amount(value: Fraction) -> Amount:
    return Amount(value.numerator) / Amount(value.denominator)


def rules(side: Side) -> st.SearchStrategy[Offer]:
    """An exchange's side with its rules, as `planar.multi.sides.offer` makes it: the least order by amount or by value."""

    def made(book: list[tuple[int, int]], fee: str, step: str, least: int, notional: int) -> Offer:
        levels = tuple((Amount(price), Amount(size) / 2) for price, size in sorted(book, reverse=side == "sell"))
        bound = Fraction(notional, int(levels[0][0])) if levels else Fraction(0)
        each = Fraction(step)
        low = max(Fraction(least), -(-bound // each) * each)
        return Offer("", side, levels, Amount(fee), False, Amount(step), amount(low))

    return st.builds(
        made,
        BOOKS,
        st.sampled_from(["0", "0.001", "0.02", "-0.0005"]),
        st.sampled_from(["0.5", "1", "1.5"]),
        st.integers(0, 2),
        st.sampled_from([0, 50, 150, 310]),
    )


def exact(side: Side, one: Offer, wanted: Fraction) -> Fraction | None:
    """What an order of `wanted` pays (or, negative, brings) after fees, counted level by level; None: it cannot be had."""
    if not wanted:
        return Fraction(0)
    if wanted < Fraction(one.least):
        return None
    left, value = wanted, Fraction(0)
    for price, size in one.levels:
        taken = min(left, Fraction(size))
        value, left = value + taken * Fraction(price), left - taken
    if left > 0:
        return None
    fee = value * Fraction(one.fee)
    return value + fee if side == "buy" else fee - value


def brute(side: Side, some: Sequence[Offer], wanted: Fraction) -> tuple[Fraction, Fraction]:
    """(most that can be traded, the least cost of it), by trying everything."""
    choices: list[list[tuple[Fraction, Fraction]]] = []
    for one in some:
        step = Fraction(one.step or 1)
        sizes = [step * n for n in range(int(wanted / step) + 1)]
        costs = [(size, exact(side, one, size)) for size in sizes]
        choices.append([(size, cost) for size, cost in costs if cost is not None])
    found = [
        (sum((size for size, _ in picked), Fraction(0)), -sum((cost for _, cost in picked), Fraction(0)))
        for picked in product(*choices)
    ]
    most, best = max(one for one in found if one[0] <= wanted)
    return most, -best


@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(["buy", "sell"]), st.integers(1, 24))
def test_a_route_is_the_best_of_all_splits_counted_in_fractions(data: st.DataObject, side: Side, halves: int) -> None:
    some = [msgspec.structs.replace(data.draw(rules(side)), exchange=name) for name in NAMES]
    wanted = Fraction(halves, 2)
    found = route(some, amount(wanted))
    most, best = brute(side, some, wanted)
    assert Fraction(found.amount) == most
    assert (Fraction(found.total) if side == "buy" else -Fraction(found.total)) == best
    used = {leg.exchange for leg in found.legs}
    assert used | set(found.left_out) == set(NAMES)
    assert not used & set(found.left_out)
    for one in some:
        if not one.levels:
            assert found.left_out[one.exchange] == "its book is empty"
    for leg in found.legs:
        one = some[NAMES.index(leg.exchange)]
        assert leg.amount >= one.least
        assert Fraction(leg.amount) % Fraction(one.step or 1) == 0
        cost = exact(side, one, Fraction(leg.amount))
        assert cost == (Fraction(leg.total) if side == "buy" else -Fraction(leg.total))
    whole = [leg for leg in found.alone if leg.amount == found.amount]
    assert (found.saves is None) == (not whole)
    assert found.saves is None or found.saves >= 0


def test_nothing_can_be_routed_over_empty_books_or_nobody() -> None:
    nothing = route([Offer("a", "sell", (), ZERO), Offer("b", "sell", (), ZERO)], Amount(1), {"c": "it is closed"})
    assert (nothing.amount, nothing.total, nothing.legs, nothing.alone, nothing.average) == (0, 0, (), (), None)
    assert nothing.left_out == {"c": "it is closed", "a": "its book is empty", "b": "its book is empty"}
    assert route([], Amount(1)).amount == 0


def test_a_tie_goes_the_same_way_each_time() -> None:
    level = ((Amount(100), Amount(3)),)
    some = [Offer(name, "buy", level, ZERO, step=Amount(1)) for name in NAMES]
    found = [route(some, Amount(3)) for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert found[0].total == 300


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=6))
def test_of_equals_the_first_of_the_group_is_chosen_and_of_others_the_least(looked: list[tuple[bool, int]]) -> None:
    seen = [Candidate(str(at), fits, float(score) if fits else None, "") for at, (fits, score) in enumerate(looked)]
    found = Memory(10.0).settle(seen, 100.0)
    fitting = [one for one in seen if one.fits]
    if not fitting:
        assert found is None
        return
    least = min(one.score or 0.0 for one in fitting)
    assert found is next(one for one in fitting if one.score == least)
