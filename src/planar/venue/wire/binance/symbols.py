"""The exchange's own names of the markets: `BTCUSDT` for `BTC/USDT`."""

from __future__ import annotations

from collections.abc import Mapping

from planar.venue.engine.specs import SymbolSpec
from planar.venue.wire.binance import errors


class SymbolTable:
    """Markets by the exchange's id, in the order of the engine.

    Attributes:
        by_id: market of an id.
        ids: id of a unified symbol.
    """

    def __init__(self, symbols: Mapping[str, SymbolSpec]) -> None:
        self.by_id = {spec.base + spec.quote: spec for spec in symbols.values()}
        self.ids = {spec.symbol: market_id for market_id, spec in self.by_id.items()}

    def find(self, market_id: str) -> SymbolSpec:
        """The market of an id.

        Raises:
            ApiError: -1121, no such market.
        """
        spec = self.by_id.get(market_id)
        if spec is None:
            raise errors.bad_symbol()
        return spec
