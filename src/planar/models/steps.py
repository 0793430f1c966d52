"""The steps on which amounts and prices lie: multiples of a tick or lot, or a number of significant digits.

All of it is exact, and none of it depends on the decimal context of the program.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context
from typing import Literal

from planar.models.amount import Amount

StepMode = Literal["tick_size", "significant_digits"]

_ROUNDINGS = {"down": ROUND_FLOOR, "up": ROUND_CEILING, "nearest": ROUND_HALF_EVEN}
Direction = Literal["down", "up", "nearest"]

_EXACT = Context(prec=2_000, rounding=ROUND_HALF_EVEN, traps=[])
"""Holds the quotient of any two Amounts to the last of its digits before the point."""


def fits(value: Amount, step: Amount | None, mode: StepMode = "tick_size") -> bool:
    """Whether `value` lies on the steps; without a step everything does."""
    if not step:
        return True
    if mode == "significant_digits":
        return len(value.normalize(_EXACT).as_tuple().digits) <= int(step)
    return not _EXACT.remainder(value, step)


def rounded(value: Amount, step: Amount | None, mode: StepMode = "tick_size", to: Direction = "nearest") -> Amount:
    """The value on the steps next to `value`, at or below it (`down`), at or above it (`up`), or the nearer of both (an
    even number of steps if it lies between)."""
    if not step:
        return value
    if mode == "significant_digits":
        return Amount(Context(prec=int(step), rounding=_ROUNDINGS[to]).plus(value))
    steps = _EXACT.divide(value, step).quantize(Amount(1), rounding=_ROUNDINGS[to], context=_EXACT)
    return Amount(_EXACT.multiply(steps, step))
