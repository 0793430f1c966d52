"""What CCXT says about an exchange, and how numbers are told to it."""

from __future__ import annotations

import re

from planar.adapters.base import Capabilities
from planar.adapters.ccxt_seam import CcxtExchange
from planar.models import Amount

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(camel: str) -> str:
    """CCXT's `fetchOHLCV` as `fetch_ohlcv`."""
    return _HUMP.sub("_", camel).lower()


def capabilities_of(exchange: CcxtExchange) -> Capabilities:
    """What CCXT says about itself, normalised: keys that differ only in spelling are one, None stays unknown."""
    methods: dict[str, bool | str | None] = {}
    # loading markets goes without currencies, which says nothing about asking for them
    currencies = {"fetchCurrencies": exchange.describe()["has"].get("fetchCurrencies")}
    for name, value in (exchange.has | currencies).items():
        key = snake(name)
        if value or methods.get(key) is None:
            methods[key] = value
    return Capabilities(
        methods=methods,
        timeframes=tuple(exchange.timeframes or ()),
        required_credentials=tuple(name for name, needed in exchange.requiredCredentials.items() if needed),
    )


def exact(number: Amount) -> float | str:
    """A number that CCXT writes back digit for digit: a float if its shortest repr is the same, else text."""
    as_float, text = float(number), str(number)
    return as_float if repr(as_float) == text or Amount(as_float) == number else text
