"""Live data where a venue has no socket for it, or CCXT none for the venue: ask by REST, again and again.

Built of the adapter's own primitives, so it serves every adapter. The pauses are a compromise of freshness and the
venue's limits; the budget has the last word.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

import planar.runtime as runtime
from planar.adapters.feed import Kind, Sink, Source, Topic
from planar.errors import PlanarError
from planar.models import Amount, Candle, Fill, OrderBook, Position, Trade

if TYPE_CHECKING:
    from planar.adapters.base import Adapter, Capabilities

CALL_MS = 10_000

_FETCH = {
    Kind.ORDER_BOOK: "fetch_order_book",
    Kind.TRADES: "fetch_trades",
    Kind.TICKER: "fetch_ticker",
    Kind.TICKERS: "fetch_tickers",
    Kind.OHLCV: "fetch_ohlcv",
    Kind.MY_TRADES: "fetch_my_trades",
    Kind.BALANCE: "fetch_balance",
    Kind.BIDS_ASKS: "fetch_bids_asks",
    Kind.MARK_PRICE: "fetch_mark_price",
    Kind.MARK_PRICES: "fetch_mark_prices",
    Kind.FUNDING_RATE: "fetch_funding_rate",
    Kind.FUNDING_RATES: "fetch_funding_rates",
    Kind.POSITIONS: "fetch_positions",
}
"""What can be polled, and with what. Orders cannot: an order that leaves the list of open ones has not said how. Nor can
liquidations: they have no ids by which one answer could be told from the next."""

PAUSE_S = {
    Kind.ORDER_BOOK: 1.0,
    Kind.TRADES: 2.0,
    Kind.TICKER: 2.0,
    Kind.TICKERS: 2.0,
    Kind.OHLCV: 5.0,
    Kind.MY_TRADES: 5.0,
    Kind.BALANCE: 5.0,
    Kind.BIDS_ASKS: 2.0,
    Kind.MARK_PRICE: 2.0,
    Kind.MARK_PRICES: 2.0,
    Kind.FUNDING_RATE: 30.0,
    Kind.FUNDING_RATES: 30.0,
    Kind.POSITIONS: 5.0,
}
"""Seconds between an answer and the next question."""


def is_polled(kind: Kind, capabilities: Capabilities) -> bool:
    """Whether the venue can be asked for what streams of a kind bring."""
    method = _FETCH.get(kind)
    return method is not None and bool(capabilities.can(method))


class PollingFeed:
    """One topic by REST."""

    source: Source = "rest"

    def __init__(self, adapter: Adapter, topic: Topic) -> None:
        self.topic = topic
        self.heard_ms: int | None = None
        self._adapter = adapter
        self._known: dict[str, None] | None = None
        self._candles: dict[int, Candle] | None = None
        self._positions: dict[tuple[str, str | None], Position] = {}
        self._error: PlanarError | None = None
        self._failed = asyncio.Event()

    @staticmethod
    def offers(adapter: Adapter, topic: Topic) -> bool:
        """Whether the venue can be asked for this."""
        if topic.kind is Kind.MY_TRADES and not topic.symbols:
            return False
        return is_polled(topic.kind, adapter.capabilities)

    async def run(self, sink: Sink) -> None:
        """See `Feed`."""
        self._error = None
        self._failed.clear()
        while self._error is None:
            await self._ask(sink)
            self.heard_ms = runtime.wall_ms()
            sink.subscribed()
            try:
                async with asyncio.timeout(PAUSE_S[self.topic.kind]):
                    await self._failed.wait()
            except TimeoutError:
                continue
        raise self._error

    def fail(self, error: PlanarError) -> None:
        """See `Feed`."""
        self._error = self._error or error
        self._failed.set()

    async def close(self) -> None:
        """See `Feed`. Nothing is open between two questions."""

    async def _ask(self, sink: Sink) -> None:
        adapter, topic = self._adapter, self.topic
        symbol = topic.symbols[0] if topic.symbols else ""
        match topic.kind:
            case Kind.ORDER_BOOK:
                book: OrderBook = await adapter.fetch_order_book(symbol, topic.depth, {}, timeout_ms=CALL_MS)
                sink.book(book)
            case Kind.TICKER:
                sink.deliver(await adapter.fetch_ticker(symbol, {}, timeout_ms=CALL_MS))
            case Kind.TICKERS:
                tickers = await adapter.fetch_tickers(topic.symbols, {}, timeout_ms=CALL_MS)
                for name in topic.symbols:
                    if name in tickers:
                        sink.deliver(tickers[name])
            case Kind.BALANCE:
                sink.deliver(await adapter.fetch_balance({}, timeout_ms=CALL_MS))
            case Kind.TRADES:
                self._trades(sink, await adapter.fetch_trades(symbol, None, None, {}, timeout_ms=CALL_MS))
            case Kind.MY_TRADES:
                self._trades(sink, await adapter.fetch_my_trades(symbol, None, None, {}, timeout_ms=CALL_MS))
            case Kind.OHLCV:
                assert topic.timeframe is not None
                candles = await adapter.fetch_ohlcv(symbol, topic.timeframe, None, None, {}, timeout_ms=CALL_MS)
                self._new_candles(sink, candles)
            case Kind.MARK_PRICE | Kind.FUNDING_RATE:
                sink.deliver(await adapter.unified(_FETCH[topic.kind], (symbol,), {}, timeout_ms=CALL_MS))
            case Kind.BIDS_ASKS | Kind.MARK_PRICES | Kind.FUNDING_RATES:
                asked = (list(topic.symbols),)
                told = await adapter.unified(_FETCH[topic.kind], asked, {}, timeout_ms=CALL_MS)
                for name in topic.symbols:
                    if name in told:
                        sink.deliver(told[name])
            case Kind.POSITIONS:
                asked = (list(topic.symbols),) if topic.symbols else ()
                self._new_positions(sink, await adapter.unified("fetch_positions", asked, {}, timeout_ms=CALL_MS))
            case Kind.ORDERS | Kind.LIQUIDATIONS | Kind.MY_LIQUIDATIONS:
                raise AssertionError(f"{topic.kind} are not offered")

    def _trades(self, sink: Sink, rows: list[Trade] | list[Fill]) -> None:
        """The rows that the answer before did not hold. The first answer is where watching begins."""
        before, self._known = self._known, {row.id: None for row in rows if row.id is not None}
        if before is None:
            return
        new = [row for row in rows if row.id is not None and row.id not in before]
        if before and rows and len(new) == len(rows):
            sink.lost("more trades came between two questions than one answer holds")
        for row in new:
            sink.deliver(row)

    def _new_candles(self, sink: Sink, rows: list[Candle]) -> None:
        """The candles that are new or have changed."""
        before, self._candles = self._candles, {row.ts_ms: row for row in rows}
        if before is None:
            rows, before = rows[-1:], {}
        for row in rows:
            if before.get(row.ts_ms) != row:
                sink.deliver(row)

    def _new_positions(self, sink: Sink, rows: list[Position]) -> None:
        """The positions that are new or have changed. One that is not told any more holds nothing now: a venue lists all."""
        before = self._positions
        held = [row for row in rows if row.contracts and (not self.topic.symbols or row.symbol in self.topic.symbols)]
        self._positions = {(row.symbol, row.side): row for row in held}
        for key, row in self._positions.items():
            old = before.get(key)
            if old is None or msgspec.structs.replace(old, received_ns=row.received_ns) != row:
                sink.deliver(row)
        for key, old in before.items():
            if key not in self._positions:
                sink.deliver(Position(symbol=old.symbol, side=old.side, contracts=Amount(0), hedged=old.hedged))
