"""Withdrawals: asked for, on their way, complete; or failed, or called back, and then given back.

What is withdrawn leaves the account for `PENDING` at once, with its fee. When it is complete the fee goes to `FEES`
and the rest to `EXTERNAL`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import msgspec

from planar.venue.engine import addresses
from planar.venue.engine.accounts import Account, pool
from planar.venue.engine.cashier import Cashier
from planar.venue.engine.enums import TransferStatus, Wallet
from planar.venue.engine.events import FundsMoved
from planar.venue.engine.ledger import EXTERNAL, FEES, PENDING, EntryKind
from planar.venue.engine.movements import Withdrawal
from planar.venue.engine.noise import Stream
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.specs import NetworkSpec
from planar.venue.engine.units import require_units, to_decimal

_HEX = "0123456789abcdef"


class WithdrawalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an account asks for. `amount` is debited, the fee is inside. `network` None: the asset's default."""

    asset: str
    amount: Decimal
    address: str
    network: str | None = None
    tag: str | None = None
    client_id: str | None = None
    wallet: Wallet = Wallet.SPOT


class Withdrawals:
    """The withdrawals of all accounts. The caller flushes the outbox.

    Args:
        on_sent: hears of each that is complete.
    """

    def __init__(self, cashier: Cashier, on_sent: Callable[[Withdrawal, int], None]) -> None:
        self._cashier = cashier
        self._on_sent = on_sent
        self._places: dict[str, tuple[Account, int]] = {}

    def begin(self, account: Account, request: WithdrawalRequest, now: int, settle_ms: int | None) -> Withdrawal:
        """Takes the money out of the account and sends it on its way.

        Args:
            settle_ms: how long that takes; 0: nothing, None: until `decide`.

        Raises:
            EngineReject: UNKNOWN_ASSET, INVALID_AMOUNT, INVALID_ADDRESS, MISSING_TAG, ADDRESS_NOT_ALLOWED,
                INSUFFICIENT_BALANCE, FUNDS_NOT_READY. Nothing has changed then.
        """
        spec = self._cashier.network(request.asset, request.network)
        self._check(account, request, spec)
        units = self._cashier.positive(request.amount)
        draws = self._cashier.draws()
        record = Withdrawal(
            id=draws.text(32, _HEX),
            client_id=request.client_id,
            account=account.name,
            wallet=request.wallet,
            asset=request.asset,
            amount=to_decimal(units),
            fee=spec.withdraw_fee,
            network=spec.network,
            address=request.address,
            tag=request.tag,
            tx_id=None,
            status=TransferStatus.PENDING,
            created_ms=now,
            completed_ms=None,
            due_ms=None if settle_ms is None else now + settle_ms,
        )
        self._places[record.id] = (account, len(account.withdrawals))
        account.withdrawals.append(record)
        self._book(record, -units, EntryKind.WITHDRAWAL, now)
        if settle_ms == 0:
            self._complete(record.id, now)
        elif record.due_ms is not None:
            self._cashier.agenda.add(record.due_ms, partial(self._complete_if_pending, record.id))
        return self.get(record.id)

    def _check(self, account: Account, request: WithdrawalRequest, spec: NetworkSpec) -> None:
        units = self._cashier.positive(request.amount)
        if not spec.withdraw_min <= request.amount <= spec.withdraw_max or request.amount <= spec.withdraw_fee:
            bounds = f"{spec.withdraw_min} and {spec.withdraw_max} on {spec.network}"
            raise EngineReject(RejectReason.INVALID_AMOUNT, f"amount = {request.amount} is not within {bounds}")
        if not addresses.is_address(spec.network, request.address):
            message = f"address = {request.address!r} is none of {spec.network}"
            raise EngineReject(RejectReason.INVALID_ADDRESS, message)
        if spec.needs_tag and not request.tag:
            raise EngineReject(RejectReason.MISSING_TAG, f"addresses of {spec.network} need a tag")
        if account.allowed_only and not _is_allowed(account, request, spec):
            message = f"address = {request.address!r} is not among those that {account.name} allows"
            raise EngineReject(RejectReason.ADDRESS_NOT_ALLOWED, message)
        self._cashier.need(account, request.wallet, request.asset, units)
        unready = account.unready.get(request.asset, 0) if request.wallet is Wallet.SPOT else 0
        if units > self._cashier.free(account, request.wallet, request.asset) - unready:
            message = f"{to_decimal(unready):f} {request.asset} were deposited a short while ago"
            raise EngineReject(RejectReason.FUNDS_NOT_READY, message)

    def get(self, withdrawal_id: str) -> Withdrawal:
        """A record as it is now. Raises KeyError."""
        account, index = self._places[withdrawal_id]
        return account.withdrawals[index]

    def __contains__(self, withdrawal_id: str) -> bool:
        return withdrawal_id in self._places

    def decide(self, withdrawal_id: str, outcome: TransferStatus, now: int) -> Withdrawal:
        """Ends a pending withdrawal: COMPLETED lets it arrive, FAILED and CANCELED give it back."""
        if outcome is TransferStatus.COMPLETED:
            self._complete(withdrawal_id, now)
        else:
            record = self._replace(self.get(withdrawal_id), status=outcome, completed_ms=now)
            self._book(record, require_units(record.amount, "amount"), EntryKind.RETURN, now)
        return self.get(withdrawal_id)

    def _complete_if_pending(self, withdrawal_id: str, now: int) -> None:
        if self.get(withdrawal_id).status is TransferStatus.PENDING:
            self._complete(withdrawal_id, now)

    def _complete(self, withdrawal_id: str, now: int) -> None:
        record = self.get(withdrawal_id)
        units, fee = require_units(record.amount, "amount"), require_units(record.fee, "fee")
        asset = record.asset
        moves = ((PENDING, asset, -units), (EXTERNAL, asset, units - fee), (FEES, asset, fee))
        self._cashier.post(now, EntryKind.SETTLEMENT, withdrawal_id, *moves)
        draws = Stream(self._cashier.seed, "sent", withdrawal_id)
        tx_id = addresses.transaction_id(record.network, draws)
        record = self._replace(record, status=TransferStatus.COMPLETED, completed_ms=now, tx_id=tx_id)
        self._on_sent(record, now)

    def _book(self, record: Withdrawal, units: int, kind: EntryKind, now: int) -> None:
        """Moves units between the account and `PENDING`."""
        account, _ = self._places[record.id]
        moves = ((pool(account.name, record.wallet), record.asset, units), (PENDING, record.asset, -units))
        self._cashier.post(now, kind, record.id, *moves)
        if record.wallet is not Wallet.SPOT:
            return
        outbox = self._cashier.core.outbox
        outbox.touch(account, record.asset)
        if outbox.active:
            outbox.add(FundsMoved(account.name, record.asset, to_decimal(units), now, withdrawal=record))

    def _replace(
        self, record: Withdrawal, *, status: TransferStatus, completed_ms: int, tx_id: str | None = None
    ) -> Withdrawal:
        account, index = self._places[record.id]
        account.withdrawals[index] = msgspec.structs.replace(
            record, status=status, completed_ms=completed_ms, tx_id=tx_id
        )
        return account.withdrawals[index]


def _is_allowed(account: Account, request: WithdrawalRequest, spec: NetworkSpec) -> bool:
    return any(
        saved.allowed
        and (saved.network, saved.address, saved.tag) == (spec.network, request.address, request.tag)
        and saved.asset == request.asset
        for saved in account.addresses
    )
