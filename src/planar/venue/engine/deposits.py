"""Deposits: seen on the chain, confirmed, credited, free to leave again; or given up.

An entry of a deposit that takes time goes from `EXTERNAL` to `PENDING` when it is seen, and to the account when it is
credited. One that takes none goes straight to the account.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import msgspec

from planar.venue.engine import addresses
from planar.venue.engine.accounts import Account
from planar.venue.engine.cashier import Cashier
from planar.venue.engine.enums import TransferStatus
from planar.venue.engine.events import FundsMoved
from planar.venue.engine.ledger import EXTERNAL, PENDING, EntryKind
from planar.venue.engine.movements import Deposit, DepositAddress
from planar.venue.engine.noise import Stream
from planar.venue.engine.units import require_units, to_decimal


class Deposits:
    """The deposits of all accounts. The caller flushes the outbox."""

    def __init__(self, cashier: Cashier) -> None:
        self._cashier = cashier
        self._places: dict[str, tuple[Account, int]] = {}
        """Where a record stands: its account, and its index there."""
        self._addresses: dict[tuple[str, str], DepositAddress] = {}

    def begin(
        self,
        account: Account,
        asset: str,
        amount: Decimal,
        network: str | None,
        now: int,
        *,
        settle_ms: int | None = 0,
        unlock_ms: int = 0,
        tx_id: str | None = None,
    ) -> Deposit:
        """A deposit is seen.

        Args:
            network: None: the asset's default.
            settle_ms: how long until it is credited; 0: at once, None: until `decide`.
            unlock_ms: how long after that it must not be withdrawn.
            tx_id: id of its transaction; None: one is made.

        Raises:
            EngineReject: UNKNOWN_ASSET, INVALID_AMOUNT.
        """
        where = self.address(account, asset, network)
        units = self._cashier.positive(amount)
        draws = self._cashier.draws()
        due_ms = None if settle_ms is None else now + settle_ms
        record = Deposit(
            id=draws.text(19, "0123456789"),
            account=account.name,
            asset=asset,
            amount=to_decimal(units),
            network=where.network,
            address=where.address,
            tag=where.tag,
            tx_id=tx_id or addresses.transaction_id(where.network, draws),
            status=TransferStatus.PENDING,
            created_ms=now,
            completed_ms=None,
            needed=self._cashier.network(asset, where.network).confirmations,
            due_ms=due_ms,
            unlock_ms=None if due_ms is None else due_ms + unlock_ms,
        )
        self._places[record.id] = (account, len(account.deposits))
        account.deposits.append(record)
        if due_ms == now:
            self._credit(record.id, EXTERNAL, now)
        else:
            self._wait(record, units)
        return self.get(record.id)

    def _wait(self, record: Deposit, units: int) -> None:
        """It is seen and not credited yet."""
        moves = ((EXTERNAL, record.asset, -units), (PENDING, record.asset, units))
        self._cashier.post(record.created_ms, EntryKind.INCOMING, record.id, *moves)
        if record.due_ms is not None:
            self._cashier.agenda.add(record.due_ms, partial(self._credit_if_pending, record.id))

    def get(self, deposit_id: str) -> Deposit:
        """A record as it is now. Raises KeyError."""
        account, index = self._places[deposit_id]
        return account.deposits[index]

    def __contains__(self, deposit_id: str) -> bool:
        return deposit_id in self._places

    def decide(self, deposit_id: str, outcome: TransferStatus, now: int) -> Deposit:
        """Ends a pending deposit: COMPLETED credits it, FAILED sends it back."""
        if outcome is TransferStatus.COMPLETED:
            self._credit(deposit_id, PENDING, now)
        else:
            record = self.get(deposit_id)
            units = require_units(record.amount, "amount")
            moves = ((PENDING, record.asset, -units), (EXTERNAL, record.asset, units))
            self._cashier.post(now, EntryKind.RETURN, deposit_id, *moves)
            self._replace(record, status=outcome)
        return self.get(deposit_id)

    def address(self, account: Account, asset: str, network: str | None) -> DepositAddress:
        """Where the account receives the asset: one address for each chain, always the same for a seed."""
        spec = self._cashier.network(asset, network)
        known = self._addresses.get((account.name, spec.network))
        if known is None:
            draws = Stream(self._cashier.seed, "address", account.name, spec.network)
            tag = draws.text(9, "123456789") if spec.needs_tag else None
            known = DepositAddress(asset, spec.network, addresses.address(spec.network, draws), tag)
            self._addresses[account.name, spec.network] = known
        return msgspec.structs.replace(known, asset=asset)

    def _credit_if_pending(self, deposit_id: str, now: int) -> None:
        if self.get(deposit_id).status is TransferStatus.PENDING:
            self._credit(deposit_id, PENDING, now)

    def _credit(self, deposit_id: str, source: str, now: int) -> None:
        account, _ = self._places[deposit_id]
        record = self.get(deposit_id)
        units = require_units(record.amount, "amount")
        moves = ((account.name, record.asset, units), (source, record.asset, -units))
        self._cashier.post(now, EntryKind.DEPOSIT, deposit_id, *moves)
        held_back = record.unlock_ms is not None and record.unlock_ms > now
        status = TransferStatus.CREDITED if held_back else TransferStatus.COMPLETED
        record = self._replace(record, status=status, completed_ms=now)
        if held_back and record.unlock_ms is not None:
            account.unready[record.asset] = account.unready.get(record.asset, 0) + units
            self._cashier.agenda.add(record.unlock_ms, partial(self._unlock, deposit_id))
        outbox = self._cashier.core.outbox
        outbox.touch(account, record.asset)
        if outbox.active:
            outbox.add(FundsMoved(account.name, record.asset, record.amount, now, deposit=record))

    def _unlock(self, deposit_id: str, now: int) -> None:
        """It may leave again."""
        account, _ = self._places[deposit_id]
        record = self._replace(self.get(deposit_id), status=TransferStatus.COMPLETED)
        account.unready[record.asset] -= require_units(record.amount, "amount")

    def _replace(self, record: Deposit, *, status: TransferStatus, completed_ms: int | None = None) -> Deposit:
        account, index = self._places[record.id]
        completed_ms = record.completed_ms if completed_ms is None else completed_ms
        account.deposits[index] = msgspec.structs.replace(record, status=status, completed_ms=completed_ms)
        return account.deposits[index]
