"""The local venue as a server: wires behind doors.

`VenueServer` routes each request by its host to the wire that serves the real host, through the faults; requests to
loopback go to the control API or, by prefix or by path, to a wire. It runs in a process of its own
(`planar.venue.process`), inside a test's event loop, or inside the seeded loop with the Unix door alone.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from http import HTTPStatus
from typing import cast

import msgspec
from aiohttp import HttpVersion11, web

import planar.runtime as runtime
from planar.errors import ConfigError
from planar.venue.ca import Authority
from planar.venue.connection import HttpServer, VenueRequest, bare_host
from planar.venue.control import PREFIX, ControlApi, VenueStatus
from planar.venue.doors import LOOPBACK, TcpDoor, UnixDoor
from planar.venue.faults import Answer, FaultBook, FrameBook, Subject
from planar.venue.faults.requests import DAMAGE
from planar.venue.faults.rules import Part
from planar.venue.reception import FrontDesk, PlainArrival
from planar.venue.registry import VenueRecord
from planar.venue.websocket import FRAMES, LATENCY
from planar.venue.wire import Wire
from planar.venue.witness import Door, Passage, passing

CONTROL_HOST = "venue.local"
"""Host of the control API on the Unix socket, where no address stands for the venue."""
LOOPBACK_HOSTS = frozenset({CONTROL_HOST, "localhost", "127.0.0.1", "::1"})
CLOSE_GRACE_S = 0.25
TOKEN_LENGTH = 32


class VenueServer:
    """One or several local exchanges.

    Attributes:
        faults: what happens to chosen requests.
        record: how it is reached; None before `start`.
    """

    def __init__(self, wires: Sequence[Wire], *, seed: int | None = None) -> None:
        """
        Args:
            seed: what the wires were made from, for those who ask; None: they were not all made from one.

        Raises:
            ConfigError: there is no wire, or two have the same id or serve the same host.
        """
        if not wires:
            raise ConfigError("no exchange to run", hint="name at least one with --venues")
        self._wires = {wire.id: wire for wire in wires}
        self._by_host = {host: wire for wire in wires for host in wire.hosts}
        if len(self._wires) < len(wires) or len(self._by_host) < sum(len(wire.hosts) for wire in wires):
            names = ", ".join(wire.id for wire in wires)
            raise ConfigError(f"two of these venues are the same or share a host: {names}", hint="name each once")
        self.faults = FaultBook()
        self.record: VenueRecord | None = None
        self._seed = seed
        self._shutdown = asyncio.Event()
        self._token = runtime.token(TOKEN_LENGTH)
        self._control = ControlApi(self._wires, self.faults, self._token, self.status, self.request_shutdown)
        self._http = HttpServer(self._handle)
        hosts = {host: wire.id for host, wire in self._by_host.items()}
        self._desk = FrontDesk(hosts, self.faults, self._refusal)
        self._started: list[Wire] = []

    async def start(
        self,
        *,
        port: int | None = None,
        address: str = LOOPBACK,
        authority: Authority | None = None,
        unix_path: str | None = None,
    ) -> VenueRecord:
        """Start the exchanges, then open the doors; how they are reached.

        Args:
            port: TCP port; 0 takes a free one, None opens none.
            address: the IPv4 address that the port is on.
            authority: issues the certificate; goes with `port`.
            unix_path: path of the Unix socket; None opens none.

        Raises:
            VenueUnavailable: a door cannot be opened. Nothing is left running.
            ValueError: a port without an authority, or no door at all.
        """
        if (port is None) != (authority is None) or (port is None and unix_path is None):
            raise ValueError("a venue needs `port` with `authority`, or `unix_path`, or all of them")
        try:
            for wire in self._wires.values():
                self._started.append(wire)
                await wire.start()
            if unix_path is not None:
                self._desk.unix = UnixDoor(self._http, unix_path)
                await self._desk.unix.open()
            if port is not None and authority is not None:
                self._desk.authority = authority
                self._desk.tcp = TcpDoor(self._http, authority.server_context(tuple(self._by_host)), self._desk)
                self._desk.tcp.open(port, address)
        except BaseException:
            await self.stop()
            raise
        self.record = VenueRecord(
            instance=runtime.token(8),
            pid=os.getpid(),
            port=self._desk.tcp.port if self._desk.tcp else None,
            address=address,
            socket=unix_path,
            token=self._token,
            ca=str(authority.path) if authority else None,
            venues=tuple(self._wires),
            started_ms=runtime.wall_ms(),
        )
        return self.record

    async def stop(self) -> None:
        """Close the doors, end the exchanges and every connection."""
        await self._desk.close()
        while self._started:
            await self._started.pop().stop()
        await self._http.close(CLOSE_GRACE_S)

    def request_shutdown(self) -> None:
        """Make `until_shutdown` return."""
        self._shutdown.set()

    async def until_shutdown(self) -> None:
        """Wait until somebody asks the venue to end."""
        await self._shutdown.wait()

    def status(self) -> VenueStatus:
        """How the venue is.

        Raises:
            RuntimeError: it was not started.
        """
        if self.record is None:
            raise RuntimeError("the venue was not started")
        return VenueStatus(
            instance=self.record.instance,
            venues={wire.id: wire.hosts for wire in self._wires.values()},
            port=self.record.port,
            socket=self.record.socket,
            ca=self.record.ca,
            seed=self._seed,
            started_ms=self.record.started_ms,
            now_ms=runtime.wall_ms(),
            connections=len(self._http.connections),
            requests=self._http.requests_count,
            fault_rules=len(self.faults.states()),
            tls_failures=self._desk.tcp.tls_failures if self._desk.tcp else 0,
            last_tls_failure=self._desk.tcp.last_tls_failure if self._desk.tcp else None,
        )

    async def _handle(self, request: VenueRequest) -> web.StreamResponse:
        """Route one request, whichever door it came through, when the whole of it is here."""
        try:
            if not _is_upgrade(request):
                _ask_for_body(request)
                await request.read()  # from here on it makes no difference whether the client is still there
        except (ConnectionError, web.RequestPayloadError):
            return web.Response(status=400, text="planar venue: the request's body did not come in whole\n")
        # A proxy client's request names the host in its URL; that one counts (RFC 9112, 3.2.2).
        proxied = request.url if _has_absolute_url(request) else None
        host = bare_host((request.headers.get("Host") if proxied is None else proxied.host) or "")
        path = request.rel_url.raw_path
        if request.method == "CONNECT":  # a tunnel inside a tunnel
            return web.Response(status=403, text=self._refusal(host))
        if host in self._by_host:
            return await self._serve(host, path, request)
        foreign_port = proxied is not None and self.record is not None and proxied.port != self.record.port
        hostless = proxied is None and "Host" not in request.headers  # HTTP/1.0 needs none
        if foreign_port or not (hostless or host in LOOPBACK_HOSTS or host == _own_address(request)):
            return web.Response(status=403, text=self._refusal(host))
        if path == PREFIX or path.startswith(PREFIX + "/"):
            return await self._control.handle(path, request)
        return await self._base_url(path, request)

    async def _base_url(self, path: str, request: VenueRequest) -> web.StreamResponse:
        """A request of a client that has the venue as its base URL: `/<real host>/path`, or the path alone."""
        first, _, rest = path.removeprefix("/").partition("/")
        host = bare_host(first)
        if host in self._by_host:
            return await self._serve(host, "/" + rest, request)
        for wire in self._wires.values():
            meant = wire.default_host(path)
            if meant is not None:
                return await self._serve(meant, path, request)
        text = (
            f"planar venue: no exchange here serves {path} without its host. Give the real host as a proxy client "
            f"does, or as the first part of the path.\n{self._served()}"
        )
        return web.Response(status=404, text=text)

    async def _serve(self, host: str, path: str, request: VenueRequest) -> web.StreamResponse:
        """Let an exchange answer, with the faults in between, and put the request on record."""
        wire = self._by_host[host]
        passage = wire.witness.begin(
            "connect" if _is_upgrade(request) else "http",
            door=_door(request),
            host=host,
            method=request.method,
            path=path,
            account=wire.account_of(request),
        )
        try:
            response = await self._carry(wire, host, path, request)
            delay_s = 0.0 if _is_upgrade(request) else wire.bench().model.latency.draw_s()
            if delay_s:
                await runtime.sleep(delay_s)
        except ConnectionResetError:
            response = web.Response()  # goes nowhere: the client left before the answer that is written in parts
        except BaseException as error:
            if isinstance(error, Exception):
                passage.settle("failed")
            _end(passage, request, None)
            raise
        _end(passage, request, response)
        return response

    async def _carry(self, wire: Wire, host: str, path: str, request: VenueRequest) -> web.StreamResponse:
        upgrade = _is_upgrade(request)
        first, request.connection.admitted = not request.connection.admitted, True
        if self.faults.empty() and not upgrade:
            return await _ask(wire, host, path, request)
        subject = Subject(
            venue=wire.id,
            method=request.method,
            host=host,
            path=path,
            account=wire.account_of(request),
            upgrade=upgrade,
            query=request.rel_url.raw_query_string,
        )
        refused = self._desk.connection_fault(host, tunnelled=False) if first else None
        if refused is not None:
            await refused.play(PlainArrival(request.connection, self._desk))
            return web.Response()  # goes nowhere
        if upgrade:
            request[FRAMES] = FrameBook(self.faults, subject)
            request[LATENCY] = wire.bench().model.latency
        body = b"" if upgrade else await request.read()

        async def handle() -> web.StreamResponse:
            return await _ask(wire, host, path, request)

        async def read() -> web.StreamResponse:
            return await meet("reads", handle)

        async def answer() -> web.StreamResponse:
            return await meet("clock", read)

        async def meet(part: Part, go_on: Answer) -> web.StreamResponse:
            met = msgspec.structs.replace(subject, part=part)
            fault = self.faults.request_fault(met, body)
            if fault is None:
                return await go_on()
            response = await fault.play(request, go_on)
            if DAMAGE in request:
                self.faults.note_damage(met, *request.pop(DAMAGE))
            return response

        return await meet("request", answer)

    def _refusal(self, host: str) -> str:
        return (
            f"planar venue: '{host}' is not served here, and a local venue never forwards a request to another host.\n"
            f"{self._served()}"
        )

    def _served(self) -> str:
        lines = [f"{wire.id}: {', '.join(wire.hosts)}\n" for wire in self._wires.values()]
        return "Served here:\n" + "".join(lines)


async def _ask(wire: Wire, host: str, path: str, request: VenueRequest) -> web.StreamResponse:
    """The exchange's own answer, put on record. That of a WebSocket is over by then, and recorded when it opened."""
    passage = passing()
    response = await wire.handle(host, path, request)
    if passage is not None and passage.row.status != HTTPStatus.SWITCHING_PROTOCOLS:
        passage.heard(response.status)
    return response


def _end(passage: Passage, request: VenueRequest, response: web.StreamResponse | None) -> None:
    """A request is over, or the WebSocket connection that came of it."""
    if passage.row.status == HTTPStatus.SWITCHING_PROTOCOLS:
        passage.closed(getattr(response, "close_code", None))
    else:
        stands = request.transport is not None and not request.transport.is_closing()
        passage.end(response.status if response is not None and (stands or response.prepared) else None)


def _door(request: VenueRequest) -> Door:
    if not request.remote:
        return "unix"
    transport = request.transport
    return "tls" if transport is not None and transport.get_extra_info("ssl_object") is not None else "http"


def _own_address(request: VenueRequest) -> str | None:
    """This machine's address that the client has connected to; None on the Unix door."""
    name = None if request.transport is None else request.transport.get_extra_info("sockname")
    return str(cast("tuple[object, ...]", name)[0]) if isinstance(name, tuple) else None


def _ask_for_body(request: VenueRequest) -> None:
    """Tell a client that waits for leave to send its body (RFC 9110, 10.1.1) to go on; curl does, with large ones."""
    waits = request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue"
    if waits and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _has_absolute_url(request: VenueRequest) -> bool:
    return not request.raw_path.startswith("/") and "://" in request.raw_path


def _is_upgrade(request: VenueRequest) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"
