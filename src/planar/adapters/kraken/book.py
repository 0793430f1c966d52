"""Kraken's order books: kept from the text of the frames, and proved by the checksum that each of them carries.

Source: guide "Book checksum (WebSocket v2)". The checksum is a CRC-32 over the digits of the ten best asks and bids as
they were sent, so numbers are kept as text beside their values. What lies below the tenth level nobody can prove: an
update that is lost there shows only when its level rises. A book of depth 10 is proved whole.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from datetime import datetime
from typing import Any

import msgspec

DEPTHS = (10, 25, 100, 500, 1000)
"""The depths that can be subscribed to (documentation: WebSocket v2, book)."""

SUMMED = 10
"""Levels a side that the checksum covers."""


class Level(msgspec.Struct):
    """A price and the amount there, as they were written; an amount of 0 removes the level."""

    price: msgspec.Raw
    qty: msgspec.Raw


class BookRow(msgspec.Struct):
    """One market in a frame."""

    symbol: str
    bids: list[Level]
    asks: list[Level]
    checksum: int
    timestamp: str | None = None


class BookFrame(msgspec.Struct):
    """A frame of the channel `book`. `type` is "snapshot" or "update"."""

    type: str
    data: list[BookRow]


_DECODER = msgspec.json.Decoder(BookFrame)


def read_frame(text: str | bytes) -> BookFrame:
    """A frame, its numbers as they were written.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _DECODER.decode(text)


def time_ms(text: str) -> int:
    """An RFC 3339 time as UTC milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


class _Side:
    """One side, best price first."""

    __slots__ = ("_digits", "_keys", "_sign", "levels")

    def __init__(self, sign: float) -> None:
        self.levels: list[list[float]] = []
        self._sign = sign
        self._keys: list[float] = []
        self._digits: list[str] = []

    def clear(self) -> None:
        for column in (self.levels, self._keys, self._digits):
            column.clear()

    def put(self, level: Level) -> None:
        price, qty = bytes(level.price), bytes(level.qty)
        value, amount = float(price), float(qty)
        keys, key = self._keys, self._sign * value
        at = bisect_left(keys, key)
        known = at < len(keys) and keys[at] == key
        if not amount:
            if known:
                del keys[at], self.levels[at], self._digits[at]
        elif known:
            self.levels[at], self._digits[at] = [value, amount], _digits(price) + _digits(qty)
        else:
            keys.insert(at, key)
            self.levels.insert(at, [value, amount])
            self._digits.insert(at, _digits(price) + _digits(qty))

    def cut(self, depth: int) -> None:
        for column in (self.levels, self._keys, self._digits):
            del column[depth:]

    def best(self) -> str:
        return "".join(self._digits[:SUMMED])


def _digits(number: bytes) -> str:
    return number.replace(b".", b"").lstrip(b"0").decode()


class Book:
    """The book of one market as its subscriber knows it.

    Attributes:
        state: the book in CCXT's form; the same object while it is one book.
        synced: it is the venue's book. False before the snapshot, and after a checksum that did not fit.
    """

    def __init__(self, symbol: str, depth: int) -> None:
        self._bids, self._asks = _Side(-1.0), _Side(1.0)
        self._depth = depth
        self.synced = False
        self.state: dict[str, Any] = {
            "symbol": symbol,
            "bids": self._bids.levels,
            "asks": self._asks.levels,
            "nonce": None,
            "timestamp": None,
        }

    def apply(self, kind: str, row: BookRow) -> bool:
        """Take a row of a frame; whether the checksum fits. An update without a snapshot before it changes nothing."""
        if kind == "snapshot":
            self._bids.clear()
            self._asks.clear()
            self.synced = True
        for side, levels in ((self._bids, row.bids), (self._asks, row.asks)):
            for level in levels:
                side.put(level)
            side.cut(self._depth)
        self.state["timestamp"] = None if row.timestamp is None else time_ms(row.timestamp)
        self.synced = zlib.crc32((self._asks.best() + self._bids.best()).encode()) == row.checksum
        return self.synced
