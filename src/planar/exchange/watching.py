"""Streams beyond the eight of `planar.exchange.streaming`: quotes, mark prices, funding, liquidations, positions, and
several markets as one stream.

Where the exchange has no stream of it but can be asked, it is asked again and again (`source` is "rest"); where it has
neither, opening the stream raises NotSupported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from planar.adapters.feed import Kind, Topic
from planar.adapters.polling import PollingFeed
from planar.exchange.streaming import StreamMethods
from planar.models import Candle, Fill, FundingRate, Order, OrderBook, Position, Ticker, Trade
from planar.models.derivatives import Liquidation
from planar.streams import ManyStream, RowStream, StateStream, Stream, TableStream

OF_ONE: Final[Mapping[str, str]] = {
    "watch_order_book_for_symbols": "watch_order_book",
    "watch_trades_for_symbols": "watch_trades",
    "watch_ohlcv_for_symbols": "watch_ohlcv",
    "watch_orders_for_symbols": "watch_orders",
    "watch_my_trades_for_symbols": "watch_my_trades",
    "watch_liquidations_for_symbols": "watch_liquidations",
    "watch_my_liquidations_for_symbols": "watch_my_liquidations",
}
"""Method for several markets -> that of which it is made."""
ELSE: Final[Mapping[str, str]] = {
    "watch_bids_asks": "watch_tickers",
    "watch_mark_prices": "watch_mark_price",
    "watch_funding_rates": "watch_funding_rate",
    "watch_position": "watch_positions",
}
"""Stream -> that of which it is made where the exchange does not have it."""
CANDLE: TypeAlias = tuple[str, str, Candle]
"""(symbol, timeframe, candle)"""


class WatchingMethods(StreamMethods):
    """See the module's docstring. `options`: `policy` and `stale`, as of `planar.streams.Stream`."""

    # -- prices ----------------------------------------------------------------------------------------------------
    def watch_bids_asks(self, symbols: Sequence[str], **options: Any) -> TableStream[Ticker]:
        """The best bid and ask of several markets; of their tickers, where the exchange has no stream of these alone."""
        kind = Kind.BIDS_ASKS if self._offers(Kind.BIDS_ASKS) else Kind.TICKERS
        return self._hub.table(Topic(kind, self._named(symbols)), **options)

    def watch_mark_price(self, symbol: str, **options: Any) -> StateStream[Ticker]:
        """The mark price of a contract."""
        return self._hub.state(self._contract(Kind.MARK_PRICE, symbol), **options)

    def watch_mark_prices(self, symbols: Sequence[str], **options: Any) -> TableStream[Ticker] | ManyStream[Ticker]:
        """The mark prices of several contracts; by a stream of each, where the exchange has none of several."""
        return self._table(Kind.MARK_PRICES, Kind.MARK_PRICE, symbols, options)

    def watch_funding_rate(self, symbol: str, **options: Any) -> StateStream[FundingRate]:
        """The funding rate of a perpetual."""
        return self._hub.state(self._contract(Kind.FUNDING_RATE, symbol), **options)

    def watch_funding_rates(
        self, symbols: Sequence[str], **options: Any
    ) -> TableStream[FundingRate] | ManyStream[FundingRate]:
        """The funding rates of several perpetuals; by a stream of each, where the exchange has none of several."""
        return self._table(Kind.FUNDING_RATES, Kind.FUNDING_RATE, symbols, options)

    def watch_liquidations(self, symbol: str, **options: Any) -> RowStream[Liquidation]:
        """Positions of others that the exchange closes by force."""
        return self._hub.rows(self._contract(Kind.LIQUIDATIONS, symbol), **options)

    # -- the account -----------------------------------------------------------------------------------------------
    def watch_my_liquidations(self, symbol: str, **options: Any) -> RowStream[Liquidation]:
        """Own positions that the exchange closes by force."""
        self._check_signed("watch_my_liquidations")
        return self._hub.rows(self._contract(Kind.MY_LIQUIDATIONS, symbol), **options)

    def watch_positions(self, symbols: Sequence[str] | None = None, **options: Any) -> RowStream[Position]:
        """Own positions, each time one changes; of all contracts for None. One that was closed has 0 contracts."""
        self._check_signed("watch_positions")
        names = () if symbols is None else self._named(symbols)
        return self._hub.rows(Topic(Kind.POSITIONS, names), **options)

    def watch_position(self, symbol: str, **options: Any) -> RowStream[Position]:
        """Own positions in one contract, each time one changes."""
        return self.watch_positions([symbol], **options)

    # -- several markets as one ------------------------------------------------------------------------------------
    def watch_order_book_for_symbols(
        self, symbols: Sequence[str], limit: int | None = None, **options: Any
    ) -> ManyStream[OrderBook]:
        """The order books of several markets, as they change."""
        return self._many(symbols, lambda name: self.watch_order_book(name, limit, **options))

    def watch_trades_for_symbols(self, symbols: Sequence[str], **options: Any) -> ManyStream[Trade]:
        """Public trades of several markets."""
        return self._many(symbols, lambda name: self.watch_trades(name, **options))

    def watch_ohlcv_for_symbols(
        self, symbols_and_timeframes: Sequence[Sequence[str]], **options: Any
    ) -> ManyStream[CANDLE]:
        """Candles of several markets or timeframes as they form: (symbol, timeframe, candle).

        Args:
            symbols_and_timeframes: [["BTC/USDT", "1m"], ["ETH/USDT", "5m"]].
        """
        wanted = [(self._symbol(symbol), timeframe) for symbol, timeframe in symbols_and_timeframes]
        return ManyStream({key: self.watch_ohlcv(*key, **options) for key in wanted}, lambda key, row: (*key, row))

    def watch_orders_for_symbols(self, symbols: Sequence[str], **options: Any) -> ManyStream[Order]:
        """Own orders in several markets as they change."""
        return self._many(symbols, lambda name: self.watch_orders(name, **options))

    def watch_my_trades_for_symbols(self, symbols: Sequence[str], **options: Any) -> ManyStream[Fill]:
        """Own executions in several markets."""
        return self._many(symbols, lambda name: self.watch_my_trades(name, **options))

    def watch_liquidations_for_symbols(self, symbols: Sequence[str], **options: Any) -> ManyStream[Liquidation]:
        """Positions of others in several contracts that the exchange closes by force."""
        return self._many(symbols, lambda name: self.watch_liquidations(name, **options))

    def watch_my_liquidations_for_symbols(self, symbols: Sequence[str], **options: Any) -> ManyStream[Liquidation]:
        """Own positions in several contracts that the exchange closes by force."""
        return self._many(symbols, lambda name: self.watch_my_liquidations(name, **options))

    def _many(self, symbols: Sequence[str], one: Callable[[str], Stream[Any]]) -> ManyStream[Any]:
        return ManyStream({name: one(name) for name in self._named(symbols)}, lambda _, found: found)

    def _named(self, symbols: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._symbol(symbol) for symbol in symbols))

    def _contract(self, kind: Kind, symbol: str) -> Topic:
        name = self._symbol(symbol)
        self._check_types(f"watch_{kind}", ("swap", "future", "option"), name)
        return Topic(kind, (name,))

    def _offers(self, kind: Kind) -> bool:
        """Whether the exchange has a stream of it, or can be asked again and again."""
        found = self._adapter.capabilities.can(f"watch_{kind}")
        return bool(found) or PollingFeed.offers(self._adapter, Topic(kind, ("",)))

    def _table(
        self, several: Kind, one: Kind, symbols: Sequence[str], options: Mapping[str, Any]
    ) -> TableStream[Any] | ManyStream[Any]:
        topics = [self._contract(several, name) for name in self._named(symbols)]
        names = tuple(name for topic in topics for name in topic.symbols)
        if self._adapter.capabilities.can(f"watch_{several}") or not self._offers(one):
            return self._hub.table(Topic(several, names), **options)
        return self._many(names, lambda name: self._hub.state(Topic(one, (name,)), **options))
