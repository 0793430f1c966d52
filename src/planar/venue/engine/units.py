"""Exact conversion between `Decimal`, as callers see money, and the integers the engine computes in.

One unit is 1e-8 of an asset or of a price. A private context keeps the caller's decimal settings out of it.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

ONE = 10**8
"""Units in one whole asset."""

_CONTEXT = Context(prec=60)
_QUOTIENTS = Context(prec=28, rounding=ROUND_HALF_EVEN)
_UNIT = Decimal("1E-8")
_PER_ONE = Decimal(ONE)


def to_decimal(units: int) -> Decimal:
    """The Decimal of a number of units, always with 8 decimal places."""
    return _CONTEXT.multiply(Decimal(units), _UNIT)


def quotient(numerator: Decimal, denominator: Decimal, times: int = 1) -> Decimal:
    """A quotient to 28 digits, half to even; in percent for 100 `times`."""
    return _QUOTIENTS.divide(_CONTEXT.multiply(numerator, times), denominator)


def rounded(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    """The nearest multiple of a power of ten."""
    return value.quantize(step, rounding, _CONTEXT)


def to_units(value: Decimal) -> int | None:
    """The units of a Decimal; None if it is not finite or has more than 8 significant decimal places."""
    if not value.is_finite():
        return None
    scaled = _CONTEXT.multiply(value, _PER_ONE)
    units = int(scaled)
    return units if units == scaled else None


def require_units(value: Decimal, name: str) -> int:
    """`to_units` for values that the program itself supplies. Raises ValueError naming the field."""
    units = to_units(value)
    if units is None:
        raise ValueError(f"{name} = {value} is not a whole number of 1e-8")
    return units


def rate_of(amount: int, rate: int) -> int:
    """`amount` times a rate in units of 1e-8, rounded half up to a unit."""
    return (amount * rate + ONE // 2) // ONE
