"""The double-entry ledger: every change of a balance is an entry whose postings sum to zero per asset.

Balances are kept here and nowhere else. Entries are appended and never changed. `EXTERNAL` stands for the world
outside, so it alone may be negative; `FEES` collects commissions; `MARKET` is the market model, refilled from
`EXTERNAL` when it runs short; `PENDING` holds deposits, withdrawals and transfers that are on their way. The funding
wallet of a user account is the account `<name>@funding`.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from planar.venue.engine.units import to_decimal

EXTERNAL = "@external"
FEES = "@fees"
MARKET = "@market"
PENDING = "@pending"

Move = tuple[str, str, int]
"""Account, asset, units."""


class EntryKind(enum.StrEnum):
    """Why money moved."""

    TRADE = "trade"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    INCOMING = "incoming"
    """A deposit that waits for confirmations: EXTERNAL to PENDING."""
    SETTLEMENT = "settlement"
    """What was pending has gone to the outside, with the fee to FEES."""
    RETURN = "return"
    """What was pending has gone back to where it came from."""
    TRANSFER = "transfer"
    ADJUSTMENT = "adjustment"
    REFILL = "refill"


class Posting(msgspec.Struct, frozen=True):
    """One line of an entry; a positive amount is a credit to the account."""

    account: str
    asset: str
    amount: Decimal


class Entry(msgspec.Struct, frozen=True):
    """One event that moved money. `reference` names its cause, e.g. symbol and trade id."""

    id: int
    ts_ms: int
    kind: EntryKind
    reference: str
    postings: tuple[Posting, ...]


_Row = tuple[int, EntryKind, str, tuple[Move, ...]]


class Ledger:
    """Entries and the balances they add up to."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._balances: dict[str, dict[str, int]] = {EXTERNAL: {}, FEES: {}, MARKET: {}, PENDING: {}}

    def open(self, account: str) -> dict[str, int]:
        """Opens an account; returns its balances in units, to be read only. Raises ValueError if it exists."""
        if account in self._balances:
            raise ValueError(f"account {account!r} exists")
        return self._balances.setdefault(account, {})

    def units(self, account: str) -> dict[str, int]:
        """Balances of an account in units of 1e-8, to be read only. Raises KeyError."""
        return self._balances[account]

    def post(self, ts_ms: int, kind: EntryKind, reference: str, moves: tuple[Move, ...]) -> None:
        """Appends one entry. The caller vouches that it sums to zero per asset; `audit` proves it."""
        balances = self._balances
        for account, asset, units in moves:
            held = balances[account]
            held[asset] = held.get(asset, 0) + units
        self._rows.append((ts_ms, kind, reference, moves))

    def refill(self, ts_ms: int, asset: str, needed: int) -> None:
        """Makes sure that `MARKET` can pay `needed` units."""
        if self._balances[MARKET].get(asset, 0) < needed:
            units = needed * 1000
            self.post(ts_ms, EntryKind.REFILL, "market model", ((MARKET, asset, units), (EXTERNAL, asset, -units)))

    def __len__(self) -> int:
        return len(self._rows)

    def entries(self, *, account: str | None = None, from_id: int = 0, limit: int | None = None) -> list[Entry]:
        """Entries from an id on (ids count from 0), all or those that touch an account, oldest first."""
        found: list[Entry] = []
        for index in range(from_id, len(self._rows)):
            if limit is not None and len(found) >= limit:
                break
            ts_ms, kind, reference, moves = self._rows[index]
            if account is None or any(move[0] == account for move in moves):
                postings = tuple(Posting(who, asset, to_decimal(units)) for who, asset, units in moves)
                found.append(Entry(index, ts_ms, kind, reference, postings))
        return found

    def balances(self, account: str) -> dict[str, Decimal]:
        """Balances of any account, the internal ones too. Raises KeyError."""
        return {asset: to_decimal(units) for asset, units in self._balances[account].items()}

    def accounts(self) -> list[str]:
        """All accounts, the internal ones first."""
        return list(self._balances)

    def audit(self) -> list[str]:
        """Recomputes everything from the entries. Returns what does not agree; empty when all does."""
        faults: list[str] = []
        sums: dict[tuple[str, str], int] = {}
        for index, (_, _, reference, moves) in enumerate(self._rows):
            per_asset: dict[str, int] = {}
            for account, asset, units in moves:
                per_asset[asset] = per_asset.get(asset, 0) + units
                sums[account, asset] = sums.get((account, asset), 0) + units
                if sums[account, asset] < 0 and account != EXTERNAL:
                    faults.append(f"entry {index} ({reference}) makes {account} {asset} negative")
            faults += [f"entry {index} ({reference}) leaves {n} {asset}" for asset, n in per_asset.items() if n]
        for account, held in self._balances.items():
            for asset, units in held.items():
                if units != sums.pop((account, asset), 0):
                    faults.append(f"balance of {account} {asset} is not the sum of its postings")
        faults += [f"postings without a balance: {account} {asset}" for account, asset in sums]
        return faults
