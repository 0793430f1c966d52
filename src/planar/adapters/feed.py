"""What live data is asked for (`Topic`), and how an adapter brings it (`Feed` to `Sink`).

`planar.streams` asks an adapter for the feed of a topic and runs it. A feed calls its sink synchronously, once per
update and in the order of arrival, from whatever code reads the socket: no queue, task or future lies between.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias

import msgspec

from planar.errors import PlanarError
from planar.models import AccountBalance, Candle, Fill, FundingRate, Order, Position, Ticker, Trade
from planar.models.derivatives import Liquidation

Source: TypeAlias = Literal["websocket", "rest"]
Item: TypeAlias = Trade | Candle | Order | Fill | Ticker | AccountBalance | FundingRate | Liquidation | Position


class Kind(StrEnum):
    """What a topic is about."""

    ORDER_BOOK = "order_book"
    TRADES = "trades"
    TICKER = "ticker"
    TICKERS = "tickers"
    OHLCV = "ohlcv"
    ORDERS = "orders"
    MY_TRADES = "my_trades"
    BALANCE = "balance"
    BIDS_ASKS = "bids_asks"
    MARK_PRICE = "mark_price"
    MARK_PRICES = "mark_prices"
    FUNDING_RATE = "funding_rate"
    FUNDING_RATES = "funding_rates"
    LIQUIDATIONS = "liquidations"
    MY_LIQUIDATIONS = "my_liquidations"
    POSITIONS = "positions"

    @property
    def has_rows(self) -> bool:
        """True if each update is an event of its own; False if it only replaces the state before it."""
        return self in _ROWS

    @property
    def is_table(self) -> bool:
        """True if the state is one of several markets."""
        return self in _TABLES

    @property
    def is_private(self) -> bool:
        """True if it is about the account."""
        return self in _PRIVATE


_ROWS = frozenset(
    {
        *(Kind.TRADES, Kind.OHLCV, Kind.ORDERS, Kind.MY_TRADES),
        *(Kind.LIQUIDATIONS, Kind.MY_LIQUIDATIONS, Kind.POSITIONS),
    }
)
_TABLES = frozenset({Kind.TICKERS, Kind.BIDS_ASKS, Kind.MARK_PRICES, Kind.FUNDING_RATES})
_PRIVATE = frozenset({Kind.ORDERS, Kind.MY_TRADES, Kind.BALANCE, Kind.MY_LIQUIDATIONS, Kind.POSITIONS})
PRICES = frozenset({Kind.TICKER, Kind.TICKERS, Kind.BIDS_ASKS})
"""States that tell what a market trades at."""


class Topic(msgspec.Struct, frozen=True):
    """One thing to watch.

    Attributes:
        kind: what.
        symbols: unified symbols; empty for the whole account.
        timeframe: of candles.
        depth: levels a side for which the venue must be asked, where that decides what it sends; else None.
    """

    kind: Kind
    symbols: tuple[str, ...] = ()
    timeframe: str | None = None
    depth: int | None = None

    def __str__(self) -> str:
        parts = (",".join(self.symbols), self.timeframe or "")
        return " ".join((self.kind.value, *(part for part in parts if part)))


class Ladder(Protocol):
    """An order book as its feed keeps it: read it now, it changes with the next update."""

    @property
    def symbol(self) -> str: ...
    @property
    def bids(self) -> Sequence[Sequence[float]]:
        """[price, amount, ...] levels, highest price first."""
        ...

    @property
    def asks(self) -> Sequence[Sequence[float]]:
        """[price, amount, ...] levels, lowest price first."""
        ...

    @property
    def nonce(self) -> int | None:
        """The venue's sequence number."""
        ...

    @property
    def ts_ms(self) -> int | None:
        """The venue's time."""
        ...


class Sink(Protocol):
    """Takes what a feed brings."""

    def subscribed(self) -> None:
        """The venue has confirmed the subscription; from now on every event arrives."""
        ...

    def deliver(self, item: Item) -> None:
        """One row, or the newest state."""
        ...

    def book(self, ladder: Ladder) -> None:
        """An update was applied to the book; the same object each time while it is one book."""
        ...

    def lost(self, reason: str) -> None:
        """Something came that could not be read, so an update is missing."""
        ...


class Feed(Protocol):
    """Brings one topic to one sink. The pump owns it: one `run` at a time."""

    @property
    def topic(self) -> Topic:
        """The topic as this adapter distinguishes it: feeds of equal topics bring the same."""
        ...

    @property
    def source(self) -> Source: ...

    @property
    def heard_ms(self) -> int | None:
        """When anything, data or not, last came over the connection, UTC milliseconds; None: nothing yet."""
        ...

    async def run(self, sink: Sink) -> None:
        """Subscribe and deliver, until it fails. May be called again after that.

        Raises:
            PlanarError: the subscription was refused or the connection lost; what followed is missing.
        """
        ...

    def fail(self, error: PlanarError) -> None:
        """Make `run` raise `error`: what it delivers cannot be right, so it must be fetched anew."""
        ...

    async def close(self) -> None:
        """Unsubscribe, after `run` has ended. Nothing of this feed stays open."""
        ...
