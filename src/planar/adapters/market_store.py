"""Markets of an exchange, shared by its accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from planar.adapters.ccxt_seam import CcxtExchange
from planar.models import Market
from planar.models import from_ccxt as convert


class MarketStore:
    """Loads and keeps markets."""

    async def load(
        self, exchange: CcxtExchange, fetch: Callable[[], Awaitable[Mapping[str, Any]]], *, reload: bool
    ) -> Mapping[str, Market]:
        """Markets by symbol."""
        raw = await fetch()
        return {symbol: convert.market(market, exchange=exchange.id) for symbol, market in raw.items()}
