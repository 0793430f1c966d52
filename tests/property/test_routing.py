"""Routes and arbitrage against counting everything by hand: nothing better exists, nothing is claimed that is not there."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from planar.models import Amount
from planar.multi.arbitrage import between, opportunities
from planar.multi.routing import route
from planar.multi.sides import ZERO, Offer, Side


def amount(low: int, high: int, places: int = 0) -> st.SearchStrategy[Amount]:
    return st.integers(low, high).map(lambda n: Amount(n) / Amount(10**places))


def levels(side: str, center: int) -> st.SearchStrategy[tuple[tuple[Amount, Amount], ...]]:
    prices = st.lists(amount(center - 8, center + 8), min_size=1, max_size=4, unique=True)
    sizes = st.lists(amount(1, 6), min_size=4, max_size=4)
    return st.tuples(prices, sizes).map(
        lambda pair: tuple(zip(sorted(pair[0], reverse=side == "sell"), pair[1], strict=False))
    )


IN_QUOTE = st.just(False)


def offers(
    side: Side, name: str, center: int = 100, in_base: st.SearchStrategy[bool] = IN_QUOTE
) -> st.SearchStrategy[Offer]:
    return st.builds(
        Offer,
        exchange=st.just(name),
        side=st.just(side),
        levels=levels(side, center),
        fee=st.sampled_from([ZERO, Amount("0.001"), Amount("0.0026"), Amount("0.05")]),
        fee_in_base=in_base,
        step=st.sampled_from([Amount(1), Amount(2), Amount(3), Amount("0.5")]),
        least=amount(0, 5),
        most=st.one_of(st.none(), amount(0, 10)),
    )


def brute(some: list[Offer], wanted: Amount) -> tuple[Decimal, Decimal]:
    """(most that can be traded, best total for it), by trying everything."""
    choices: list[list[Amount]] = []
    for one in some:
        step = one.step or Amount(1)
        sizes = [step * n for n in range(int(wanted / step) + 1)]
        choices.append([size for size in sizes if not size or one.least <= size <= one.depth])
    best: tuple[Decimal, Decimal] | None = None
    for picked in product(*choices):
        traded = sum(picked, ZERO)
        if traded > wanted:
            continue
        total = sum((one.walk(size).total for one, size in zip(some, picked, strict=True) if size), ZERO)
        worth = (traded, -total if some[0].side == "buy" else total)
        best = worth if best is None or worth > best else best
    assert best is not None
    return best


@settings(max_examples=150)
@given(st.data(), st.sampled_from(["buy", "sell"]), amount(1, 24, 0))
def test_no_split_is_better_than_the_route(data: st.DataObject, side: Side, wanted: Amount) -> None:
    some = [data.draw(offers(side, name)) for name in ("a", "b", "c")]
    found = route(some, wanted)
    most, best = brute(some, wanted)
    assert found.amount == most
    assert (-found.total if side == "buy" else found.total) == best
    assert {leg.exchange for leg in found.legs} | set(found.left_out) >= {one.exchange for one in some}
    for leg in found.legs:
        one = next(each for each in some if each.exchange == leg.exchange)
        assert one.fitting(leg.amount) == leg.amount
    if found.saves is not None:
        assert found.saves >= 0


@settings(max_examples=60)
@given(st.data(), st.sampled_from(["buy", "sell"]))
def test_large_wishes_are_split_as_well_as_small_ones_up_to_a_step(data: st.DataObject, side: Side) -> None:
    import msgspec

    fine = [
        msgspec.structs.replace(data.draw(offers(side, name)), step=Amount("0.01"), least=ZERO, most=None)
        for name in ("a", "b", "c")
    ]
    coarse = [msgspec.structs.replace(one, step=Amount("0.5")) for one in fine]
    wanted = Amount(10)
    many, few = route(fine, wanted), route(coarse, wanted)
    assert many.amount >= few.amount
    if many.amount == few.amount:
        slack = Amount("0.01") * 3 * 120
        better = many.total - few.total if side == "buy" else few.total - many.total
        assert better <= slack


@settings(max_examples=300)
@given(
    offers("buy", "a", in_base=st.booleans()),
    offers("sell", "b", center=104),
)
def test_an_opportunity_is_what_its_two_orders_would_earn(bought: Offer, sold: Offer) -> None:
    found = between("X/Y", bought, sold, 0)
    if found is None:
        # no pair of whole orders at the best levels earns anything either
        ask, bid = bought.levels[0][0], sold.levels[0][0]
        if bought.price_with_fee(ask) >= sold.price_with_fee(bid):
            return
        smallest = bought.fitting(bought.levels[0][1])
        arriving = sold.fitting(bought.received(smallest)) if smallest else ZERO
        earns = smallest and arriving and sold.walk(arriving).total > bought.walk(smallest).total
        assert not earns or arriving < bought.received(smallest)  # what is left over may eat the profit of a larger one
        return
    paid, got = bought.walk(found.buy_amount), sold.walk(found.sell_amount)
    assert paid.filled == found.buy_amount
    assert got.filled == found.sell_amount
    assert found.sell_amount <= bought.received(found.buy_amount)
    assert found.profit == got.total - paid.total > 0
    assert bought.fitting(found.buy_amount) == found.buy_amount
    assert sold.fitting(found.sell_amount) == found.sell_amount
    assert found.buy_limit >= found.buy_price
    assert found.sell_limit <= found.sell_price


def test_old_books_and_one_exchange_alone_are_no_opportunity() -> None:
    cheap = Offer("a", "buy", ((Amount(100), Amount(1)),), ZERO, age_ms=10.0)
    dear = Offer("b", "sell", ((Amount(110), Amount(1)),), ZERO, age_ms=3_000.0)
    assert opportunities("X/Y", {"a": cheap}, {"b": dear}, 0, 2_000.0) == []
    (one,) = opportunities("X/Y", {"a": cheap}, {"b": dear}, 0, 5_000.0)
    assert (one.profit, one.age_ms, one.skew_ms) == (Amount(10), 3_000.0, 2_990.0)
    assert opportunities("X/Y", {"a": cheap}, {"a": dear}, 0, 5_000.0) == []
