"""CCXT's `un_watch_*`: they end what `await exchange.watch_...()` began. A stream of an `async with` ends with its block."""

from __future__ import annotations

from collections.abc import Sequence

from planar.exchange.watching import WatchingMethods


class UnwatchingMethods(WatchingMethods):
    """See the module's docstring. What nobody awaited is ended already."""

    async def un_watch_order_book(self, symbol: str) -> None:
        """End what `await watch_order_book(...)` began, of any depth."""
        await self._hub.unwatch_books(self._symbol(symbol))

    async def un_watch_order_book_for_symbols(self, symbols: Sequence[str]) -> None:
        """End what `await watch_order_book_for_symbols(...)` began."""
        for symbol in symbols:
            await self.un_watch_order_book(symbol)

    async def un_watch_ticker(self, symbol: str) -> None:
        """End what `await watch_ticker(...)` began."""
        await self.watch_ticker(symbol).unwatch()

    async def un_watch_tickers(self, symbols: Sequence[str]) -> None:
        """End what `await watch_tickers(...)` began."""
        await self.watch_tickers(symbols).unwatch()

    async def un_watch_bids_asks(self, symbols: Sequence[str]) -> None:
        """End what `await watch_bids_asks(...)` began."""
        await self.watch_bids_asks(symbols).unwatch()

    async def un_watch_mark_price(self, symbol: str) -> None:
        """End what `await watch_mark_price(...)` began."""
        await self.watch_mark_price(symbol).unwatch()

    async def un_watch_mark_prices(self, symbols: Sequence[str]) -> None:
        """End what `await watch_mark_prices(...)` began."""
        await self.watch_mark_prices(symbols).unwatch()

    async def un_watch_funding_rate(self, symbol: str) -> None:
        """End what `await watch_funding_rate(...)` began."""
        await self.watch_funding_rate(symbol).unwatch()

    async def un_watch_funding_rates(self, symbols: Sequence[str]) -> None:
        """End what `await watch_funding_rates(...)` began."""
        await self.watch_funding_rates(symbols).unwatch()

    async def un_watch_trades(self, symbol: str) -> None:
        """End what `await watch_trades(...)` began."""
        await self.watch_trades(symbol).unwatch()

    async def un_watch_trades_for_symbols(self, symbols: Sequence[str]) -> None:
        """End what `await watch_trades_for_symbols(...)` began."""
        await self.watch_trades_for_symbols(symbols).unwatch()

    async def un_watch_ohlcv(self, symbol: str, timeframe: str = "1m") -> None:
        """End what `await watch_ohlcv(...)` began."""
        await self.watch_ohlcv(symbol, timeframe).unwatch()

    async def un_watch_ohlcv_for_symbols(self, symbols_and_timeframes: Sequence[Sequence[str]]) -> None:
        """End what `await watch_ohlcv_for_symbols(...)` began."""
        await self.watch_ohlcv_for_symbols(symbols_and_timeframes).unwatch()

    async def un_watch_orders(self, symbol: str | None = None) -> None:
        """End what `await watch_orders(...)` began."""
        await self.watch_orders(symbol).unwatch()

    async def un_watch_my_trades(self, symbol: str | None = None) -> None:
        """End what `await watch_my_trades(...)` began."""
        await self.watch_my_trades(symbol).unwatch()

    async def un_watch_positions(self, symbols: Sequence[str] | None = None) -> None:
        """End what `await watch_positions(...)` began."""
        await self.watch_positions(symbols).unwatch()
