"""What markets trade at, as far as this exchange has seen lately: for checks that must not cost a request.

Prices come from the live streams, if there are any, else from the last ticker or book that was fetched.
"""

from __future__ import annotations

from typing import Final

import planar.runtime as runtime
from planar.models import Amount, OrderBook, Ticker
from planar.streams import StreamHub

FRESH_S: Final = 30.0
"""A fetched price that is older says nothing about the market now."""


class LastPrices:
    """The newest price by symbol."""

    def __init__(self, hub: StreamHub) -> None:
        self._hub = hub
        self._fetched: dict[str, tuple[float, float]] = {}  # symbol -> (price, monotonic seconds)

    def note(self, shown: Ticker | OrderBook) -> None:
        """A ticker or book that was fetched."""
        price = shown.mid
        if price is None and isinstance(shown, Ticker):
            price = shown.last
        if price is not None and shown.symbol:
            self._fetched[shown.symbol] = (price, runtime.monotonic())

    def get(self, symbol: str) -> Amount | None:
        """The price, or None if nothing fresh is known."""
        price = self._hub.price_of(symbol)
        if price is None and symbol in self._fetched:
            fetched, at_s = self._fetched[symbol]
            price = fetched if runtime.monotonic() - at_s <= FRESH_S else None
        return None if price is None else Amount(price)
