"""Seeded chance: the same key gives the same numbers on every machine and run.

Numbers are cut from SHAKE-128 of the key, so that a point in history can be computed without computing what lies
before it. Nothing here is secret; ids and addresses of the local venue come from it too.
"""

from __future__ import annotations

import hashlib
import math
import struct

_WORDS = 64
_PACKED = struct.Struct(f"<{_WORDS}I")
_TWO_32 = 2.0**-32
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Stream:
    """An endless sequence of draws that belongs to one key."""

    __slots__ = ("_block", "_key", "_words")

    def __init__(self, *key: str | int) -> None:
        self._key = "|".join(map(str, key)).encode()
        self._block = 0
        self._words: list[int] = []

    def word(self) -> int:
        """A whole number in [0, 2**32)."""
        if not self._words:
            digest = hashlib.shake_128(b"%d|%b" % (self._block, self._key)).digest(4 * _WORDS)
            self._words = list(_PACKED.unpack(digest))
            self._block += 1
        return self._words.pop()

    def below(self, bound: int) -> int:
        """A whole number in [0, bound), for bounds far below 2**32."""
        return self.word() * bound >> 32

    def between(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        return low + (self.word() * (high - low + 1) >> 32)

    def uniform(self) -> float:
        """A number in [0, 1)."""
        return self.word() * _TWO_32

    def gauss(self) -> float:
        """A number of mean 0 and deviation 1, never beyond about 3.5 (sum of four uniform numbers)."""
        a, b = self.word(), self.word()
        total = (a & 0xFFFF) + (a >> 16) + (b & 0xFFFF) + (b >> 16)
        return (total - 131070.0) / 37837.2

    def exponential(self, mean: float) -> float:
        """A positive number of an exponential distribution."""
        return -mean * math.log((self.word() + 1) * _TWO_32)

    def count(self, mean: float) -> int:
        """How many independent events happen where `mean` are expected (at most 20 are)."""
        limit, product, events = math.exp(-min(mean, 20.0)), self.uniform(), 0
        while product > limit:
            product *= self.uniform()
            events += 1
        return events

    def text(self, length: int, alphabet: str = _ALPHABET) -> str:
        """A string of letters and digits."""
        return "".join([alphabet[self.below(len(alphabet))] for _ in range(length)])
