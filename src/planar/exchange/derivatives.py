"""Public data of swaps, futures and options.

Each method is a row of `planar.adapters.unified`; the exchange refuses what it has not before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planar.exchange.core import NOTHING
from planar.exchange.market_data import MarketDataMethods
from planar.models import FundingRate
from planar.models.derivatives import (
    FundingRateRecord,
    Greeks,
    LeverageTier,
    Liquidation,
    LongShortRatio,
    OpenInterest,
    OptionQuote,
)


class DerivativesMethods(MarketDataMethods):
    """CCXT's unified methods of derivatives' data."""

    async def fetch_funding_rate(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> FundingRate:
        """What holders of a perpetual pay each other next."""
        return await self._ask("fetch_funding_rate", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_funding_rates(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, FundingRate]:
        """Funding rates by symbol; of all perpetuals for None."""
        return await self._ask("fetch_funding_rates", (self._several(symbols),), params, timeout_ms)

    async def fetch_funding_rate_history(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[FundingRateRecord]:
        """Past funding rates, oldest first."""
        return await self._ask("fetch_funding_rate_history", (self._some(symbol), since, limit), params, timeout_ms)

    async def fetch_funding_interval(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> FundingRate:
        """How often funding is paid (`interval`)."""
        return await self._ask("fetch_funding_interval", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_funding_intervals(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, FundingRate]:
        """How often funding is paid, by symbol."""
        return await self._ask("fetch_funding_intervals", (self._several(symbols),), params, timeout_ms)

    async def fetch_open_interest(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> OpenInterest:
        """How much of a contract is open."""
        return await self._ask("fetch_open_interest", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_open_interests(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, OpenInterest]:
        """How much is open, by symbol."""
        return await self._ask("fetch_open_interests", (self._several(symbols),), params, timeout_ms)

    async def fetch_open_interest_history(
        self,
        symbol: str,
        timeframe: str = "1h",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[OpenInterest]:
        """How much was open, oldest first."""
        return await self._ask(
            "fetch_open_interest_history", (self._symbol(symbol), timeframe, since, limit), params, timeout_ms
        )

    async def fetch_long_short_ratio(
        self,
        symbol: str,
        timeframe: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> LongShortRatio:
        """Long against short in a market."""
        return await self._ask("fetch_long_short_ratio", (self._symbol(symbol), timeframe), params, timeout_ms)

    async def fetch_long_short_ratio_history(
        self,
        symbol: str | None = None,
        timeframe: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[LongShortRatio]:
        """Long against short of the past, oldest first."""
        return await self._ask(
            "fetch_long_short_ratio_history", (self._some(symbol), timeframe, since, limit), params, timeout_ms
        )

    async def fetch_liquidations(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Liquidation]:
        """Positions that the exchange closed by force, oldest first."""
        return await self._ask("fetch_liquidations", (self._symbol(symbol), since, limit), params, timeout_ms)

    async def fetch_leverage_tiers(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, list[LeverageTier]]:
        """Up to which notional how much leverage is allowed, by symbol."""
        return await self._ask("fetch_leverage_tiers", (self._several(symbols),), params, timeout_ms)

    async def fetch_market_leverage_tiers(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> list[LeverageTier]:
        """Up to which notional how much leverage is allowed in a market."""
        return await self._ask("fetch_market_leverage_tiers", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_option(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> OptionQuote:
        """An option with its prices."""
        return await self._ask("fetch_option", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_option_chain(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, OptionQuote]:
        """All options on a currency, by symbol."""
        return await self._ask("fetch_option_chain", (code,), params, timeout_ms)

    async def fetch_greeks(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Greeks:
        """The greeks of an option."""
        return await self._ask("fetch_greeks", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_all_greeks(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, Greeks]:
        """The greeks of several options, by symbol."""
        return await self._ask("fetch_all_greeks", (self._several(symbols),), params, timeout_ms)
