"""What the tests of the venue's server share: a running toy venue and clients that come through each door."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from toy_wire import ToyWire

from planar.venue.control import VenueStatus
from planar.venue.registry import VenueRecord
from planar.venue.server import VenueServer


async def eventually(condition: Callable[[], bool], within_s: float = 3) -> None:
    """Wait until it holds; TimeoutError if it does not in time."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.002)


async def converse(port: int, *parts: bytes, address: str = "127.0.0.1") -> bytes:
    """A client not made of aiohttp: send the parts, each in a packet of its own, and read until the venue closes."""
    reader, writer = await asyncio.open_connection(address, port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.001)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


class Venue:
    """A toy venue with both doors open."""

    def __init__(self, server: VenueServer, wire: ToyWire, record: VenueRecord) -> None:
        self.server = server
        self.wire = wire
        self.record = record
        self.base = f"http://127.0.0.1:{record.port}"
        self.control_headers = {"X-Planar-Token": record.token}

    def status(self) -> VenueStatus:
        return self.server.status()

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.record.ca)


class Client:
    """An aiohttp client that comes through one door; the URLs it asks for stay the real ones."""

    def __init__(self, session: aiohttp.ClientSession, scheme: str, options: dict[str, object]) -> None:
        self.session = session
        self.scheme = scheme
        self.options = options

    def request(self, method: str, url: str, **kwargs: object) -> aiohttp.client._RequestContextManager:
        return self.session.request(method, f"{self.scheme}://{url}", **self.options, **kwargs)  # type: ignore[arg-type]

    def stream(self, url: str) -> aiohttp.client._WSRequestContextManager:
        scheme = self.scheme.replace("http", "ws")
        return self.session.ws_connect(f"{scheme}://{url}", **self.options)  # type: ignore[arg-type]


class ToVenue(AbstractResolver):
    """Resolves every name to the venue's port."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=self.port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


def _resolver(venue: Venue) -> aiohttp.TCPConnector:
    assert venue.record.port is not None
    return aiohttp.TCPConnector(resolver=ToVenue(venue.record.port))


def _unix(venue: Venue) -> aiohttp.UnixConnector:
    assert venue.record.socket is not None
    return aiohttp.UnixConnector(venue.record.socket)


DOORS: dict[str, Callable[[Venue], Client]] = {
    "proxy-tls": lambda v: Client(aiohttp.ClientSession(), "https", {"proxy": v.base, "ssl": v.trust()}),
    "proxy-plain": lambda v: Client(aiohttp.ClientSession(), "http", {"proxy": v.base}),
    "resolver-tls": lambda v: Client(aiohttp.ClientSession(connector=_resolver(v)), "https", {"ssl": v.trust()}),
    "resolver-plain": lambda v: Client(aiohttp.ClientSession(connector=_resolver(v)), "http", {}),
    "unix-tls-url": lambda v: Client(aiohttp.ClientSession(connector=_unix(v)), "https", {}),
    "unix-plain-url": lambda v: Client(aiohttp.ClientSession(connector=_unix(v)), "http", {}),
}
