"""A book under best prices that came after it. Pure."""

from __future__ import annotations

import msgspec

from planar.models import OrderBook, Ticker
from planar.models.data import Level


def with_quote(book: OrderBook, quote: Ticker | None) -> OrderBook:
    """The book with the best prices of a later state of it; as it is where the quote is none, older, or not numbered.

    What lay before the best price is gone; what lies behind it is the earlier book's, and so is the age.
    """
    if quote is None or quote.nonce is None or book.nonce is None or quote.nonce <= book.nonce:
        return book
    bid, ask = quote.bid, quote.ask
    bids = _topped(bid, quote.bid_volume, [level for level in book.bids if bid is not None and level[0] < bid])
    asks = _topped(ask, quote.ask_volume, [level for level in book.asks if ask is not None and level[0] > ask])
    return msgspec.structs.replace(book, bids=bids, asks=asks, nonce=quote.nonce)


def _topped(price: float | None, amount: float | None, behind: list[Level]) -> tuple[Level, ...]:
    """One side; empty without a price and an amount, since nothing is known to be there."""
    return ((price, amount), *behind) if price and amount else ()
