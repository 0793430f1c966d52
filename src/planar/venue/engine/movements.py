"""Money that moves other than by trades, as the exchange remembers it: deposits, withdrawals, transfers, addresses.

Records are immutable; while one is pending its successor takes its place in the list (`planar.venue.engine.funds`).
Times are UTC epoch milliseconds. `due_ms` is when a record goes on by itself: None where only a command decides.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from planar.venue.engine.enums import TransferStatus, Wallet


class DepositAddress(msgspec.Struct, frozen=True):
    """Where an account receives an asset on a network."""

    asset: str
    network: str
    address: str
    tag: str | None


class SavedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An address that an account keeps for its withdrawals.

    Attributes:
        name: the account's own name for it, unique within the account.
        allowed: whether withdrawals may go there where only allowed addresses may be used.
    """

    name: str
    asset: str
    network: str
    address: str
    tag: str | None = None
    allowed: bool = True


class Deposit(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came in from outside.

    Attributes:
        needed: confirmations that the network asks for.
        due_ms: when it is credited.
        unlock_ms: when it may leave again; equal to `due_ms` unless it is held back for longer.
        completed_ms: when it was credited; None: not yet, or never.
    """

    id: str
    account: str
    asset: str
    amount: Decimal
    network: str
    address: str
    tag: str | None
    tx_id: str
    status: TransferStatus
    created_ms: int
    completed_ms: int | None
    needed: int
    due_ms: int | None
    unlock_ms: int | None

    def confirmations(self, now_ms: int) -> int:
        """How many confirmations there are. They come evenly, the last a while before the money is credited."""
        if self.completed_ms is not None:
            return self.needed
        if self.due_ms is None or self.status is not TransferStatus.PENDING:
            return 0
        gone_ms, whole_ms = now_ms - self.created_ms, max(1, self.due_ms - self.created_ms)
        return min(self.needed, max(0, gone_ms * (self.needed + 1) // whole_ms))


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """Money that leaves. The account is debited `amount`, the receiver gets `amount - fee`.

    Attributes:
        tx_id: set when it is complete.
    """

    id: str
    client_id: str | None
    account: str
    wallet: Wallet
    asset: str
    amount: Decimal
    fee: Decimal
    network: str
    address: str
    tag: str | None
    tx_id: str | None
    status: TransferStatus
    created_ms: int
    completed_ms: int | None
    due_ms: int | None

    def is_sent(self, now_ms: int) -> bool:
        """Whether it is beyond recall: complete, or in the second half of its way."""
        if self.status is not TransferStatus.PENDING:
            return self.status is TransferStatus.COMPLETED
        return self.due_ms is not None and 2 * (now_ms - self.created_ms) >= self.due_ms - self.created_ms


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """Money that moves inside the exchange: between wallets of an account, or accounts of one owner."""

    id: str
    client_id: str | None
    asset: str
    amount: Decimal
    from_account: str
    from_wallet: Wallet
    to_account: str
    to_wallet: Wallet
    status: TransferStatus
    created_ms: int
    completed_ms: int | None
    due_ms: int | None
