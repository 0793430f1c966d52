"""`PaperFeed`: own orders, fills and balances of a paper account as a stream, from the desk that simulates it."""

from __future__ import annotations

import asyncio

import planar.runtime as runtime
from planar.adapters.feed import Kind, Sink, Source, Topic
from planar.errors import PlanarError
from planar.models import AccountBalance, Fill, Order
from planar.paper.desk import Own, PaperDesk

_KINDS: dict[type[Own], Kind] = {Order: Kind.ORDERS, Fill: Kind.MY_TRADES, AccountBalance: Kind.BALANCE}

OWN = tuple(_KINDS.values())
"""The kinds of topics that a paper account tells itself."""


class PaperFeed:
    """One topic of one account. It tells as soon as a thing has happened, as a socket would."""

    source: Source = "websocket"

    def __init__(self, desk: PaperDesk, topic: Topic) -> None:
        self.topic = topic
        self._desk = desk
        self._error: PlanarError | None = None
        self._failed = asyncio.Event()
        self._running = False

    @property
    def heard_ms(self) -> int | None:
        """See `Feed`. Nothing lies between."""
        return runtime.wall_ms() if self._running else None

    async def run(self, sink: Sink) -> None:
        """See `Feed`."""
        self._error = None
        self._failed.clear()
        await self._desk.hold()

        def tell(item: Own) -> None:
            if _KINDS[type(item)] is self.topic.kind and self._concerns(item):
                sink.deliver(item)

        self._desk.listeners.append(tell)
        self._running = True
        try:
            sink.subscribed()
            if self.topic.kind is Kind.BALANCE:
                sink.deliver(self._desk.balance())
            await self._failed.wait()
        finally:
            self._running = False
            self._desk.listeners.remove(tell)
        if self._error is not None:
            raise self._error

    def _concerns(self, item: Own) -> bool:
        return isinstance(item, AccountBalance) or not self.topic.symbols or item.symbol in self.topic.symbols

    def fail(self, error: PlanarError) -> None:
        """See `Feed`."""
        self._error = self._error or error
        self._failed.set()

    async def close(self) -> None:
        """See `Feed`. Nothing is open."""
