"""The Dialer opens every socket of Planar.

It hands out one HTTP session per (exchange, environment): its connector asks the environment guard before each request,
and in the local environment opens the venue's Unix socket whatever the URL says (the Host header stays the real one).
Sessions of different environments never share a pooled connection, even where their hosts have the same name.

The connector also decides on the proxy, whatever the request says about one: the guard is asked first, so a proxy hears
of no host that is refused. What fails before a connection stands was not sent.
"""

from __future__ import annotations

import errno
import math
import socket
import ssl
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from planar.config.secret_type import Secret
from planar.errors import ConfigError, NetworkError, Outcome
from planar.transport import reuse, socks
from planar.transport.guard import Guard, HostRules
from planar.transport.kept import KeptWays
from planar.transport.names import TTL_S, Names
from planar.transport.proxies import Proxy

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


class Route(msgspec.Struct, frozen=True):
    """How the sockets of one exchange in one environment are opened.

    Attributes:
        exchange: exchange id.
        environment: "live", "sandbox", "demo", "local" or "paper".
        rules: the hosts that may be reached.
        unix_socket: the local venue's socket, which is opened whatever else is said here; None connects to the host of
            the URL.
        proxy: URL of an HTTP or SOCKS proxy; secret since it may hold a password.
        no_proxy: hosts that are reached without it; a leading dot means all below, "*" all.
        verify_ssl: False accepts any certificate (development only).
        ca_file: certificates (PEM) that are trusted besides the usual ones.
        source_address: address of this machine that connections leave from; None: the system chooses.
        reuse_s: a WRITE goes over a kept connection only if it was used so recently.
    """

    exchange: str
    environment: str
    rules: HostRules
    unix_socket: str | None = None
    proxy: Secret | None = None
    no_proxy: tuple[str, ...] = ()
    verify_ssl: bool = True
    ca_file: str | None = None
    source_address: str | None = None
    reuse_s: float = 4.0


class GuardedTcp(aiohttp.TCPConnector):
    """Connects to the host of the URL, through the proxy if there is one, if the guard lets it."""

    def __init__(self, guard: Guard, route: Route, ssl_context: ssl.SSLContext | bool, names: Names) -> None:
        source = route.source_address
        super().__init__(  # pyright: ignore[reportUnknownMemberType] (aiohttp leaves its socket factory open)
            ssl=ssl_context,
            limit=0,
            keepalive_timeout=reuse.KEPT_S,
            ttl_dns_cache=TTL_S,
            resolver=names,
            family=_family(source),
            local_addr=(source, 0) if source is not None else None,
        )
        self.guard = guard
        self.kept = KeptWays(self, guard, route.reuse_s)
        self._source = source
        self._proxy = Proxy(route.proxy, route.no_proxy) if route.proxy is not None else None

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        """Ask the guard, then take a connection from the pool or open one."""
        self.guard.check(req.url, req.headers)
        proxy = self._proxy if self._proxy is not None and self._proxy.leads_to(req.host) else None
        _set_proxy(req, proxy)
        request = _begin(self, req)
        try:
            connection = await super().connect(req, traces, timeout)
        except (aiohttp.ClientError, OSError) as raised:
            error = _unmasked(raised, req)
            if isinstance(error, aiohttp.ClientConnectorError):
                self.clear_dns_cache(error.host, error.port)  # its addresses may have changed
            if not self._explained(error, req, proxy):
                if error is not raised:
                    raise error from raised
                raise
            failure = self._failure(error, req, proxy)
        else:
            request.connecting = False
            if req.is_ssl() or req.proxy is None:
                self.kept.learn(req.url, req.connection_key)
            return connection
        raise failure  # out here, so that it does not carry the proxy's headers along as its context

    def _explained(self, error: Exception, req: ClientRequest, proxy: Proxy | None) -> bool:
        """Whether a failure is the proxy's or the source address's; else it is the venue's or the way's to it."""
        if self._source is not None and _errno(error) == errno.EADDRNOTAVAIL:
            return True
        venues = (aiohttp.ClientConnectorDNSError, aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError)
        return proxy is not None and not (isinstance(error, venues) and error.host == req.host)

    def _failure(self, error: Exception, req: ClientRequest, proxy: Proxy | None) -> NetworkError:
        if self._source is not None and _errno(error) == errno.EADDRNOTAVAIL:
            return NetworkError(
                f"{req.host} was not reached: source_address {self._source} is no address of this machine",
                exchange=self.guard.exchange,
                outcome=Outcome.NOT_SENT,
                retryable=True,
                hint="give one that `ip address` shows, or remove source_address",
            )
        assert proxy is not None
        return proxy.failure(error, req.host, self.guard.exchange)

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        """aiohttp's own way, direct or through an HTTP proxy; SOCKS it does not know."""
        proxy = self._proxy
        if proxy is None or not proxy.socks or not proxy.leads_to(req.host):
            return await super()._create_connection(req, traces, timeout)
        sock = await self._way(proxy, req)
        context = self._get_ssl_context(req)
        _, protocol = await self._wrap_existing_connection(
            self._factory,
            timeout=timeout,
            ssl=context,
            sock=sock,
            server_hostname=(req.server_hostname or req.host).rstrip(".") if context is not None else None,
            req=req,
        )
        return protocol

    async def _way(self, proxy: Proxy, req: ClientRequest) -> socket.socket:
        """A socket that leads to the host of `req`."""
        host, port = req.host, req.url.port or 443
        targets = [host]
        if not proxy.remote_dns:
            try:
                targets = [found["host"] for found in await self._resolve_host(host, port)]
            except OSError as error:
                raise aiohttp.ClientConnectorDNSError(req.connection_key, error) from error
        for target in targets[:-1]:
            sock = await self._to_proxy(proxy, req)
            try:
                return await _asked(sock, proxy, target, port)
            except socks.SocksRefusal as refusal:
                if refusal.login:
                    raise
        return await _asked(await self._to_proxy(proxy, req), proxy, targets[-1], port)

    async def _to_proxy(self, proxy: Proxy, req: ClientRequest) -> socket.socket:
        """A socket that is connected to the proxy."""
        host, port = proxy.url.host or "", proxy.url.port or 0
        key = req.connection_key._replace(host=host, port=port)
        try:
            found = await self._resolve_host(host, port)
        except OSError as error:
            raise aiohttp.ClientConnectorDNSError(key, error) from error
        failure = OSError(errno.EADDRNOTAVAIL, "it has no address of the kind of the source address")
        for address in (one["host"] for one in found):
            sock = socket.socket(_family(address), socket.SOCK_STREAM)
            sock.setblocking(False)
            try:
                if self._source is not None:
                    sock.bind((self._source, 0))
                await self._loop.sock_connect(sock, (address, port))
            except OSError as error:
                sock.close()
                failure = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise aiohttp.ClientProxyConnectionError(key, failure)


def _unmasked(error: Exception, req: ClientRequest) -> Exception:
    """In a tunnel through an HTTPS proxy, early releases of Python 3.11 fail with a TypeError while they end TLS, and
    aiohttp tells of that; the error that ended it is beneath."""
    if not isinstance(error.__cause__, TypeError):
        return error
    beneath = error.__cause__.__context__
    if isinstance(beneath, ssl.CertificateError):
        return aiohttp.ClientConnectorCertificateError(req.connection_key, beneath)
    if isinstance(beneath, OSError):
        return aiohttp.ClientConnectorError(req.connection_key, beneath)
    return error


def _errno(error: Exception) -> int | None:
    return error.os_error.errno if isinstance(error, aiohttp.ClientConnectorError) else getattr(error, "errno", None)


def _family(source: str | None) -> socket.AddressFamily:
    if source is None:
        return socket.AF_UNSPEC
    return socket.AF_INET6 if ":" in source else socket.AF_INET


def _set_proxy(req: ClientRequest, proxy: Proxy | None) -> None:
    """What the request says about a proxy gives way to what the route says."""
    if proxy is None or proxy.socks:
        if req.proxy is not None:
            req.update_proxy(None, None, None)
        return
    headers = proxy.headers()
    req.update_proxy(proxy.url, None, headers)
    if not req.is_ssl():  # there is no tunnel, so the request itself tells the proxy who asks
        req.headers.update(headers)


def _begin(connector: GuardedTcp | GuardedUnix, req: ClientRequest) -> reuse.Sending:
    """The request that wants a connection now; the kept ones are looked through before."""
    request = reuse.sending.get()
    if request is None:
        request = reuse.Sending(write=False)  # a stream's
    if request.dialed:
        raise connector.guard.redirected(req.url)
    request.dialed = request.connecting = True
    kept = connector._conns.get(req.connection_key)  # pyright: ignore[reportPrivateUsage]
    if kept:
        connector.kept.sound(kept, write=request.write)
    return request


async def _asked(sock: socket.socket, proxy: Proxy, target: str, port: int) -> socket.socket:
    try:
        await socks.open_way(sock, target, port, proxy.login)
    except BaseException:
        sock.close()
        raise
    return sock


class GuardedUnix(aiohttp.UnixConnector):
    """Connects to the local venue, if the guard lets it."""

    def __init__(self, guard: Guard, path: str) -> None:
        super().__init__(path, limit=0, keepalive_timeout=reuse.KEPT_S)
        self.guard = guard
        # the venue is on this machine: no end of a connection is on its way
        self.kept = KeptWays(self, guard, reuse_s=math.inf)

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        """Ask the guard, then take a connection from the pool or open one."""
        self.guard.check(req.url, req.headers)
        _set_proxy(req, None)
        request = _begin(self, req)
        connection = await super().connect(req, traces, timeout)
        request.connecting = False
        self.kept.learn(req.url, req.connection_key)
        return connection


class Dialer:
    """Opens sessions; owns and closes them. One per workspace."""

    def __init__(self, names: Names | None = None) -> None:
        """
        Args:
            names: resolves host names; None asks the operating system.
        """
        self._sessions: list[tuple[Route, aiohttp.ClientSession]] = []  # a route holds a secret, so it has no hash
        self._contexts: dict[str | None, ssl.SSLContext] = {}
        self.names = names or Names()

    def session(self, route: Route) -> aiohttp.ClientSession:
        """The session of a route; the same one for each account that uses it."""
        for known, session in self._sessions:
            if known == route:
                return session
        session = self._open(route)
        self._sessions.append((route, session))
        return session

    def _open(self, route: Route) -> aiohttp.ClientSession:
        guard = Guard(route.exchange, route.environment, route.rules)
        if route.unix_socket is not None:
            connector: aiohttp.BaseConnector = GuardedUnix(guard, route.unix_socket)
        else:
            context = self._verifying_context(route.ca_file) if route.verify_ssl else False
            connector = GuardedTcp(guard, route, context, self.names)
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        # aiohttp sends GET, PUT and DELETE a second time when a kept-alive connection breaks. What is sent twice is
        # for Planar alone to decide; a contract test counts the requests.
        session._retry_connection = False  # pyright: ignore[reportPrivateUsage]
        return session

    def _verifying_context(self, ca_file: str | None) -> ssl.SSLContext:
        if ca_file not in self._contexts:
            import certifi

            context = ssl.create_default_context(cafile=certifi.where())
            if ca_file is not None:
                try:
                    context.load_verify_locations(ca_file)
                except OSError as error:  # ssl.SSLError is one
                    raise ConfigError(
                        f"ca_file {ca_file} cannot be used: {error.strerror or error}",
                        hint="give the path of a file that begins with -----BEGIN CERTIFICATE-----",
                    ) from error
            self._contexts[ca_file] = context
        return self._contexts[ca_file]

    async def close(self) -> None:
        """Close every session and its connections."""
        sessions, self._sessions = self._sessions, []
        for _, session in sessions:
            await session.close()
        await self.names.close()
