"""Amount against Decimal and float, for any numbers."""

from __future__ import annotations

import math
import operator
import pickle
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planar.models import Amount, from_json, to_json
from planar.models.amount import MAX_DIGITS

REFERENCE = Context(prec=MAX_DIGITS, rounding=ROUND_HALF_EVEN, Emin=-1000, Emax=1000)
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]

decimals = st.decimals(min_value=Decimal("-1e15"), max_value=Decimal("1e15"), allow_nan=False, places=12)
floats = st.floats(min_value=-1e15, max_value=1e15, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-15)
any_float = st.floats(allow_nan=False, allow_infinity=False)
numbers = decimals | floats | st.integers(-(10**15), 10**15)


def shortest(value: Decimal | float) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


@pytest.mark.parametrize("operation", OPERATORS)
@settings(deadline=None)
@given(a=decimals | floats, b=numbers)
def test_an_operator_gives_what_decimal_gives_for_the_shortest_text(operation, a, b):
    amount, x, y = Amount(a), shortest(a), shortest(b)
    division = operation in (operator.truediv, operator.floordiv, operator.mod)
    assume(not division or (x != 0 and y != 0))
    # Outside of this range an integer quotient has more digits than the context, and Decimal refuses as well.
    assume(not division or max(abs(x / y), abs(y / x)) < Decimal("1e30"))
    with localcontext(REFERENCE):
        right, left = operation(x, y), operation(y, x)
    assert operation(amount, b) == right
    assert operation(b, amount) == left
    assert type(operation(amount, b)) is type(operation(b, amount)) is Amount


@pytest.mark.parametrize("comparison", COMPARISONS)
@settings(deadline=None)
@given(a=decimals | floats, b=numbers)
def test_a_comparison_is_that_of_the_shortest_text(comparison, a, b):
    assert comparison(Amount(a), b) is comparison(shortest(a), shortest(b))
    assert comparison(b, Amount(a)) is comparison(shortest(b), shortest(a))


@settings(deadline=None)
@given(any_float)
def test_a_float_goes_in_and_comes_out_unchanged(x):
    amount = Amount(x)
    assert float(amount) == x
    assert amount == x
    assert x == amount
    assert (amount != x) is False
    assert amount <= x <= amount


@settings(deadline=None)
@given(decimals)
def test_equal_decimals_are_equal_keys(x):
    assert Amount(x) == x
    assert hash(Amount(x)) == hash(x)
    assert {x: 1}[Amount(x)] == 1


@settings(deadline=None)
@given(any_float | decimals)
def test_the_text_has_no_exponent_and_is_the_number(x):
    text = str(Amount(x))
    assert "e" not in text.lower()
    assert Decimal(text) == shortest(x)
    assert f"{Amount(x)}" == text
    assert repr(Amount(x)) == f"Amount('{text}')"
    assert eval(repr(Amount(x))) == Amount(x)


@settings(deadline=None)
@given(any_float | decimals)
def test_pickle_and_json_bring_back_the_same_amount(x):
    amount = Amount(x)
    for copy in (pickle.loads(pickle.dumps(amount)), from_json(Amount, to_json(amount))):
        assert type(copy) is Amount
        assert str(copy) == str(amount)


@settings(deadline=None)
@given(decimals)
def test_a_json_number_loses_no_digit(x):
    number = f"{x:f}".encode()
    assert from_json(Amount, number) == x


@settings(deadline=None)
@given(a=decimals, b=decimals, precision=st.integers(1, 5))
def test_the_thread_context_changes_nothing(a, b, precision):
    def results():
        amount = Amount(a)
        return amount * b, amount + b, -amount, abs(amount), round(amount, 9), amount.normalize()

    expected = results()
    with localcontext(Context(prec=precision)) as context:
        assert results() == expected
        assert not any(context.flags.values())


@settings(deadline=None)
@given(st.lists(decimals, max_size=20))
def test_a_sum_is_exact(values):
    total = sum(Amount(value) for value in values)
    with localcontext(prec=100):
        assert total == sum(values)


@settings(deadline=None)
@given(x=decimals, digits=st.integers(-3, 11))
def test_round_is_decimal_round(x, digits):
    with localcontext(REFERENCE):
        assert round(Amount(x), digits) == round(x, digits)
    assert round(Amount(x)) == round(x)
    assert math.floor(Amount(x)) == math.floor(x)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_any_text_is_a_finite_amount_or_a_value_error(text):
    try:
        amount = Amount(text)
    except ValueError:
        return
    assert amount.is_finite()
    assert amount == Decimal(text)
