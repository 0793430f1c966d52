"""Parameters of a request: taken from the raw query and body, read one by one, checked as Binance checks them.

Every refusal has the documented code and text; the legal ranges are those the exchange names in its refusals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from planar.venue.engine.specs import SymbolSpec
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.symbols import SymbolTable

T = TypeVar("T")

LEGAL_SYMBOL: Final = "^[A-Z0-9-_.]{1,20}$"
LEGAL_INTEGER: Final = "^[0-9]{1,20}$"
LEGAL_DECIMAL: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
LEGAL_CLIENT_ID: Final = "^[a-zA-Z0-9-_]{1,36}$"
LEGAL_ASSET: Final = "^[a-zA-Z0-9]{1,20}$"
LEGAL_BOOLEAN: Final = "^(true|false|TRUE|FALSE)$"
LEGAL_SYMBOLS: Final = r"^\[(\"[A-Z0-9-_.]{1,20}\"(,\"[A-Z0-9-_.]{1,20}\"){0,}){0,1}\]$"
LONG_MAX: Final = 2**63 - 1
DECIMALS_MAX: Final = 8
"""`baseAssetPrecision` and `quoteAssetPrecision` of every market."""

_PATTERNS: Final = {
    legal: re.compile(legal.replace("$", r"\Z"))
    for legal in (
        LEGAL_SYMBOL,
        LEGAL_INTEGER,
        LEGAL_DECIMAL,
        LEGAL_CLIENT_ID,
        LEGAL_ASSET,
        LEGAL_BOOLEAN,
        LEGAL_SYMBOLS,
    )
}


def split(part: str) -> dict[str, str]:
    """Names and values of a query string or a form body.

    Raises:
        ApiError: -1101, a name stands twice.
    """
    values: dict[str, str] = {}
    for name, value in parse_qsl(part, keep_blank_values=True):
        if name in values:
            raise errors.duplicate_parameter()
        values[name] = value
    return values


class Params:
    """The parameters of one request, and which of them have been read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._read: set[str] = set()

    @classmethod
    def of(cls, query: str, body: str) -> Params:
        """From the raw parts of a request. A parameter in both counts as in the query (rest-api.md).

        Raises:
            ApiError: -1101, a name stands twice in one part.
        """
        return cls({**split(body), **split(query)})

    @property
    def sent(self) -> Mapping[str, str]:
        """All parameters as sent."""
        return self._values

    def peek(self, name: str) -> str | None:
        """The value as sent, without counting as read."""
        return self._values.get(name)

    def end(self) -> None:
        """All that the endpoint takes has been read.

        Raises:
            ApiError: -1104 (-1101 where it takes none), something else was sent.
        """
        sent = len(self._values)
        read = sum(1 for name in self._values if name in self._read)
        if read < sent:
            raise errors.unread(read, sent) if self._read else errors.too_many_parameters(0, sent)

    def raw(self, name: str) -> str | None:
        """The value; None if it was not sent.

        Raises:
            ApiError: -1105, it was sent empty.
        """
        self._read.add(name)
        value = self._values.get(name)
        if value == "":
            raise errors.empty(name)
        return value

    def text(self, name: str, legal: str) -> str | None:
        """A value that matches one of the LEGAL_ patterns.

        Raises:
            ApiError: -1105 empty, -1100 other characters.
        """
        value = self.raw(name)
        if value is not None and not _PATTERNS[legal].match(value):
            raise errors.illegal_characters(name, legal)
        return value

    def integer(self, name: str) -> int | None:
        """A LONG.

        Raises:
            ApiError: -1105, -1100; -1108, it does not fit 64 bits.
        """
        value = self.text(name, LEGAL_INTEGER)
        if value is None:
            return None
        number = int(value)
        if number > LONG_MAX:
            raise errors.overflowed(name)
        return number

    def time_ms(self, name: str) -> int | None:
        """A time in milliseconds, or in microseconds as the exchange also takes it; rounded down to milliseconds."""
        value = self.integer(name)
        return value // 1000 if value is not None and value >= 10**15 else value

    def limit(self, default: int, maximum: int) -> int:
        """`limit`: the default if it was not sent, cut to the maximum.

        Raises:
            ApiError: -1130, it is 0.
        """
        value = self.integer("limit")
        if value == 0:
            raise errors.not_valid("limit")
        return default if value is None else min(value, maximum)

    def decimal(self, name: str) -> Decimal | None:
        """A DECIMAL of at most eight decimals.

        Raises:
            ApiError: -1105, -1100; -1111 more decimals; -1108 too large for the exchange's fixed point.
        """
        value = self.text(name, LEGAL_DECIMAL)
        if value is None:
            return None
        fraction = value.partition(".")[2].rstrip("0")
        if len(fraction) > DECIMALS_MAX:
            raise errors.too_precise(name)
        number = Decimal(value)
        if number.scaleb(DECIMALS_MAX) > LONG_MAX:
            raise errors.overflowed(name)
        return number

    def boolean(self, name: str) -> bool | None:
        """A BOOLEAN."""
        value = self.text(name, LEGAL_BOOLEAN)
        return None if value is None else value.lower() == "true"

    def choice(self, name: str, table: Mapping[str, T], refusal: Callable[[], ApiError] | None = None) -> T | None:
        """One of the words of `table`, translated.

        Raises:
            ApiError: -1105; `refusal()` (-1130 without one), it is another word.
        """
        value = self.raw(name)
        if value is None:
            return None
        if value not in table:
            raise refusal() if refusal else errors.not_valid(name)
        return table[value]

    def market(self, table: SymbolTable) -> SymbolSpec:
        """`symbol`, mandatory.

        Raises:
            ApiError: -1102 not sent, -1105, -1100; -1121 no such market.
        """
        return table.find(given("symbol", self.text("symbol", LEGAL_SYMBOL)))

    def optional_market(self, table: SymbolTable) -> SymbolSpec | None:
        """`symbol`, if it was sent."""
        value = self.text("symbol", LEGAL_SYMBOL)
        return None if value is None else table.find(value)

    def markets(self, table: SymbolTable) -> list[SymbolSpec] | None:
        """`symbols`, a JSON array of ids, if it was sent.

        Raises:
            ApiError: -1105, -1100; -1121 an unknown market; -1151 one stands twice.
        """
        value = self.text("symbols", LEGAL_SYMBOLS)
        if value is None:
            return None
        ids = msgspec.json.decode(value, type=list[str])
        if len(set(ids)) < len(ids):
            raise ApiError(-1151, "Symbol is present multiple times in the list.")
        return [table.find(market_id) for market_id in ids]


def given(name: str, value: T | None) -> T:
    """The value of a mandatory parameter.

    Raises:
        ApiError: -1102, it was not sent.
    """
    if value is None:
        raise errors.missing(name)
    return value
