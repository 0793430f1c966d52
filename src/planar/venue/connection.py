"""One client connection of the local venue, as HTTP: aiohttp's protocol with what a venue needs besides.

The doors (`planar.venue.doors`) hand each accepted connection to an `HttpServer`, which parses it and gives the
requests to one handler; the fault layer breaks and ends connections through `HttpConnection`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE, HttpProcessingError, RawRequestMessage
from aiohttp.streams import StreamReader

from planar.venue import clock

ACCESS_LOG = logging.getLogger("planar.venue.access")
"""One line per request at level INFO; silent unless somebody turns it on."""

SERVER_NAME = "planar-venue"
RESETS: Final = struct.pack("ii", 1, 0)
"""Value of SO_LINGER under which closing a socket resets its connection."""
DATED: Final = web.RequestKey("planar.dated_ms", int)
"""Key, in a request, of the time (UTC epoch, ms) that its answer tells in Date, where that is not the venue's own."""


class HttpConnection(web.RequestHandler):
    """One connection; what the fault layer does to it goes beyond HTTP."""

    def __init__(self, manager: web.Server, *, loop: asyncio.AbstractEventLoop) -> None:
        # Bodies stay as they were sent, compressed or not: signatures are over the raw bytes.
        super().__init__(manager, loop=loop, access_log=ACCESS_LOG, auto_decompress=False)
        self.gone = asyncio.Event()
        """Set when the client has left."""
        self.admitted = False
        """Whether the fault rules for new connections have been asked about it."""

    def connection_lost(self, exc: BaseException | None) -> None:
        """The transport's call when the connection is over."""
        super().connection_lost(exc)
        self.gone.set()

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log what went wrong: a client's bad HTTP as one line for those who listen, all else with its traceback."""
        error = kw.get("exc_info")
        if isinstance(error, HttpProcessingError):
            ACCESS_LOG.info("not HTTP: %s", error.message)
        else:
            super().log_exception(*args, **kw)

    def reset(self) -> None:
        """Break the connection so that the client's system sees a reset, where the socket knows of one."""
        sock = self.transport.get_extra_info("socket") if self.transport is not None else None
        if sock is not None and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
        self.abort()

    def abort(self) -> None:
        """Break the connection at once; what is not yet written is lost."""
        if self.transport is not None:
            self.transport.abort()


class VenueRequest(web.BaseRequest):
    """A request whose answer is dated by the venue's clock, so that a seeded run gives the same bytes twice."""

    @property
    def connection(self) -> HttpConnection:
        """The connection it came by."""
        return cast("HttpConnection", self.protocol)

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(self.get(DATED, clock.wall_ms()) / 1000, usegmt=True)
        if response.headers.get("Server") == SERVER_SOFTWARE:
            response.headers["Server"] = SERVER_NAME


class HttpServer(web.Server):
    """Makes the protocol of each connection and knows the open ones."""

    def __init__(self, handler: Callable[[VenueRequest], Awaitable[web.StreamResponse]]) -> None:
        self._event_loop = asyncio.get_running_loop()
        super().__init__(cast("Any", handler), request_factory=self._request)

    def __call__(self) -> HttpConnection:
        """A protocol for a new connection."""
        return HttpConnection(self, loop=self._event_loop)

    def admitted(self) -> HttpConnection:
        """A protocol for a connection about which the fault rules have been asked."""
        connection = self()
        connection.admitted = True
        return connection

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> VenueRequest:
        return VenueRequest(message, payload, protocol, writer, task, self._event_loop)

    async def close(self, grace_s: float) -> None:
        """End every connection; a request in progress has `grace_s` to finish."""
        connections = cast("list[HttpConnection]", self.connections)
        transports = [connection.transport for connection in connections if connection.transport is not None]
        self.pre_shutdown()
        await self.shutdown(grace_s)
        for transport in transports:
            abort(transport)  # a TLS transport would wait for its client's farewell


def abort(transport: asyncio.BaseTransport) -> None:
    """End a connection at once, also one that has ended: early releases of Python 3.11 fail on a TLS one that has."""
    if getattr(transport, "_ssl_protocol", transport) is not None and isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def printable(text: str) -> str:
    """A client's text for an answer or a log; bytes that were no UTF-8 come as escapes."""
    return text.encode(errors="backslashreplace").decode()


def bare_host(authority: str) -> str:
    """The host of a `host[:port]`, lower case and printable, without a port, brackets or a trailing dot."""
    host = printable(authority).strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    if host.count(":") == 1:
        host = host.partition(":")[0]
    return host.rstrip(".")
