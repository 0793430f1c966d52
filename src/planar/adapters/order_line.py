"""The way to a venue's order socket: dialed with the first order, kept, replaced before the venue closes it.

While there is no connection, orders go by REST. Some minutes after the last order the connection is let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import planar.runtime as runtime
from planar.adapters.order_socket import OrderSocket
from planar.errors import PlanarError
from planar.transport.account_log import account_log, fresh_context

log = account_log("planar.orders")

FIRST_S: Final = 0.5
MOST_S: Final = 30.0
"""Pauses after a dial that failed, doubled each time."""
BETWEEN_S: Final = 1.0
"""Two dials begin no faster one after the other."""
IDLE_S: Final = 600.0
"""So long after the last request the connection is let go."""


class OrderLine:
    """One connection at a time, and the next one before it is needed."""

    def __init__(self, open_socket: Callable[[], Awaitable[OrderSocket]], renew_s: float, exchange: str) -> None:
        """
        Args:
            open_socket: opens a connection; raises PlanarError.
            renew_s: how old a connection becomes.
        """
        self._open = open_socket
        self._renew_s = renew_s
        self._exchange = exchange
        self._current: OrderSocket | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._leaving: dict[OrderSocket, asyncio.Task[None]] = {}
        self._dialing = False
        self._dialed = asyncio.Event()
        self._used_s = 0.0
        self._closed = False

    def begin(self) -> None:
        """It is needed: dial, unless there is a connection."""
        self._used_s = runtime.monotonic()
        if self._keeper is None and not self._closed:
            self._dialing = True
            self._dialed.clear()
            self._keeper = self._spawn(self._keep(), "order socket")

    async def socket(self, wait_s: float) -> OrderSocket | None:
        """The connection, if it takes requests; one that is being dialed is waited for, so long. None: go another way."""
        self.begin()
        if self._current is None and self._dialing and wait_s > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._dialed.wait()
            except TimeoutError:
                return None
        one = self._current
        return one if one is not None and one.usable else None

    async def close(self) -> None:
        """Close what is open."""
        self._closed = True
        tasks = [*self._leaving.values(), *([self._keeper] if self._keeper is not None else [])]
        sockets = [*self._leaving, *([self._current] if self._current is not None else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await asyncio.gather(*(one.close() for one in sockets))

    async def _keep(self) -> None:
        pause_s = FIRST_S
        try:
            while True:
                began_s = runtime.monotonic()
                fresh = await self._dial()
                if fresh is not None:
                    pause_s = FIRST_S
                    await self._until_over(fresh)
                if runtime.monotonic() - self._used_s >= IDLE_S:
                    return
                rest_s = pause_s * runtime.current().random.uniform(0.8, 1.2) if fresh is None else 0.0
                pause_s = min(pause_s * 2, MOST_S) if fresh is None else pause_s
                await runtime.sleep(max(rest_s, began_s + BETWEEN_S - runtime.monotonic(), 0.0))
        finally:
            self._keeper = None

    async def _dial(self) -> OrderSocket | None:
        """A new connection in the place of the current one; None if there is none to be had."""
        self._dialing = True
        self._dialed.clear()
        try:
            fresh = await self._open()
        except PlanarError as error:
            log.info("no socket for orders, they go by REST: %s", error)
            return None
        finally:
            self._dialing = False
            self._dialed.set()
        old, self._current = self._current, fresh
        if old is not None:
            self._let_go(old)
        return fresh

    async def _until_over(self, one: OrderSocket) -> None:
        """Until a connection is to be replaced, or nobody needs it any more."""
        old_s = runtime.monotonic() + self._renew_s
        while True:
            now = runtime.monotonic()
            left_s = min(old_s, self._used_s + IDLE_S) - now
            if left_s <= 0:
                break
            try:
                async with asyncio.timeout(left_s):
                    await one.over.wait()
                break
            except TimeoutError:
                continue
        if one.ended or runtime.monotonic() - self._used_s >= IDLE_S:
            self._current = None
            self._let_go(one)

    def _let_go(self, one: OrderSocket) -> None:
        task = self._leaving[one] = self._spawn(one.retire(), "order socket that is replaced")
        task.add_done_callback(lambda _: self._leaving.pop(one))

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Outside of the caller's context: it outlives the call."""
        return fresh_context().run(runtime.spawn, work, name=f"{self._exchange}: {name}")
