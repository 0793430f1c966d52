"""Market data and account queries, with CCXT's names and argument order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import planar.runtime as runtime
from planar.adapters.base import OrderRef
from planar.config.suggest import did_you_mean
from planar.errors import BadRequest, NotSupported, OrderNotFound, Outcome
from planar.exchange.core import NOT_FOUND, NOTHING, ExchangeCore
from planar.exchange.labels import labelled
from planar.models import AccountBalance, Candle, Fill, Market, Order, OrderBook, Ticker, Trade
from planar.models.key_rights import KeyRights


class DataMethods(ExchangeCore):
    """Everything that only reads. Each call takes `params` (raw, to the venue) and its own `timeout_ms`."""

    async def fetch_time(self, *, timeout_ms: int | None = None) -> int:
        """The venue's clock, UTC milliseconds."""
        self._check_loop()
        return await self._adapter.fetch_time(timeout_ms=self._timeout(timeout_ms))

    async def fetch_markets(self) -> list[Market]:
        """All markets, asked from the venue."""
        return list((await self.load_markets(reload=True)).values())

    async def fetch_ticker(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Ticker:
        """Best bid and ask, last price and 24 h statistics of one market."""
        ticker = await self._adapter.fetch_ticker(self._symbol(symbol), params, timeout_ms=self._timeout(timeout_ms))
        self._prices.note(ticker)
        return ticker

    async def fetch_tickers(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> dict[str, Ticker]:
        """Tickers by symbol; of all markets for None, of none for an empty list."""
        if symbols is not None and not symbols:
            return {}
        resolved = [self._symbol(symbol) for symbol in symbols] if symbols is not None else None
        self._check_loop()
        tickers = await self._adapter.fetch_tickers(resolved, params, timeout_ms=self._timeout(timeout_ms))
        for ticker in tickers.values():
            self._prices.note(ticker)
        return tickers

    @labelled
    async def fetch_order_book(
        self,
        symbol: str,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> OrderBook:
        """The order book, `limit` levels a side."""
        book = await self._adapter.fetch_order_book(
            self._symbol(symbol), limit, params, timeout_ms=self._timeout(timeout_ms)
        )
        self._prices.note(book)
        return book

    @labelled
    async def fetch_trades(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Trade]:
        """Public trades since `since` (UTC milliseconds), oldest first."""
        return await self._adapter.fetch_trades(
            self._symbol(symbol), since, limit, params, timeout_ms=self._timeout(timeout_ms)
        )

    @labelled
    async def fetch_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Candle]:
        """Candles since `since` (UTC milliseconds), oldest first; the last one may still be forming."""
        return await self._adapter.fetch_ohlcv(
            self._symbol(symbol), timeframe, since, limit, params, timeout_ms=self._timeout(timeout_ms)
        )

    @labelled
    async def fetch_balance(
        self, params: Mapping[str, Any] = NOTHING, *, type: str | None = None, timeout_ms: int | None = None
    ) -> AccountBalance:
        """Free, used and total by currency.

        Args:
            type: of which kind of account, by a word of `account_types`; None: of the one that orders are paid from.

        Raises:
            NotSupported: (NOT_SENT) the exchange has one account for all.
        """
        self._check_signed("fetch_balance")
        if type is not None:
            params = {**params, "type": self._account_type(type)}
        asked_s = runtime.monotonic()
        balance = await self._adapter.fetch_balance(params, timeout_ms=self._timeout(timeout_ms))
        if not params:  # with some it may be of another kind of account
            self._orders().funds.fetched(balance, asked_s)
        return balance

    def _account_type(self, word: str) -> str:
        known = self.account_types
        if word in known:
            return word
        if not known:
            raise NotSupported(
                f"type is {word!r}, and this exchange has one account for all",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint="leave type out",
            )
        raise BadRequest(
            f"there is no account of type {word!r}",
            exchange=self.id,
            outcome=Outcome.NOT_SENT,
            hint=did_you_mean(word, known) or f"there are {', '.join(known)}",
        )

    async def fetch_key_rights(self, *, timeout_ms: int | None = None) -> KeyRights:
        """What the API key in use may do.

        Raises:
            NotSupported: the exchange does not tell.
        """
        self._check_signed("fetch_key_rights")
        return await self._adapter.fetch_key_rights(timeout_ms=self._timeout(timeout_ms))

    @labelled
    async def fetch_my_trades(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Fill]:
        """Own executions of one market since `since`, oldest first."""
        self._check_signed("fetch_my_trades")
        fills = await self._adapter.fetch_my_trades(
            self._symbol(symbol), since, limit, params, timeout_ms=self._timeout(timeout_ms)
        )
        for fill in fills:
            self._observe_fill(fill)
        return fills

    @labelled
    async def fetch_order(
        self, id: str, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Order:
        """One order by the venue's id, or by Planar's client id.

        Raises:
            OrderNotFound: the venue does not know it.
        """
        self._check_signed("fetch_order")
        unified = self._symbol(symbol)
        order = await self._adapter.query_order(
            self._reference(id, unified), params, timeout_ms=self._timeout(timeout_ms)
        )
        if order is None:
            raise OrderNotFound(f"the venue knows no order {id} of {unified}", exchange=self.id, hint=NOT_FOUND)
        self._observe(order)
        return order

    def _reference(self, name: str, symbol: str) -> OrderRef:
        """`name` is the venue's id, or a client id of Planar."""
        if self._adapter.profile.client_id.made(name):
            return OrderRef(symbol, client_id=name)
        return OrderRef(symbol, order_id=name)

    async def fetch_order_status(self, id: str, symbol: str) -> str | None:
        """CCXT's word for the state of an order: open, closed, canceled, expired or rejected."""
        return (await self.fetch_order(id, symbol)).status

    @labelled
    async def fetch_open_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Order]:
        """Open orders, of all markets for None; the newest `limit` since `since`, oldest first."""
        self._check_signed("fetch_open_orders")
        resolved = self._symbol(symbol) if symbol is not None else None
        orders = await self._adapter.fetch_open_orders(resolved, params, timeout_ms=self._timeout(timeout_ms))
        for order in orders:
            self._observe(order)
        recent = [order for order in orders if since is None or (order.ts_ms or 0) >= since]
        return recent[-limit:] if limit else recent

    @labelled
    async def fetch_orders(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Order]:
        """Orders of any state, oldest first."""
        self._check_signed("fetch_orders")
        orders = await self._adapter.fetch_orders(
            self._symbol(symbol), since, limit, params, timeout_ms=self._timeout(timeout_ms)
        )
        for order in orders:
            self._observe(order)
        return orders

    async def fetch_closed_orders(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
    ) -> list[Order]:
        """Filled orders, oldest first, among the newest `limit` of any state."""
        orders = await self.fetch_orders(symbol, since, limit, params, timeout_ms=timeout_ms)
        return [order for order in orders if order.status == "closed"]
