"""The network of the seeded loop: who listens where, when bytes arrive, and what goes wrong on the way.

Everything that a connection does goes through one queue, ordered by time, then by the connection's number, then by the
order of sending: what happens in one instant does not depend on the order in which unordered containers were walked.
Each direction of each connection draws its delays from its own generator, so that one connection's traffic never
changes another's timing.
"""

from __future__ import annotations

import asyncio
import contextvars
import errno
import heapq
import ipaddress
import os
import random
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from planar.runtime.memory import Lane, Link, MemoryTransport
from planar.runtime.server import ListeningSocket, SimServer

Factory = Callable[[], asyncio.BaseProtocol]
Connected = tuple[asyncio.Transport, asyncio.BaseProtocol]
Event = tuple[contextvars.Context, Callable[[], None]]

ANY: Final = "*"
"""Key of servers that every host name and loopback address reaches."""
UNIX: Final = -1
"""Stands for the port in the key of a Unix path."""
FIRST_EPHEMERAL_PORT: Final = 49152
"""RFC 6335: ports from here on are handed out, not registered."""


class Latency(msgspec.Struct, frozen=True):
    """How long bytes travel one way, milliseconds: evenly spread from `min_ms` to `max_ms`."""

    min_ms: float = 0.2
    max_ms: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_ms <= self.max_ms:
            raise ValueError(f"latency must be 0 <= min_ms <= max_ms, not {self.min_ms} and {self.max_ms}")

    def draw_ns(self, rng: random.Random) -> int:
        """One delay, nanoseconds."""
        return round(rng.uniform(self.min_ms, self.max_ms) * 1e6)


class SimNetwork:
    """Every connection and server of one seeded loop, with its faults.

    `where` names connections in the fault methods: a host, a `host:port`, or the path of a Unix socket.

    Attributes:
        latency: delay of connections that `latency_to` does not name.
        latency_to: delay by `where`.
        window_bytes: bytes a receiver may leave unread before the sender's write buffer begins to fill.
        segment_bytes: if set, writes arrive in pieces of 1 to this many bytes, as a bad network cuts them.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: str, now_ns: Callable[[], int]) -> None:
        self.loop = loop
        self.latency = Latency()
        self.latency_to: dict[str, Latency] = {}
        self.window_bytes = 256 * 1024
        self.segment_bytes: int | None = None
        self._seed = seed
        self._now_ns = now_ns
        self._heap: list[tuple[int, int, int, Lane | Event]] = []
        self._order = 0
        self._serial = 0
        self._links: dict[int, Link] = {}
        self._servers: dict[tuple[str, int], SimServer] = {}
        self._once_bound: dict[str, None] = {}
        self._blocked: dict[tuple[str, str], None] = {}
        self._addresses: dict[str, str] = {"localhost": "127.0.0.1"}
        self._next_port = FIRST_EPHEMERAL_PORT

    # Faults

    def partition(self, where: str, direction: Literal["both", "to_server", "to_client"] = "both") -> None:
        """Hold back everything that arrives on connections to `where`, new ones included, until `heal`."""
        for one in ("to_server", "to_client") if direction == "both" else (direction,):
            self._blocked[where, one] = None

    def heal(self, where: str | None = None) -> None:
        """End the partitions of `where` (all of them if None); what they held arrives now, in order."""
        self._blocked = {key: None for key in self._blocked if where is not None and key[0] != where}
        for link in self._links.values():
            for lane in (link.to_server, link.to_client):
                if not self._is_blocked(lane):
                    for _ in range(lane.held):
                        self._schedule_arrival(lane)
                    lane.held = 0

    def drop_connection(self, where: str) -> int:
        """Reset every connection to `where`, those being made included; bytes under way are lost. Returns how many."""
        links = [link for link in self._links.values() if where in link.names]
        for link in links:
            link.reset()
        return len(links)

    def connections(self) -> list[str]:
        """What every open connection leads to (`host:port` or path), oldest first."""
        return [link.names[-1] for link in self._links.values()]

    def held(self) -> int:
        """How many arrivals partitions are holding back."""
        return sum(lane.held for link in self._links.values() for lane in (link.to_server, link.to_client))

    # Names

    def resolve(self, host: str) -> str:
        """The IPv4 address of `host`: itself if it is an address, otherwise a loopback address of its own."""
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            number = len(self._addresses)
            return self._addresses.setdefault(host, f"127.1.{number // 250}.{number % 250 + 1}")

    def name_of(self, address: str) -> str:
        """The host name that `resolve` gave this address for; the address itself if none."""
        return next((name for name, known in self._addresses.items() if known == address), address)

    # Servers

    def listen(self, hosts: list[str], port: int, factory: Factory, extra: Mapping[str, Any]) -> SimServer:
        """Bind a server to each of `hosts` at `port` (0: the next free one).

        Raises:
            OSError: EADDRINUSE, a server is there already.
        """
        port = port or self._ephemeral_port()
        keys = [_key(host, port) for host in dict.fromkeys(hosts)]
        sockets = tuple(ListeningSocket(*_listening_name(host, port)) for host in hosts)
        return self._bind(SimServer(self, list(dict.fromkeys(keys)), factory, extra, sockets))

    def listen_unix(self, path: str, factory: Factory, extra: Mapping[str, Any]) -> SimServer:
        """Bind a server to `path`; see `listen`."""
        self._once_bound[path] = None
        sockets = (ListeningSocket(1, path),)  # 1 is AF_UNIX, absent from `socket` on some systems
        return self._bind(SimServer(self, [(path, UNIX)], factory, extra, sockets))

    def _bind(self, server: SimServer) -> SimServer:
        for key in server.keys:
            if key in self._servers:
                raise OSError(errno.EADDRINUSE, f"error while attempting to bind on address {key}: already in use")
        for key in server.keys:
            self._servers[key] = server
        return server

    def unbind(self, server: SimServer) -> None:
        """Refuse further connections to `server`."""
        for key in server.keys:
            del self._servers[key]

    def _ephemeral_port(self) -> int:
        self._next_port += 1
        return self._next_port - 1

    def _server_at(self, host: str, port: int) -> SimServer | None:
        server = self._servers.get(_key(host, port)) or (self._servers.get((ANY, port)) if port != UNIX else None)
        return server if server is not None and server.is_serving() else None

    def require_server(self, host: str, port: int) -> None:
        """Raise ConnectionRefusedError unless a server listens at `host` and `port`."""
        if self._server_at(host, port) is None:
            raise self._refusal(host, port)

    # Connections

    async def connect(self, host: str, port: int, factory: Factory, extra: Mapping[str, Any]) -> Connected:
        """Connect to `host` and `port`; one round trip, if a partition does not hold it back.

        Raises:
            ConnectionRefusedError: no server listens there.
            ConnectionResetError: `drop_connection` hit the attempt.
        """
        names = (host, f"{host}:{port}")
        peer, own = (self.resolve(host), port), ("127.0.0.1", self._ephemeral_port())
        return await self._connect(names, (host, port), factory, {**extra, "peername": peer, "sockname": own})

    async def connect_unix(self, path: str, factory: Factory, extra: Mapping[str, Any]) -> Connected:
        """Connect to the Unix socket at `path`.

        Raises:
            FileNotFoundError: no server was ever there.
            ConnectionRefusedError: the server that was there is gone.
            ConnectionResetError: `drop_connection` hit the attempt.
        """
        return await self._connect((path,), (path, UNIX), factory, {**extra, "peername": path, "sockname": ""})

    async def _connect(
        self, names: tuple[str, ...], where: tuple[str, int], factory: Factory, extra: dict[str, Any]
    ) -> Connected:
        link = Link(self._serial, names, f"{self._seed}/link")
        self._serial += 1
        self._links[link.serial] = link
        connected: asyncio.Future[Connected] = self.loop.create_future()
        context = contextvars.copy_context()

        def refuse(error: OSError) -> None:
            if not link.open_ends:
                self.forget(link)
            if not connected.done():
                connected.set_exception(error)

        def accept() -> None:
            server = self._server_at(*where)
            if server is None:
                error = self._refusal(*where)
                self.send(link.to_client, lambda: refuse(error), context)
                return
            self.send(link.to_client, establish, context)
            server.context.copy().run(self._accept, link, server, extra)

        def establish() -> None:
            link.refuse = None
            abandoned = connected.done()
            protocol = asyncio.Protocol() if abandoned else factory()
            transport = MemoryTransport(self, (link.to_server, link.to_client), protocol, extra)
            if abandoned:
                transport.abort()
            else:
                transport.start()
                connected.set_result((transport, protocol))

        link.refuse = refuse
        self.send(link.to_server, accept, context)
        return await connected

    def _accept(self, link: Link, server: SimServer, client: Mapping[str, Any]) -> None:
        names = {"peername": client["sockname"], "sockname": client["peername"]}
        lanes = (link.to_client, link.to_server)
        MemoryTransport(self, lanes, server.factory(), {**server.extra, **names}, server).start()

    def _refusal(self, host: str, port: int) -> OSError:
        if port == UNIX and host not in self._once_bound:
            return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), host)
        address = repr(host) if port == UNIX else (self.resolve(host), port)
        return ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {address}")

    def forget(self, link: Link) -> None:
        """Both ends are gone."""
        self._links.pop(link.serial, None)

    # The queue

    def piece_size(self, lane: Lane, available: int) -> int:
        """How many of `available` bytes travel in one piece."""
        if self.segment_bytes is None:
            return available
        return min(available, lane.rng.randint(1, self.segment_bytes))

    def send(self, lane: Lane, deliver: Callable[[], None], context: contextvars.Context | None = None) -> None:
        """Have `deliver` called when what is sent now over `lane` arrives; in the receiver's context unless given."""
        lane.queue.append((context, deliver))
        self._schedule_arrival(lane)

    def local(self, link: Link, context: contextvars.Context, call: Callable[[], None]) -> None:
        """Have `call` called next, without travelling, in an order that the link's number decides."""
        self._push(self._now_ns(), link, (context, call))

    def _schedule_arrival(self, lane: Lane) -> None:
        names = lane.link.names
        latency = next((self.latency_to[name] for name in reversed(names) if name in self.latency_to), self.latency)
        # One nanosecond apart: what the first arrival wakes runs before the second arrives, as with a selector.
        lane.arrival_ns = max(self._now_ns() + latency.draw_ns(lane.rng), lane.arrival_ns + 1)
        self._push(lane.arrival_ns, lane.link, lane)

    def _push(self, at_ns: int, link: Link, what: Lane | Event) -> None:
        self._order += 1
        heapq.heappush(self._heap, (at_ns, link.serial, self._order, what))

    def next_ns(self) -> int | None:
        """When the next thing arrives; None if nothing is under way."""
        return self._heap[0][0] if self._heap else None

    def due(self) -> list[Event]:
        """Take from the queue what has arrived by now."""
        now_ns = self._now_ns()
        events: list[Event] = []
        while self._heap and self._heap[0][0] <= now_ns:
            what = heapq.heappop(self._heap)[3]
            if not isinstance(what, Lane):
                events.append(what)
            elif self._is_blocked(what):
                what.held += 1
            elif what.queue:  # else the connection was dropped
                context, deliver = what.queue.popleft()
                events.append((what.sink.context if context is None else context, deliver))
        return events

    def _is_blocked(self, lane: Lane) -> bool:
        return any((name, lane.direction) in self._blocked for name in lane.link.names)


def _key(host: str, port: int) -> tuple[str, int]:
    if port == UNIX:
        return host, port
    try:
        address = ipaddress.ip_address(host) if host else None
    except ValueError:
        return (ANY if host == "localhost" else host), port
    return (ANY if address is None or address.is_loopback or address.is_unspecified else host), port


def _listening_name(host: str, port: int) -> tuple[int, Any]:
    if ":" in host:
        return 10, (host, port, 0, 0)
    return 2, (host or "0.0.0.0", port)
