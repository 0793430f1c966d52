"""Transfers inside the exchange: between the wallets of an account, and between accounts of one owner."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import msgspec

from planar.venue.engine.accounts import Account, pool
from planar.venue.engine.cashier import Cashier
from planar.venue.engine.enums import TransferStatus, Wallet
from planar.venue.engine.events import FundsMoved
from planar.venue.engine.ledger import PENDING, EntryKind
from planar.venue.engine.movements import Transfer
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.units import require_units, to_decimal


class Purse(msgspec.Struct, frozen=True):
    """One wallet of one account."""

    account: Account
    wallet: Wallet = Wallet.SPOT

    @property
    def name(self) -> str:
        """The ledger's name for it."""
        return pool(self.account.name, self.wallet)


class Transfers:
    """The transfers of all accounts. The caller flushes the outbox."""

    def __init__(self, cashier: Cashier) -> None:
        self._cashier = cashier
        self._rows: dict[str, Transfer] = {}

    def begin(
        self,
        source: Purse,
        target: Purse,
        asset: str,
        amount: Decimal,
        now: int,
        *,
        client_id: str | None,
        settle_ms: int | None,
    ) -> Transfer:
        """Moves money from one wallet to another.

        Args:
            settle_ms: how long it is under way; 0: not at all, None: until `decide`.

        Raises:
            EngineReject: UNKNOWN_ASSET, INVALID_AMOUNT, NOT_RELATED, INSUFFICIENT_BALANCE.
        """
        self._cashier.asset(asset)
        units = self._cashier.positive(amount)
        if source == target or _owner(source.account) != _owner(target.account):
            message = f"{source.name} and {target.name} are the same wallet, or have not the same owner"
            raise EngineReject(RejectReason.NOT_RELATED, message)
        self._cashier.need(source.account, source.wallet, asset, units)
        record = Transfer(
            id=self._cashier.draws().text(1, "123456789") + self._cashier.draws().text(10, "0123456789"),
            client_id=client_id,
            asset=asset,
            amount=to_decimal(units),
            from_account=source.account.name,
            from_wallet=source.wallet,
            to_account=target.account.name,
            to_wallet=target.wallet,
            status=TransferStatus.PENDING,
            created_ms=now,
            completed_ms=None,
            due_ms=None if settle_ms is None else now + settle_ms,
        )
        self._rows[record.id] = record
        self._tell(source, asset, -units, now)
        gone, at_once = (source.name, asset, -units), settle_ms == 0
        arrived = (target.name if at_once else PENDING, asset, units)
        self._cashier.post(now, EntryKind.TRANSFER, record.id, gone, arrived)
        if at_once:
            self._tell(target, asset, units, now)
            return self._end(record, TransferStatus.COMPLETED, now)
        if record.due_ms is not None:
            self._cashier.agenda.add(record.due_ms, partial(self._complete_if_pending, record.id))
        return record

    def get(self, transfer_id: str) -> Transfer:
        """A record as it is now. Raises KeyError."""
        return self._rows[transfer_id]

    def __contains__(self, transfer_id: str) -> bool:
        return transfer_id in self._rows

    def rows(self) -> list[Transfer]:
        """All of them, oldest first."""
        return list(self._rows.values())

    def decide(self, transfer_id: str, outcome: TransferStatus, now: int) -> Transfer:
        """Ends a pending transfer: COMPLETED lets it arrive, FAILED gives it back."""
        record = self._rows[transfer_id]
        arrives = outcome is TransferStatus.COMPLETED
        name, wallet = (record.to_account, record.to_wallet) if arrives else (record.from_account, record.from_wallet)
        purse = Purse(self._cashier.core.accounts.get(name), wallet)
        units = require_units(record.amount, "amount")
        kind = EntryKind.TRANSFER if arrives else EntryKind.RETURN
        moves = ((PENDING, record.asset, -units), (purse.name, record.asset, units))
        self._cashier.post(now, kind, record.id, *moves)
        self._tell(purse, record.asset, units, now)
        return self._end(record, outcome, now)

    def _complete_if_pending(self, transfer_id: str, now: int) -> None:
        if self._rows[transfer_id].status is TransferStatus.PENDING:
            self.decide(transfer_id, TransferStatus.COMPLETED, now)

    def _end(self, record: Transfer, status: TransferStatus, now: int) -> Transfer:
        ended = msgspec.structs.replace(record, status=status, completed_ms=now)
        self._rows[record.id] = ended
        return ended

    def _tell(self, purse: Purse, asset: str, units: int, now: int) -> None:
        """Subscribers hear of the spot wallets."""
        outbox = self._cashier.core.outbox
        if purse.wallet is Wallet.SPOT:
            outbox.touch(purse.account, asset)
            if outbox.active:
                outbox.add(FundsMoved(purse.account.name, asset, to_decimal(units), now))


def _owner(account: Account) -> str:
    return account.name if account.master is None else account.master
