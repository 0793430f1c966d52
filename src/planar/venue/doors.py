"""The doors: how clients reach the local venue.

`TcpDoor`, one port on 127.0.0.1, looks at the first byte of a connection and takes it as
- TLS (a client whose resolver or base URL points here; the certificate is the private authority's),
- `CONNECT host:port` (a client that has this port as its HTTP proxy; inside the tunnel comes TLS or plain HTTP),
- plain HTTP (the base-URL entrance and the control API; also a proxy client's request with an absolute URL).

`UnixDoor` takes plain HTTP on a Unix socket: Planar's Dialer and whoever opens that socket whatever the URL says.

A door hands its connections to the `HttpServer`; nothing is ever forwarded to another host.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import planar.runtime as runtime
from planar.errors import VenueUnavailable
from planar.venue.connection import HttpServer, bare_host

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
FIRST_BYTE_S = 60.0
"""A connection that says nothing for this long is closed."""
HANDSHAKE_S = 15.0
FAREWELL_S = 1.0
CONNECT_HEAD_MAX = 16_384
ACCEPT_PAUSE_S = 0.1
TLS_CLIENT_HELLO = 0x16
OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


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

    def close(self) -> None:
        """Take no more connections, and remove the socket."""
        if self._server is not None:
            self._server.close()
            if runtime.current() is runtime.SYSTEM:  # else there is no file
                Path(self.path).unlink(missing_ok=True)  # Python before 3.13 leaves it there


class TcpDoor:
    """One loopback port for TLS, proxy tunnels and plain HTTP.

    Attributes:
        port: where it listens; 0 before `open`.
        tls_failures: handshakes that failed, usually because the client does not trust the authority.
        last_tls_failure: what the last of them said.
    """

    def __init__(
        self, http: HttpServer, tls: ssl.SSLContext, serves: Callable[[str], bool], refusal: Callable[[str], str]
    ) -> None:
        """`serves` tells whether a host is one of the venues'; `refusal` is the text for one that is not."""
        self._http = http
        self._tls = tls
        self._serves = serves
        self._refusal = refusal
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._admitting: dict[asyncio.Task[None], None] = {}
        self.port = 0
        self.tls_failures = 0
        self.last_tls_failure: str | None = None

    def open(self, port: int) -> None:
        """Begin to listen on `port`; 0 takes a free one.

        Raises:
            VenueUnavailable: the port is in use or not allowed.
        """
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((LOOPBACK, port))
            listener.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            listener.close()
            raise VenueUnavailable(
                f"port {port} on {LOOPBACK} cannot be used: {getattr(error, 'strerror', None) or error}",
                hint="choose another with --port N (0 takes a free one), or end what listens there",
            ) from error
        listener.setblocking(False)
        self._listener = listener
        self.port = listener.getsockname()[1]
        self._accepting = runtime.spawn(self._accept(listener), name="venue-accept")

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
            async with asyncio.timeout(FIRST_BYTE_S):
                first = await _peek(client, 1)
                if first == b"C":  # of the methods of HTTP only CONNECT begins so
                    first = await self._tunnel(client)
            if first:
                await self._hand_over(client, tls=first[0] == TLS_CLIENT_HELLO)
            else:
                client.close()
        except OSError:  # silent for too long, or gone: the client's affair
            client.close()
        except BaseException:
            client.close()
            raise

    async def _hand_over(self, client: socket.socket, *, tls: bool) -> None:
        loop = asyncio.get_running_loop()
        if not tls:
            await loop.connect_accepted_socket(self._http, client)
            return
        try:
            await loop.connect_accepted_socket(self._http, client, ssl=self._tls, ssl_handshake_timeout=HANDSHAKE_S)
        except (ssl.SSLError, ConnectionError) as error:
            self.tls_failures += 1
            reason = error.reason if isinstance(error, ssl.SSLError) else "the client left"
            self.last_tls_failure = reason or str(error)
            client.close()

    async def _tunnel(self, client: socket.socket) -> bytes:
        """Answer a CONNECT; the first byte inside the tunnel, or nothing if there is none."""
        loop = asyncio.get_running_loop()
        head = await _read_head(client)
        request_line = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(request_line) != 3 or request_line[0] != "CONNECT" or not head.endswith(b"\r\n\r\n"):
            await _refuse(client, "400 Bad Request", "planar venue: not a CONNECT request\n")
            return b""
        host = bare_host(request_line[1])
        if not self._serves(host):
            await _refuse(client, "403 Forbidden", self._refusal(host))
            return b""
        await loop.sock_sendall(client, b"HTTP/1.1 200 Connection established\r\n\r\n")
        return await _peek(client, 1)


async def _refuse(client: socket.socket, status: str, text: str) -> None:
    """Answer, then read what the client still sends: closing on unread bytes would reset the answer away."""
    loop = asyncio.get_running_loop()
    body = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    await loop.sock_sendall(client, head.encode() + body)
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
