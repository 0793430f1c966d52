"""Connections that live in memory: the asyncio transports of the seeded loop.

A `Link` is one connection. Each of its two `Lane`s carries bytes one way, in order, through `SimNetwork`, which decides
when they arrive. `MemoryTransport` is what a protocol sees of one end; it follows the documented behaviour of asyncio's
own transports: write-buffer limits, paused reading, half-close, and reset against orderly close.
"""

from __future__ import annotations

import asyncio
import collections
import contextvars
import errno
import os
import random
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from planar.runtime.network import SimNetwork
    from planar.runtime.server import SimServer

Direction = Literal["to_server", "to_client"]
Buffer = bytes | bytearray | memoryview

EOF: Final = b""
"""In a lane and in an inbox: the other side writes no more."""
DEFAULT_HIGH_WATER: Final = 64 * 1024
"""asyncio's own default limit of a write buffer, bytes."""


class Lane:
    """One direction of a link: what is under way, in order."""

    sink: MemoryTransport
    """The end that receives; set when that end exists, which is before anything can arrive at it."""

    def __init__(self, link: Link, direction: Direction, rng: random.Random) -> None:
        self.link = link
        self.direction: Direction = direction
        self.rng = rng
        self.arrival_ns = 0
        """When the last thing sent arrives; nothing sent later overtakes it."""
        self.queue: collections.deque[tuple[contextvars.Context | None, Callable[[], None]]] = collections.deque()
        self.held = 0
        """How many arrivals a partition is holding back."""
        self.unread = 0
        """Bytes sent and not yet taken by the receiving protocol; the sender stops at the network's window."""


class Link:
    """One connection between a client and a server."""

    def __init__(self, serial: int, names: tuple[str, ...], seed: str) -> None:
        self.serial = serial
        self.names = names
        """What the fault hooks know it by: host and host:port, or path."""
        self.to_server = Lane(self, "to_server", random.Random(f"{seed}/{serial}/to_server"))
        self.to_client = Lane(self, "to_client", random.Random(f"{seed}/{serial}/to_client"))
        self.open_ends: list[MemoryTransport] = []
        self.refuse: Callable[[OSError], None] | None = None
        """Fails the connection attempt while it is under way; None once established."""

    def reset(self) -> None:
        """Cut the connection for both sides at once; what is under way is lost."""
        for lane in (self.to_server, self.to_client):
            lane.queue.clear()
        error = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        for end in tuple(self.open_ends):
            end.arrive_reset()
        if self.refuse is not None:
            self.refuse(error)


class MemoryTransport(asyncio.Transport):
    """One end of a link."""

    _start_tls_compatible = True  # asyncio and aiohttp ask for this mark before `loop.start_tls`

    def __init__(
        self,
        network: SimNetwork,
        lanes: tuple[Lane, Lane],
        protocol: asyncio.BaseProtocol,
        extra: Mapping[str, Any],
        server: SimServer | None = None,
    ) -> None:
        super().__init__(extra)
        self._network = network
        self._out, self._in = lanes
        self._protocol = protocol
        self._server = server
        self.context = contextvars.copy_context()
        """Everything this end calls on its protocol runs here, as with a selector's reader."""
        self._backlog: collections.deque[bytes] = collections.deque()
        self._backlog_size = 0
        self._low, self._high = DEFAULT_HIGH_WATER // 4, DEFAULT_HIGH_WATER
        self._inbox: collections.deque[bytes] = collections.deque()
        self._tls: Any = None
        self._reading = True
        self._writing_paused = False
        self._eof_asked = self._eof_sent = False
        self._closing = False
        self._lost = False
        self._in.sink = self
        self._in.link.open_ends.append(self)
        if server is not None:
            server.attach(self)

    def __repr__(self) -> str:
        state = "lost" if self._lost else "closing" if self._closing else "open"
        return f"<MemoryTransport {self._in.link.names[-1]} #{self._in.link.serial} {self._out.direction} {state}>"

    # What the protocol's owner calls

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        if not self._closing and not self._reading:
            self._reading = True
            self._network.local(self._in.link, self.context, self._read_inbox)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = DEFAULT_HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._low, self._high = low, high
        self._pause_writing_if_full()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        return self._backlog_size

    def write(self, data: Buffer) -> None:
        if not isinstance(data, (bytes, bytearray, memoryview)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"data must be bytes, bytearray or memoryview, not {type(data).__name__}")
        if self._eof_asked:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data or self._lost:
            return
        self._backlog.append(bytes(data))
        self._backlog_size += len(self._backlog[-1])
        self._push()
        self._pause_writing_if_full()

    def writelines(self, list_of_data: Iterable[Buffer]) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not self._closing and not self._eof_asked:
            self._eof_asked = True
            self._push()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._push()

    def abort(self) -> None:
        self._cut(None)

    def mark_tls(self, sslcontext: Any) -> None:
        """Say from now on that the connection runs over TLS; see `loop.start_tls`."""
        self._tls = sslcontext

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "sslcontext" and self._tls is not None:
            return self._tls
        return super().get_extra_info(name, default)

    # What the network calls

    def start(self) -> None:
        """Tell the protocol that it is connected."""
        self._call("connection_made", self._protocol.connection_made, self)

    def arrive(self, piece: bytes) -> None:
        """Take `piece` (or `EOF`) from the other side."""
        if not self._lost:
            self._inbox.append(piece)
            self._read_inbox()
        elif piece:  # nobody is left to read it: the sender's connection is reset
            self._network.send(self._out, lambda: self._out.sink.arrive_reset())

    def arrive_reset(self) -> None:
        """The other side is gone."""
        self._lose(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))

    def _read_inbox(self) -> None:
        while self._inbox and self._reading and not self._closing:
            piece = self._inbox.popleft()
            if piece == EOF:
                self._read_eof()
                continue
            self._feed(piece)
            self._in.unread -= len(piece)
            peer = self._out.sink
            if peer._backlog:
                self._network.local(self._in.link, peer.context, peer._window_opened)

    def _feed(self, piece: bytes) -> None:
        if isinstance(self._protocol, asyncio.BufferedProtocol):
            self._call("buffer_updated", self._feed_buffered, self._protocol, piece)
        elif isinstance(self._protocol, asyncio.Protocol):
            self._call("data_received", self._protocol.data_received, piece)

    def _feed_buffered(self, protocol: asyncio.BufferedProtocol, piece: bytes) -> None:
        view = memoryview(piece)
        while view:
            buffer = memoryview(protocol.get_buffer(len(view))).cast("B")
            n = min(len(buffer), len(view))
            if not n:
                raise RuntimeError("get_buffer() returned an empty buffer")
            buffer[:n] = view[:n]
            protocol.buffer_updated(n)
            view = view[n:]

    def _read_eof(self) -> None:
        keep_open = False
        if isinstance(self._protocol, (asyncio.Protocol, asyncio.BufferedProtocol)):
            keep_open = self._call("eof_received", self._protocol.eof_received)
        if not keep_open:
            self.close()

    def _push(self) -> None:
        """Send as much of the backlog as the window takes; when all is sent, what was to follow it."""
        while self._backlog and (room := self._network.window_bytes - self._out.unread) > 0:
            first = self._backlog.popleft()
            piece = first[: self._network.piece_size(self._out, min(room, len(first)))]
            if len(piece) < len(first):
                self._backlog.appendleft(first[len(piece) :])
            self._backlog_size -= len(piece)
            self._out.unread += len(piece)
            self._send(piece)
        if self._backlog:
            return
        if self._closing and any(self._inbox):  # closing over unread bytes resets the connection, as the kernel does
            self._cut(None)
            return
        if (self._eof_asked or self._closing) and not self._eof_sent:
            self._eof_sent = True
            self._send(EOF)
        if self._closing:
            self._lose(None)

    def _send(self, piece: bytes) -> None:
        self._network.send(self._out, lambda: self._out.sink.arrive(piece))

    def _window_opened(self) -> None:
        self._push()
        if self._writing_paused and self._backlog_size <= self._low:
            self._writing_paused = False
            self._call("resume_writing", self._protocol.resume_writing)

    def _pause_writing_if_full(self) -> None:
        if self._backlog_size > self._high and not self._writing_paused:
            self._writing_paused = True
            self._call("pause_writing", self._protocol.pause_writing)

    # The end

    def _cut(self, error: BaseException | None) -> None:
        """End this side without sending what is left; the other side is reset."""
        if not self._lost:
            self._network.send(self._out, lambda: self._out.sink.arrive_reset())
            self._lose(error)

    def _lose(self, error: BaseException | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self._backlog.clear()
        self._inbox.clear()
        self._backlog_size = 0
        self._network.local(self._in.link, self.context, lambda: self._connection_lost(error))

    def _connection_lost(self, error: BaseException | None) -> None:
        self._in.link.open_ends.remove(self)
        if not self._in.link.open_ends:
            self._network.forget(self._in.link)
        try:
            self._protocol.connection_lost(error)  # pyright: ignore[reportArgumentType] (asyncio passes any BaseException)
        finally:
            if self._server is not None:
                self._server.detach(self)

    def _call(self, name: str, method: Callable[..., Any], *args: Any) -> Any:
        """Call the protocol; what it raises goes to the exception handler and ends the connection, as in asyncio."""
        try:
            return method(*args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            context: dict[str, Any] = {
                "message": f"Fatal error: protocol.{name}() call failed.",
                "exception": error,
                "transport": self,
                "protocol": self._protocol,
            }
            self._network.loop.call_exception_handler(context)
            self._cut(error)
            return None
