"""Market data that every exchange has: natively, or made of what it has. The table stands in `planar.exchange.composing`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from planar.errors import BadRequest, BadSymbol, NotSupported, NullResponse, Outcome, PlanarError
from planar.exchange.answers import Rows, Table
from planar.exchange.candles import begin_ms, from_candles, from_trades, source_of, step_ms
from planar.exchange.composing import Composing
from planar.exchange.core import NOTHING
from planar.exchange.many import Progress, each
from planar.models import Candle, OrderBook, Ticker
from planar.models.status import LastPrice

T = TypeVar("T")


class ComposedMarketMethods(Composing):
    """Prices, books and candles."""

    # -- prices ----------------------------------------------------------------------------------------------------
    async def fetch_ticker(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> Ticker:
        """Best bid and ask, last price and 24 h statistics of one market.

        Where the exchange has no tickers, bid and ask come from its book, and the rest is None.
        """
        if self._has("fetch_ticker") is not False:
            return await super().fetch_ticker(symbol, params, timeout_ms=timeout_ms)
        name = self._symbol(symbol)
        if self._has("fetch_tickers") is not False:
            return (await super().fetch_tickers([name], params, timeout_ms=timeout_ms))[name]
        return _quoted(await self.fetch_order_book(name, 1, params, timeout_ms=timeout_ms))

    async def fetch_tickers(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
        progress: Progress | None = None,
    ) -> Table[Ticker]:
        """Tickers by symbol, and in `errors` why others are missing; of all markets for None, of none for an empty list.

        Where the exchange has no request for several, or refuses all for the sake of one, each is asked for by itself, of
        all active markets for None.
        """
        names, errors = self._sorted_out(symbols)
        if self._has("fetch_tickers") is not False:
            try:
                found = await super().fetch_tickers(names, params, timeout_ms=timeout_ms)
            except (BadSymbol, BadRequest) as error:
                if error.outcome is not Outcome.REFUSED or len(names or ()) < 2:
                    raise
            else:
                return Table(found, errors={**errors, **self._missing(names, found)})
        if names is None:
            names = [market.symbol for market in self._markets.values() if market.active is not False]
        return await self._each_market(
            *("tickers", names, errors),
            lambda name, left_ms: self.fetch_ticker(name, params, timeout_ms=left_ms),
            *(timeout_ms, progress),
        )

    def _sorted_out(self, symbols: Sequence[str] | None) -> tuple[list[str] | None, dict[str, PlanarError]]:
        """The markets of these symbols, each once, and why others are none.

        Raises:
            PlanarError: none of them is a market; what is wrong with the first.
        """
        if symbols is None:
            return None, {}
        names: dict[str, None] = {}
        errors: dict[str, PlanarError] = {}
        for symbol in symbols:
            try:
                names[self._symbol(symbol)] = None
            except BadSymbol as error:
                errors[symbol] = error
        if errors and not names:
            raise next(iter(errors.values()))
        return list(names), errors

    def _missing(self, names: Sequence[str] | None, found: Mapping[str, Any]) -> dict[str, PlanarError]:
        """Why what was asked for is not in an answer."""
        return {
            name: NullResponse(f"the answer has no {name}", exchange=self.id)
            for name in names or ()
            if name not in found
        }

    async def _each_market(
        self,
        what: str,
        names: Sequence[str],
        wrong: Mapping[str, PlanarError],
        one: Callable[[str, int | None], Awaitable[T]],
        timeout_ms: int | None,
        progress: Progress | None,
    ) -> Table[T]:
        found, errors = await each(what, names, one, timeout_ms=timeout_ms, progress=progress)
        return Table(found, "composed", {**wrong, **errors})

    async def fetch_order_books(
        self,
        symbols: Sequence[str],
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
        progress: Progress | None = None,
    ) -> Table[OrderBook]:
        """Order books by symbol, `limit` levels a side; those that failed stand in `errors`."""
        names, errors = self._sorted_out(symbols)
        if self._has("fetch_order_books") and names:
            found = await self._ask("fetch_order_books", (names, limit), params, timeout_ms)
            return Table(found, errors={**errors, **self._missing(names, found)})
        return await self._each_market(
            *("order books", names or (), errors),
            lambda name, left_ms: self.fetch_order_book(name, limit, params, timeout_ms=left_ms),
            *(timeout_ms, progress),
        )

    async def fetch_bids_asks(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
        progress: Progress | None = None,
    ) -> Table[Ticker]:
        """Best bid and ask by symbol; of all markets for None; those that failed stand in `errors`."""
        names, errors = self._sorted_out(symbols)
        if self._has("fetch_bids_asks") is not False:
            try:
                found = await self._ask("fetch_bids_asks", (names,), params, timeout_ms)
            except (NotSupported, BadSymbol, BadRequest) as error:
                if isinstance(error, NotSupported) != (error.outcome is Outcome.NOT_SENT):
                    raise
            else:
                return Table(found, errors={**errors, **self._missing(names, found)})
        tickers = await self.fetch_tickers(symbols, params, timeout_ms=timeout_ms, progress=progress)
        return Table(tickers, "composed", tickers.errors)

    async def fetch_last_prices(
        self,
        symbols: Sequence[str] | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
        progress: Progress | None = None,
    ) -> Table[LastPrice]:
        """The price of each market, and what it is: the last trade's, else the close, else the middle of bid and ask.

        A market of which nobody knows any price has None.
        """
        if self._has("fetch_last_prices"):
            names, errors = self._sorted_out(symbols)
            found = await self._ask("fetch_last_prices", (names,), params, timeout_ms)
            return Table(found, errors={**errors, **self._missing(names, found)})
        tickers = await self.fetch_tickers(symbols, params, timeout_ms=timeout_ms, progress=progress)
        prices = {name: _last_price(ticker) for name, ticker in tickers.items()}
        return Table(prices, "composed", tickers.errors)

    async def fetch_last_price(
        self, symbol: str, params: Mapping[str, Any] = NOTHING, *, timeout_ms: int | None = None
    ) -> LastPrice:
        """The price of one market, see `fetch_last_prices`."""
        return _last_price(await self.fetch_ticker(symbol, params, timeout_ms=timeout_ms))

    # -- candles ---------------------------------------------------------------------------------------------------
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
        """Candles since `since` (UTC milliseconds), oldest first; the last one may still be forming.

        A timeframe that the exchange lacks is made of a finer one; where it has no candles at all, of its trades, as far
        as one answer of them reaches.
        """
        offered = self.timeframes
        native = self._has("fetch_ohlcv") is not False
        if native and (not offered or timeframe in offered):
            rows = await super().fetch_ohlcv(symbol, timeframe, since, limit, params, timeout_ms=timeout_ms)
            return Rows(rows)
        step = step_ms(timeframe)
        start = since if since is None or step is None else begin_ms(since, step)
        finer = source_of(timeframe, offered) if native else None
        if step is not None and finer is not None:
            ratio = step // cast(int, step_ms(finer))
            wanted = None if limit is None else (limit + 1) * ratio
            parts = await super().fetch_ohlcv(symbol, finer, start, wanted, params, timeout_ms=timeout_ms)
            made = from_candles(parts, timeframe)
        elif step is not None and not native and self._has("fetch_trades") is not False:
            trades = await self.fetch_trades(symbol, start, None, params, timeout_ms=timeout_ms)
            made = from_trades(trades, timeframe, start)
        else:
            raise NotSupported(
                f"it has no candles of {timeframe}, and none of which they could be made",
                exchange=self.id,
                outcome=Outcome.NOT_SENT,
                hint=f"it has {', '.join(offered)}" if offered else "ask another exchange",
            )
        kept = made if since is None else [candle for candle in made if candle.ts_ms >= since]
        return Rows(kept if limit is None else (kept[-limit:] if since is None else kept[:limit]), "composed")

    async def fetch_ohlcvs(
        self,
        symbols: Sequence[str],
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
        *,
        timeout_ms: int | None = None,
        progress: Progress | None = None,
    ) -> Table[list[Candle]]:
        """Candles by symbol; those that failed stand in `errors`."""
        names, errors = self._sorted_out(symbols)
        return await self._each_market(
            *("candles", names or (), errors),
            lambda name, left_ms: self.fetch_ohlcv(name, timeframe, since, limit, params, timeout_ms=left_ms),
            *(timeout_ms, progress),
        )


def _quoted(book: OrderBook) -> Ticker:
    """A ticker of nothing but bid and ask."""
    bid, ask = (side[0] if side else (None, None) for side in (book.bids, book.asks))
    return Ticker(
        symbol=book.symbol,
        ts_ms=book.ts_ms,
        bid=bid[0],
        bid_volume=bid[1],
        ask=ask[0],
        ask_volume=ask[1],
        received_ns=book.received_ns,
    )


def _last_price(ticker: Ticker) -> LastPrice:
    """The first price that is one, by the chain last, close, mid."""
    chain = (("last", ticker.last), ("close", ticker.close), ("mid", ticker.mid))
    source, price = next(((name, price) for name, price in chain if price), ("none", None))
    return LastPrice(
        symbol=ticker.symbol, price=price, source=source, ts_ms=ticker.ts_ms, received_ns=ticker.received_ns
    )
