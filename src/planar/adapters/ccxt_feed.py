"""CCXT's `watch_*` as a `Feed`.

CCXT's methods are levels: a call returns when something has changed; what changed in between is conflated or lost. A
feed calls the method to subscribe, to let CCXT look after its session, and to hear of failures. The data it takes where
CCXT makes it, through a listener on the socket (`ccxt_socket`): each row as it is appended to a cache of CCXT, each
ticker, balance and applied book update as it is resolved.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

import planar.runtime as runtime
from planar.adapters.ccxt_caches import CacheTap, CcxtLadder, is_cache, known_cache, rows_of, tickers_of
from planar.adapters.ccxt_errors import translate
from planar.adapters.ccxt_listener import listening
from planar.adapters.ccxt_socket import SocketGuard
from planar.adapters.feed import Item, Kind, Sink, Source, Topic
from planar.errors import BadResponse, PlanarError, RequestTimeout
from planar.models import Candle
from planar.models import from_ccxt as convert
from planar.models.derivatives import Liquidation
from planar.models.from_ccxt.plain import plain
from planar.transport.context import CallContext, Priority, calling

if TYPE_CHECKING:
    from planar.adapters.ccxt_adapter import CcxtAdapter

CALL_MS = 10_000
"""Deadline of the requests that CCXT makes to subscribe."""

REFRESH_S = 1.0
"""How long a feed rests between two calls of CCXT's method. Updates do not wait for it."""

IDS_KEPT = 8192
"""Ids of trades by which repetitions are known; venues repeat their last 50 to 1000 after a reconnect."""


def _candle(row: object, *, exchange: str, received_ns: int) -> Candle:
    """A candle has no place for the time of its arrival."""
    return convert.candles([row], exchange=exchange)[0]


_liquidation = plain(Liquidation, "liquidation")
_CONVERT: dict[Kind, Callable[..., Item]] = {
    Kind.TRADES: convert.trade,
    Kind.ORDERS: convert.order,
    Kind.MY_TRADES: convert.fill,
    Kind.TICKER: convert.ticker,
    Kind.TICKERS: convert.ticker,
    Kind.OHLCV: _candle,
    Kind.BIDS_ASKS: convert.ticker,
    Kind.MARK_PRICE: convert.ticker,
    Kind.MARK_PRICES: convert.ticker,
    Kind.FUNDING_RATE: convert.funding_rate,
    Kind.FUNDING_RATES: convert.funding_rate,
    Kind.LIQUIDATIONS: _liquidation,
    Kind.MY_LIQUIDATIONS: _liquidation,
    Kind.POSITIONS: convert.position,
}


class Ear:
    """The listener of one run of a feed."""

    def __init__(self, take: Callable[[Any], None], confirm: Callable[[], None]) -> None:
        self.sockets: dict[int, SocketGuard] = {}
        self.confirmed = False
        self.error: Exception | None = None
        self._take = take
        self._confirm = confirm
        self._wake = asyncio.Event()

    def joined(self, socket: SocketGuard) -> None:
        """See `Listener`."""
        self.sockets[id(socket)] = socket

    def subscribed(self) -> None:
        """See `Listener`."""
        if not self.confirmed and self.error is None:
            self.confirmed = True
            self._confirm()

    def resolved(self, result: Any) -> None:
        """See `Listener`."""
        self.guarded(self._take, result)

    def guarded(self, function: Callable[[Any], None], value: Any) -> None:
        """Call it; what goes wrong ends the run of the feed, not the handler of CCXT around it."""
        if self.error is None:
            try:
                function(value)
            except Exception as error:
                self.failed(error)

    def failed(self, error: Exception) -> None:
        """See `Listener`. The first error counts."""
        if self.error is None:
            self.error = error
            self._wake.set()
            for socket in self.sockets.values():
                socket.interrupt(self, error)

    async def rest(self, seconds: float) -> None:
        """Wait; raise what fails meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        if self.error is not None:
            raise self.error

    def leave(self) -> None:
        """Hear nothing more."""
        for socket in self.sockets.values():
            socket.forget(self)


class CcxtFeed:
    """One topic over CCXT's sockets."""

    source: Source = "websocket"

    def __init__(self, adapter: CcxtAdapter, topic: Topic) -> None:
        if topic.depth is not None and "watchOrderBookLimit" in adapter.exchange.options:
            # CCXT keeps such a book from a snapshot of so many levels. What lies below them it never learns, so a
            # short snapshot runs out of levels as the market moves: the venue's longest is taken whatever is asked.
            topic = msgspec.structs.replace(topic, depth=None)
        self.topic = topic
        self._adapter = adapter
        self._exchange = cast(Any, adapter.exchange)
        self._sockets: dict[int, SocketGuard] = {}
        self._ear: Ear | None = None
        self._sink: Sink | None = None
        self._taps: dict[int, CacheTap] = {}
        self._ladder: CcxtLadder | None = None
        self._seen: dict[str, None] = {}

    @property
    def heard_ms(self) -> int | None:
        """See `Feed`."""
        return max((socket.heard_ms or 0 for socket in self._sockets.values()), default=0) or None

    async def run(self, sink: Sink) -> None:
        """See `Feed`."""
        self._sink = sink
        ear = self._ear = Ear(self._take, self._subscribed)
        self._sockets = ear.sockets
        token = listening.set(ear)
        cache = known_cache(self._exchange, self.topic)
        if cache is not None:
            self._tap(cache)
        try:
            while True:
                await self._watch(ear)
                await ear.rest(REFRESH_S)
        except asyncio.CancelledError:
            if not ear.confirmed:
                # CCXT notes a subscription before it is made; what was cut short here would count as made
                _end(ear.sockets.values(), RequestTimeout("the subscription was not confirmed in time"))
            raise
        except Exception as error:
            raise self._translated(ear.error or error) from error
        finally:
            listening.reset(token)
            ear.leave()
            self._leave_taps()

    def fail(self, error: PlanarError) -> None:
        """See `Feed`. CCXT believes in its subscription; ending the connection is what makes it start anew."""
        if self._ear is not None:
            self._ear.failed(error)
            _end(self._ear.sockets.values(), error)

    async def close(self) -> None:
        """See `Feed`. A connection that nobody listens to any more is closed, which ends all it carries."""
        sockets, self._sockets = list(self._sockets.values()), {}
        shared = [socket for socket in sockets if socket.watched]
        for socket in sockets:
            if socket not in shared:
                await socket.close()
        if shared:
            await self._unwatch(shared)
        elif self.topic.kind is Kind.ORDER_BOOK:
            self._exchange.orderbooks.pop(self.topic.symbols[0], None)

    # -- subscribing -----------------------------------------------------------------------------------------------
    def _arguments(self) -> tuple[Any, ...]:
        topic, symbol = self.topic, self.topic.symbols[0] if self.topic.symbols else None
        match topic.kind:
            case Kind.ORDER_BOOK:
                return (symbol, topic.depth)
            case Kind.OHLCV:
                return (symbol, topic.timeframe, None, None)
            case Kind.TRADES | Kind.ORDERS | Kind.MY_TRADES | Kind.LIQUIDATIONS | Kind.MY_LIQUIDATIONS:
                return (symbol, None, None)
            case Kind.TICKER | Kind.MARK_PRICE | Kind.FUNDING_RATE:
                return (symbol,)
            case Kind.TICKERS | Kind.BIDS_ASKS | Kind.MARK_PRICES | Kind.FUNDING_RATES:
                return (list(topic.symbols),)
            case Kind.POSITIONS:
                return (list(topic.symbols) or None, None, None)
            case Kind.BALANCE:
                return ()

    async def _watch(self, ear: Ear) -> None:
        method = f"watch_{self.topic.kind}"
        with calling(CallContext(method, CALL_MS, Priority.MARKET, reading=True)) as call:
            try:
                # the last argument is CCXT's `params`: a fresh dict, since some methods write into it
                await getattr(self._exchange, method)(*self._arguments(), {})
            except Exception as error:
                if call.requests and ear.error is None:
                    raise translate(error, call, self._adapter.id) from error
                raise

    async def _unwatch(self, sockets: Sequence[SocketGuard]) -> None:
        method = f"un_watch_{self.topic.kind}"
        if not self._adapter.capabilities.can(method):
            return
        symbol, more = self.topic.symbols[0] if self.topic.symbols else None, ()
        if self.topic.kind is Kind.OHLCV:
            more = (self.topic.timeframe,)
        with calling(CallContext(method, CALL_MS, Priority.MARKET, reading=True)):
            many = self.topic.kind.is_table or self.topic.kind is Kind.POSITIONS
            asked = list(self.topic.symbols) or None if many else symbol
            try:
                async with asyncio.timeout(CALL_MS / 1000):
                    await getattr(self._exchange, method)(asked, *more, {})
            except Exception as error:
                # it goes on sending what nobody wants, over a connection that others use: begin that one anew
                _end(sockets, self._translated(error))

    def _translated(self, error: Exception) -> PlanarError:
        if isinstance(error, PlanarError):
            error.exchange = error.exchange or self._adapter.id
            return error
        made = translate(error, CallContext(str(self.topic), CALL_MS, Priority.MARKET), self._adapter.id)
        # there is no request by whose fate the error could be judged
        made.retryable, made.outcome = type(made).default_retryable, type(made).default_outcome
        return made

    # -- taking ----------------------------------------------------------------------------------------------------
    @property
    def sink(self) -> Sink:
        """Where to; there is one while `run` runs."""
        assert self._sink is not None
        return self._sink

    def _subscribed(self) -> None:
        self.sink.subscribed()

    def _take(self, result: Any) -> None:
        kind = self.topic.kind
        if kind is Kind.ORDER_BOOK:
            self._take_book(result)
        elif kind.has_rows:
            self._take_rows(result)
        else:
            for raw in tickers_of(result):
                if raw["symbol"] in self.topic.symbols and not _of_another_kind(kind, raw):
                    self._deliver(self._numbered(raw) if kind is Kind.BIDS_ASKS else raw)

    def _numbered(self, quote: dict[str, Any]) -> dict[str, Any]:
        """A best bid and ask with the number of its book, where the venue tells it."""
        field, told = self._adapter.profile.quote_nonce, quote.get("info")
        if field is None or not isinstance(told, dict):
            return quote
        return {**quote, "nonce": cast("dict[str, Any]", told).get(field)}

    def _take_book(self, book: Any) -> None:
        symbol = self.topic.symbols[0]
        if not isinstance(book, dict):
            return
        levels = cast("dict[str, Any]", book)
        if "bids" not in levels or levels.get("symbol") not in (None, symbol):
            return
        if self._ladder is None or self._ladder.book is not levels:
            self._ladder = CcxtLadder(levels, symbol)
        self.sink.book(self._ladder)

    def _take_rows(self, result: Any) -> None:
        """A plain list, or a cache. Of a cache that was not known yet all rows are new; later ones come by its tap."""
        rows = rows_of(result, self.topic)
        if rows is None or id(rows) in self._taps:
            return
        new = not hasattr(rows, "planar_tap")
        if is_cache(rows):
            self._tap(rows)
        for row in list(rows) if new else ():
            self._row(row)

    def _tap(self, cache: Any) -> None:
        tap: CacheTap = cache.planar_tap if hasattr(cache, "planar_tap") else CacheTap(cache)
        self._taps[id(cache)] = tap
        tap.takers = (*tap.takers, self._tapped)

    def _leave_taps(self) -> None:
        for tap in self._taps.values():
            tap.takers = tuple(taker for taker in tap.takers if taker != self._tapped)
        self._taps = {}

    def _tapped(self, row: Any) -> None:
        if self._ear is not None:
            self._ear.guarded(self._row, row)

    def _row(self, raw: Any) -> None:
        if isinstance(raw, dict):
            row = cast("dict[str, Any]", raw)
            if self.topic.symbols and row.get("symbol") not in self.topic.symbols:
                return
            if self.topic.kind in (Kind.TRADES, Kind.MY_TRADES) and self._repeated(row.get("id")):
                return
        self._deliver(raw)

    def _repeated(self, trade_id: object) -> bool:
        if not isinstance(trade_id, str):
            return False
        if trade_id in self._seen:
            return True
        self._seen[trade_id] = None
        if len(self._seen) > IDS_KEPT:
            del self._seen[next(iter(self._seen))]
        return False

    def _deliver(self, raw: Any) -> None:
        """Convert and pass on; what cannot be read is missing, and the sink hears so."""
        try:
            item = _CONVERT[self.topic.kind](raw, exchange=self._adapter.id, received_ns=runtime.wall_ns())
        except BadResponse as error:
            self.sink.lost(error.message)
            return
        self.sink.deliver(item)


def _of_another_kind(kind: Kind, raw: Mapping[str, Any]) -> bool:
    """Whether a ticker is none of mark prices: CCXT tells both to who waits for either, where they share a name."""
    return kind in (Kind.MARK_PRICE, Kind.MARK_PRICES) and raw.get("markPrice") is None


def _end(sockets: Iterable[SocketGuard], error: PlanarError) -> None:
    for socket in list(sockets):
        socket.on_error(error)
