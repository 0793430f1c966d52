"""Servers that listen in memory on the seeded loop; `SimNetwork` hands them their connections."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planar.runtime.memory import MemoryTransport
    from planar.runtime.network import SimNetwork


class ListeningSocket:
    """Stands for a listening socket where a server is asked for its addresses."""

    def __init__(self, family: int, name: Any) -> None:
        self.family = family
        self._name = name

    def getsockname(self) -> Any:
        """The address bound, as `socket.getsockname` gives it."""
        return self._name


class SimServer(asyncio.AbstractServer):
    """A listening server; `wait_closed` waits for its connections to end, as asyncio's does since Python 3.12."""

    def __init__(
        self,
        network: SimNetwork,
        keys: list[tuple[str, int]],
        factory: Callable[[], asyncio.BaseProtocol],
        extra: Mapping[str, Any],
        listening: tuple[ListeningSocket, ...],
    ) -> None:
        self._network = network
        self.keys = keys
        self.factory = factory
        self.extra = extra
        self._listening = listening
        self.context = contextvars.copy_context()
        """Where connections are accepted: not in the context of whoever connects."""
        self._transports: dict[MemoryTransport, None] = {}
        self._closed = False
        self._serving = False
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def sockets(self) -> tuple[ListeningSocket, ...]:
        """One stand-in per address; empty once closed."""
        return () if self._closed else self._listening

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._network.loop

    def is_serving(self) -> bool:
        return self._serving

    async def start_serving(self) -> None:
        if self._closed:
            raise RuntimeError(f"server {self!r} is closed")
        self._serving = True

    async def serve_forever(self) -> None:
        await self.start_serving()
        try:
            await self._network.loop.create_future()
        finally:
            self.close()
            await self.wait_closed()

    def close(self) -> None:
        if not self._closed:
            self._closed, self._serving = True, False
            self._network.unbind(self)
            self._wake_if_done()

    def close_clients(self) -> None:
        """Close every connection in order (Python 3.13's method)."""
        for transport in tuple(self._transports):
            transport.close()

    def abort_clients(self) -> None:
        """Reset every connection (Python 3.13's method)."""
        for transport in tuple(self._transports):
            transport.abort()

    async def wait_closed(self) -> None:
        if not self._closed or self._transports:
            waiter = self._network.loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def attach(self, transport: MemoryTransport) -> None:
        """Count a new connection."""
        self._transports[transport] = None

    def detach(self, transport: MemoryTransport) -> None:
        """Count off a connection that has ended."""
        del self._transports[transport]
        self._wake_if_done()

    def _wake_if_done(self) -> None:
        if self._closed and not self._transports:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()
