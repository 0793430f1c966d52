"""The doors: how clients reach the local venue.

`TcpDoor`, one port, on loopback unless told otherwise, looks at the first byte of a connection and takes it as
- TLS (a client whose resolver or base URL points here; the certificate is the private authority's),
- `CONNECT host:port` (a client that has this port as its HTTP proxy; inside the tunnel comes TLS or plain HTTP),
- plain HTTP (the base-URL entrance and the control API; also a proxy client's request with an absolute URL).

`UnixDoor` takes plain HTTP on a Unix socket: Planar's Dialer and whoever opens that socket whatever the URL says.

A door hands its connections to the `HttpServer`; nothing is ever forwarded to another host. A `Reception` says what the
fault rules have in store for a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import os
import socket
import ssl
from pathlib import Path
from typing import Protocol

import planar.runtime as runtime
from planar.errors import VenueUnavailable
from planar.venue.connection import RESETS, HttpServer, bare_host
from planar.venue.faults.connections import ConnectionFault, Mishap

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
FIRST_BYTE_S = 60.0
"""A connection that says nothing for this long is closed."""
HANDSHAKE_S = 15.0
FAREWELL_S = 1.0
GREETING_MAX = 16_384
CONNECT_HEAD_MAX = 16_384
ACCEPT_PAUSE_S = 0.1
TLS_CLIENT_HELLO = 0x16
HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"
"""A TLS record: the fatal alert `handshake_failure` (RFC 8446, 6)."""
OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Reception(Protocol):
    """What a door asks about the hosts that clients want."""

    def serves(self, host: str) -> bool:
        """Whether a host is one of the venues'."""
        ...

    def refusal(self, host: str) -> str:
        """The text for one that is not."""
        ...

    def connection_fault(self, host: str, *, tunnelled: bool) -> ConnectionFault | None:
        """What becomes of a new connection to a host, in a proxy's tunnel or not."""
        ...

    def handshake_fault(self, host: str) -> Mishap | None:
        """How a TLS handshake is to fail; None lets it succeed."""
        ...

    def failing_context(self, host: str, how: Mishap) -> ssl.SSLContext:
        """The context of a handshake that fails for its certificate."""
        ...

    def close_doors(self, for_ms: int) -> None:
        """Take no new connection at any door for so long."""
        ...


class UnixDoor:
    """Plain HTTP on a Unix socket. Under the seeded loop the socket exists in memory only."""

    def __init__(self, http: HttpServer, path: str) -> None:
        self._http = http
        self.path = path
        self._server: asyncio.AbstractServer | None = None

    async def open(self) -> None:
        """Begin to listen.

        Raises:
            VenueUnavailable: the socket cannot be made.
        """
        try:
            self._server = await asyncio.get_running_loop().create_unix_server(self._http, self.path)
        except OSError as error:
            raise VenueUnavailable(
                f"the socket {self.path} cannot be opened: {error.strerror or error}",
                hint="give another path with --socket",
            ) from error

    def pause(self) -> None:
        """Take no connections until `open` is called again; the system refuses them."""
        if self._server is not None:
            self._server.close()

    def close(self) -> None:
        """Take no more connections, and remove the socket."""
        if self._server is not None:
            self._server.close()
            if runtime.current() is runtime.SYSTEM:  # else there is no file
                Path(self.path).unlink(missing_ok=True)  # Python before 3.13 leaves it there


class TcpDoor:
    """One port for TLS, proxy tunnels and plain HTTP.

    Attributes:
        address: the IPv4 address that it listens on.
        port: where it listens; 0 before `open`.
        tls_failures: handshakes that failed, usually because the client does not trust the authority.
        last_tls_failure: what the last of them said.
    """

    def __init__(self, http: HttpServer, tls: ssl.SSLContext, reception: Reception) -> None:
        self._http = http
        self._tls = tls
        self._reception = reception
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._admitting: dict[asyncio.Task[None], None] = {}
        self.address = LOOPBACK
        self.port = 0
        self.tls_failures = 0
        self.last_tls_failure: str | None = None

    def open(self, port: int, address: str = LOOPBACK) -> None:
        """Begin to listen on `port`; 0 takes a free one. Beyond loopback, other machines reach the venue.

        Raises:
            VenueUnavailable: the port is in use or not allowed, or the address is not this machine's.
        """
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
        except (OSError, OverflowError) as error:
            listener.close()
            raise VenueUnavailable(
                f"port {port} on {address} cannot be used: {getattr(error, 'strerror', None) or error}",
                hint="choose another with --port N (0 takes a free one), or end what listens there"
                if address == LOOPBACK
                else "--bind takes an IPv4 address of this machine, or 0.0.0.0 for all; --port 0 takes a free port",
            ) from error
        listener.setblocking(False)
        self._listener = listener
        self.address = address
        self.port = listener.getsockname()[1]
        self.resume()

    def resume(self) -> None:
        """Take connections, for the first time or after `pause`."""
        if self._listener is not None:
            self._listener.listen(BACKLOG)
            self._accepting = runtime.spawn(self._accept(self._listener), name="venue-accept")

    def pause(self) -> None:
        """Take no connections until `resume`; the system refuses them. The port stays taken."""
        if self._listener is None or self._accepting is None:
            return
        self._accepting.cancel()
        self._listener.close()
        waiting = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        waiting.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        waiting.setblocking(False)
        waiting.bind((self.address, self.port))
        self._listener = waiting

    async def close(self) -> None:
        """Take no more connections; those being admitted are closed."""
        if self._listener is None or self._accepting is None:
            return
        tasks = [self._accepting, *self._admitting]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listener)
            except OSError as error:
                if error.errno in OUT_OF_RESOURCES:
                    await runtime.sleep(ACCEPT_PAUSE_S)  # until connections have ended
                    continue
                if isinstance(error, ConnectionError):  # the client left before it was accepted
                    continue
                raise
            task = runtime.spawn(self._admit(client), name="venue-admit")
            self._admitting[task] = None
            task.add_done_callback(self._admitting.pop)

    async def _admit(self, client: socket.socket) -> None:
        """Find out what a connection speaks, and hand it over."""
        try:
            first = await _first_byte(client)
            host = None
            if first == b"C":  # of the methods of HTTP only CONNECT begins so
                host = await self._tunnel(client)
                first = b"" if host is None else await _first_byte(client)
            if not first:
                client.close()
            elif first[0] == TLS_CLIENT_HELLO:
                await self._greet(client, host)
            else:
                factory = self._http if host is None else self._http.admitted
                await asyncio.get_running_loop().connect_accepted_socket(factory, client)
        except OSError:  # silent for too long, or gone: the client's affair
            client.close()
        except BaseException:
            client.close()
            raise

    async def _greet(self, client: socket.socket, host: str | None) -> None:
        """Take a TLS connection; `host` is known if it came through a tunnel, and has met its fault then."""
        if host is None:
            host = _named_host(await _peek(client, GREETING_MAX))
            fault = self._reception.connection_fault(host, tunnelled=False)
            if fault is not None:
                await fault.play(_Caller(client, self._reception))
                return
        mishap = self._reception.handshake_fault(host)
        if mishap == "alert":
            self.last_tls_failure = "a fault rule ended it"
            self.tls_failures += 1
            await _say_and_leave(client, HANDSHAKE_FAILURE)
            client.close()
            return
        context = self._tls if mishap is None else self._reception.failing_context(host, mishap)
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                self._http.admitted, client, ssl=context, ssl_handshake_timeout=HANDSHAKE_S
            )
        except (ssl.SSLError, ConnectionError) as error:
            self.tls_failures += 1
            reason = error.reason if isinstance(error, ssl.SSLError) else "the client left"
            self.last_tls_failure = reason or str(error)
            client.close()

    async def _tunnel(self, client: socket.socket) -> str | None:
        """Answer a CONNECT; the host that the tunnel leads to, or None if there is none."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(FIRST_BYTE_S):
            head = await _read_head(client)
        request_line = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(request_line) != 3 or request_line[0] != "CONNECT" or not head.endswith(b"\r\n\r\n"):
            await _refuse(client, "400 Bad Request", "planar venue: not a CONNECT request\n")
            return None
        host = bare_host(request_line[1])
        if not self._reception.serves(host):
            await _refuse(client, "403 Forbidden", self._reception.refusal(host))
            return None
        fault = self._reception.connection_fault(host, tunnelled=True)
        if fault is not None:
            await fault.play(_Caller(client, self._reception))
            return None
        await loop.sock_sendall(client, b"HTTP/1.1 200 Connection established\r\n\r\n")
        return host


class _Caller:
    """An `Arrival` that has spoken to the TCP door, and not been answered."""

    def __init__(self, client: socket.socket, reception: Reception) -> None:
        self._client = client
        self.close_doors = reception.close_doors

    async def refuse(self, status: int, body: str) -> None:
        await _refuse(self._client, f"{status} {http.client.responses.get(status, 'Unknown')}", body)

    def reset(self) -> None:
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
        self._client.close()

    async def hang(self) -> None:
        loop = asyncio.get_running_loop()
        while await loop.sock_recv(self._client, 65_536):
            pass
        self._client.close()


def _named_host(greeting: bytes) -> str:
    """The server name in a TLS client's greeting; empty if it gives none."""
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def note(_connection: object, name: str | None, _context: object) -> None:
        names.append(bare_host(name or ""))

    context.sni_callback = note
    incoming = ssl.MemoryBIO()
    incoming.write(greeting)
    with contextlib.suppress(ssl.SSLError):  # it lacks a certificate, and perhaps a part of the greeting
        context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True).do_handshake()
    return names[0] if names else ""


async def _refuse(client: socket.socket, status: str, text: str) -> None:
    """Answer a CONNECT with an error."""
    body = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    await _say_and_leave(client, head.encode() + body)


async def _say_and_leave(client: socket.socket, data: bytes) -> None:
    """Send, then read what the client still sends: closing on unread bytes would reset away what was said."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, data)
    client.shutdown(socket.SHUT_WR)
    async with asyncio.timeout(FAREWELL_S):
        while await loop.sock_recv(client, 65_536):
            pass


async def _read_head(client: socket.socket) -> bytes:
    """A request's head up to its empty line, and not a byte more: what follows belongs to the tunnel.

    Shorter if the client left or the head is too long.
    """
    head = b""
    while len(head) < CONNECT_HEAD_MAX:
        chunk = await _peek(client, 4096)
        end = (head + chunk).find(b"\r\n\r\n")
        head += client.recv(len(chunk) if end < 0 else end + 4 - len(head))
        if end >= 0 or not chunk:
            break
    return head


async def _first_byte(client: socket.socket) -> bytes:
    """What a connection begins with; nothing if the client has left. Raises TimeoutError: it says nothing."""
    async with asyncio.timeout(FIRST_BYTE_S):
        return await _peek(client, 1)


async def _peek(client: socket.socket, size: int) -> bytes:
    """The next bytes of a connection, which stay unread; nothing if the client has left."""
    while True:
        try:
            return client.recv(size, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            await _readable(client)


async def _readable(client: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(client, wake)
    try:
        await ready
    finally:
        loop.remove_reader(client)
