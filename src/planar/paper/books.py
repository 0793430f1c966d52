"""The order book that an order of a paper account meets: the live one if there is one that suffices, else asked for now."""

from __future__ import annotations

from planar.adapters.base import Adapter, OrderRequest
from planar.errors import StaleData
from planar.models.data import Side
from planar.paper.matching import Book, Taken, sweep, within
from planar.paper.state import PaperOrder
from planar.streams.hub import StreamHub

FRESH_MS = 1_000
"""A live book is used if its last update came within this time; else the exchange is asked."""
OLD_MS = 10_000
"""A book that the exchange itself says is older is refused."""
DEPTH = 100
"""Levels a side that are asked for."""


async def book_now(data: Adapter, hub: StreamHub | None, order: OrderRequest | PaperOrder, *, timeout_ms: int) -> Book:
    """The book of an order's market as it is now. A live one changes: use it before the next `await`.

    Raises:
        StaleData: what the exchange answered is not as it is now.
        PlanarError: the exchange did not tell.
    """
    live = hub.book_of(order.symbol) if hub is not None else None
    if live is not None and live.age_ms is not None and live.age_ms <= FRESH_MS:
        book = Book(live.bids, live.asks)
        if suffices(book, order):
            return book
    told = await data.fetch_order_book(order.symbol, DEPTH, {}, timeout_ms=timeout_ms)
    age_ms = 0 if told.ts_ms is None else data.venue_ms() - told.ts_ms
    if told.crossed or age_ms > OLD_MS:
        why = "it is crossed" if told.crossed else f"it is {age_ms / 1000:.1f} s old"
        raise StaleData(f"nothing can be filled from the order book of {order.symbol}: {why}", exchange=data.id)
    return Book(told.bids, told.asks, len(told.bids) < DEPTH, len(told.asks) < DEPTH)


def suffices(book: Book, order: OrderRequest | PaperOrder) -> bool:
    """Whether a book, of which nobody knows how deep it goes, shows all that an order can meet."""
    side: Side = "buy" if order.side == "buy" else "sell"
    if order.price is None:
        against = book.against(side)
        return len(sweep(against, side, Taken(), amount=order.amount, cost=order.cost)) < len(against)
    taking = within(book.against(side), order.price, side == "buy")
    if order.time_in_force in ("IOC", "FOK"):
        return taking
    return taking and within(book.beside(side), order.price, side == "sell")
