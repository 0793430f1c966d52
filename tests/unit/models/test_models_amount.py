"""Amount: what it accepts, refuses and prints."""

from __future__ import annotations

import copy
import decimal
from decimal import Decimal
from fractions import Fraction

import pytest

from planar.models import Amount


class NumpyLikeFloat(float):
    def __repr__(self) -> str:
        return f"np.float64({float(self)!r})"


def test_the_promise_of_the_class():
    assert Amount("0.1") + 0.2 == Amount("0.3")
    assert 0.1 + Amount("0.2") == Amount("0.3")
    assert Amount("0.3") - 0.1 == 0.2
    assert 3 * Amount("0.1") == 0.3


@pytest.mark.parametrize("value", ["NaN", "sNaN", "inf", "-Infinity", float("nan"), float("-inf"), Decimal("NaN")])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="an amount is a finite number, not"):
        Amount(value)


@pytest.mark.parametrize("value", ["", "abc", "1,5", "1_0", "<html>", "0x10"])
def test_a_text_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match=f"not a decimal number: {value!r}"):
        Amount(value)


def test_a_long_wrong_text_is_shortened_in_the_message():
    with pytest.raises(ValueError) as caught:
        Amount("x" * 10_000)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("value", [True, False, None, b"1", [1], (0, (1,), 0), Fraction(1, 2), 1j])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match=f"not of {type(value).__name__}"):
        Amount(value)


@pytest.mark.parametrize("value", ["1e401", "1e-401", "1e999999999", 10**500, Decimal("0e-999999")])
def test_what_would_have_a_text_without_end_is_refused(value):
    with pytest.raises(ValueError, match="out of the range of amounts"):
        Amount(value)


def test_an_untrapped_thread_context_does_not_let_nonsense_in():
    with decimal.localcontext() as context:
        context.traps[decimal.InvalidOperation] = False
        with pytest.raises(ValueError):
            Amount("abc")


def test_a_subclass_of_float_is_taken_by_its_value():
    assert Amount(NumpyLikeFloat(0.1)) == Amount("0.1")
    assert Amount("0.1") == NumpyLikeFloat(0.1)


def test_a_bool_takes_no_part_in_arithmetic():
    for operation in (lambda: Amount(1) + True, lambda: True * Amount(1), lambda: Amount(1) / True):
        with pytest.raises(TypeError, match="bool"):
            operation()


@pytest.mark.parametrize("other", ["1", None, [], 1j])
def test_other_types_take_no_part_in_arithmetic(other):
    for operation in ("__add__", "__rsub__", "__mul__", "__rtruediv__", "__floordiv__", "__rmod__", "__divmod__"):
        assert getattr(Amount(1), operation)(other) is NotImplemented
    with pytest.raises(TypeError):
        Amount(1) + other
    assert Amount(1) != other


@pytest.mark.parametrize("other", [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity")])
def test_arithmetic_with_what_is_not_finite_is_refused(other):
    for operation in (lambda: Amount(1) + other, lambda: other - Amount(1), lambda: Amount(1) * other):
        with pytest.raises(ValueError, match="finite"):
            operation()


def test_comparison_with_nan_and_infinity():
    assert Amount(1) != float("nan")
    assert Amount(1) < float("inf")
    assert Amount(1) > float("-inf")
    for comparison in ("__lt__", "__le__", "__gt__", "__ge__"):
        with pytest.raises(ValueError, match="no order with NaN"):
            getattr(Amount(1), comparison)(float("nan"))
    assert Amount("0.5") < Fraction(2, 3)


def test_division_by_zero_is_pythons_own_error():
    for operation in (
        lambda: Amount(0) / 0,
        lambda: 1 / Amount(0),
        lambda: Amount(1) // 0.0,
        lambda: Amount(1) % Amount(0),
        lambda: 1.5 // Amount(0),
        lambda: 1 % Amount(0),
        lambda: divmod(Amount(1), 0),
        lambda: divmod(1, Amount(0)),
    ):
        with pytest.raises(ZeroDivisionError):
            operation()


def test_a_result_out_of_range_is_an_error_and_no_infinity():
    with pytest.raises(decimal.Overflow):
        Amount("1e300") * Amount("1e300")
    with pytest.raises(decimal.Underflow):
        Amount("1.1e-300") * Amount("1.1e-300")


def test_results_are_amounts():
    a = Amount("7.5")
    results = [-a, +a, abs(-a), round(a, 1), a**2, 2**a, a**0.5, a.quantize(Decimal("1")), a.normalize()]
    results += [*divmod(a, 2), *divmod(20.0, a), Amount.from_float(0.1), copy.copy(a), copy.deepcopy(a)]
    assert {type(result) for result in results} == {Amount}
    assert divmod(a, 2) == (3, 1.5)
    assert divmod(20.0, a) == (2, 5)
    assert type(Decimal("1") + a) is type(a - Decimal("1")) is Amount
    assert Amount.from_float(0.1) == Amount("0.1")
    assert type(round(a)) is int
    assert a.__pow__(2, 3) is a.__rpow__(2, 3) is a.__pow__("2") is a.__rdivmod__("2") is NotImplemented


def test_the_sign_is_exact_beyond_the_digits_of_arithmetic():
    long = Amount("1." + "1" * 80)
    negative = -long
    assert -negative == abs(negative) == long
    assert str(-Amount(0)) == "0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-8, "0.00000001"),
        ("1E+3", "1000"),
        ("1.10", "1.10"),
        (123456789012345678, "123456789012345678"),
        (5e-05, "0.00005"),
        (1e22, "10000000000000000000000"),
        (0.1 + 0.2, "0.30000000000000004"),
    ],
)
def test_text(value, text):
    assert str(Amount(value)) == f"{Amount(value)}" == text


@pytest.mark.parametrize(
    ("specifier", "text"),
    [
        ("", "0.00000150"),
        (".2f", "0.00"),
        (">12", "  0.00000150"),
        ("e", "1.50e-6"),
        (".3%", "0.000%"),
        ("+", "+0.00000150"),
    ],
)
def test_format(specifier, text):
    assert format(Amount("0.00000150"), specifier) == text


def test_thousands_in_a_format():
    assert f"{Amount('1234567.5'):,}" == "1,234,567.5"
