"""Money that comes in and goes out other than by trades: deposits, withdrawals, adjustments.

Deposits and withdrawals are complete at once. Addresses and transaction ids come from the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from planar.venue.engine.accounts import Account
from planar.venue.engine.core import Core
from planar.venue.engine.enums import TransferStatus
from planar.venue.engine.events import FundsMoved
from planar.venue.engine.ledger import EXTERNAL, EntryKind
from planar.venue.engine.noise import Stream
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.specs import AssetSpec, NetworkSpec
from planar.venue.engine.types import Deposit, DepositAddress, Withdrawal
from planar.venue.engine.units import to_decimal, to_units

_HEX = "0123456789abcdef"


class Funds:
    """Moves money over the border of the exchange. The caller flushes the outbox."""

    def __init__(self, core: Core, assets: Mapping[str, AssetSpec], seed: int) -> None:
        self._core = core
        self._assets = assets
        self._seed = seed
        self._moved = 0

    def deposit(self, account: Account, asset: str, amount: Decimal, network: str | None, now: int) -> Deposit:
        """Books money that came in."""
        where = self.address(account, asset, network)
        units = self._positive(amount)
        draws = self._draws()
        record = Deposit(
            id=draws.text(19, "0123456789"),
            account=account.name,
            asset=asset,
            amount=to_decimal(units),
            network=where.network,
            address=where.address,
            tag=where.tag,
            tx_id="0x" + draws.text(64, _HEX),
            status=TransferStatus.COMPLETED,
            created_ms=now,
            completed_ms=now,
        )
        account.deposits.append(record)
        self._move(account, asset, units, EntryKind.DEPOSIT, record.id, now)
        if self._core.outbox.active:
            self._core.outbox.add(FundsMoved(account.name, asset, record.amount, now, deposit=record))
        return record

    def withdraw(
        self,
        account: Account,
        asset: str,
        amount: Decimal,
        *,
        address: str,
        network: str | None,
        tag: str | None,
        client_id: str | None,
        now: int,
    ) -> Withdrawal:
        """Books money that leaves. Raises EngineReject."""
        spec = self._network(asset, network)
        units = self._positive(amount)
        if not spec.withdraw_min <= amount <= spec.withdraw_max or amount <= spec.withdraw_fee:
            message = f"amount = {amount} is not within {spec.withdraw_min} and {spec.withdraw_max} on {spec.network}"
            raise EngineReject(RejectReason.INVALID_AMOUNT, message)
        if units > account.free(asset):
            message = f"amount = {amount} {asset}, {to_decimal(account.free(asset)):f} are free"
            raise EngineReject(RejectReason.INSUFFICIENT_BALANCE, message)
        draws = self._draws()
        record = Withdrawal(
            id=draws.text(32, _HEX),
            client_id=client_id,
            account=account.name,
            asset=asset,
            amount=to_decimal(units),
            fee=spec.withdraw_fee,
            network=spec.network,
            address=address,
            tag=tag,
            tx_id="0x" + draws.text(64, _HEX),
            status=TransferStatus.COMPLETED,
            created_ms=now,
            completed_ms=now,
        )
        account.withdrawals.append(record)
        self._move(account, asset, -units, EntryKind.WITHDRAWAL, record.id, now)
        if self._core.outbox.active:
            self._core.outbox.add(FundsMoved(account.name, asset, -record.amount, now, withdrawal=record))
        return record

    def adjust(self, account: Account, asset: str, units: int, reason: str, now: int) -> None:
        """Books a correction from outside. Raises EngineReject if it takes more than is free."""
        self._asset(asset)
        if account.free(asset) + units < 0:
            message = (
                f"{to_decimal(-units):f} {asset} are more than the {to_decimal(account.free(asset)):f} that are free"
            )
            raise EngineReject(RejectReason.INSUFFICIENT_BALANCE, message)
        self._move(account, asset, units, EntryKind.ADJUSTMENT, reason, now)
        if self._core.outbox.active:
            self._core.outbox.add(FundsMoved(account.name, asset, to_decimal(units), now))

    def address(self, account: Account, asset: str, network: str | None) -> DepositAddress:
        """Where the account receives the asset."""
        spec = self._network(asset, network)
        draws = Stream(self._seed, "address", account.name, spec.network)
        tag = draws.text(9, "123456789") if spec.needs_tag else None
        return DepositAddress(asset, spec.network, "0x" + draws.text(40, _HEX), tag)

    def _draws(self) -> Stream:
        self._moved += 1
        return Stream(self._seed, "transfer", self._moved)

    def _asset(self, asset: str) -> AssetSpec:
        spec = self._assets.get(asset)
        if spec is None:
            raise EngineReject(RejectReason.UNKNOWN_ASSET, f"asset {asset!r} is not listed")
        return spec

    def _network(self, asset: str, network: str | None) -> NetworkSpec:
        networks = self._asset(asset).networks
        for spec in networks:
            if network is None or spec.network == network:
                return spec
        known = ", ".join(spec.network for spec in networks)
        message = f"network {network!r} does not carry {asset}"
        raise EngineReject(RejectReason.UNKNOWN_ASSET, message, hint=f"use one of {known or 'none'}")

    @staticmethod
    def _positive(amount: Decimal) -> int:
        units = to_units(amount)
        if units is None or units <= 0:
            message = f"amount = {amount} is not a positive number of at most 8 decimal places"
            raise EngineReject(RejectReason.INVALID_AMOUNT, message)
        return units

    def _move(self, account: Account, asset: str, units: int, kind: EntryKind, reference: str, now: int) -> None:
        moves = ((account.name, asset, units), (EXTERNAL, asset, -units))
        self._core.ledger.post(now, kind, reference, moves)
        self._core.outbox.touch(account, asset)
