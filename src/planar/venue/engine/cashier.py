"""What deposits, withdrawals and transfers have in common: checks of what is asked, entries in the ledger, the agenda.

`PENDING` holds what has left one side and not reached the other, so that nothing is ever nowhere.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from decimal import Decimal

from planar.venue.engine.accounts import Account
from planar.venue.engine.core import Core
from planar.venue.engine.enums import Wallet
from planar.venue.engine.ledger import EntryKind, Move
from planar.venue.engine.noise import Stream
from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.engine.specs import AssetSpec, NetworkSpec
from planar.venue.engine.units import to_decimal, to_units


class Agenda:
    """What happens by itself, and when. In the order of time; what is due at the same time in the order of entry."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = 0

    def add(self, due_ms: int, action: Callable[[int], None]) -> None:
        """Calls `action` with the present time once that is `due_ms` or later."""
        self._count += 1
        heapq.heappush(self._rows, (due_ms, self._count, action))

    def run(self, now_ms: int) -> bool:
        """Does what is due; whether there was anything."""
        begun = bool(self._rows) and self._rows[0][0] <= now_ms
        while self._rows and self._rows[0][0] <= now_ms:
            heapq.heappop(self._rows)[2](now_ms)
        return begun


class Cashier:
    """Checks and books movements of money. The caller flushes the outbox."""

    def __init__(self, core: Core, assets: Mapping[str, AssetSpec], seed: int) -> None:
        self.core = core
        self.seed = seed
        self.agenda = Agenda()
        self._assets = assets
        self._moved = 0

    def draws(self) -> Stream:
        """Chance for one further movement."""
        self._moved += 1
        return Stream(self.seed, "transfer", self._moved)

    def asset(self, asset: str) -> AssetSpec:
        """A listed asset. Raises EngineReject UNKNOWN_ASSET."""
        spec = self._assets.get(asset)
        if spec is None:
            raise EngineReject(RejectReason.UNKNOWN_ASSET, f"asset {asset!r} is not listed")
        return spec

    def network(self, asset: str, network: str | None) -> NetworkSpec:
        """A chain of an asset, None: its default. Raises EngineReject UNKNOWN_ASSET."""
        networks = self.asset(asset).networks
        for spec in networks:
            if network is None or spec.network == network:
                return spec
        known = ", ".join(spec.network for spec in networks)
        message = f"network {network!r} does not carry {asset}"
        raise EngineReject(RejectReason.UNKNOWN_ASSET, message, hint=f"use one of {known or 'none'}")

    @staticmethod
    def positive(amount: Decimal) -> int:
        """The units of an amount. Raises EngineReject INVALID_AMOUNT."""
        units = to_units(amount)
        if units is None or units <= 0:
            message = f"amount = {amount} is not a positive number of at most 8 decimal places"
            raise EngineReject(RejectReason.INVALID_AMOUNT, message)
        return units

    @staticmethod
    def free(account: Account, wallet: Wallet, asset: str) -> int:
        """Units that can be spent from a wallet."""
        return account.free(asset) if wallet is Wallet.SPOT else account.funding.get(asset, 0)

    def need(self, account: Account, wallet: Wallet, asset: str, units: int) -> None:
        """Raises EngineReject INSUFFICIENT_BALANCE if the wallet has not that much free."""
        free = self.free(account, wallet, asset)
        if units > free:
            message = f"amount = {to_decimal(units):f} {asset}, {to_decimal(free):f} are free"
            raise EngineReject(RejectReason.INSUFFICIENT_BALANCE, message)

    def post(self, now: int, kind: EntryKind, reference: str, *moves: Move) -> None:
        """Books one entry."""
        self.core.ledger.post(now, kind, reference, moves)
