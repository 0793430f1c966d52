"""What users hold: a `Stream`, one consumer of a pump with a policy of its own.

    async with exchange.watch_trades("BTC/USDT") as trades:
        async for trade in trades:
            ...

`await exchange.watch_trades("BTC/USDT")` works too, with ccxt.pro's meaning; see `cursor`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Hashable
from types import TracebackType
from typing import Any, Generic, Literal, Protocol, Self, TypeAlias, TypeVar, cast

from planar.adapters.feed import Item, Kind, Ladder, Source, Topic
from planar.errors import BadRequest, BadResponse, Outcome, StaleData
from planar.models import Candle, FundingRate, Order, OrderBook, Position, Ticker
from planar.streams.book import DEFAULT_DEPTH, LiveBook, freeze
from planar.streams.cursor import Cursor, failure
from planar.streams.mailbox import NOTHING, Every, Latest, Mailbox, Nothing
from planar.streams.pump import Pump
from planar.streams.states import Gap, StreamState

T = TypeVar("T")

Policy: TypeAlias = Literal["latest", "every"]
"""latest: only the newest state per key, what it replaces is counted. every: each update, up to a bound."""
Stale: TypeAlias = Literal["raise", "yield"]
"""What a consumer of a state gets when it ceases to be trusted: a StaleData, or the state as it was last."""

GAPS_KEPT = 1_000
EVERY_LIMIT = 10_000
EVERY_LIMIT_PRIVATE = 100_000


class Hub(Protocol):
    """What a stream needs of its hub."""

    async def attach(self, consumer: Any, topic: Topic) -> Pump: ...
    async def detach(self, consumer: Any, pump: Pump) -> None: ...
    async def cursor(self, topic: Topic) -> Cursor: ...
    async def unwatch(self, topic: Topic) -> None: ...
    def report(self, error: Exception, what: str) -> None: ...


class Stream(Generic[T]):
    """One consumer of a topic. Not shared: each `watch_*` gives a new one, and they do not touch one another.

    Iterating yields by the policy. When the connection is lost, it comes back by itself. Meanwhile a stream of states
    (book, ticker, balance) raises StaleData once, and may be iterated again, or with `stale="yield"` yields the last
    state; a stream of rows waits, and what it missed is a `Gap`. A subscription that fails before it ever was live
    raises its error.
    """

    def __init__(self, hub: Hub, topic: Topic, policy: Policy, stale: Stale = "raise") -> None:
        if policy not in ("latest", "every") or stale not in ("raise", "yield"):
            raise BadRequest(
                f"policy = {policy!r}, stale = {stale!r} is not possible",
                outcome=Outcome.NOT_SENT,
                hint='policy is "latest" or "every", stale is "raise" or "yield"',
            )
        self._hub = hub
        self._topic = topic
        self._policy = policy
        self._stale = stale
        limit = EVERY_LIMIT_PRIVATE if topic.kind.is_private else EVERY_LIMIT
        self._mailbox: Mailbox[Any] = Latest() if policy == "latest" else Every(limit)
        self._gaps: deque[Gap] = deque(maxlen=GAPS_KEPT)
        self._callback: Callable[[T], None] | None = None
        self._pump: Pump | None = None
        self._cursor: Cursor | None = None
        self._seen = 0
        self._latest: T | None = None
        self._event = asyncio.Event()

    def __repr__(self) -> str:
        return f"<stream {self._topic} {self.state}>"

    # -- opening and closing ---------------------------------------------------------------------------------------
    async def __aenter__(self) -> Self:
        if self._pump is not None:
            raise BadRequest(f"the stream of {self._topic} is open already", outcome=Outcome.NOT_SENT)
        pump = self._pump = await self._hub.attach(self, self._topic)
        # a consumer that comes while the pump is in trouble hears of it at once; one that finds it live, its state
        troubled = pump.state not in (StreamState.LIVE, StreamState.CONNECTING)
        self._seen = pump.losses - 1 if troubled else pump.losses
        if pump.state is StreamState.LIVE and not pump.kind.has_rows:
            self._begin(pump)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pump, self._pump = self._pump, None
        self._event.set()
        if pump is not None:
            await self._hub.detach(self, pump)

    def __await__(self) -> Generator[Any, None, Any]:
        """The newest state, waiting for a change if the last await has seen it; or the rows since the last await."""
        return self._awaited().__await__()

    async def _awaited(self) -> Any:
        return await (await self.cursor()).next()

    async def cursor(self) -> Cursor:
        """The place from which awaits of this topic read."""
        self._cursor = await self._hub.cursor(self._topic)
        return self._cursor

    def given(self, cursor: Cursor, begun: int) -> Any:
        """What a cursor has since its mark; NOTHING if that turns out to be none."""
        return cursor.take(begun)

    @property
    def kind(self) -> Kind:
        """What it is about."""
        return self._topic.kind

    async def unwatch(self) -> None:
        """End what `await` began: nothing is kept for the next await any more."""
        await self._hub.unwatch(self._topic)

    # -- as one of several -------------------------------------------------------------------------------------------
    def share(self, event: asyncio.Event) -> None:
        """Set `event` where this stream's own would be: somebody waits for several. Before it is opened."""
        self._event = event

    def poll(self) -> T | Gap | Nothing:
        """What iterating would give now; NOTHING if it would wait, or has ended (`ended`). Errors as of iterating."""
        return NOTHING if self._pump is None else self._poll(self._pump)

    @property
    def ended(self) -> bool:
        """Nothing will come any more: closed, or refused for good."""
        return self._pump is None or self._pump.ended

    # -- what it says about itself ---------------------------------------------------------------------------------
    @property
    def _source(self) -> Pump | None:
        return self._pump if self._pump is not None or self._cursor is None else self._cursor.pump

    @property
    def state(self) -> StreamState:
        """How far it can be trusted at this moment; DOWN if it is not open."""
        source = self._source
        return StreamState.DOWN if source is None else source.state

    @property
    def age_ms(self) -> float | None:
        """Milliseconds since the last data (pongs are none); None before the first."""
        return None if self._source is None else self._source.age_ms

    @property
    def source(self) -> Source | None:
        """Where its data comes from: "websocket", or "rest" where the venue has no stream for it."""
        return None if self._source is None else self._source.feed.source

    @property
    def dropped(self) -> int:
        """How many updates this consumer was too slow for: conflated, or beyond the bound."""
        return self._mailbox.dropped + (self._cursor.dropped if self._cursor is not None else 0)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What is missing from the rows, oldest first, the last 1000 of them."""
        return (*self._gaps, *(self._cursor.gaps if self._cursor is not None else ()))

    @property
    def latest(self) -> T | None:
        """The newest that came while it was open, whether or not it was iterated; `state` says what it is worth."""
        return self._latest

    # -- consuming -------------------------------------------------------------------------------------------------
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            found = await self._next()
            if isinstance(found, Nothing):
                raise StopAsyncIteration
            if not isinstance(found, Gap):
                return found

    async def with_gaps(self) -> AsyncIterator[T | Gap]:
        """As iterating, with a `Gap` in the place of what is missing (policy "every")."""
        while not isinstance(found := await self._next(), Nothing):
            yield found

    def on_update(self, callback: Callable[[T], None]) -> None:
        """Call `callback` with each update from now on, while its frame is handled: no queue, no hop.

        It replaces iterating. It must be quick, since the connection waits for it. What it raises goes to the event
        loop's exception handler, and to nobody else.
        """
        self._callback = callback

    async def _next(self) -> T | Gap | Nothing:
        """The next item; NOTHING when the stream was closed."""
        pump = self._pump
        if pump is None:
            raise BadRequest(
                f"the stream of {self._topic} is not open",
                outcome=Outcome.NOT_SENT,
                hint="open it: async with exchange.watch_...() as stream",
            )
        while isinstance(found := self._poll(pump), Nothing):
            if pump.stopped or self._pump is not pump:
                return NOTHING
            self._event.clear()
            await self._event.wait()
        return found

    def _poll(self, pump: Pump) -> T | Gap | Nothing:
        rows = pump.kind.has_rows
        if rows and not isinstance(found := self._take(pump), Nothing):
            return found
        if pump.stopped:
            return NOTHING
        if pump.ended:
            raise failure(pump)
        if self._seen != pump.losses:
            self._seen = pump.losses
            if not pump.ever_live:
                raise failure(pump)
            if not rows and pump.state is not StreamState.LIVE:
                if self._stale == "raise":
                    raise pump.stale_error()
                if not isinstance(found := self._take(pump), Nothing):
                    return found
                self._begin(pump)
        if rows or (pump.state is not StreamState.LIVE and self._stale == "raise"):
            return NOTHING
        return self._take(pump)

    def _take(self, pump: Pump) -> T | Gap | Nothing:
        found = self._mailbox.take()
        if isinstance(found, Gap) and found not in self._gaps:
            self._gaps.append(found)
        return cast("T | Gap | Nothing", found)

    def _begin(self, pump: Pump) -> None:
        """Put the state as it is now before the consumer."""
        for key, item in pump.newest.items():
            self._latest = cast(T, item)
            self._mailbox.put(key, item)

    # -- what the pump calls ---------------------------------------------------------------------------------------
    def update(self, item: Item) -> None:
        """See `Consumer`."""
        self._put(_key(item), cast(T, item))

    def book_changed(self, ladder: Ladder) -> None:
        """See `Consumer`. Only book streams get any."""

    def gap(self, gap: Gap) -> None:
        """See `Consumer`."""
        self._gaps.append(gap)
        self._mailbox.mark(gap)
        self._event.set()

    def changed(self) -> None:
        """See `Consumer`."""
        self._event.set()

    def _put(self, key: Hashable, item: T) -> None:
        self._latest = item
        if self._callback is not None:
            try:
                self._callback(item)
            except Exception as error:
                self._hub.report(error, f"on_update of {self._topic}")
            return
        self._mailbox.put(key, item)
        self._event.set()


class RowStream(Stream[T]):
    """Events: trades, candles, orders, own trades. Awaiting gives the rows since the last await."""

    def __await__(self) -> Generator[Any, None, list[T]]:
        return super().__await__()


class StateStream(Stream[T]):
    """A state: a ticker, the balance. Awaiting gives the newest."""

    def __await__(self) -> Generator[Any, None, T]:
        return super().__await__()


class TableStream(Stream[T]):
    """A state of several markets, one at a time. Awaiting gives the newest of each, by symbol."""

    def __await__(self) -> Generator[Any, None, dict[str, T]]:
        return super().__await__()


class TickersStream(Stream[Ticker]):
    """The tickers of several markets, one at a time. Awaiting gives the newest of each, by symbol."""

    def __await__(self) -> Generator[Any, None, dict[str, Ticker]]:
        return super().__await__()


class BookStream(StateStream[OrderBook]):
    """An order book. What it yields is frozen at its sequence number, the best levels copied."""

    def __init__(self, hub: Hub, topic: Topic, depth: int | None, policy: Policy, stale: Stale) -> None:
        super().__init__(hub, topic, policy, stale)
        self._depth = depth or DEFAULT_DEPTH

    async def _awaited(self) -> OrderBook:
        cursor = await self.cursor()
        while True:
            frozen = self.given(cursor, await cursor.ready())
            if not isinstance(frozen, Nothing):
                return frozen

    def given(self, cursor: Cursor, begun: int) -> OrderBook | Nothing:
        """The best levels, copied."""
        cursor.take(begun)
        return self._frozen(cursor.pump)

    @property
    def book(self) -> LiveBook:
        """The whole live book, without a copy; valid until the next `await`.

        Raises:
            StaleData: it is not LIVE, and this stream does not read stale books.
        """
        pump, ladder = self._readable()
        return LiveBook(ladder, pump.age_ms)

    @property
    def latest(self) -> OrderBook | None:
        """The best levels as they are now; None before the first, and when closed. `state` says what they are worth."""
        frozen = NOTHING if self._source is None else self._frozen(self._source)
        return None if isinstance(frozen, Nothing) else frozen

    def snapshot(self) -> OrderBook:
        """A copy of all levels at this moment.

        Raises:
            StaleData: the book is not LIVE, and this stream does not read stale ones.
        """
        pump, ladder = self._readable()
        return freeze(ladder, None, pump.received_ns)

    def book_changed(self, ladder: Ladder) -> None:
        """See `Consumer`."""
        assert self._pump is not None
        if self._policy == "latest" and self._callback is None:
            # what is yielded is copied when it is taken: it shows the book of that moment, at that sequence number
            self._mailbox.put("", ladder)
            self._event.set()
        elif not isinstance(frozen := self._frozen(self._pump), Nothing):
            self._put("", frozen)

    def _begin(self, pump: Pump) -> None:
        if pump.ladder is not None:
            self.book_changed(pump.ladder)

    def _take(self, pump: Pump) -> OrderBook | Gap | Nothing:
        found = super()._take(pump)
        return self._frozen(pump) if self._policy == "latest" and not isinstance(found, Nothing) else found

    def _readable(self) -> tuple[Pump, Ladder]:
        pump = self._source
        if pump is None:
            raise StaleData(f"the stream of {self._topic} is not open")
        if pump.ladder is None or (pump.state is not StreamState.LIVE and self._stale == "raise"):
            raise pump.stale_error()
        return pump, pump.ladder

    def _frozen(self, pump: Pump) -> OrderBook | Nothing:
        """The best levels of the book as it is now; NOTHING if it turns out to be none, which is then fetched anew."""
        if pump.ladder is None:
            return NOTHING
        try:
            return freeze(pump.ladder, self._depth, pump.received_ns)
        except BadResponse as error:
            pump.feed.fail(StaleData(error.message))
            return NOTHING


def _key(item: Item) -> Hashable:
    """By what the policy "latest" tells items apart: a newer one replaces one of the same key."""
    if isinstance(item, Ticker | FundingRate):
        return item.symbol
    if isinstance(item, Position):
        return item.symbol, item.side
    if isinstance(item, Order):
        return item.id or item.client_order_id
    return item.ts_ms if isinstance(item, Candle) else ""
