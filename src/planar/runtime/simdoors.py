"""The doors of the seeded loop to the outside: connections, servers, names and threads, all answered in memory.

TLS is not spoken: an `ssl` argument is recorded as the transport's `sslcontext`, so that code that asks whether it runs
over TLS is told yes. What has no meaning in memory (signals, subprocesses, datagrams) is refused.
"""

from __future__ import annotations

import asyncio
import os
import socket
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from planar.runtime.memory import MemoryTransport
from planar.runtime.network import Connected, Factory, SimNetwork
from planar.runtime.server import SimServer

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class SimDoors(asyncio.BaseEventLoop):
    """The part of `SimLoop` that other loops implement with sockets.

    Options of asyncio that only tune sockets or TLS handshakes are accepted and change nothing.
    """

    network: SimNetwork

    def __init__(self) -> None:
        super().__init__()
        self._destinations: weakref.WeakKeyDictionary[socket.socket, tuple[str, int]] = weakref.WeakKeyDictionary()

    async def create_connection(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        protocol_factory: Factory,
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        sock: socket.socket | None = None,
        **_socket_options: Any,
    ) -> Connected:
        """Connect in memory; errors as in `SimNetwork.connect`. `sock` must have been through `sock_connect`."""
        if sock is not None:
            host, port = self._destinations.pop(sock)
            sock.close()
        if host is None or port is None:
            raise ValueError("create_connection needs host and port, or sock")
        return await self.network.connect(host, int(port), protocol_factory, _tls_extra(ssl))

    async def create_unix_connection(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, protocol_factory: Factory, path: Path, *, ssl: Any = None, **_socket_options: Any
    ) -> Connected:
        """Connect in memory; errors as in `SimNetwork.connect_unix`."""
        return await self.network.connect_unix(os.fsdecode(path), protocol_factory, _tls_extra(ssl))

    async def create_server(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        protocol_factory: Factory,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        start_serving: bool = True,
        **_socket_options: Any,
    ) -> SimServer:
        """Listen in memory. A host name gives that name a server of its own; None and loopback serve every other."""
        hosts = [host or ""] if host is None or isinstance(host, str) else list(host)
        server = self.network.listen(hosts, port or 0, protocol_factory, _tls_extra(ssl))
        return await _started(server, start_serving)

    async def create_unix_server(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        protocol_factory: Factory,
        path: Path,
        *,
        ssl: Any = None,
        start_serving: bool = True,
        **_socket_options: Any,
    ) -> SimServer:
        """Listen in memory at `path`; no file is made."""
        server = self.network.listen_unix(os.fsdecode(path), protocol_factory, _tls_extra(ssl))
        return await _started(server, start_serving)

    async def start_tls(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        transport: MemoryTransport,
        protocol: asyncio.BaseProtocol,
        sslcontext: Any,
        **_tls_options: Any,
    ) -> MemoryTransport:
        """Mark the transport as TLS and hand it to `protocol`, whose `connection_made` the caller calls, as always."""
        transport.mark_tls(sslcontext)
        transport.set_protocol(protocol)
        return transport

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Remember where `sock` is to lead, for `create_connection(sock=...)`; the socket itself stays unused.

        Raises:
            ConnectionRefusedError: no server listens there.
        """
        host, port = self.network.name_of(address[0]), address[1]
        self.network.require_server(host, port)
        self._destinations[sock] = host, port

    async def getaddrinfo(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, host: str | None, port: str | int | None, *, family: int = 0, **_hints: Any
    ) -> list[tuple[Any, Any, int, str, tuple[str, int]]]:
        """A loopback address for every name, always the same one for the same name; IPv4 only."""
        if family == socket.AF_INET6:
            raise socket.gaierror(socket.EAI_NONAME, f"a simulated network has no IPv6 address for {host!r}")
        address = self.network.resolve(host or "localhost"), int(port or 0)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """The name `getaddrinfo` gave this address for."""
        numeric = flags & socket.NI_NUMERICHOST
        return (sockaddr[0] if numeric else self.network.name_of(sockaddr[0])), str(sockaddr[1])

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Run `func` here and now: there are no other threads, so `executor` is not used."""
        future: asyncio.Future[Any] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> NoReturn:
        """Refused."""
        raise NotImplementedError("a simulated loop gets no signals")

    def remove_signal_handler(self, sig: int) -> NoReturn:
        """Refused."""
        raise NotImplementedError("a simulated loop gets no signals")

    async def create_datagram_endpoint(self, *args: Any, **options: Any) -> NoReturn:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Refused."""
        raise NotImplementedError("a simulated loop has no datagrams")

    async def subprocess_exec(self, *args: Any, **options: Any) -> NoReturn:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Refused."""
        raise NotImplementedError("a simulated loop starts no processes")

    async def subprocess_shell(self, *args: Any, **options: Any) -> NoReturn:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Refused."""
        raise NotImplementedError("a simulated loop starts no processes")


async def _started(server: SimServer, start_serving: bool) -> SimServer:
    if start_serving:
        await server.start_serving()
    return server


def _tls_extra(context: Any) -> dict[str, Any]:
    return {"sslcontext": context} if context else {}
