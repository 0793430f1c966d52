"""The part of `VirtualExchange` that keeps accounts and moves their money other than by trades."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from planar.venue.engine.account_data import AccountData
from planar.venue.engine.accounts import Account
from planar.venue.engine.enums import TransferStatus, Wallet
from planar.venue.engine.funds import Funds, Movement
from planar.venue.engine.movements import Deposit, DepositAddress, SavedAddress, Transfer, Withdrawal
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.transfers import Purse
from planar.venue.engine.types import Balance
from planar.venue.engine.units import require_units, to_decimal
from planar.venue.engine.withdrawals import WithdrawalRequest


class Treasury(AccountData):
    """Accounts and their funds. Every method raises EngineReject UNKNOWN_ACCOUNT for a name that nobody has."""

    funds: Funds

    # -- accounts -----------------------------------------------------------------------------------------------

    def add_account(self, account: str, *, master: str | None = None) -> None:
        """Opens an account without funds, `master`: as a sub-account. Raises ValueError if it exists."""
        if master is not None and self.core.accounts.get(master).master is not None:
            raise ValueError(f"master = {master!r} is a sub-account itself")
        self.core.accounts.open(account, master=master, opened_ms=self.core.now())

    def accounts(self) -> list[str]:
        """Names of the user accounts (not the model's), in order of opening."""
        return [account.name for account in self.core.accounts.users()]

    def profile(self, account: str) -> Account:
        """The account itself, to be read: its owner, its age, its addresses."""
        return self.core.accounts.get(account)

    def sub_accounts(self, account: str) -> list[str]:
        """Names of the accounts that belong to this one, in order of opening."""
        master = self.core.accounts.get(account).name
        return [one.name for one in self.core.accounts.users() if one.master == master]

    def save_addresses(self, account: str, addresses: Sequence[SavedAddress], *, allowed_only: bool) -> None:
        """Sets the withdrawal addresses of an account, and whether it may withdraw to others.

        Raises:
            EngineReject: UNKNOWN_ASSET, an asset or a network is not listed.
            ValueError: two have the same name.
        """
        found = self.core.accounts.get(account)
        names = [one.name for one in addresses]
        if len(set(names)) < len(names):
            raise ValueError(f"two addresses of {account} have the same name")
        for one in addresses:
            self.funds.deposits.address(found, one.asset, one.network)
        found.addresses = list(addresses)
        found.allowed_only = allowed_only

    # -- movements ----------------------------------------------------------------------------------------------

    def deposit(
        self,
        account: str,
        asset: str,
        amount: Decimal,
        *,
        network: str | None = None,
        settle_ms: int | None = 0,
        unlock_ms: int = 0,
    ) -> Deposit:
        """Money comes in from outside.

        Args:
            network: None: the asset's default.
            settle_ms: how long until it is credited; 0: at once, None: until `decide`.
            unlock_ms: how long after that it must not be withdrawn.
        """
        now = self.core.now()
        found = self.core.accounts.get(account)
        record = self.funds.deposits.begin(found, asset, amount, network, now, settle_ms=settle_ms, unlock_ms=unlock_ms)
        self.core.outbox.flush(now)
        return record

    def withdraw(self, account: str, request: WithdrawalRequest) -> Withdrawal:
        """Money leaves, at the pace of `funds.pace`. Raises EngineReject, see `Withdrawals.begin`."""
        now = self.core.now()
        found = self.core.accounts.get(account)
        record = self.funds.withdrawals.begin(found, request, now, self.funds.pace.withdraw_ms)
        self.core.outbox.flush(now)
        return record

    def cancel_withdrawal(self, account: str, withdrawal_id: str) -> bool:
        """Calls a withdrawal back; False if it is too late.

        Raises:
            EngineReject: UNKNOWN_MOVEMENT, the account has no such withdrawal.
        """
        rows = self.core.accounts.get(account).withdrawals
        record = next((row for row in rows if row.id == withdrawal_id), None)
        if record is None:
            message = f"{account} has no withdrawal {withdrawal_id!r}"
            raise EngineReject(RejectReason.UNKNOWN_MOVEMENT, message)
        now = self.core.now()
        if record.status is not TransferStatus.PENDING or record.is_sent(now):
            return False
        self.decide(withdrawal_id, TransferStatus.CANCELED)
        return True

    def transfer(
        self,
        source: tuple[str, Wallet],
        target: tuple[str, Wallet],
        asset: str,
        amount: Decimal,
        *,
        client_id: str | None = None,
    ) -> Transfer:
        """Money goes from one wallet to another, at the pace of `funds.pace`.

        Raises:
            EngineReject: UNKNOWN_ASSET, INVALID_AMOUNT, NOT_RELATED, INSUFFICIENT_BALANCE.
        """
        now = self.core.now()
        giver, taker = (Purse(self.core.accounts.get(name), wallet) for name, wallet in (source, target))
        record = self.funds.transfers.begin(
            giver, taker, asset, amount, now, client_id=client_id, settle_ms=self.funds.pace.transfer_ms
        )
        self.core.outbox.flush(now)
        return record

    def decide(self, movement_id: str, outcome: TransferStatus) -> Movement:
        """Ends a pending movement now. Raises EngineReject UNKNOWN_MOVEMENT."""
        now = self.core.now()
        record = self.funds.decide(movement_id, outcome, now)
        self.core.outbox.flush(now)
        return record

    def settle(self) -> None:
        """Does what has become due; wires call it all the time."""
        now = self.core.now()
        if self.funds.settle(now):
            self.core.outbox.flush(now)

    def credit(self, account: str, asset: str, amount: Decimal, reason: str) -> None:
        """An adjustment from outside, positive or negative; no deposit record. `reason` stands in the ledger."""
        now = self.core.now()
        found = self.core.accounts.get(account)
        self.funds.adjust(found, asset, require_units(amount, "amount"), reason, now)
        self.core.outbox.flush(now)

    def set_balance(self, account: str, asset: str, free: Decimal) -> None:
        """Adjusts the free balance to a value; what is locked stays."""
        found = self.core.accounts.get(account)
        units = require_units(free, "free")
        if units < 0:
            raise ValueError(f"free = {free} is negative")
        now = self.core.now()
        self.funds.adjust(found, asset, units - found.free(asset), "set balance", now)
        self.core.outbox.flush(now)

    # -- what there is ------------------------------------------------------------------------------------------

    def deposits(
        self,
        account: str,
        *,
        asset: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Deposit]:
        """Deposits, newest first; bounds (inclusive) are on `created_ms`."""
        rows = self.core.accounts.get(account).deposits
        return [row for row in reversed(rows) if _matches(row, asset, start_ms, end_ms)]

    def withdrawals(
        self,
        account: str,
        *,
        asset: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Withdrawal]:
        """Withdrawals, newest first; bounds (inclusive) are on `created_ms`."""
        rows = self.core.accounts.get(account).withdrawals
        return [row for row in reversed(rows) if _matches(row, asset, start_ms, end_ms)]

    def transfers(
        self,
        accounts: Sequence[str],
        *,
        asset: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Transfer]:
        """Transfers from or to any of these accounts, newest first; bounds (inclusive) are on `created_ms`."""
        return [
            row
            for row in reversed(self.funds.transfers.rows())
            if _matches(row, asset, start_ms, end_ms) and {row.from_account, row.to_account} & set(accounts)
        ]

    def funding(self, account: str) -> dict[str, Balance]:
        """What the funding wallet holds."""
        held = self.core.accounts.get(account).funding
        return {asset: Balance(asset, to_decimal(units), Decimal(0)) for asset, units in held.items()}

    def withdrawing(self, account: str) -> dict[str, Decimal]:
        """What of each asset has left the account's wallets and not yet the exchange."""
        found: dict[str, Decimal] = {}
        for row in self.core.accounts.get(account).withdrawals:
            if row.status is TransferStatus.PENDING:
                found[row.asset] = found.get(row.asset, Decimal(0)) + row.amount
        return found

    def deposit_address(self, account: str, asset: str, network: str | None = None) -> DepositAddress:
        """The address of an account for an asset; always the same for a seed."""
        return self.funds.deposits.address(self.core.accounts.get(account), asset, network)


def _matches(row: Movement, asset: str | None, start_ms: int | None, end_ms: int | None) -> bool:
    return (
        (asset is None or row.asset == asset)
        and (start_ms is None or row.created_ms >= start_ms)
        and (end_ms is None or row.created_ms <= end_ms)
    )
