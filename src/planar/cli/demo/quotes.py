"""The markets of the demo as all exchanges together quote them: whose bid is the highest, whose ask the lowest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal

from planar.cli.board import Channel, Row, follow
from planar.exchange import Exchange
from planar.models import Model

Side = Literal["buy", "sell"]
CHANNELS: tuple[Channel, ...] = ("book", "trades")
DEPTH = 10
FIRST_BOOKS_S = 15.0


class Quotes:
    """One symbol on every exchange.

    Attributes:
        symbol: unified symbol.
        rows: exchange id -> its row.
    """

    def __init__(self, symbol: str, exchanges: Mapping[str, Exchange]) -> None:
        self.symbol = symbol
        self.rows = {name: Row(name, exchange.market(symbol)) for name, exchange in exchanges.items()}

    def best(self, side: Side) -> Row | None:
        """The exchange to take from: the lowest ask to buy, the highest bid to sell. None before the first book."""
        if side == "buy":
            return min((row for row in self.rows.values() if row.ask is not None), key=_ask, default=None)
        return max((row for row in self.rows.values() if row.bid is not None), key=_bid, default=None)

    @property
    def spread_pct(self) -> float | None:
        """From the highest bid to the lowest ask, in percent of their middle; negative where the exchanges cross."""
        ask, bid = self.best("buy"), self.best("sell")
        return None if ask is None or bid is None else 200 * (_ask(ask) - _bid(bid)) / (_ask(ask) + _bid(bid))

    @property
    def price_step(self) -> Decimal | None:
        """The finest price step of all exchanges; None if none is known."""
        return min(filter(None, (row.market.precision.price for row in self.rows.values())), default=None)

    def levels(self, side: Side, count: int) -> list[tuple[float, float, str]]:
        """(price, amount, exchange id) of the best levels of all books together: bids for "buy"."""
        books = [(name, row.book) for name, row in self.rows.items() if row.book is not None]
        found = [
            (price, amount, name)
            for name, book in books
            for price, amount in (book.bids if side == "buy" else book.asks)
        ]
        return sorted(found, key=lambda level: level[0], reverse=side == "buy")[:count]


class Board:
    """The streams of the demo.

    Attributes:
        quotes: one for each symbol.
        rows: one for each market of each exchange.
    """

    def __init__(self, exchanges: Mapping[str, Exchange], symbols: tuple[str, ...]) -> None:
        self.quotes = {symbol: Quotes(symbol, exchanges) for symbol in symbols}
        self.rows = [row for quotes in self.quotes.values() for row in quotes.rows.values()]
        self._exchanges = exchanges
        self._changed = asyncio.Event()

    def jobs(self, on_item: Callable[[Row, Model], None]) -> list[Any]:
        """What brings them, named."""

        def take(row: Row, channel: Channel, item: Model) -> None:
            self._changed.set()
            on_item(row, item)

        followed = [
            (f"demo: {row.exchange} {row.symbol} {channel}", follow(row, exchange, channel, DEPTH, take))
            for row in self.rows
            for channel in CHANNELS
            if (exchange := self._exchanges[row.exchange])
        ]
        own = [(f"demo: {name} own orders", _follow_orders(one)) for name, one in self._exchanges.items()]
        return [*followed, *own]

    async def first_books(self) -> None:
        """Wait until every market has a book.

        Raises:
            PlanarError: a stream has failed.
            TimeoutError: they do not come.
        """
        async with asyncio.timeout(FIRST_BOOKS_S):
            while any(row.book is None for row in self.rows):
                for error in (error for row in self.rows for error in row.errors.values()):
                    raise error
                self._changed.clear()
                await self._changed.wait()

    def numbers(self) -> dict[str, int]:
        """For the summary, while the streams are open."""
        return {
            "updates": sum(row.updates for row in self.rows),
            "updates_dropped": sum(row.dropped for row in self.rows),
            "markets_live": sum(row.state == "live" for row in self.rows),
        }

    @property
    def live(self) -> str:
        """How many markets are live, in words."""
        return f"{sum(row.state == 'live' for row in self.rows)} of {len(self.rows)} markets live"

    @property
    def updates_per_s(self) -> float:
        """Of all markets together."""
        return sum(row.rate.at(row.updates) for row in self.rows)


async def _follow_orders(exchange: Exchange) -> None:
    """The account's own stream keeps the order journal up to date; nobody else needs its rows."""
    async with exchange.watch_orders() as orders:
        async for _ in orders:
            pass


def _ask(row: Row) -> float:
    assert row.ask is not None
    return row.ask


def _bid(row: Row) -> float:
    assert row.bid is not None
    return row.bid
