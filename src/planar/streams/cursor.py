"""What `await exchange.watch_...()` reads from: one lasting place per topic, so that code made for ccxt.pro moves over.

A cursor is a consumer that its hub keeps from the first await on. Rows are handed out once, to whoever awaits; several
that wait at the same moment get the same ones, as with CCXT. Unlike with CCXT, rows that came between two awaits are
all there, up to a bound, and what is beyond it is counted.
"""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from typing import Any

import planar.runtime as runtime
from planar.adapters.feed import Item, Kind, Ladder
from planar.errors import ExchangeNotAvailable, Outcome, PlanarError
from planar.models import Candle
from planar.streams.pump import Pump
from planar.streams.states import Gap, StreamState

ROWS_KEPT = 10_000
GAPS_KEPT = 1_000


def failure(pump: Pump) -> PlanarError:
    """The error of a pump, made anew for each who raises it."""
    if pump.error is None:
        made: PlanarError = ExchangeNotAvailable(
            f"the stream of {pump.feed.topic} was closed", outcome=Outcome.NOT_SENT, retryable=False
        )
        return made
    made = copy.copy(pump.error)
    made.__cause__ = pump.error
    return made


class Cursor:
    """The rows, or the changes of a state, since the last await.

    Attributes:
        pump: what it reads; set when the hub has attached it.
        dropped: rows that were more than it keeps.
        gaps: what is missing from the rows.
        since_s: since when something waits to be given, monotonic seconds.
    """

    pump: Pump

    def __init__(self) -> None:
        self.dropped = 0
        self.gaps: deque[Gap] = deque(maxlen=GAPS_KEPT)
        self._rows: deque[Item] = deque()
        self._came = 0
        self._given = 0
        self.since_s = 0.0
        self._waiting = 0
        self._event = asyncio.Event()

    async def next(self) -> Any:
        """The rows since the last await, at least one; of a state the newest, once it changed after the last await.

        Raises:
            PlanarError: the subscription was refused, or its connection was lost while waiting.
            StaleData: a state ceased to be trusted while waiting.
        """
        return self.take(await self.ready())

    async def ready(self) -> int:
        """Wait until there is something that was not given; a mark for `take`. Errors as of `next`."""
        begun, losses = self._given, self.pump.losses
        while self._came == begun or not self._readable():
            if self.pump.ended:
                raise failure(self.pump)
            if self.pump.losses != losses and self.pump.state is not StreamState.LIVE:
                raise self.pump.stale_error() if self.pump.state is StreamState.STALE else failure(self.pump)
            await self._wait()
        return begun

    def take(self, begun: int) -> Any:
        """What came since a mark of `ready`."""
        self._given = self._came
        if not self.pump.kind.has_rows:
            newest = self.pump.newest
            return dict(newest) if self.pump.kind.is_table else newest.get(next(iter(newest), ""))
        rows = list(self._rows)[begun - self._came :]
        if not self._waiting:
            self._rows.clear()
        return _newest_candles(rows) if self.pump.kind is Kind.OHLCV else rows

    def _readable(self) -> bool:
        """A state that is not trusted is not given, rows always are."""
        return self.pump.kind.has_rows or self.pump.state is StreamState.LIVE

    async def _wait(self) -> None:
        self._waiting += 1
        self._event.clear()
        try:
            await self._event.wait()
        finally:
            self._waiting -= 1

    # -- what the pump calls ---------------------------------------------------------------------------------------
    def update(self, item: Item) -> None:
        """See `Consumer`."""
        if self.pump.kind.has_rows:
            self._rows.append(item)
            if len(self._rows) > ROWS_KEPT:
                self._rows.popleft()
                self._overflow()
        self._changed()

    def book_changed(self, ladder: Ladder) -> None:
        """See `Consumer`."""
        self._changed()

    def gap(self, gap: Gap) -> None:
        """See `Consumer`."""
        self.gaps.append(gap)

    def changed(self) -> None:
        """See `Consumer`."""
        self._event.set()

    def _changed(self) -> None:
        if self._came == self._given:
            self.since_s = runtime.monotonic()
        self._came += 1
        self._event.set()

    def _overflow(self) -> None:
        """Count a row that nobody awaited in time, in the last gap if that is of the same kind."""
        self.dropped += 1
        reason, now_ms = f"more than {ROWS_KEPT} rows since the last await", runtime.wall_ms()
        last = self.gaps[-1] if self.gaps else None
        if last is not None and last.reason == reason:
            self.gaps[-1] = Gap(last.since_ms, now_ms, reason, (last.dropped or 0) + 1)
        else:
            self.gaps.append(Gap(now_ms, now_ms, reason, 1))


def _newest_candles(rows: list[Any]) -> list[Candle]:
    """Each candle once, as it was last."""
    candles: list[Candle] = rows
    return list({candle.ts_ms: candle for candle in candles}.values())
