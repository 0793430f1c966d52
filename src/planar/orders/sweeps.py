"""Sweeps: all that the venue's lists show of one market, asked once for all orders that are looked for there.

Whoever asks gets a sweep whose first question is put after the asking; those who ask while one is under way share the
next one. So many unknown orders cost what one costs, which matters where a budget allows a query every few seconds.
"""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef
from planar.models import Order
from planar.orders.patience import asked


class Sweep(msgspec.Struct, frozen=True):
    """What the lists showed.

    Attributes:
        orders: by the venue's id, in any state; those among them that only the trades told of too.
        newest_ms: the venue's time of the youngest thing shown.
    """

    orders: dict[str, Order]
    newest_ms: int

    def named(self, client_id: str) -> Order | None:
        """The order of this client id."""
        return next((order for order in self.orders.values() if order.client_order_id == client_id), None)


class _Next:
    """A sweep that has not begun: how far back it must reach, and whether it asks for trades."""

    def __init__(self, since_ms: int) -> None:
        self.since_ms = since_ms
        self.trades = False
        self.task: asyncio.Task[Sweep] | None = None


class Sweeps:
    """Makes them, one at a time for each market."""

    def __init__(self, adapter: Adapter, timeout_ms: int) -> None:
        self._adapter = adapter
        self._timeout_ms = timeout_ms
        self._next: dict[str, _Next] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._asking: dict[asyncio.Task[Sweep], int] = {}

    async def sweep(self, symbol: str, since_ms: int, *, trades: bool) -> Sweep:
        """Open orders and orders of any state of a market since then, all pages; with `trades` the own trades too.

        Raises:
            PlanarError: a question was not answered; nothing follows from the others.
        """
        waiting = self._next.get(symbol)
        if waiting is None:
            waiting = self._next[symbol] = _Next(since_ms)
            waiting.task = runtime.spawn(self._in_turn(symbol, waiting), name=f"orders: sweep {symbol}")
        waiting.since_ms = min(waiting.since_ms, since_ms)
        waiting.trades = waiting.trades or trades
        task = waiting.task
        assert task is not None
        self._asking[task] = self._asking.get(task, 0) + 1
        try:
            return await asyncio.shield(task)
        finally:
            self._asking[task] -= 1
            if not self._asking[task]:
                del self._asking[task]
                task.cancel()  # nobody wants it any more
                await asyncio.wait([task])

    async def _in_turn(self, symbol: str, waiting: _Next) -> Sweep:
        try:
            async with self._turns.setdefault(symbol, asyncio.Lock()):
                del self._next[symbol]  # who asks from now on gets the next one
                return await self._ask(symbol, waiting.since_ms, waiting.trades)
        finally:
            if self._next.get(symbol) is waiting:
                del self._next[symbol]

    async def _ask(self, symbol: str, since_ms: int, trades: bool) -> Sweep:
        """Open orders first: an order only ever goes from there to the ended ones."""
        orders: dict[str, Order] = {}
        if self._adapter.capabilities.can("fetch_orders"):  # else the list of all orders is made of both
            found = await asked(partial(self._adapter.fetch_open_orders, symbol, {}, timeout_ms=self._timeout_ms))
            orders = {order.id or "": order for order in found}
        orders |= await self._all_orders(symbol, since_ms)
        newest_ms = max((order.last_update_ts_ms or order.ts_ms or 0 for order in orders.values()), default=0)
        for order_id in await self._traded(symbol, since_ms) if trades else ():
            if order_id not in orders:
                ref = OrderRef(symbol, order_id=order_id)
                order = await asked(partial(self._adapter.query_order, ref, {}, timeout_ms=self._timeout_ms))
                if order is not None:
                    orders[order_id] = order
        return Sweep(orders, newest_ms)

    async def _all_orders(self, symbol: str, since_ms: int) -> dict[str, Order]:
        found: dict[str, Order] = {}
        most = self._adapter.profile.list_page
        while True:
            fetch = partial(self._adapter.fetch_orders, symbol, since_ms, most, {}, timeout_ms=self._timeout_ms)
            page = await asked(fetch)
            fresh = [order for order in page if (order.id or "") not in found]
            found.update({order.id or "": order for order in fresh})
            if len(page) < most or not fresh:
                return found
            since_ms = max(order.ts_ms or since_ms for order in fresh)

    async def _traded(self, symbol: str, since_ms: int) -> list[str]:
        """The venue's ids of the orders of own trades."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        most = self._adapter.profile.list_page
        while True:
            fetch = partial(self._adapter.fetch_my_trades, symbol, since_ms, most, {}, timeout_ms=self._timeout_ms)
            page = await asked(fetch)
            fresh = [fill for fill in page if fill.id not in seen]
            seen.update(fill.id for fill in fresh)
            found.update({fill.order_id: None for fill in fresh if fill.order_id is not None})
            if len(page) < most or not fresh:
                return list(found)
            since_ms = max(fill.ts_ms or since_ms for fill in fresh)
