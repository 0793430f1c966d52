"""A book under best prices that came after it. Pure."""

from __future__ import annotations

import msgspec

from planar.models import OrderBook, Ticker
from planar.models.data import Level


def with_quote(book: OrderBook, quote: Ticker | None) -> OrderBook:
    """What is known of a later state of a book; the book as it is where the quote is none, older, or not numbered.

    A side whose best level is another now is that level alone: what lies behind it may have gone with the change, and a
    new best level over old ones may be a book that never was. The age is the earlier book's.
    """
    if quote is None or quote.nonce is None or book.nonce is None or quote.nonce <= book.nonce:
        return book
    return msgspec.structs.replace(
        book,
        bids=_topped(quote.bid, quote.bid_volume, book.bids),
        asks=_topped(quote.ask, quote.ask_volume, book.asks),
        nonce=quote.nonce,
    )


def _topped(price: float | None, amount: float | None, before: tuple[Level, ...]) -> tuple[Level, ...]:
    """One side; empty without a price and an amount, since nothing is known to be there."""
    if not price or not amount:
        return ()
    return before if before and before[0] == (price, amount) else ((price, amount),)
