"""Connections that end in a script: under Planar's own session and aiohttp's own parser, only the bytes that the venue
would send are made here. No socket, no thread, no kernel.

A `ScriptedDialer` gives sessions whose connector asks the environment guard, keeps and reuses connections as always, and
opens a `ScriptedTransport` instead of a socket. Each request that aiohttp writes is given to the script, and what the
script gives back is fed to aiohttp's protocol, in pieces, with pauses, to its end or to none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from planar.transport import reuse
from planar.transport.dialer import Dialer, GuardedUnix, Route
from planar.transport.guard import Guard


class Request(msgspec.Struct):
    """What aiohttp wrote: method, path without the query, query or body."""

    method: str
    path: str
    fields: str

    @property
    def name(self) -> str:
        """As in `GET /api/v3/depth`."""
        return f"{self.method} {self.path}"


class Delivery(msgspec.Struct):
    """What a request is answered with.

    Attributes:
        pieces: bytes, each after a pause (seconds).
        end: "" keeps the connection, "close" ends it in order, "reset" breaks it.
        status, body: what it says, as far as it says anything: before it was packed, cut and broken.
    """

    pieces: list[tuple[float, bytes]]
    end: str = ""
    status: int = 0
    body: bytes = b""


Script = Callable[[Request], Delivery]


class ScriptedTransport(asyncio.Transport):
    """One end of a connection whose other end is a script."""

    def __init__(self, protocol: asyncio.Protocol, script: Script) -> None:
        super().__init__()
        self._protocol = protocol
        self._script = script
        self._loop = asyncio.get_running_loop()
        self._written = bytearray()
        self._reading = True
        self._held: list[bytes] = []
        self._closing = self._lost = False

    def write(self, data: Any) -> None:
        """A part of a request."""
        if self._closing:
            return
        self._written += data
        head, end, rest = bytes(self._written).partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        length = next((int(line[15:]) for line in lines if line[:15].lower() == "content-length:"), 0)
        if len(rest) < length:
            return
        del self._written[: len(head) + 4 + length]
        method, target, _ = lines[0].split(" ")
        parts = urlsplit(target)
        asked = Request(method, parts.path, "&".join(one for one in (parts.query, rest.decode("latin-1")) if one))
        delivery = self._script(asked)
        at = 0.0
        for pause_s, piece in delivery.pieces:
            at += pause_s
            self._later(at, self._feed, piece)
        if delivery.end:
            self._later(at, self._end, ConnectionResetError(104, "reset") if delivery.end == "reset" else None)

    def _later(self, at: float, function: Callable[[Any], None], value: Any) -> None:
        if at:
            self._loop.call_later(at, function, value)
        else:
            self._loop.call_soon(function, value)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Several parts of a request."""
        self.write(b"".join(list_of_data))

    def _feed(self, piece: bytes) -> None:
        if self._closing:
            return
        if self._reading:
            self._protocol.data_received(piece)
        else:
            self._held.append(piece)

    def _end(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = self._closing = True
            if error is None:
                self._protocol.eof_received()
            self._protocol.connection_lost(error)

    def close(self) -> None:
        """aiohttp needs it no more."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._end, None)

    def abort(self) -> None:
        """The same, at once."""
        self.close()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._closing

    def pause_reading(self) -> None:
        """Hold back what comes."""
        self._reading = False

    def resume_reading(self) -> None:
        """Give what was held back, and what comes."""
        self._reading = True
        held, self._held = self._held, []
        for piece in held:
            self._loop.call_soon(self._feed, piece)

    def is_reading(self) -> bool:
        """Whether what comes is given on."""
        return self._reading

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever buffered."""

    def get_write_buffer_size(self) -> int:
        """Nothing is ever buffered."""
        return 0

    def can_write_eof(self) -> bool:
        """As a socket."""
        return True


class ScriptedConnector(GuardedUnix):
    """Planar's connector of the local environment; what it opens leads to the script."""

    def __init__(self, guard: Guard, script: Script) -> None:
        super().__init__(guard, "/scripted")
        self._answers = script

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> Any:
        protocol = self._factory()
        protocol.connection_made(ScriptedTransport(protocol, self._answers))
        return protocol


class ScriptedDialer(Dialer):
    """A dialer all of whose sessions lead to one script."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._answers = script

    def _open(self, route: Route) -> aiohttp.ClientSession:
        session = super()._open(msgspec.structs.replace(route, unix_socket="/scripted"))
        session._connector = ScriptedConnector(Guard(route.exchange, route.environment, route.rules), self._answers)
        assert session._connector._keepalive_timeout == reuse.KEPT_S
        return session
