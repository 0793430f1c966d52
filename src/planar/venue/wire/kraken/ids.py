"""Kraken's ids: `OXXXXX-XXXXX-XXXXXX` for orders, `T...` for trades, `L...` for ledger entries.

They follow from the venue's seed and from what they name, so that they are the same in every run.
"""

from __future__ import annotations

import re
from typing import Final

from planar.venue.engine.noise import Stream

BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
TXID: Final = re.compile(r"[A-Z2-7]{6}-[A-Z2-7]{5}-[A-Z2-7]{6}\Z")


class Ids:
    """Makes the ids of one venue."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def order(self, symbol: str, order_id: int) -> str:
        """Id of an order."""
        return self._make("O", "order", symbol, order_id)

    def trade(self, symbol: str, order_id: int, trade_id: int) -> str:
        """Id of an execution as the owner of one side sees it."""
        return self._make("T", "trade", symbol, order_id, trade_id)

    def ledger(self, account: str, asset: str, entry: int) -> str:
        """Id of a ledger entry."""
        return self._make("L", "ledger", account, asset, entry)

    def amend(self, order_txid: str, count: int) -> str:
        """Id of an amendment."""
        return self._make("T", "amend", order_txid, count)

    def transfer(self, record_id: str) -> str:
        """Reference id of a deposit, withdrawal, transfer or adjustment."""
        text = Stream(self._seed, "kraken", "transfer", record_id).text(18, BASE32)
        return f"A{text[:6]}-{text[6:12]}-{text[12:]}"

    def account(self, name: str) -> str:
        """Public id of an account, its IIBAN."""
        return iiban(self._seed, name)

    def _make(self, letter: str, *key: str | int) -> str:
        text = Stream(self._seed, "kraken", *key).text(16, BASE32)
        return f"{letter}{text[:5]}-{text[5:10]}-{text[10:]}"


def iiban(seed: int, account: str) -> str:
    """The public id of an account."""
    draws = Stream(seed, "kraken", "iiban", account)
    checksum, first, second = draws.text(2, "0123456789"), draws.text(4, _LETTERS), draws.text(4, _LETTERS)
    return f"AA{checksum} N84G {first} {second}"
