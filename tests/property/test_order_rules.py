"""What the market's rules take passes untouched; what they do not is refused with a value that they take."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from planar.adapters.base import OrderRequest
from planar.adapters.kinds import ORDER_KINDS, KindRow
from planar.adapters.profile import ClientIdRule
from planar.errors import ArgumentsRequired, InvalidOrder, Outcome, PlanarError
from planar.models import Amount, Market
from planar.models.market import Limits, MinMax, Precision
from planar.orders.ids import ClientIds, base36
from planar.orders.rules import check_order

LOT, TICK = Amount("0.001"), Amount("0.05")
TIMES = {kind: KindRow() for kind in ORDER_KINDS}
MARKET = Market(
    id="BTCUSDT",
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    type="spot",
    active=True,
    precision=Precision(amount=LOT, price=TICK),
    limits=Limits(
        amount=MinMax(min=Amount("0.002"), max=Amount(50)),
        price=MinMax(min=Amount(1), max=Amount(10_000)),
        cost=MinMax(min=Amount(5), max=Amount(100_000)),
    ),
)
amounts = st.integers(2, 50_000).map(lambda lots: Amount(LOT * lots))
prices = st.integers(20, 200_000).map(lambda ticks: Amount(TICK * ticks))
loose = st.decimals("0.0001", "60", places=6).map(Amount)


def limit(amount: Amount, price: Amount, **more: object) -> OrderRequest:
    return OrderRequest("", "BTC/USDT", "buy", "limit", amount=amount, price=price, **more)  # type: ignore[arg-type]


@given(amounts, prices)
def test_what_fits_is_taken(amount: Amount, price: Amount) -> None:
    assume(5 <= amount * price <= 100_000)
    check_order(limit(amount, price), MARKET, "x", TIMES)


@given(loose, prices)
def test_the_suggested_amount_is_a_multiple_and_near(amount: Amount, price: Amount) -> None:
    assume(amount % LOT != 0)
    with pytest.raises(InvalidOrder, match=r"lot size 0\.001") as caught:
        check_order(limit(amount, price), MARKET, "x", TIMES)
    assert caught.value.outcome is Outcome.NOT_SENT
    nearest = Amount(re.search(r"nearest is (\S+)", str(caught.value.hint)).group(1))  # type: ignore[union-attr]
    assert nearest % LOT == 0
    assert nearest > 0
    assert abs(nearest - amount) <= LOT


@given(amounts, prices)
def test_the_suggested_notional_is_taken(amount: Amount, price: Amount) -> None:
    assume(amount * price < 5)
    with pytest.raises(InvalidOrder, match="least notional") as caught:
        check_order(limit(amount, price), MARKET, "x", TIMES)
    least = Amount(re.search(r"amount of (\S+)", str(caught.value.hint)).group(1))  # type: ignore[union-attr]
    check_order(limit(least, price), MARKET, "x", TIMES)


@pytest.mark.parametrize(
    ("request_", "kind", "text"),
    [
        (limit(Amount(51), Amount(10)), InvalidOrder, "above the most"),
        (limit(Amount("0.001"), Amount(10_000)), InvalidOrder, "below the least"),
        (limit(Amount(50), Amount(9_000)), InvalidOrder, "above the most notional"),
        (limit(Amount(1), Amount(20_000)), InvalidOrder, "price 20000 is above"),
        (limit(Amount(1), Amount(10), post_only=True, time_in_force="IOC"), InvalidOrder, "post_only"),
        (limit(Amount(1), Amount(10), time_in_force="GTX"), InvalidOrder, "time_in_force"),
        (OrderRequest("", "BTC/USDT", "bye", "limit", Amount(1), Amount(10)), InvalidOrder, "side is 'bye'"),
        (OrderRequest("", "BTC/USDT", "buy", "iceberg", Amount(1), Amount(10)), InvalidOrder, "type is 'iceberg'"),
        (OrderRequest("", "BTC/USDT", "buy", "limit", Amount(1)), ArgumentsRequired, "needs a price"),
        (OrderRequest("", "BTC/USDT", "buy", "market", Amount(1), Amount(10)), InvalidOrder, "has no price"),
        (OrderRequest("", "BTC/USDT", "buy", "market"), ArgumentsRequired, "either amount or cost"),
        (
            OrderRequest("", "BTC/USDT", "buy", "limit", price=Amount(10), cost=Amount(50)),
            InvalidOrder,
            "only market orders",
        ),
    ],
)
def test_each_rule_is_named(request_: OrderRequest, kind: type[PlanarError], text: str) -> None:
    with pytest.raises(kind, match=text) as caught:
        check_order(request_, MARKET, "x", TIMES)
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("rule", [ClientIdRule(length=36), ClientIdRule(length=32), ClientIdRule(length=18)])
def test_client_ids_fit_differ_and_are_recognised(rule: ClientIdRule) -> None:
    ids = ClientIds(rule, "abcdefgh")
    made = [ids.make(number) for number in range(1, 200)]
    assert len(set(made)) == len(made)
    for name in made:
        assert len(name) <= rule.length
        assert set(name) <= set(rule.alphabet)
        assert rule.made(name)
        assert ids.owns(name)
        assert not ClientIds(rule, "hgfedcba").owns(name)
    assert not rule.made("360411651")
    assert not rule.made("JN6KxmEz3ahBgMjNVvcj")


@given(st.integers(0, 10**9))
def test_numbers_are_written_in_base_36(number: int) -> None:
    assert int(base36(number, 6), 36) == number
