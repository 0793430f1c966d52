"""Arbitrage on live books: each change of any book is looked at, and what it opens is told.

One stream of books per exchange and market, shared with whoever else watches it. Where best prices come sooner than books
and tell which book's they are (Binance: at once, and books every 100 ms), they are laid over the book before them. A book
that is stale, lost or older than `max_age_ms` takes part in nothing. What is told was carried by the books, fees, steps and
minimums of that instant; it may be gone in the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import planar.runtime as runtime
from planar.errors import ExchangeNotAvailable, PlanarError, StaleData
from planar.exchange import Exchange
from planar.exchange.answers import Table
from planar.models import Amount, Market, OrderBook, Ticker
from planar.multi.arbitrage import Opportunity, opportunities
from planar.multi.sides import Offer, Side, offer
from planar.multi.tops import with_quote

log = logging.getLogger("planar")
DEPTH = 50
AGAIN_S = 1.0
"""A stream that could not begin is tried again after this."""


class ArbitrageWatch:
    """`async with group.watch_arbitrage([...]) as found: async for one in found: ...`

    An opportunity is told when it appears and whenever its amounts change; each (market, buy, sell) that is not taken out
    in time is replaced by its newest state, so a slow reader sees what is, not what was.

    Attributes:
        looked: how many changes of books were looked at.
        errors: exchange -> why it takes no part now.
    """

    def __init__(
        self,
        opened: Callable[[], Awaitable[Table[Exchange]]],
        symbols: tuple[str, ...],
        *,
        max_age_ms: float,
        min_profit_pct: float,
        balances: bool,
    ) -> None:
        self._opened = opened
        self._symbols = symbols
        self._max_age_ms = max_age_ms
        self._min_profit_pct = min_profit_pct
        self._balances = balances
        self._books: dict[str, dict[str, tuple[OrderBook, Market]]] = {symbol: {} for symbol in symbols}
        self._quotes: dict[str, dict[str, Ticker]] = {symbol: {} for symbol in symbols}
        self._fees: dict[tuple[str, str], tuple[Amount, bool]] = {}
        self._free: dict[str, dict[str, Amount]] = {}
        self._told: dict[tuple[str, str, str], Opportunity] = {}
        self._waiting: dict[tuple[str, str, str], Opportunity] = {}
        self._order: deque[tuple[str, str, str]] = deque()
        self._event = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.looked = 0
        self.errors: dict[str, PlanarError] = {}

    async def __aenter__(self) -> Self:
        opened = await self._opened()
        self.errors.update(opened.errors)
        for symbol in self._symbols:
            for exchange in opened.values():
                await self._begin(exchange, symbol)
        if not any(sum((name, symbol) in self._fees for name in opened) > 1 for symbol in self._symbols):
            await self.__aexit__(None, None, None)
            reasons = "; ".join(f"{name}: {error.message}" for name, error in self.errors.items())
            raise ExchangeNotAvailable(
                f"no two exchanges can be compared for {', '.join(self._symbols)}: {reasons or 'only one takes part'}",
                hint="see which markets they share: group.cross_match()",
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Opportunity:
        while True:
            while not self._order:
                self._event.clear()
                await self._event.wait()
            key = self._order.popleft()
            del self._waiting[key]
            for one in self._look(key[0]):
                if (one.symbol, one.buy, one.sell) == key:
                    return one
            self._told.pop(key, None)  # a book became too old while this waited

    @property
    def now(self) -> list[Opportunity]:
        """What the books carry at this moment, the most profitable first."""
        found = [one for symbol in self._symbols for one in self._look(symbol)]
        return sorted(found, key=lambda one: one.profit, reverse=True)

    # -- books in --------------------------------------------------------------------------------------------------
    async def _begin(self, exchange: Exchange, symbol: str) -> None:
        try:
            market = exchange.market(symbol)
            fee = await exchange.fetch_trading_fee(market.symbol)
            if self._balances and exchange.id not in self._free:
                held = await exchange.fetch_balance()
                self._free[exchange.id] = {code: free for code, free in held.free.items() if free is not None}
        except PlanarError as error:
            self.errors[exchange.id] = error
            return
        self._fees[exchange.id, symbol] = fee.taker, exchange.fees_in_base
        name = f"arbitrage: {exchange.id} {symbol}"
        self._tasks.append(runtime.spawn(self._follow(exchange, market, symbol), name=name))
        if exchange.quotes_are_numbered:
            self._tasks.append(
                runtime.spawn(self._follow_quotes(exchange, market, symbol), name=f"{name}: best prices")
            )

    async def _follow(self, exchange: Exchange, market: Market, symbol: str) -> None:
        """Keep one book, for ever."""
        books = self._books[symbol]
        while True:
            try:
                async with exchange.watch_order_book(market.symbol, DEPTH) as stream:
                    while True:
                        with contextlib.suppress(StaleData):  # it comes back by itself
                            async for book in stream:
                                books[exchange.id] = (book, market)
                                self.errors.pop(exchange.id, None)
                                self._changed(symbol)
                        books.pop(exchange.id, None)
                        self._changed(symbol)
            except PlanarError as error:
                books.pop(exchange.id, None)
                self._changed(symbol)
                self.errors[exchange.id] = error
                log.warning("arbitrage: %s has no book of %s: %s", exchange.id, symbol, error)
                await runtime.sleep(AGAIN_S)

    async def _follow_quotes(self, exchange: Exchange, market: Market, symbol: str) -> None:
        """Keep the best prices, for ever; without them the book alone counts, and tells of its own troubles."""
        quotes = self._quotes[symbol]
        while True:
            try:
                async with exchange.watch_bids_asks([market.symbol]) as stream:
                    while True:
                        with contextlib.suppress(StaleData):
                            async for quote in stream:
                                quotes[exchange.id] = quote
                                if exchange.id in self._books[symbol]:
                                    self._changed(symbol)
                        quotes.pop(exchange.id, None)
                        self._changed(symbol)
            except PlanarError as error:
                quotes.pop(exchange.id, None)
                self._changed(symbol)
                log.warning("arbitrage: %s has no best prices of %s: %s", exchange.id, symbol, error)
                await runtime.sleep(AGAIN_S)

    # -- opportunities out -----------------------------------------------------------------------------------------
    def _changed(self, symbol: str) -> None:
        self.looked += 1
        found = {(one.symbol, one.buy, one.sell): one for one in self._look(symbol)}
        for key in [key for key in self._told if key[0] == symbol and key not in found]:
            del self._told[key]
            if self._waiting.pop(key, None) is not None:
                self._order.remove(key)
        for key, one in found.items():
            if not one.same_as(self._told.get(key)):
                self._told[key] = one
                if key not in self._waiting:
                    self._order.append(key)
                self._waiting[key] = one
                self._event.set()

    def _look(self, symbol: str) -> list[Opportunity]:
        quotes = self._quotes[symbol]
        books = {
            name: (with_quote(book, quotes.get(name)), market) for name, (book, market) in self._books[symbol].items()
        }
        if len(books) < 2 or not _crossed(books):
            return []
        buys = {name: self._offer(name, "buy", symbol, *held) for name, held in books.items()}
        sells = {name: self._offer(name, "sell", symbol, *held) for name, held in books.items()}
        found = opportunities(symbol, buys, sells, runtime.wall_ms(), self._max_age_ms)
        return [one for one in found if one.profit_pct >= self._min_profit_pct]

    def _offer(self, name: str, side: Side, symbol: str, book: OrderBook, market: Market) -> Offer:
        held = self._free.get(name, {})
        spent = market.quote if side == "buy" else market.base
        free = held.get(spent, Amount(0)) if self._balances else None
        fee, in_base = self._fees[name, symbol]
        return offer(name, side, book, market, fee, fee_in_base=in_base, free=free)


def _crossed(books: dict[str, tuple[OrderBook, Market]]) -> bool:
    """Whether any bid is above another exchange's ask: without it there is nothing to compute."""
    bids = [(book.best_bid, name) for name, (book, _) in books.items() if book.best_bid is not None]
    asks = [(book.best_ask, name) for name, (book, _) in books.items() if book.best_ask is not None]
    return any(bid > ask and seller != buyer for bid, seller in bids for ask, buyer in asks)
