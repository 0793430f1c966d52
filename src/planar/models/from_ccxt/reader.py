"""Reads single fields of an exchange's dictionary, strictly or tolerantly; `planar.models.from_ccxt` says which.

Strict readers raise `BadResponse` that names structure, field and value. Tolerant ones answer None for what they
cannot read. Neither ever answers with a default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any, TypeGuard, TypeVar, cast

from planar.errors import BadResponse
from planar.models.amount import Amount

T = TypeVar("T")

_LAST_MS = 253_402_300_799_999  # the end of the year 9999: beyond it a time has no date
_HINTS = {
    "order": "the order may exist all the same: look for it by its client id before another one is sent",
    "fill": "fetch the trades of this account again; what was traded cannot be told from this answer",
    "balance": "fetch the balance again; what is owned cannot be told from this answer",
    "position": "fetch the positions again; what is held cannot be told from this answer",
}
_SHORT = 32
"""Characters of numbers that are kept: zeros and unchanged balances come again and again."""
_HINT = "ask again; if it stays so, the exchange has changed its format"


@lru_cache(1024)
def _amount(text: str) -> Amount:
    return Amount(text)


def is_structure(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether it is a dictionary. Asking for its type first is what makes it quick."""
    return type(value) is dict or isinstance(value, Mapping)


def exact(value: Any) -> Amount | None:
    """An exact number; None if missing. Raises TypeError or ValueError for what is no finite number."""
    if value is None:
        return None
    text = float.__repr__(value) if type(value) is float else value
    return _amount(text) if type(text) is str and len(text) <= _SHORT else Amount(text)


class Reader:
    """One dictionary of an exchange, with what is needed to say what is wrong with it.

    Args:
        data: the dictionary; anything else is a `BadResponse`.
        what: the structure's name for messages: `order`, `fill`, ...
        exchange: the exchange's id, for the error.
    """

    __slots__ = ("_data", "_exchange", "_what", "get")

    def __init__(self, data: object, what: str, exchange: str | None) -> None:
        self._what = what
        self._exchange = exchange
        if not is_structure(data):
            raise self.bad("answer", data, "is no structure")
        self._data = data
        self.get = self._data.get

    def bad(self, key: str, value: object, why: str) -> BadResponse:
        """The error for a field."""
        text = repr(value)
        shown = text if len(text) <= 80 else f"{text[:77]}..."
        return BadResponse(
            f"{self._what}: `{key}` {why}: {shown}", exchange=self._exchange, hint=_HINTS.get(self._what, _HINT)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    # Strict

    def identity(self, key: str) -> str:
        """A text that must be there: an id, a symbol. Integer ids become text."""
        value = self.get(key)
        if type(value) is str and value:
            return value
        if type(value) is int:
            return str(value)
        raise self.bad(key, value, "is missing" if value is None else "is no identifier")

    def word(self, key: str, words: Mapping[str, T]) -> T | None:
        """The meaning of a word out of a closed list; None if there is none, an error if it is not on the list."""
        value = self.get(key)
        if value is None:
            return None
        try:
            return words[value]
        except (KeyError, TypeError):
            raise self.bad(key, value, f"is none of {', '.join(words)}") from None

    def signed(self, key: str) -> Amount | None:
        """An exact number of any sign; None if missing."""
        try:
            return exact(self.get(key))
        except (TypeError, ValueError):
            raise self.bad(key, self.get(key), "is no finite number") from None

    def amount(self, key: str) -> Amount | None:
        """An exact number that is not negative; None if missing."""
        if self.get(key) is None:
            return None
        value = self.signed(key)
        if value is not None and value.is_signed() and value:
            raise self.bad(key, self.get(key), "is negative")
        return value

    def rows(self, key: str) -> list[Any]:
        """The list under a key; an empty one if there is none."""
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.bad(key, value, "is no list")
        return cast("list[Any]", value)

    def needed(self, key: str, value: T | None) -> T:
        """`value`, which was read from `key`, unless it is missing."""
        if value is None:
            given = self.get(key)
            raise self.bad(key, given, "is missing" if given is None else "is no finite number")
        return value

    # Tolerant

    def text(self, key: str) -> str | None:
        """A descriptive text; None if missing, empty or of another type."""
        value = self.get(key)
        if type(value) is str and value:
            return value
        return str(value) if type(value) is int else None

    def known(self, key: str, words: Mapping[str, T]) -> T | None:
        """The meaning of a descriptive word; None for a word that is not on the list."""
        value = self.get(key)
        return words.get(value) if type(value) is str else None

    def flag(self, key: str) -> bool | None:
        """True or False; None for anything else."""
        value = self.get(key)
        return value if type(value) is bool else None

    def time_ms(self, key: str) -> int | None:
        """Milliseconds UTC; None if missing, no whole number, or without a date."""
        value = self.get(key)
        if type(value) is not int:
            if value is None or isinstance(value, bool):
                return None
            try:
                value = int(value)
            except (TypeError, ValueError, OverflowError):
                return None
        return value if 0 <= value <= _LAST_MS else None

    def number(self, key: str) -> float | None:
        """A number of market data; None if missing or not finite. A text that is no number is an error."""
        value = self.get(key)
        if value is None:
            return None
        if type(value) is not float:
            value = self._float(key, value)
        return value if isfinite(value) else None

    def positive(self, key: str) -> float:
        """A finite number of market data that must be there, and be above zero."""
        value = self.needed(key, self.number(key))
        if value <= 0.0:
            raise self.bad(key, value, "is not above zero")
        return value

    def detail(self, key: str) -> Amount | None:
        """An exact number that describes; None if missing or unreadable."""
        value = self.get(key)
        if value is None:
            return None
        try:
            return Amount(value)
        except (TypeError, ValueError):
            return None

    def inner(self, key: str) -> Reader:
        """The dictionary under a key; an empty one if there is none."""
        value = self.get(key)
        return Reader(cast("object", value) if isinstance(value, Mapping) else {}, self._what, self._exchange)

    def _float(self, key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise self.bad(key, value, "is no number")
        try:
            return float(value)
        except (ValueError, OverflowError):
            raise self.bad(key, value, "is no number") from None
