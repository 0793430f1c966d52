"""Money that moves other than by trades: deposits, withdrawals, transfers, adjustments, and what they still owe.

The parts are `deposits`, `withdrawals`, `transfers`; what takes time is on one agenda, which `settle` works off.
Addresses and ids come from the seed. The caller flushes the outbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from planar.venue.engine.accounts import Account
from planar.venue.engine.cashier import Cashier
from planar.venue.engine.core import Core
from planar.venue.engine.deposits import Deposits
from planar.venue.engine.enums import TransferStatus
from planar.venue.engine.events import FundsMoved
from planar.venue.engine.ledger import EXTERNAL, PENDING, EntryKind
from planar.venue.engine.movements import Deposit, Transfer, Withdrawal
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.specs import AssetSpec
from planar.venue.engine.transfers import Transfers
from planar.venue.engine.units import require_units, to_decimal
from planar.venue.engine.withdrawals import Withdrawals

Movement = Deposit | Withdrawal | Transfer


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long the exchange takes, in ms; 0: no time, None: until somebody decides.

    Attributes:
        withdraw_ms: from a withdrawal's request until it has left.
        transfer_ms: from a transfer's request until it has arrived.
    """

    withdraw_ms: int | None = 0
    transfer_ms: int | None = 0


class Funds:
    """Moves money over the border of the exchange, and within it.

    Attributes:
        pace: how long withdrawals and transfers take that begin now.
    """

    def __init__(self, core: Core, assets: Mapping[str, AssetSpec], seed: int) -> None:
        self.pace = Pace()
        self._core = core
        self._cashier = Cashier(core, assets, seed)
        self.deposits = Deposits(self._cashier)
        self.withdrawals = Withdrawals(self._cashier, self._on_sent)
        self.transfers = Transfers(self._cashier)

    def settle(self, now: int) -> bool:
        """Does what is due; whether there was anything."""
        return self._cashier.agenda.run(now)

    def decide(self, movement_id: str, outcome: TransferStatus, now: int) -> Movement:
        """Ends a pending deposit, withdrawal or transfer now.

        Args:
            outcome: COMPLETED; FAILED; or CANCELED, of withdrawals.

        Raises:
            EngineReject: UNKNOWN_MOVEMENT.
        """
        parts: Sequence[Deposits | Withdrawals | Transfers] = (self.deposits, self.withdrawals, self.transfers)
        for part in parts:
            if movement_id in part and part.get(movement_id).status is TransferStatus.PENDING:
                return part.decide(movement_id, outcome, now)
        message = f"no deposit, withdrawal or transfer {movement_id!r} is pending"
        raise EngineReject(RejectReason.UNKNOWN_MOVEMENT, message)

    def adjust(self, account: Account, asset: str, units: int, reason: str, now: int) -> None:
        """Books a correction from outside. Raises EngineReject if it takes more than is free."""
        self._cashier.asset(asset)
        if account.free(asset) + units < 0:
            message = (
                f"{to_decimal(-units):f} {asset} are more than the {to_decimal(account.free(asset)):f} that are free"
            )
            raise EngineReject(RejectReason.INSUFFICIENT_BALANCE, message)
        moves = ((account.name, asset, units), (EXTERNAL, asset, -units))
        self._cashier.post(now, EntryKind.ADJUSTMENT, reason, *moves)
        self._core.outbox.touch(account, asset)
        if self._core.outbox.active:
            self._core.outbox.add(FundsMoved(account.name, asset, to_decimal(units), now))

    def audit(self) -> list[str]:
        """What of the pending does not agree with the ledger; empty when all does."""
        owed: dict[str, int] = {}
        users = self._core.accounts.users()
        rows: list[Movement] = [row for account in users for row in account.deposits]
        rows += [row for account in users for row in account.withdrawals]
        for row in rows + self.transfers.rows():
            if row.status is TransferStatus.PENDING:
                owed[row.asset] = owed.get(row.asset, 0) + require_units(row.amount, "amount")
        held = self._core.ledger.units(PENDING)
        return [
            f"{PENDING} {asset}: {held.get(asset, 0)} units are not the {owed.get(asset, 0)} that are on their way"
            for asset in {**held, **owed}
            if held.get(asset, 0) != owed.get(asset, 0)
        ]

    def _on_sent(self, sent: Withdrawal, now: int) -> None:
        """A withdrawal to an address of an account of this exchange arrives there."""
        for account in self._core.accounts.users():
            where = self.deposits.address(account, sent.asset, sent.network)
            if (where.address, where.tag) == (sent.address, sent.tag):
                net = sent.amount - sent.fee
                self.deposits.begin(account, sent.asset, net, sent.network, now, tx_id=sent.tx_id)
                return
