"""The Dialer opens every socket of Planar.

It hands out one HTTP session per (exchange, environment): its connector asks the environment guard before each request,
and in the local environment opens the venue's Unix socket whatever the URL says (the Host header stays the real one).
Sessions of different environments never share a pooled connection, even where their hosts have the same name.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from planar.config.secret_type import Secret
from planar.transport.guard import Guard, HostRules

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


class Route(msgspec.Struct, frozen=True):
    """How the sockets of one exchange in one environment are opened.

    Attributes:
        exchange: exchange id.
        environment: "live", "sandbox", "demo", "local" or "paper".
        rules: the hosts that may be reached.
        unix_socket: the local venue's socket; None connects to the host of the URL.
        proxy: URL of an HTTP proxy; secret since it may hold a password.
        verify_ssl: False accepts any certificate (development only).
    """

    exchange: str
    environment: str
    rules: HostRules
    unix_socket: str | None = None
    proxy: Secret | None = None
    verify_ssl: bool = True


class GuardedTcp(aiohttp.TCPConnector):
    """Connects to the host of the URL, if the guard lets it."""

    def __init__(self, guard: Guard, ssl_context: ssl.SSLContext | bool) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] (aiohttp leaves its socket factory open)
            ssl=ssl_context, limit=0, keepalive_timeout=30, ttl_dns_cache=60
        )
        self.guard = guard

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        """Ask the guard, then take a connection from the pool or open one."""
        self.guard.check(req.url.host or "", req.headers)
        return await super().connect(req, traces, timeout)


class GuardedUnix(aiohttp.UnixConnector):
    """Connects to the local venue, if the guard lets it."""

    def __init__(self, guard: Guard, path: str) -> None:
        super().__init__(path, limit=0, keepalive_timeout=30)
        self.guard = guard

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        """Ask the guard, then take a connection from the pool or open one."""
        self.guard.check(req.url.host or "", req.headers)
        return await super().connect(req, traces, timeout)


class Dialer:
    """Opens sessions; owns and closes them. One per workspace."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[object, ...], aiohttp.ClientSession] = {}
        self._ssl_context: ssl.SSLContext | None = None

    def session(self, route: Route) -> aiohttp.ClientSession:
        """The session of a route; the same one for each account that uses it."""
        proxy = route.proxy.reveal() if route.proxy else None
        key = (route.exchange, route.environment, route.rules, route.unix_socket, proxy, route.verify_ssl)
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = self._open(route, proxy)
        return session

    def _open(self, route: Route, proxy: str | None) -> aiohttp.ClientSession:
        guard = Guard(route.exchange, route.environment, route.rules)
        if route.unix_socket is not None:
            connector: aiohttp.BaseConnector = GuardedUnix(guard, route.unix_socket)
        else:
            connector = GuardedTcp(guard, self._verifying_context() if route.verify_ssl else False)
        session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), proxy=proxy, trust_env=False
        )
        # aiohttp sends GET, PUT and DELETE a second time when a kept-alive connection breaks. What is sent twice is
        # for Planar alone to decide; a contract test counts the requests.
        session._retry_connection = False  # pyright: ignore[reportPrivateUsage]
        return session

    def _verifying_context(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            import certifi

            self._ssl_context = ssl.create_default_context(cafile=certifi.where())
        return self._ssl_context

    async def close(self) -> None:
        """Close every session and its connections."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()
