"""Market data beyond tickers, books, trades and candles: prices of contracts, books and last prices of many markets.

Each method is a row of `planar.adapters.unified`; the exchange refuses what it has not before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planar.exchange.core import NOTHING
from planar.exchange.data import DataMethods
from planar.models import Candle, Currency, OrderBook, Ticker
from planar.models.status import ExchangeStatus


class MarketDataMethods(DataMethods):
    """CCXT's unified methods of public market data."""

    async def fetch_status(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> ExchangeStatus:
        """Whether the exchange says that it works."""
        return await self._ask("fetch_status", (), params, timeout_ms)

    async def fetch_currencies(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, Currency]:
        """Currencies by code, with their networks. Some exchanges want a key for it."""
        return await self._ask("fetch_currencies", (), params, timeout_ms)

    async def fetch_mark_price(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Ticker:
        """The mark price of a contract, from which profit and margin are counted."""
        return await self._ask("fetch_mark_price", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_mark_prices(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, Ticker]:
        """Mark prices by symbol; of all contracts for None."""
        return await self._ask("fetch_mark_prices", (self._several(symbols),), params, timeout_ms)

    async def fetch_mark_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Candle]:
        """Candles of the mark price, oldest first."""
        return await self._ask("fetch_mark_ohlcv", (self._symbol(symbol), timeframe, since, limit), params, timeout_ms)

    async def fetch_index_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Candle]:
        """Candles of the index that a contract follows, oldest first."""
        return await self._ask("fetch_index_ohlcv", (self._symbol(symbol), timeframe, since, limit), params, timeout_ms)

    async def fetch_premium_index_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Candle]:
        """Candles of the premium of a contract over its index, oldest first."""
        return await self._ask(
            "fetch_premium_index_ohlcv", (self._symbol(symbol), timeframe, since, limit), params, timeout_ms
        )

    async def fetch_l3_order_book(
        self,
        symbol: str,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> OrderBook:
        """The order book with every single order, where the exchange shows them."""
        return await self._ask("fetch_l3_order_book", (self._symbol(symbol), limit), params, timeout_ms)
