"""How positions are held: leverage, margin, hedging. Each changes something at the exchange, and is sent once.

A request without an answer raises with the outcome UNKNOWN: ask the exchange what holds before it is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planar.exchange.core import NOTHING, number
from planar.exchange.money import MoneyMethods
from planar.models import AmountLike
from planar.models.derivatives import MarginModification
from planar.models.money import DepositAddress, Loan


class MarginMethods(MoneyMethods):
    """CCXT's unified methods that set leverage and margin."""

    async def set_leverage(
        self,
        leverage: AmountLike,
        symbol: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> None:
        """Set the leverage of a market, or of the account where the exchange has one for all."""
        return await self._ask("set_leverage", (number(leverage), self._some(symbol)), params, timeout_ms)

    async def set_margin_mode(
        self,
        margin_mode: str,
        symbol: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> None:
        """`cross` or `isolated` for a market, or for the account where the exchange has one for all."""
        return await self._ask("set_margin_mode", (margin_mode, self._some(symbol)), params, timeout_ms)

    async def set_position_mode(
        self,
        hedged: bool,
        symbol: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> None:
        """Whether a long and a short of one market can stand side by side."""
        return await self._ask("set_position_mode", (hedged, self._some(symbol)), params, timeout_ms)

    async def add_margin(
        self, symbol: str, amount: AmountLike, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> MarginModification:
        """Add margin to an isolated position."""
        return await self._ask("add_margin", (self._symbol(symbol), number(amount)), params, timeout_ms)

    async def reduce_margin(
        self, symbol: str, amount: AmountLike, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> MarginModification:
        """Take margin out of an isolated position."""
        return await self._ask("reduce_margin", (self._symbol(symbol), number(amount)), params, timeout_ms)

    async def set_margin(
        self, symbol: str, amount: AmountLike, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> MarginModification:
        """Set the margin of an isolated position."""
        return await self._ask("set_margin", (self._symbol(symbol), number(amount)), params, timeout_ms)

    async def create_deposit_address(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> DepositAddress:
        """Have the exchange make a new deposit address."""
        return await self._ask("create_deposit_address", (code,), params, timeout_ms)

    async def borrow_cross_margin(
        self, code: str, amount: AmountLike, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Loan:
        """Borrow a currency on cross margin."""
        return await self._ask("borrow_cross_margin", (code, number(amount)), params, timeout_ms)

    async def repay_cross_margin(
        self, code: str, amount: AmountLike, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Loan:
        """Pay a cross margin loan back."""
        return await self._ask("repay_cross_margin", (code, number(amount)), params, timeout_ms)

    async def borrow_isolated_margin(
        self,
        symbol: str,
        code: str,
        amount: AmountLike,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Loan:
        """Borrow a currency on the isolated margin of a market."""
        return await self._ask(
            "borrow_isolated_margin", (self._symbol(symbol), code, number(amount)), params, timeout_ms
        )

    async def repay_isolated_margin(
        self,
        symbol: str,
        code: str,
        amount: AmountLike,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Loan:
        """Pay a loan on the isolated margin of a market back."""
        return await self._ask(
            "repay_isolated_margin", (self._symbol(symbol), code, number(amount)), params, timeout_ms
        )
