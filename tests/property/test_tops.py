"""Best prices laid over an earlier book: never an older one, never a crossed book, nothing before the best price."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from planar.models import OrderBook, Ticker
from planar.multi.tops import with_quote

prices = st.integers(1, 40)


def levels(prices: set[int], *, falling: bool) -> tuple[tuple[float, float], ...]:
    return tuple((float(price), 1.0) for price in sorted(prices, reverse=falling))


@given(
    middle=prices,
    spread=st.integers(1, 5),
    bids=st.sets(st.integers(1, 20)),
    asks=st.sets(st.integers(21, 40)),
    gone=st.sampled_from(["neither", "bid", "ask"]),
    ahead=st.integers(-2, 2),
)
def test_what_is_known_of_a_later_book(
    middle: int, spread: int, bids: set[int], asks: set[int], gone: str, ahead: int
) -> None:
    book = OrderBook(
        symbol="A/B", bids=levels(bids, falling=True), asks=levels(asks, falling=False), nonce=10, received_ns=1
    )
    quote = Ticker(
        symbol="A/B",
        bid=None if gone == "bid" else float(middle),
        bid_volume=3.0,
        ask=0.0 if gone == "ask" else float(middle + spread),
        ask_volume=4.0,
        nonce=10 + ahead,
    )
    found = with_quote(book, quote)
    if ahead <= 0:
        assert found is book
        return
    assert found.best_bid == (None if gone == "bid" else middle)
    assert found.best_ask == (None if gone == "ask" else middle + spread)
    assert not found.crossed
    assert list(found.bids) == sorted(found.bids, reverse=True)
    assert list(found.asks) == sorted(found.asks)
    assert len(found.bids) <= 1  # the best level is another one in all of these
    assert len(found.asks) <= 1
    assert (found.nonce, found.received_ns) == (quote.nonce, 1)


def test_a_side_whose_best_level_stands_is_the_books() -> None:
    book = OrderBook(symbol="A/B", bids=((3.0, 1.0), (2.0, 5.0)), asks=((4.0, 1.0), (5.0, 1.0)), nonce=1)
    found = with_quote(book, Ticker(symbol="A/B", bid=3.0, bid_volume=1.0, ask=4.0, ask_volume=0.5, nonce=2))
    assert (found.bids, found.asks) == (book.bids, ((4.0, 0.5),))


def test_a_quote_without_a_number_changes_nothing() -> None:
    book = OrderBook(symbol="A/B", bids=((1.0, 1.0),), asks=((2.0, 1.0),), nonce=1)
    assert with_quote(book, Ticker(symbol="A/B", bid=1.5, bid_volume=1.0, ask=1.6, ask_volume=1.0)) is book
    assert with_quote(book, None) is book
