"""`Tape`: the public trades of one market, in order and each once, for the orders of a paper account that stand there.

They come from the exchange's stream. What the stream missed (before it began, in a gap, while no program ran) is asked for
by REST. Trades are told apart by their time: what could be counted twice is left out.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

import planar.runtime as runtime
from planar.adapters.base import Adapter
from planar.adapters.feed import Item, Kind, Ladder, Topic
from planar.errors import PlanarError
from planar.models import Trade
from planar.models.base import iso8601
from planar.streams.hub import StreamHub
from planar.streams.pump import Pump
from planar.streams.states import Gap, StreamState

log = logging.getLogger("planar.paper")

PAGE = 1_000
PAGES = 20
"""So many pages are asked for at the most."""
CALL_MS = 10_000
SHORT = 50
"""An answer with fewer trades than this is the last one: no exchange's answers are so short."""
PAUSES_S = (0.0, 1.0, 2.0, 4.0)
"""The pauses before each attempt to ask."""


class Reader(Protocol):
    """Who takes the trades."""

    def taken_ms(self, symbol: str) -> int | None:
        """Trades up to this moment are known; None: nobody needs those of the past."""
        ...

    def trade(self, trade: Trade) -> None:
        """The next one."""
        ...


class Tape:
    """One market's trades; a consumer of its stream."""

    def __init__(self, symbol: str, data: Adapter, hub: StreamHub, reader: Reader) -> None:
        self.symbol = symbol
        self._data = data
        self._hub = hub
        self._reader = reader
        self._pump: Pump | None = None
        self._waiting: list[Trade] | None = []
        self._catching: asyncio.Task[None] | None = None
        self._again = False

    async def start(self) -> None:
        """Subscribe.

        Raises:
            NotSupported: the exchange tells no trades.
        """
        self._pump = await self._hub.attach(self, Topic(Kind.TRADES, (self.symbol,)))
        self.changed()

    async def stop(self) -> None:
        """Leave the stream."""
        if self._catching is not None:
            self._catching.cancel()
            await asyncio.wait([self._catching])
        if self._pump is not None:
            await self._hub.detach(self, self._pump)

    # -- what the stream brings ------------------------------------------------------------------------------------
    def update(self, item: Item) -> None:
        """See `Consumer`."""
        assert isinstance(item, Trade)
        if self._waiting is not None:
            self._waiting.append(item)
        else:
            self._reader.trade(item)

    def book_changed(self, ladder: Ladder) -> None:
        """See `Consumer`. This stream has none."""

    def gap(self, gap: Gap) -> None:
        """See `Consumer`."""
        self.catch_up()

    def changed(self) -> None:
        """See `Consumer`. The stream has begun: what was before is asked for."""
        if self._waiting is not None and self._pump is not None and self._pump.state is StreamState.LIVE:
            self.catch_up()

    # -- what it missed --------------------------------------------------------------------------------------------
    def catch_up(self) -> None:
        """Ask for what came since the last trade that the reader knows; what the stream brings meanwhile waits."""
        if self._catching is not None:
            self._again = True
            return
        self._waiting = self._waiting or []
        self._catching = runtime.spawn(self._fetch(), name=f"paper: trades of {self.symbol}")

    async def _fetch(self) -> None:
        try:
            await self._ask()
            while self._again:
                self._again = False
                await self._ask()
        finally:
            self._catching = None
        waiting, self._waiting = self._waiting or [], None
        known_ms = self._reader.taken_ms(self.symbol)
        for trade in waiting:
            if known_ms is None or _is_after(trade, known_ms):
                self._reader.trade(trade)

    async def _ask(self) -> None:
        since_ms, why = self._reader.taken_ms(self.symbol), ""
        for pause_s in PAUSES_S:
            await runtime.sleep(pause_s)
            try:
                if await self._pages():
                    return
                why = f"there are more than {PAGES} answers hold"
                break
            except PlanarError as error:
                why = error.message
        log.warning(
            "paper %s: not all trades of %s since %s could be had: %s; orders that they would have filled stay open",
            *(self._data.id, self.symbol, iso8601(since_ms), why),
        )

    async def _pages(self) -> bool:
        """Take in page after page; whether nothing is left."""
        for _ in range(PAGES):
            since_ms = self._reader.taken_ms(self.symbol)
            if since_ms is None:
                return True
            rows = await self._data.fetch_trades(self.symbol, since_ms + 1, PAGE, {}, timeout_ms=CALL_MS)
            fresh = [row for row in rows if _is_after(row, since_ms)]
            for row in fresh:
                self._reader.trade(row)
            if len(fresh) < SHORT:
                return True
        return False


def _is_after(trade: Trade, since_ms: int) -> bool:
    return trade.ts_ms is not None and trade.ts_ms > since_ms
