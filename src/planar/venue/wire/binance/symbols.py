"""The exchange's own names of the markets: `BTCUSDT` for `BTC/USDT`."""

from __future__ import annotations

from collections.abc import Mapping

from planar.venue.engine.specs import SymbolSpec
from planar.venue.wire.binance import errors


class SymbolTable:
    """Markets by the exchange's id, in the order of the engine.

    Attributes:
        by_id: market of an id, of those that are listed.
        ids: id of a unified symbol, listed or not.
    """

    def __init__(self, symbols: Mapping[str, SymbolSpec]) -> None:
        self.by_id = {spec.base + spec.quote: spec for spec in symbols.values()}
        self.ids = {spec.symbol: market_id for market_id, spec in self.by_id.items()}

    def refresh(self, spec: SymbolSpec) -> None:
        """A market has other filters from now on."""
        market_id = self.ids[spec.symbol]
        if market_id in self.by_id:
            self.by_id[market_id] = spec

    def drop(self, symbol: str) -> None:
        """A market is not listed any more; its id still names its old orders."""
        self.by_id.pop(self.ids[symbol], None)

    def find(self, market_id: str) -> SymbolSpec:
        """The market of an id.

        Raises:
            ApiError: -1121, no such market.
        """
        spec = self.by_id.get(market_id)
        if spec is None:
            raise errors.bad_symbol()
        return spec
