"""Amount: an exact decimal number, for money that is owned, owed or ordered.

Amounts come from the text of an exchange's answer (`planar.models.from_ccxt`, the adapters) or from a user's argument,
and leave as text again: in an order, in the journal, in JSON.
"""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    Underflow,
    localcontext,
)
from numbers import Rational
from typing import Any, Self, TypeAlias, cast, overload

AmountLike: TypeAlias = "Decimal | int | float | str"
"""What an Amount can be made of. A float stands for its shortest text: 0.1 is 0.1."""

MAX_DIGITS = 50
"""Arithmetic is exact up to this many significant digits, then rounds half to even."""

MAX_EXPONENT = 400
"""An Amount is zero or between 1e-400 and 1e401, so its text is never long. Every finite float fits."""

_CONTEXT = Context(
    prec=MAX_DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=-MAX_EXPONENT,
    Emax=MAX_EXPONENT,
    traps=[InvalidOperation, DivisionByZero, Overflow, Underflow],
)
_EXACT_KINDS = (str, int, Decimal)
_decimal = Decimal.__new__


class Amount(Decimal):
    """A finite decimal number that also computes and compares with floats, by their shortest text.

    `Amount("0.1") + 0.2 == Amount("0.3")`. The result of an operator is an Amount, whichever side the float is on.
    Arithmetic uses a context of its own (`MAX_DIGITS`), so the thread's decimal context neither changes it nor is
    changed by it. `str` and `format` never use exponent notation unless the format asks for it.

    Equal Amounts and Decimals have equal hashes. A float's hash is that of its binary value, so a float is no key for
    a dictionary of Amounts although it may compare equal.

    Raises:
        ValueError: the text is no number; the value is NaN, infinite or beyond `MAX_EXPONENT`.
        TypeError: the value is a bool, None or anything else that is no number.
    """

    __slots__ = ()

    def __new__(cls, value: AmountLike) -> Self:
        text = value
        if type(value) is not str:
            if isinstance(value, float):
                text = float.__repr__(value)  # not repr(): a subclass such as numpy's prints its type
            elif isinstance(value, bool) or not isinstance(cast("object", value), _EXACT_KINDS):
                raise TypeError(f"an amount is made of a number or its text, not of {type(value).__name__} {value!r}")
        elif "_" in value:  # Python's own way to group digits, which is none of money
            raise ValueError(f"not a decimal number: {_short(value)}")
        try:
            amount = _decimal(cls, text)
        except InvalidOperation:
            raise ValueError(f"not a decimal number: {_short(value)}") from None
        if not amount.is_finite():
            raise ValueError(f"an amount is a finite number, not {_short(value)}")
        if not -MAX_EXPONENT <= amount.adjusted() <= MAX_EXPONENT:
            raise ValueError(f"out of the range of amounts (1e-{MAX_EXPONENT} to 1e{MAX_EXPONENT}): {_short(value)}")
        return amount

    @classmethod
    def from_float(cls, f: float, /) -> Self:
        """The Amount of a float's shortest text, as the constructor makes it (Decimal takes the binary value)."""
        return cls(f)

    # Text

    def __str__(self) -> str:
        return Decimal.__format__(self, "f")

    def __repr__(self) -> str:
        return f"Amount('{self}')"

    def __format__(self, specifier: str, /) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not specifier or specifier[-1] not in "eEfFgGn%":
            specifier += "f"
        if specifier == "f":
            return Decimal.__format__(self, "f")
        with localcontext(_CONTEXT):  # it rounds as the context says
            return Decimal.__format__(self, specifier)

    # Comparison

    def __hash__(self) -> int:
        return Decimal.__hash__(self)

    def __eq__(self, other: object, /) -> bool:
        return Decimal.__eq__(self, _decimal_of_float(other) if isinstance(other, float) else other)

    def __ne__(self, other: object, /) -> bool:  # Decimal has its own, which Python would ask first
        return not self == other

    def __lt__(self, other: Decimal | float | Rational, /) -> bool:
        return Decimal.__lt__(self, other if type(other) is Amount else _comparable(other))

    def __le__(self, other: Decimal | float | Rational, /) -> bool:
        return Decimal.__le__(self, other if type(other) is Amount else _comparable(other))

    def __gt__(self, other: Decimal | float | Rational, /) -> bool:
        return Decimal.__gt__(self, other if type(other) is Amount else _comparable(other))

    def __ge__(self, other: Decimal | float | Rational, /) -> bool:
        return Decimal.__ge__(self, other if type(other) is Amount else _comparable(other))

    # Arithmetic

    def __neg__(self) -> Amount:
        return _amount(self.copy_negate()) if self else self

    def __pos__(self) -> Amount:
        return self

    def __abs__(self) -> Amount:
        return _amount(self.copy_abs())

    def __add__(self, other: Decimal | float, /) -> Amount:
        operand = _operand(other)
        return NotImplemented if operand is None else _amount(_CONTEXT.add(self, operand))

    __radd__ = __add__

    def __sub__(self, other: Decimal | float, /) -> Amount:
        operand = _operand(other)
        return NotImplemented if operand is None else _amount(_CONTEXT.subtract(self, operand))

    def __rsub__(self, other: Decimal | float, /) -> Amount:
        operand = _operand(other)
        return NotImplemented if operand is None else _amount(_CONTEXT.subtract(operand, self))

    def __mul__(self, other: Decimal | float, /) -> Amount:
        operand = _operand(other)
        return NotImplemented if operand is None else _amount(_CONTEXT.multiply(self, operand))

    __rmul__ = __mul__

    def __truediv__(self, other: Decimal | float, /) -> Amount:
        operand = _operand(other)
        return NotImplemented if operand is None else _amount(_CONTEXT.divide(self, _divisor(operand)))

    def __rtruediv__(self, other: Decimal | float, /) -> Amount:
        operand = _operand(other)
        return NotImplemented if operand is None else _amount(_CONTEXT.divide(operand, _divisor(self)))

    def __floordiv__(self, other: Decimal | float, /) -> Amount:
        operand = _operand(other)
        return NotImplemented if operand is None else _amount(_CONTEXT.divide_int(self, _divisor(operand)))

    def __rfloordiv__(self, other: Decimal | float, /) -> Amount:
        operand = _operand(other)
        return NotImplemented if operand is None else _amount(_CONTEXT.divide_int(operand, _divisor(self)))

    def __mod__(self, other: Decimal | float, /) -> Amount:
        operand = _operand(other)
        return NotImplemented if operand is None else _amount(_CONTEXT.remainder(self, _divisor(operand)))

    def __rmod__(self, other: Decimal | float, /) -> Amount:
        operand = _operand(other)
        return NotImplemented if operand is None else _amount(_CONTEXT.remainder(operand, _divisor(self)))

    def __divmod__(self, other: Decimal | float, /) -> tuple[Amount, Amount]:
        operand = _operand(other)
        if operand is None:
            return NotImplemented
        quotient, rest = _CONTEXT.divmod(self, _divisor(operand))
        return _amount(quotient), _amount(rest)

    def __rdivmod__(self, other: Decimal | float, /) -> tuple[Amount, Amount]:
        operand = _operand(other)
        if operand is None:
            return NotImplemented
        quotient, rest = _CONTEXT.divmod(operand, _divisor(self))
        return _amount(quotient), _amount(rest)

    def __pow__(self, other: Decimal | float, mod: Any = None, /) -> Amount:
        operand = _operand(other)
        if operand is None or mod is not None:
            return NotImplemented
        return _amount(_CONTEXT.power(self, operand))

    def __rpow__(self, other: Decimal | float, mod: Any = None, /) -> Amount:
        operand = _operand(other)
        if operand is None or mod is not None:
            return NotImplemented
        return _amount(_CONTEXT.power(operand, self))

    @overload
    def __round__(self, /) -> int: ...
    @overload
    def __round__(self, ndigits: int, /) -> Amount: ...
    def __round__(self, ndigits: int | None = None, /) -> int | Amount:
        if ndigits is None:
            return Decimal.__round__(self)
        return self.quantize(Decimal((0, (1,), -ndigits)))

    # Methods of Decimal whose result stays an Amount. The others return a plain Decimal.

    def quantize(self, exp: Decimal | int, rounding: str | None = None, context: Context | None = None) -> Amount:
        """The nearest multiple of ten to the power of `exp`'s exponent, by default half to even."""
        return _amount(Decimal.quantize(self, exp, rounding, context or _CONTEXT))

    def to_integral_value(self, rounding: str | None = None, context: Context | None = None) -> Amount:
        """The nearest whole number, by default half to even."""
        return _amount(Decimal.to_integral_value(self, rounding, context or _CONTEXT))

    def normalize(self, context: Context | None = None) -> Amount:
        """The same number without trailing zeros."""
        return _amount(Decimal.normalize(self, context or _CONTEXT))


def _amount(result: Decimal) -> Amount:
    return _decimal(Amount, result)  # a result of _CONTEXT is finite and within its exponents, so needs no check


def _operand(value: object) -> Amount | None:
    if type(value) is Amount:
        return value
    return Amount(value) if isinstance(value, float | int | Decimal) else None


def _divisor(value: Amount) -> Amount:
    if not value:
        raise ZeroDivisionError("an amount was divided by zero")
    return value


def _decimal_of_float(value: float) -> Decimal:
    return Decimal(float.__repr__(value))


def _comparable(value: Decimal | float | Rational) -> Decimal | float | Rational:
    if not isinstance(value, float):
        return value
    if value != value:
        raise ValueError("an amount has no order with NaN")
    return _decimal_of_float(value)


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
