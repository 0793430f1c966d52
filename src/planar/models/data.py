"""Market data: tickers, books, trades, candles, funding rates. Prices and amounts are floats.

They come from the adapters and the streams, and go to whoever watches or fetches. Nothing in them is owned or owed, so
speed wins over exactness: a float that is printed shows the digits which the exchange sent, up to 17 of them.
"""

from __future__ import annotations

from collections.abc import Iterator, KeysView
from typing import Any, ClassVar, Literal, TypeAlias, overload

import msgspec

from planar.models.base import RawPayload, Timed, html_table, iso8601

Side: TypeAlias = Literal["buy", "sell"]
Liquidity: TypeAlias = Literal["taker", "maker"]
Level: TypeAlias = tuple[float, float]
"""A level of a book: (price, amount)."""


class Ticker(Timed, frozen=True, kw_only=True, gc=False):
    """The state of a market at one moment and its last 24 hours. None: the exchange does not say."""

    _shown: ClassVar[tuple[str, ...]] = ("symbol", "bid", "ask", "last", "datetime")

    symbol: str
    ts_ms: int | None = None
    """The exchange's time, in milliseconds UTC."""
    bid: float | None = None
    bid_volume: float | None = None
    ask: float | None = None
    ask_volume: float | None = None
    last: float | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    previous_close: float | None = None
    change: float | None = None
    """`last - open`."""
    percentage: float | None = None
    """`change` in percent of `open`."""
    average: float | None = None
    vwap: float | None = None
    base_volume: float | None = None
    quote_volume: float | None = None
    index_price: float | None = None
    mark_price: float | None = None
    nonce: int | None = None
    """Of the best bid and ask: the book's sequence number (`OrderBook.nonce`) whose best prices these are."""
    received_ns: int | None = None
    """When it arrived here, in nanoseconds UTC (`planar.runtime.wall_ns`)."""
    raw: RawPayload = None

    @property
    def mid(self) -> float | None:
        """The middle between bid and ask; None without both."""
        return _mid(self.bid, self.ask)

    @property
    def spread(self) -> float | None:
        """`ask - bid`; None without both."""
        return _spread(self.bid, self.ask)

    @property
    def spread_pct(self) -> float | None:
        """The spread in percent of the middle; None without both."""
        return _spread_pct(self.bid, self.ask)


class OrderBook(Timed, frozen=True, kw_only=True, gc=False):
    """A book at one sequence number: bids from the highest price down, asks from the lowest up."""

    _shown: ClassVar[tuple[str, ...]] = ("symbol", "best_bid", "best_ask", "depth", "nonce", "datetime")

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    ts_ms: int | None = None
    """The exchange's time, in milliseconds UTC."""
    nonce: int | None = None
    """The exchange's sequence number."""
    received_ns: int | None = None
    """When it arrived here, in nanoseconds UTC (`planar.runtime.wall_ns`)."""
    raw: RawPayload = None

    @property
    def best_bid(self) -> float | None:
        """The highest bid's price; None on an empty side."""
        return self.bids[0][0] if self.bids else None

    @property
    def best_ask(self) -> float | None:
        """The lowest ask's price; None on an empty side."""
        return self.asks[0][0] if self.asks else None

    @property
    def mid(self) -> float | None:
        """The middle between the best prices; None with an empty side."""
        return _mid(self.best_bid, self.best_ask)

    @property
    def spread(self) -> float | None:
        """`best_ask - best_bid`; None with an empty side."""
        return _spread(self.best_bid, self.best_ask)

    @property
    def spread_pct(self) -> float | None:
        """The spread in percent of the middle; None with an empty side."""
        return _spread_pct(self.best_bid, self.best_ask)

    @property
    def crossed(self) -> bool:
        """True if the best bid is at or above the best ask, which no matching engine leaves so: the book is wrong."""
        return bool(self.bids and self.asks and self.bids[0][0] >= self.asks[0][0])

    @property
    def depth(self) -> tuple[int, int]:
        """The number of levels: (bids, asks)."""
        return len(self.bids), len(self.asks)

    def _repr_html_(self) -> str:
        """The ten best levels of each side."""
        rows = [
            (*_level_cells(self.bids, i, (1, 0)), *_level_cells(self.asks, i, (0, 1)))
            for i in range(min(10, max(self.depth)))
        ]
        return html_table(f"{self.symbol} order book", ("amount", "bid", "ask", "amount"), rows)


class Trade(Timed, frozen=True, kw_only=True, gc=False):
    """A trade of the market, not of this account: see `Fill` for those."""

    _computed: ClassVar[dict[str, str]] = {
        "datetime": "datetime",
        "order": "_absent",
        "fee": "_absent",
        "fees": "_absent",
    }
    _shown: ClassVar[tuple[str, ...]] = ("symbol", "side", "amount", "price", "id", "datetime")
    _absent: ClassVar[None] = None
    """The answer for keys of CCXT's trade structure which a public trade never has."""

    id: str | None = None
    symbol: str
    side: Side | None = None
    """The taker's side."""
    price: float
    amount: float
    cost: float | None = None
    ts_ms: int | None = None
    """The exchange's time, in milliseconds UTC."""
    type: str | None = None
    taker_or_maker: Liquidity | None = None
    received_ns: int | None = None
    """When it arrived here, in nanoseconds UTC (`planar.runtime.wall_ns`)."""
    raw: RawPayload = None


class Candle(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One candle. It unpacks, indexes and goes to JSON as CCXT's row: `[ts_ms, open, high, low, close, volume]`.

    `candle["timestamp"]`, `candle["open"]` and the other names work too, and `dict(candle)` has them as keys.
    """

    ts_ms: int
    """The beginning of the candle, in milliseconds UTC."""
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    """In base currency; None where the exchange gives none."""

    @property
    def datetime(self) -> str | None:
        """`ts_ms` as ISO 8601 text in UTC."""
        return iso8601(self.ts_ms)

    def __iter__(self) -> Iterator[Any]:
        return iter(msgspec.structs.astuple(self))

    def __len__(self) -> int:
        return len(_CANDLE_KEYS)

    @overload
    def __getitem__(self, key: int | str) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Any, ...]: ...
    def __getitem__(self, key: int | str | slice) -> Any:
        if not isinstance(key, str):
            return msgspec.structs.astuple(self)[key]
        if key not in _CANDLE_KEYS:
            raise KeyError(key)
        return getattr(self, _CANDLE_KEYS[key])

    def keys(self) -> KeysView[str]:
        """The names of the row's six values."""
        return _CANDLE_KEYS.keys()

    def _repr_html_(self) -> str:
        """The candle as a table of one row."""
        row = (self.datetime, *msgspec.structs.astuple(self)[1:])
        return html_table("Candle", ("datetime", *tuple(_CANDLE_KEYS)[1:]), [tuple(str(cell) for cell in row)])


_CANDLE_KEYS = {
    "timestamp": "ts_ms",
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "volume": "volume",
}


class FundingRate(Timed, frozen=True, kw_only=True, gc=False):
    """What holders of a perpetual pay each other, as fractions per interval: 0.0001 is 0.01 %."""

    _computed: ClassVar[dict[str, str]] = {
        "datetime": "datetime",
        "fundingDatetime": "funding_datetime",
        "nextFundingDatetime": "next_funding_datetime",
        "previousFundingDatetime": "previous_funding_datetime",
    }
    _shown: ClassVar[tuple[str, ...]] = ("symbol", "funding_rate", "funding_datetime", "mark_price")

    symbol: str
    funding_rate: float | None = None
    """The rate of the coming payment at `funding_ts_ms`; positive: longs pay shorts."""
    funding_ts_ms: int | None = None
    mark_price: float | None = None
    index_price: float | None = None
    interest_rate: float | None = None
    estimated_settle_price: float | None = None
    ts_ms: int | None = None
    """The exchange's time, in milliseconds UTC."""
    next_funding_rate: float | None = None
    next_funding_ts_ms: int | None = None
    previous_funding_rate: float | None = None
    previous_funding_ts_ms: int | None = None
    interval: str | None = None
    """Between payments: `8h`."""
    received_ns: int | None = None
    """When it arrived here, in nanoseconds UTC (`planar.runtime.wall_ns`)."""
    raw: RawPayload = None

    @property
    def funding_datetime(self) -> str | None:
        """`funding_ts_ms` as ISO 8601 text in UTC."""
        return iso8601(self.funding_ts_ms)

    @property
    def next_funding_datetime(self) -> str | None:
        """`next_funding_ts_ms` as ISO 8601 text in UTC."""
        return iso8601(self.next_funding_ts_ms)

    @property
    def previous_funding_datetime(self) -> str | None:
        """`previous_funding_ts_ms` as ISO 8601 text in UTC."""
        return iso8601(self.previous_funding_ts_ms)


def _mid(bid: float | None, ask: float | None) -> float | None:
    return None if bid is None or ask is None else (bid + ask) / 2


def _spread(bid: float | None, ask: float | None) -> float | None:
    return None if bid is None or ask is None else ask - bid


def _spread_pct(bid: float | None, ask: float | None) -> float | None:
    mid = _mid(bid, ask)
    return None if bid is None or ask is None or not mid else (ask - bid) / mid * 100


def _level_cells(levels: tuple[Level, ...], index: int, order: tuple[int, int]) -> tuple[str, str]:
    if index >= len(levels):
        return "", ""
    level = levels[index]
    return str(level[order[0]]), str(level[order[1]])
