"""The venue's side of a reconciliation: its lists and its answers about single orders, and what it did not answer.

Each question is asked of the adapter below the priority of orders. One that fails is a `FailedPart`, and gives None:
nothing is known then, which is not the same as nothing being there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef
from planar.errors import ArgumentsRequired, NotSupported, PlanarError
from planar.models import AccountBalance, Fill, Order
from planar.orders.differences import FailedPart
from planar.orders.patience import asked
from planar.transport.account_log import account_log

log = account_log("planar.orders")

T = TypeVar("T")

WIDTH = 8
"""Questions about single orders that are under way at once."""

ESSENTIAL = ("open orders", "orders")
"""Parts without which no new order is sent."""


class VenueSide:
    """What the venue says during one pass.

    Attributes:
        failed: what it did not answer.
        error: the first failure of an essential part.
        queries: questions asked.
    """

    def __init__(self, adapter: Adapter, timeout_ms: int) -> None:
        self._adapter = adapter
        self._timeout_ms = timeout_ms
        self.failed: list[FailedPart] = []
        self.error: PlanarError | None = None
        self.queries = 0

    async def _ask(self, part: str, of: str, question: Callable[[], Awaitable[T]]) -> T | None:
        self.queries += 1
        try:
            return await asked(question)
        except NotSupported:
            return None  # the venue offers no such list, so nothing follows from it
        except PlanarError as error:
            log.info("reconciliation: %s %s could not be asked: %s", part, of, error)
            self.failed.append(FailedPart(part, of, f"{type(error).__name__}: {error.message}"))
            if part in ESSENTIAL and self.error is None:
                self.error = error
            return None

    async def open_orders(self, symbols: Sequence[str]) -> list[Order] | None:
        """All open orders, of all markets in one call; of `symbols` alone where the venue must be told a market.

        None: the venue did not tell.
        """
        fetch = self._adapter.fetch_open_orders

        async def all_at_once() -> list[Order] | None:
            try:
                return await fetch(None, {}, timeout_ms=self._timeout_ms)
            except ArgumentsRequired:
                return None

        found = await self._ask("open orders", "", all_at_once)
        if found is not None or self.error is not None:
            return found
        rows: list[Order] = []
        for symbol in symbols:
            one = await self._ask("open orders", symbol, partial(fetch, symbol, {}, timeout_ms=self._timeout_ms))
            if one is None:
                return None
            rows += one
        return rows

    async def orders(self, refs: Sequence[tuple[str, OrderRef]]) -> list[tuple[str, bool, Order | None]]:
        """Each order by its id: (client id, whether it was answered, the order or None: the venue knows none)."""
        answers: dict[str, tuple[bool, Order | None]] = {}
        waiting = iter(refs)

        async def work() -> None:
            for client_id, ref in waiting:
                before = len(self.failed)
                order = await self._ask(
                    "orders", client_id, partial(self._adapter.query_order, ref, {}, timeout_ms=self._timeout_ms)
                )
                failed = any(part.of == client_id for part in self.failed[before:])
                answers[client_id] = (not failed, order)

        tasks = [runtime.spawn(work(), name=f"orders: ask {number}") for number in range(min(WIDTH, len(refs)))]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        return [(client_id, *answers[client_id]) for client_id, _ in refs]

    async def history(self, symbol: str, since_ms: int) -> list[Order] | None:
        """Orders of any state of a market since then, all pages."""
        fetch, most = self._adapter.fetch_orders, self._adapter.profile.list_page
        found: dict[str, Order] = {}
        while True:
            page = await self._ask(
                "history", symbol, partial(fetch, symbol, since_ms, most, {}, timeout_ms=self._timeout_ms)
            )
            if page is None:
                return None
            fresh = [order for order in page if (order.id or "") not in found]
            found.update({order.id or "": order for order in fresh})
            if len(page) < most or not fresh:
                return list(found.values())
            since_ms = max(order.ts_ms or since_ms for order in fresh)

    async def trades(self, symbol: str, since_ms: int) -> list[Fill] | None:
        """Own executions of a market since then, all pages."""
        fetch, most = self._adapter.fetch_my_trades, self._adapter.profile.list_page
        found: dict[str, Fill] = {}
        while True:
            page = await self._ask(
                "trades", symbol, partial(fetch, symbol, since_ms, most, {}, timeout_ms=self._timeout_ms)
            )
            if page is None:
                return None
            fresh = [fill for fill in page if fill.id not in found]
            found.update({fill.id: fill for fill in fresh})
            if len(page) < most or not fresh:
                return list(found.values())
            since_ms = max(fill.ts_ms or since_ms for fill in fresh)

    async def balance(self) -> AccountBalance | None:
        """The balances."""
        return await self._ask("balances", "", partial(self._adapter.fetch_balance, {}, timeout_ms=self._timeout_ms))
