"""One pump per topic: it runs the feed, keeps the newest state, judges it, and gives every update to every consumer.

A pump is a `Sink`: its feed calls it synchronously. It reconnects, with a jittered and growing pause, until it is
stopped or the venue refuses for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Protocol

import planar.runtime as runtime
from planar.adapters.feed import Feed, Item, Kind, Ladder, Topic
from planar.errors import (
    ArgumentsRequired,
    AuthenticationError,
    BadRequest,
    BadResponse,
    ConfigError,
    GuardError,
    NotSupported,
    PlanarError,
    RequestTimeout,
    StaleData,
)
from planar.models import AccountBalance, Fill, Order
from planar.streams.states import Gap, StreamRules, StreamState

FINAL_ERRORS = (ArgumentsRequired, AuthenticationError, BadRequest, ConfigError, GuardError, NotSupported)
"""After one of these the same subscription would fail again."""

FIRST_PATIENCE, LONGEST_PATIENCE = 2, 32
"""After how many age budgets without data a stale state is fetched anew."""


class Consumer(Protocol):
    """Who takes what a pump brings. Its methods are called while the frame is handled, and do not raise."""

    def update(self, item: Item) -> None:
        """A row, or the newest state."""
        ...

    def book_changed(self, ladder: Ladder) -> None:
        """An update was applied to the book."""
        ...

    def gap(self, gap: Gap) -> None:
        """Rows are missing here."""
        ...

    def changed(self) -> None:
        """The pump's state has changed."""
        ...


class Pump:
    """The stream of one topic.

    Attributes:
        state: how far it can be trusted.
        error: why it is not LIVE, or was not last time.
        ended: it will not be LIVE again: stopped, or refused for good.
        stopped: `ended` because its hub has closed it.
        ever_live: it was LIVE once.
        losses: how often it has ceased to be trusted, or has failed to become so.
        ladder: the live book, once there is one.
        received_ns: when the book's last update came, UTC nanoseconds.
        newest: the newest item per symbol; under "" where an item has none.
    """

    def __init__(
        self,
        feed: Feed,
        rules: StreamRules,
        on_own: Callable[[Order | Fill | AccountBalance], None],
        on_return: Callable[[Topic, str], None] | None = None,
    ) -> None:
        self.feed = feed
        self.kind: Kind = feed.topic.kind
        self.state = StreamState.CONNECTING
        self.error: PlanarError | None = None
        self.ended = False
        self.stopped = False
        self.ever_live = False
        self.losses = 0
        self.ladder: Ladder | None = None
        self.received_ns: int | None = None
        self.newest: dict[str, Item] = {}
        self.lagging = False
        self._rules = rules
        self._on_own = on_own
        self._on_return = on_return
        self._consumers: tuple[Consumer, ...] = ()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.Timeout | None = None
        self._data_at: float | None = None
        self._live_at: float | None = None
        self._good_ms: int | None = None
        self._gap_reason: str | None = None
        self._patience = FIRST_PATIENCE
        self._updates = 0

    def stale_error(self) -> StaleData:
        """That its data cannot be vouched for now, and why."""
        why = self.error.message if self.error is not None else "nothing has come yet"
        made = StaleData(
            f"{self.feed.topic} is {self.state}: {why}",
            exchange=self.error.exchange if self.error is not None else None,
            hint='wait for the next update, or read on with stale="yield"',
        )
        made.__cause__ = self.error
        return made

    # -- consumers -------------------------------------------------------------------------------------------------
    def attach(self, consumer: Consumer) -> None:
        """Give it every update from now on."""
        self._consumers = (*self._consumers, consumer)

    def detach(self, consumer: Consumer) -> None:
        """Give it nothing more."""
        self._consumers = tuple(one for one in self._consumers if one is not consumer)

    @property
    def wanted(self) -> bool:
        """Whether there is a consumer."""
        return bool(self._consumers)

    @property
    def age_ms(self) -> float | None:
        """Milliseconds since the last data; None before the first."""
        return None if self._data_at is None else (runtime.monotonic() - self._data_at) * 1000

    # -- life ------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin to connect."""
        self._task = runtime.spawn(self._run(), name=f"stream {self.feed.topic}")

    async def stop(self) -> None:
        """Unsubscribe and end. Consumers that are left see the end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.ended = self.stopped = True
        self._set(StreamState.DOWN, again=True)
        await self.feed.close()

    async def _run(self) -> None:
        pause_s = self._rules.backoff_s
        while True:
            error = await self._attempt()
            if self._live_at is not None and runtime.monotonic() - self._live_at >= self._rules.settled_s:
                pause_s = self._rules.backoff_s
            self._lost(error)
            if self.ended:
                return
            await runtime.sleep(pause_s * (0.5 + runtime.current().random.random() / 2))
            pause_s = min(pause_s * 2, self._rules.backoff_max_s)

    async def _attempt(self) -> PlanarError:
        """Run the feed until it fails; why it did."""
        try:
            async with asyncio.timeout(self._rules.connect_s) as self._timer:
                await self.feed.run(self)
        except PlanarError as error:
            return error
        except TimeoutError:
            return RequestTimeout(f"the subscription was not confirmed within {self._rules.connect_s:g} s")
        except Exception as error:
            self.ended = True
            self._lost(BadResponse(f"the stream of {self.feed.topic} failed: {error!r}"))
            raise
        return BadResponse(f"the stream of {self.feed.topic} ended without a reason")

    def _lost(self, error: PlanarError) -> None:
        self.error = error
        self.ended = self.ended or isinstance(error, FINAL_ERRORS)
        if self._live_at is not None and self._gap_reason is None:
            self._good_ms = self.feed.heard_ms or runtime.wall_ms()
            self._gap_reason = error.message
        first = self.state in (StreamState.LIVE, StreamState.STALE) and not self.ended
        self._live_at = None
        self._set(StreamState.RESYNCING if first else StreamState.DOWN, again=True)

    def _set(self, state: StreamState, *, again: bool = False) -> None:
        """Change the state; `again` tells the consumers even if it is the same: another attempt has failed."""
        if state is self.state and not again:
            return
        self.state = state
        if state is not StreamState.LIVE:
            self.losses += 1
        for consumer in self._consumers:
            consumer.changed()

    # -- what the feed brings --------------------------------------------------------------------------------------
    def subscribed(self) -> None:
        """See `Sink`. A row stream is live with that; a state is live when it is there."""
        if self.kind.has_rows:
            self._live()
        elif self.kind is not Kind.ORDER_BOOK and self.kind is not Kind.BALANCE:
            self._in_time()

    def deliver(self, item: Item) -> None:
        """See `Sink`."""
        self._came()
        self.newest[getattr(item, "symbol", "")] = item
        for consumer in self._consumers:
            consumer.update(item)
        if self.kind is Kind.ORDERS or self.kind is Kind.MY_TRADES or self.kind is Kind.BALANCE:
            self._on_own(item)  # pyright: ignore[reportArgumentType] (these kinds bring nothing else)

    def book(self, ladder: Ladder) -> None:
        """See `Sink`. A book that no matching engine can have is not shown, but fetched anew."""
        bids, asks = ladder.bids, ladder.asks
        best_bid, best_ask = (bids[0][0] if bids else 0.0), (asks[0][0] if asks else inf)
        if not best_bid < best_ask:  # also if one is no number
            self.ladder = None
            self.feed.fail(StaleData(f"the book is crossed: bid {best_bid}, ask {best_ask}"))
            return
        self.ladder = ladder
        self.received_ns = runtime.wall_ns()
        self._came()
        for consumer in self._consumers:
            consumer.book_changed(ladder)

    def lost(self, reason: str) -> None:
        """See `Sink`."""
        now_ms = runtime.wall_ms()
        self._tell_gap(Gap(since_ms=now_ms, until_ms=now_ms, reason=reason, dropped=1))

    def _came(self) -> None:
        self._data_at = runtime.monotonic()
        self._updates += 1
        self._live()

    def _live(self) -> None:
        if self.state is StreamState.LIVE or self.lagging:
            return
        self._in_time()
        self.ever_live = True
        self._live_at = self._live_at or runtime.monotonic()
        reason, self._gap_reason = self._gap_reason, None
        if reason is not None and self._good_ms is not None and self.kind.has_rows:
            self._tell_gap(Gap(since_ms=self._good_ms, until_ms=runtime.wall_ms(), reason=reason))
        self._set(StreamState.LIVE)
        if reason is not None and self._on_return is not None:
            self._on_return(self.feed.topic, reason)

    def _in_time(self) -> None:
        if self._timer is not None and not self._timer.expired():
            self._timer.reschedule(None)

    def _tell_gap(self, gap: Gap) -> None:
        for consumer in self._consumers:
            consumer.gap(gap)

    # -- judging ---------------------------------------------------------------------------------------------------
    def check(self, lag_ms: float) -> None:
        """Look at age and lag. Called by the hub, every `check_ms`."""
        self.lagging = lag_ms > self._rules.max_lag_ms
        if self.lagging and self.state is StreamState.LIVE:
            self.error = StaleData(f"this process's event loop was {lag_ms / 1000:.1f} s late")
            self._set(StreamState.STALE)
        elif not self.lagging and self.state is StreamState.STALE and self.kind.has_rows:
            self._live()
        budget_ms, age_ms = self._rules.age_budget_ms(self.kind), self.age_ms
        if budget_ms is None or age_ms is None or age_ms <= budget_ms:
            return
        if self.state is StreamState.LIVE:
            self.error = StaleData(f"no data for {age_ms / 1000:.1f} s")
            self._set(StreamState.STALE)
        elif self.state is StreamState.STALE and age_ms > self._patience * budget_ms:
            # a market in which nothing happens is asked less and less often whether it is still there
            self._patience = min(self._patience * 2, LONGEST_PATIENCE) if self._updates <= 1 else FIRST_PATIENCE
            self._updates = 0
            self.feed.fail(StaleData(f"no data for {age_ms / 1000:.1f} s"))
