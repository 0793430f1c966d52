"""Order books for users: frozen at a sequence number, or the live ladder."""

from __future__ import annotations

from collections.abc import Sequence

from planar.adapters.feed import Ladder
from planar.models import OrderBook
from planar.models import from_ccxt as convert

DEFAULT_DEPTH = 20
"""Levels a side of a yielded book, where the user asks for no number."""


def freeze(ladder: Ladder, depth: int | None, received_ns: int | None) -> OrderBook:
    """A copy of the best `depth` levels a side, or of all, at the ladder's sequence number.

    Raises:
        BadResponse: the ladder holds levels that no book can have.
    """
    levels = {
        "symbol": ladder.symbol,
        "bids": ladder.bids[:depth],
        "asks": ladder.asks[:depth],
        "nonce": ladder.nonce,
        "timestamp": ladder.ts_ms,
    }
    return convert.order_book(levels, received_ns=received_ns)


class LiveBook:
    """The whole book as it is now. Valid until the next `await`; do not keep it, do not change it."""

    __slots__ = ("_ladder", "age_ms")

    def __init__(self, ladder: Ladder, age_ms: float | None) -> None:
        self._ladder = ladder
        self.age_ms = age_ms
        """Milliseconds since its last update."""

    @property
    def symbol(self) -> str:
        """Unified symbol."""
        return self._ladder.symbol

    @property
    def bids(self) -> Sequence[Sequence[float]]:
        """[price, amount] levels, highest price first."""
        return self._ladder.bids

    @property
    def asks(self) -> Sequence[Sequence[float]]:
        """[price, amount] levels, lowest price first."""
        return self._ladder.asks

    @property
    def best_bid(self) -> float | None:
        """The highest bid's price; None on an empty side."""
        return self.bids[0][0] if self.bids else None

    @property
    def best_ask(self) -> float | None:
        """The lowest ask's price; None on an empty side."""
        return self.asks[0][0] if self.asks else None

    @property
    def nonce(self) -> int | None:
        """The venue's sequence number."""
        return self._ladder.nonce

    @property
    def ts_ms(self) -> int | None:
        """The venue's time, UTC milliseconds."""
        return self._ladder.ts_ms
