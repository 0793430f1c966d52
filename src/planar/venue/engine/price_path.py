"""The middle price of one symbol at one exchange: the common reference, and what is shaped on top of it.

What is shaped is a function of time as well, so that exchanges that were shaped alike stay together.
"""

from __future__ import annotations

import math

import msgspec

_DAY_MS = 86_400_000
_FADE_MS = 20_000
BPS = 1e-4


class Shock(msgspec.Struct, frozen=True):
    """A sudden change of the price.

    Attributes:
        at_ms: when.
        size: as a logarithm.
        return_ms: in what time the price comes back, evenly; 0 if it does not.
    """

    at_ms: int
    size: float
    return_ms: int

    def left(self, at_ms: int) -> float:
        """What is left of it at a later time."""
        if not self.return_ms:
            return self.size
        return self.size * max(0.0, 1 - (at_ms - self.at_ms) / self.return_ms)


class PricePath:
    """Turns the reference of a symbol into the price of an exchange.

    Args:
        reference: the reference now, as a logarithm.
        price: the price now; its difference to the reference fades away in minutes.

    Attributes:
        basis_bps: lasting distance from the reference.
    """

    def __init__(self, reference: float, price: float, now_ms: int) -> None:
        self.basis_bps = 0.0
        self._factor = 1.0
        self._drift = 0.0
        self._base = reference
        self._base_reference = reference
        self._since_ms = now_ms
        self._remainder = math.log(price) - reference
        self._remainder_ms = now_ms
        self._shocks: list[Shock] = []

    def log(self, reference: float, at_ms: int) -> float:
        """The middle price as a logarithm, where the reference is so much."""
        value = self._followed(reference, at_ms) + math.log1p(self.basis_bps * BPS)
        if self._remainder:
            value += self._remainder * math.exp((self._remainder_ms - at_ms) / _FADE_MS)
        for shock in self._shocks:
            value += shock.left(at_ms)
        return value

    def _followed(self, reference: float, at_ms: int) -> float:
        moved = self._factor * (reference - self._base_reference)
        return self._base + moved + self._drift * (at_ms - self._since_ms) / _DAY_MS

    def follow(self, factor: float, drift: float, reference: float, at_ms: int) -> None:
        """From now on the price moves `factor` times as much as the reference, and by `drift` a day besides."""
        self._base = self._followed(reference, at_ms)
        self._factor, self._drift = factor, drift
        self._base_reference, self._since_ms = reference, at_ms

    def shock(self, size: float, return_ms: int, at_ms: int) -> None:
        """The price jumps."""
        self._shocks = [shock for shock in self._shocks if not shock.return_ms or shock.left(at_ms)]
        lasting = math.fsum(shock.size for shock in self._shocks if not shock.return_ms)
        returning = [shock for shock in self._shocks if shock.return_ms]
        if return_ms:
            self._shocks = [*returning, Shock(at_ms, size, return_ms)]
        else:
            lasting += size
            self._shocks = returning
        if lasting:
            self._shocks.append(Shock(at_ms, lasting, 0))
