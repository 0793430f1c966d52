"""What book streams remember: the changes since the last depth event, the best prices last sent."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from planar.venue.engine.enums import Side
from planar.venue.engine.events import BookChange
from planar.venue.engine.types import Depth, Level


class DepthChange(msgspec.Struct, frozen=True):
    """The new amounts at the prices that changed between two update ids, both included."""

    first_id: int
    last_id: int
    bids: dict[Decimal, Decimal]
    asks: dict[Decimal, Decimal]


class DiffDepth:
    """Gathers book changes for one diff stream. Each event begins right after the one before it."""

    def __init__(self, update_id: int) -> None:
        """`update_id`: the book's when the stream opens."""
        self._next_id = update_id + 1
        self._last_id = update_id
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def add(self, change: BookChange) -> None:
        """A change of the book; one that the stream's beginning already contains is passed over."""
        if change.update_id > self._last_id:
            (self._bids if change.side is Side.BUY else self._asks)[change.price] = change.amount
            self._last_id = change.update_id

    def take(self) -> DepthChange | None:
        """What has changed since the last time; None if nothing."""
        if self._last_id < self._next_id:
            return None
        change = DepthChange(
            self._next_id,
            self._last_id,
            dict(sorted(self._bids.items(), reverse=True)),
            dict(sorted(self._asks.items())),
        )
        self._next_id = self._last_id + 1
        self._bids, self._asks = {}, {}
        return change


class BestPrices:
    """The top of the book as last sent."""

    def __init__(self, book: Depth) -> None:
        self._top = _top(book)

    def update(self, book: Depth) -> Depth | None:
        """The book, if its top is another than before."""
        top = _top(book)
        if top == self._top:
            return None
        self._top = top
        return book


def _top(book: Depth) -> tuple[Level | None, Level | None]:
    return (book.bids[0] if book.bids else None, book.asks[0] if book.asks else None)
