"""Money in and out of an account: addresses, deposits, withdrawals, and what moving it costs. Reading only; see
`planar.exchange.moving` for what moves money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planar.exchange.account import AccountMethods
from planar.exchange.core import NOTHING, listed, number
from planar.models import AmountLike, Currency
from planar.models.money import Conversion, DepositAddress, DepositWithdrawFee, Transaction, Transfer


class MoneyMethods(AccountMethods):
    """CCXT's unified methods that tell of deposits, withdrawals, transfers and conversions."""

    async def fetch_deposit_address(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> DepositAddress:
        """Where money of a currency can be sent to this account; `params={"network": ...}` chooses the way."""
        return await self._ask("fetch_deposit_address", (code,), params, timeout_ms)

    async def fetch_deposit_addresses(
        self, codes: Sequence[str] | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, DepositAddress]:
        """Deposit addresses by currency."""
        return await self._ask("fetch_deposit_addresses", (listed(codes),), params, timeout_ms)

    async def fetch_deposit_addresses_by_network(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, DepositAddress]:
        """Deposit addresses of a currency by network."""
        return await self._ask("fetch_deposit_addresses_by_network", (code,), params, timeout_ms)

    async def fetch_deposits(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Transaction]:
        """Deposits, oldest first."""
        return await self._ask("fetch_deposits", (code, since, limit), params, timeout_ms)

    async def fetch_withdrawals(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Transaction]:
        """Withdrawals, oldest first."""
        return await self._ask("fetch_withdrawals", (code, since, limit), params, timeout_ms)

    async def fetch_deposit_withdraw_fee(
        self, code: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> DepositWithdrawFee:
        """What moving a currency in and out costs."""
        return await self._ask("fetch_deposit_withdraw_fee", (code,), params, timeout_ms)

    async def fetch_deposit_withdraw_fees(
        self, codes: Sequence[str] | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, DepositWithdrawFee]:
        """What moving currencies in and out costs, by code."""
        return await self._ask("fetch_deposit_withdraw_fees", (listed(codes),), params, timeout_ms)

    async def fetch_transfer(
        self, id: str, code: str | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Transfer:
        """One transfer between own accounts."""
        return await self._ask("fetch_transfer", (id, code), params, timeout_ms)

    async def fetch_transfers(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Transfer]:
        """Transfers between own accounts, oldest first."""
        return await self._ask("fetch_transfers", (code, since, limit), params, timeout_ms)

    async def fetch_convert_currencies(
        self, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> dict[str, Currency]:
        """What can be converted without an order, by code."""
        return await self._ask("fetch_convert_currencies", (), params, timeout_ms)

    async def fetch_convert_quote(
        self,
        from_code: str,
        to_code: str,
        amount: AmountLike | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Conversion:
        """A price at which the exchange would convert; it holds for a short while."""
        return await self._ask("fetch_convert_quote", (from_code, to_code, number(amount)), params, timeout_ms)

    async def fetch_convert_trade(
        self, id: str, code: str | None = None, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Conversion:
        """One conversion."""
        return await self._ask("fetch_convert_trade", (id, code), params, timeout_ms)

    async def fetch_convert_trade_history(
        self,
        code: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Conversion]:
        """Past conversions."""
        return await self._ask("fetch_convert_trade_history", (code, since, limit), params, timeout_ms)
