"""What an account is, holds and has done: positions, fees, ledger, loans.

Each method is a row of `planar.adapters.unified`, and needs a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planar.exchange.core import NOTHING
from planar.exchange.derivatives import DerivativesMethods
from planar.models import Position
from planar.models.derivatives import (
    AutoDeleverage,
    FundingPayment,
    Leverage,
    Liquidation,
    MarginMode,
    MarginModification,
    PositionMode,
)
from planar.models.money import AccountInfo, BorrowInterest, CrossBorrowRate, IsolatedBorrowRate, LedgerEntry


class AccountMethods(DerivativesMethods):
    """CCXT's unified methods that read an account."""

    async def fetch_accounts(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> list[AccountInfo]:
        """The accounts that the key reaches at the exchange."""
        return await self._ask("fetch_accounts", (), params, timeout_ms)

    async def fetch_ledger(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[LedgerEntry]:
        """The lines of the account's book, oldest first."""
        return await self._ask("fetch_ledger", (code, since, limit), params, timeout_ms)

    async def fetch_ledger_entry(
        self, id: str, code: str | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> LedgerEntry:
        """One line of the account's book."""
        return await self._ask("fetch_ledger_entry", (id, code), params, timeout_ms)

    async def fetch_positions_history(
        self,
        symbols: Sequence[str] | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Position]:
        """Positions that were closed."""
        return await self._ask("fetch_positions_history", (self._several(symbols), since, limit), params, timeout_ms)

    async def fetch_position_history(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Position]:
        """Positions in one contract that were closed."""
        return await self._ask("fetch_position_history", (self._symbol(symbol), since, limit), params, timeout_ms)

    async def fetch_position_mode(
        self, symbol: str | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> PositionMode:
        """Whether a long and a short of one market can stand side by side."""
        return await self._ask("fetch_position_mode", (self._some(symbol),), params, timeout_ms)

    async def fetch_margin_mode(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> MarginMode:
        """Cross or isolated margin of a market."""
        return await self._ask("fetch_margin_mode", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_margin_modes(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, MarginMode]:
        """Cross or isolated margin, by symbol."""
        return await self._ask("fetch_margin_modes", (self._several(symbols),), params, timeout_ms)

    async def fetch_leverage(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Leverage:
        """The leverage that is set for a market."""
        return await self._ask("fetch_leverage", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_leverages(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, Leverage]:
        """The leverage that is set, by symbol."""
        return await self._ask("fetch_leverages", (self._several(symbols),), params, timeout_ms)

    async def fetch_funding_history(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[FundingPayment]:
        """What was paid and received for holding perpetuals, oldest first."""
        return await self._ask("fetch_funding_history", (self._some(symbol), since, limit), params, timeout_ms)

    async def fetch_my_liquidations(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Liquidation]:
        """Own positions that were closed by force."""
        return await self._ask("fetch_my_liquidations", (self._some(symbol), since, limit), params, timeout_ms)

    async def fetch_margin_adjustment_history(
        self,
        symbol: str | None = None,
        type: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[MarginModification]:
        """Changes of the margin of positions."""
        return await self._ask(
            "fetch_margin_adjustment_history", (self._some(symbol), type, since, limit), params, timeout_ms
        )

    async def fetch_position_adl_rank(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> AutoDeleverage:
        """How near a position is to being closed against another's liquidation."""
        return await self._ask("fetch_position_adl_rank", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_positions_adl_rank(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[AutoDeleverage]:
        """How near positions are to being closed against others' liquidations."""
        return await self._ask("fetch_positions_adl_rank", (self._several(symbols),), params, timeout_ms)

    async def fetch_borrow_interest(
        self,
        code: str | None = None,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[BorrowInterest]:
        """Interest that was charged on loans."""
        return await self._ask("fetch_borrow_interest", (code, self._some(symbol), since, limit), params, timeout_ms)

    async def fetch_cross_borrow_rate(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> CrossBorrowRate:
        """What borrowing a currency costs on cross margin."""
        return await self._ask("fetch_cross_borrow_rate", (code,), params, timeout_ms)

    async def fetch_cross_borrow_rates(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, CrossBorrowRate]:
        """What borrowing costs on cross margin, by currency."""
        return await self._ask("fetch_cross_borrow_rates", (), params, timeout_ms)

    async def fetch_isolated_borrow_rate(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> IsolatedBorrowRate:
        """What borrowing costs in one market."""
        return await self._ask("fetch_isolated_borrow_rate", (self._symbol(symbol),), params, timeout_ms)

    async def fetch_isolated_borrow_rates(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, IsolatedBorrowRate]:
        """What borrowing costs, by symbol."""
        return await self._ask("fetch_isolated_borrow_rates", (), params, timeout_ms)
