"""The spot wallets at each midnight, as `GET /sapi/v1/accountSnapshot` shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.types import Balance
from planar.venue.wire.binance.worth import NOTHING, in_bitcoin

DAY_MS: Final = 86_400_000
DAYS_KEPT: Final = 30
"""How far back the exchange answers."""


class Snapshot(msgspec.Struct, frozen=True):
    """A spot wallet at a midnight (UTC), and its worth in BTC."""

    ts_ms: int
    balances: tuple[Balance, ...]
    in_bitcoin: Decimal


class Snapshots:
    """The snapshots of all accounts that were taken since the venue began."""

    def __init__(self, exchange: VirtualExchange) -> None:
        self._exchange = exchange
        self._day = exchange.now_ms() // DAY_MS
        self._rows: dict[str, list[Snapshot]] = {}

    def of(self, account: str) -> list[Snapshot]:
        """Those of an account, oldest first."""
        return self._rows.get(account, [])

    def tick(self, now_ms: int) -> None:
        """Take them if a day has ended."""
        if now_ms // DAY_MS == self._day:
            return
        self._day = now_ms // DAY_MS
        for account in self._exchange.accounts():
            held = tuple(row for row in self._exchange.balances(account).values() if row.total)
            worth = sum((in_bitcoin(self._exchange, row) for row in held), NOTHING)
            rows = self._rows.setdefault(account, [])
            rows.append(Snapshot(self._day * DAY_MS, held, worth))
            del rows[:-DAYS_KEPT]
