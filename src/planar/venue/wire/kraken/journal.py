"""The ledger of an account as Kraken shows it: one line for each asset that an event moved, with the balance after it.

Made from the engine's double-entry ledger, line by line as it grows.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.ledger import Entry, EntryKind
from planar.venue.wire.kraken.formats import ZERO
from planar.venue.wire.kraken.ids import Ids


class Line(msgspec.Struct, frozen=True):
    """One line. The balance changed by `amount - fee`."""

    id: str
    account: str
    asset: str
    refid: str
    ts_ms: int
    kind: str
    amount: Decimal
    fee: Decimal
    balance: Decimal


class Journal:
    """The lines of all user accounts."""

    def __init__(self, exchange: VirtualExchange, ids: Ids) -> None:
        self._exchange = exchange
        self._ids = ids
        self._next = 0
        self._lines: dict[str, list[Line]] = {}
        self._balances: dict[tuple[str, str], Decimal] = {}

    def lines(self, account: str) -> list[Line]:
        """The lines of an account, oldest first."""
        self._read()
        return self._lines.get(account, [])

    def _read(self) -> None:
        for entry in self._exchange.ledger.entries(from_id=self._next):
            self._next = entry.id + 1
            for posting in entry.postings:
                if "@" not in posting.account:
                    self._add(entry, posting.account, posting.asset, posting.amount)

    def _add(self, entry: Entry, account: str, asset: str, net: Decimal) -> None:
        fee, refid = self._cause(entry, account, asset)
        kind = entry.kind.value
        if entry.kind is EntryKind.RETURN:
            kind = "withdrawal" if entry.reference in self._exchange.funds.withdrawals else "transfer"
        balance = self._balances.get((account, asset), ZERO) + net
        self._balances[account, asset] = balance
        line_id = self._ids.ledger(account, asset, entry.id)
        line = Line(line_id, account, asset, refid, entry.ts_ms, kind, net + fee, fee, balance)
        self._lines.setdefault(account, []).append(line)

    def _cause(self, entry: Entry, account: str, asset: str) -> tuple[Decimal, str]:
        """Fee and reference of an entry's line."""
        if entry.kind is EntryKind.TRADE:
            symbol, _, trade_id = entry.reference.split(" ")
            for fill in self._exchange.fills(account, symbol, from_id=int(trade_id), limit=1):
                fee = fill.commission if fill.commission_asset == asset else ZERO
                return fee, self._ids.trade(symbol, fill.order_id, fill.trade_id)
        if entry.reference in self._exchange.funds.withdrawals:
            fee = self._exchange.funds.withdrawals.get(entry.reference).fee
            return fee if entry.kind is EntryKind.WITHDRAWAL else -fee, self._ids.transfer(entry.reference)
        named = entry.kind is not EntryKind.ADJUSTMENT
        return ZERO, self._ids.transfer(entry.reference if named else f"{entry.kind.value} {entry.id}")
