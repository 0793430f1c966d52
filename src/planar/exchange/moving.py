"""What moves money outside of orders: transfers between own accounts, conversions, withdrawals. Each is sent once.

Everything has a preview, which sends nothing. Withdrawals are off unless the configuration turns them on, and go to the
addresses that it lists, and nowhere else. A request without an answer raises with the outcome UNKNOWN, and is never sent
again by itself: `fetch_transfers`, `fetch_withdrawals` or `fetch_convert_trade_history` tell whether it was carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from planar.config.suggest import nearest
from planar.errors import BadRequest, InvalidAddress, NotSupported, Outcome, PermissionDenied
from planar.exchange.abilities import AbilityMethods
from planar.exchange.core import NOTHING, number
from planar.exchange.labels import labelled
from planar.models import Amount, AmountLike
from planar.models.money import Conversion, DepositWithdrawFee, Transaction, Transfer


class MovePreview(msgspec.Struct, frozen=True, kw_only=True):
    """A movement of money that was not sent. None: not known, or not applicable.

    Attributes:
        exchange, environment, account: where it would be sent.
        what: "transfer" or "withdraw".
        code: the currency.
        amount: of it.
        source, target: accounts, or the address.
        tag: the memo that goes along with a withdrawal.
        free: what the account has free of the currency; of a transfer only where it leaves the account that is asked.
        fees: what the exchange takes for withdrawals of the currency, as it tells.
        warnings: what to know about it.
        sent: always False.
    """

    exchange: str
    environment: str
    account: str
    what: str
    code: str
    amount: Amount
    source: str | None
    target: str
    tag: str | None = None
    free: Amount | None = None
    fees: DepositWithdrawFee | None = None
    warnings: tuple[str, ...] = ()
    sent: bool = False


class MovingMethods(AbilityMethods):
    """Transfers, conversions, withdrawals."""

    @labelled
    async def transfer(
        self,
        code: str,
        amount: AmountLike,
        from_account: str,
        to_account: str,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Transfer:
        """Move a currency between own accounts at the exchange, once.

        Args:
            from_account, to_account: words of `account_types` (`spot`, `funding`, `swap`), which CCXT translates, or the name
                of a sub-account.
        """
        args = (code, self._moved(amount), self._place(from_account), self._place(to_account))
        return await self._ask("transfer", args, params, timeout_ms)

    async def preview_transfer(
        self, code: str, amount: AmountLike, from_account: str, to_account: str, *, timeout_ms: int | None = None
    ) -> MovePreview:
        """The same looked at; nothing is sent but a question for the balance."""
        moved = self._moved(amount)
        source, target = self._place(from_account), self._place(to_account)
        return await self._previewed("transfer", code, moved, source, target, None, timeout_ms)

    @labelled
    async def create_convert_trade(
        self,
        id: str,
        from_code: str,
        to_code: str,
        amount: AmountLike | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Conversion:
        """Accept a quote of `fetch_convert_quote`, which is its preview, once."""
        return await self._ask("create_convert_trade", (id, from_code, to_code, number(amount)), params, timeout_ms)

    @labelled
    async def withdraw(
        self,
        code: str,
        amount: AmountLike,
        address: str,
        tag: str | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> Transaction:
        """Withdraw a currency to an address that the configuration lists, once.

        Args:
            tag: the memo that goes along, where the network has one.
            params: `{"network": ...}` chooses the way; the exchange's usual one without it.

        Raises:
            PermissionDenied: (NOT_SENT) withdrawals are off.
            InvalidAddress: (NOT_SENT) the configuration does not list this address with this tag.
        """
        self._check_withdrawal(address, tag)
        return await self._ask("withdraw", (code, self._moved(amount), address, tag), params, timeout_ms)

    async def preview_withdrawal(
        self, code: str, amount: AmountLike, address: str, tag: str | None = None, *, timeout_ms: int | None = None
    ) -> MovePreview:
        """The same looked at, with what the exchange takes for it; what `withdraw` would refuse is refused."""
        self._check_withdrawal(address, tag)
        return await self._previewed("withdraw", code, self._moved(amount), None, address, tag, timeout_ms)

    def _place(self, account: str) -> str:
        """A word of `account_types`, or the name of a sub-account; what is nearly such a word is a slip."""
        near = nearest(account, self.account_types)
        if near is not None and near != account:
            raise BadRequest(
                f"there is no account of type {account!r}",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"did you mean {near}?",
            )
        return account

    def _moved(self, amount: AmountLike) -> Amount:
        moved = number(amount)
        if moved is None or moved <= 0:
            raise BadRequest(
                f"amount is {amount!r}", exchange=self.id, outcome=Outcome.NOT_SENT, hint="give a number above 0"
            )
        return moved

    def _check_withdrawal(self, address: str, tag: str | None) -> None:
        listed = self._settings.withdraw_to
        if not self._settings.withdrawals:
            raise PermissionDenied(
                f"withdrawals are off in [{self.id}]",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"to allow them to chosen addresses, write into [{self.id}]:\n       withdrawals = true\n"
                '       withdraw_to = ["<address>", "<address> <tag>"]',
            )
        wanted = address if tag is None else f"{address} {tag}"
        if wanted not in listed:
            raise InvalidAddress(
                f"{wanted} is not listed in withdraw_to of [{self.id}]",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"look at each character; then add it there: {', '.join(listed) if listed else 'it lists none'}",
            )

    async def _previewed(
        self,
        what: str,
        code: str,
        amount: Amount,
        source: str | None,
        target: str,
        tag: str | None,
        timeout_ms: int | None,
    ) -> MovePreview:
        self._check_signed(what)
        held = (await self.fetch_balance(timeout_ms=timeout_ms)).balances.get(code)
        free = None if held is None else held.free
        warnings: list[str] = []
        if source in (None, "spot") and (free is None or free < amount):
            warnings.append(f"{free if free is not None else 'nothing'} {code} is free")
        ability = self.can(what)
        if not ability:
            warnings.append(f"it would be refused: {ability.why}" if ability.how == "refused" else ability.why)
        fees = None
        if what == "withdraw":
            try:
                fees = await self.fetch_deposit_withdraw_fee(code, timeout_ms=timeout_ms)
            except NotSupported as error:
                warnings.append(f"the exchange does not tell what it takes: {error.message}")
        return MovePreview(
            exchange=self.id,
            environment=self.environment,
            account=self.account,
            what=what,
            code=code,
            amount=amount,
            source=source,
            target=target,
            tag=tag,
            free=free,
            fees=fees,
            warnings=tuple(warnings),
        )
