"""What CCXT's handlers leave behind: caches of rows, live books, tickers; read as they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from planar.adapters.feed import Kind, Topic


class CacheTap:
    """Passes on each row that CCXT appends to one of its caches."""

    def __init__(self, cache: Any) -> None:
        self.takers: tuple[Callable[[Any], None], ...] = ()
        self._cache = cache
        self._append = cache.append
        cache.append = self.append
        cache.planar_tap = self

    def append(self, row: Any) -> None:
        """CCXT's `append`, and then the takers. CCXT merges a row into an older one of its id: they get the whole."""
        self._append(row)
        whole = self._cache[-1] if isinstance(row, dict) else row
        for taker in self.takers:
            taker(whole)


class CcxtLadder:
    """CCXT's live order book as a `Ladder`."""

    __slots__ = ("book", "symbol")

    def __init__(self, book: Mapping[str, Any], symbol: str) -> None:
        self.book = book
        self.symbol = symbol

    @property
    def bids(self) -> Sequence[Sequence[float]]:
        return self.book["bids"]

    @property
    def asks(self) -> Sequence[Sequence[float]]:
        return self.book["asks"]

    @property
    def nonce(self) -> int | None:
        return self.book["nonce"]

    @property
    def ts_ms(self) -> int | None:
        return self.book["timestamp"]


def is_cache(value: object) -> bool:
    """Whether it is one of CCXT's caches of rows."""
    return isinstance(value, list) and hasattr(cast(Any, value), "hashmap")


def known_cache(exchange: Any, topic: Topic) -> Any:
    """CCXT's cache of a topic, if it has one already: its rows are not new. Else None."""
    held: Any = None
    match topic.kind:
        case Kind.TRADES:
            held = exchange.trades
            path: tuple[str | None, ...] = topic.symbols
        case Kind.OHLCV:
            held = exchange.ohlcvs
            path = (*topic.symbols, topic.timeframe)
        case Kind.ORDERS:
            return exchange.orders if is_cache(exchange.orders) else None
        case Kind.MY_TRADES:
            return exchange.myTrades if is_cache(exchange.myTrades) else None
        case _:
            return None
    for key in path:
        held = cast("dict[str | None, Any]", held).get(key) if isinstance(held, dict) else None
    return held if is_cache(held) else None


def rows_of(result: Any, topic: Topic) -> Any:
    """The cache or the list of rows in what CCXT resolves for a topic; None if it is about something else."""
    if isinstance(result, list) and not is_cache(cast(Any, result)) and len(cast(Any, result)) == 3:
        symbol, timeframe, rows = cast("list[Any]", result)
        if isinstance(symbol, str):  # candles of several markets: [symbol, timeframe, rows]
            return rows if (symbol, timeframe) == (*topic.symbols, topic.timeframe) else None
    return cast(Any, result) if isinstance(result, list) else None


def tickers_of(result: Any) -> list[dict[str, Any]]:
    """The tickers in what CCXT resolves: one, several by symbol, or a list."""
    found: list[Any] = []
    if isinstance(result, dict):
        one = cast("dict[str, Any]", result)
        found = [one] if isinstance(one.get("symbol"), str) else list(one.values())
    elif isinstance(result, list):
        found = cast("list[Any]", result)
    dicts = [cast("dict[str, Any]", ticker) for ticker in found if isinstance(ticker, dict)]
    return [ticker for ticker in dicts if isinstance(ticker.get("symbol"), str)]
