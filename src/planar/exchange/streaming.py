"""Live streams. `async with exchange.watch_order_book(...) as books` is the better way; `await` keeps ccxt.pro's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from planar.exchange.trading import TradingMethods
from planar.models import AccountBalance, Candle, Fill, Order, Ticker, Trade
from planar.streams import BookStream, RowStream, StateStream, TickersStream


class StreamMethods(TradingMethods):
    """Streams of market data and of the account. See `planar.streams.Stream` for policies and states."""

    def watch_order_book(self, symbol: str, limit: int | None = None, **options: Any) -> BookStream:
        """The order book at each of its sequence numbers."""
        return self._hub.order_book(self._symbol(symbol), limit, **options)

    def watch_trades(self, symbol: str, **options: Any) -> RowStream[Trade]:
        """Public trades."""
        return self._hub.trades(self._symbol(symbol), **options)

    def watch_ticker(self, symbol: str, **options: Any) -> StateStream[Ticker]:
        """The ticker of one market."""
        return self._hub.ticker(self._symbol(symbol), **options)

    def watch_tickers(self, symbols: Sequence[str], **options: Any) -> TickersStream:
        """The tickers of several markets."""
        return self._hub.tickers([self._symbol(symbol) for symbol in symbols], **options)

    def watch_ohlcv(self, symbol: str, timeframe: str = "1m", **options: Any) -> RowStream[Candle]:
        """Candles as they form."""
        return self._hub.ohlcv(self._symbol(symbol), timeframe, **options)

    def watch_orders(self, symbol: str | None = None, **options: Any) -> RowStream[Order]:
        """Own orders as they change."""
        self._check_signed("watch_orders")
        return self._hub.orders(self._symbol(symbol) if symbol is not None else None, **options)

    def watch_my_trades(self, symbol: str | None = None, **options: Any) -> RowStream[Fill]:
        """Own executions."""
        self._check_signed("watch_my_trades")
        return self._hub.my_trades(self._symbol(symbol) if symbol is not None else None, **options)

    def watch_balance(self, **options: Any) -> StateStream[AccountBalance]:
        """The balances whenever they change."""
        self._check_signed("watch_balance")
        return self._hub.balance(**options)
