"""Requests over a connection that is kept, without aiohttp's session about them.

Almost every request finds a connection kept. The session then makes what such a request does not need (cookies,
redirects, traces, a task that writes the body), and that costs as much CPU as all the rest of it. Here a request is
written to the connection and its answer read with aiohttp's own parser. Which connections there are, and how they are
opened, is the connector's to say as ever: the first request to an origin goes by the session, and so does each that
finds none kept or carries anything unusual. Both write the same bytes, which a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec
import yarl
from aiohttp import hdrs, http
from aiohttp.client_reqrep import ClientRequest
from aiohttp.helpers import TimerNoop
from multidict import CIMultiDict, CIMultiDictProxy

from planar.transport import reuse
from planar.transport.guard import Guard

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.streams import StreamReader

_PLAIN: Final = re.compile(
    r"(https?://[^/?#@%\x00-\x20\x7f-\U0010ffff]+)(/[^?#%\x00-\x20\x7f-\U0010ffff]*)(\?[^#\x00-\x20\x7f-\U0010ffff]+)?"
)
"""A URL that is sent as it stands: its origin, its path, its query."""
_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})
_UNUSUAL: Final = frozenset(
    name.lower()
    for name in (
        hdrs.HOST,
        hdrs.CONNECTION,
        hdrs.CONTENT_LENGTH,
        hdrs.CONTENT_ENCODING,
        hdrs.TRANSFER_ENCODING,
        hdrs.EXPECT,
        hdrs.COOKIE,
    )
)
"""Headers that change how a request is written: the session knows how."""
_AUTOMATIC: Final = tuple(
    (name.lower(), f"{name}: {value}\r\n")
    for name, value in (*ClientRequest.DEFAULT_HEADERS.items(), (hdrs.USER_AGENT, http.SERVER_SOFTWARE))
)
_EVERY_NAME: Final = frozenset(name for name, _ in _AUTOMATIC)
_EVERY_LINE: Final = "".join(line for _, line in _AUTOMATIC)
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_TEXT: Final = frozenset((str,))
_TIMER: Final = TimerNoop()
_NO_HEADERS: Final[CIMultiDictProxy[str]] = CIMultiDictProxy(CIMultiDict())


class Request(msgspec.Struct, frozen=True):
    """A request that has its signature.

    Attributes:
        url: sent as it stands.
        headers: besides those that HTTP wants.
        body: sent as it stands; None: none.
        write: it is a WRITE.
    """

    method: str
    url: str
    headers: Mapping[str, str] | None
    body: bytes | None
    write: bool

    def __repr__(self) -> str:
        """Without key and signature."""
        return f"Request({self.method!r}, write={self.write})"


class Origin(msgspec.Struct, frozen=True):
    """Where kept connections lead.

    Attributes:
        url: scheme, host and port.
        key: under which the connector keeps them.
    """

    url: yarl.URL
    key: ConnectionKey


class Way(msgspec.Struct, frozen=True):
    """A request's way over a kept connection.

    Attributes:
        origin: where to.
        path: of the URL, without the query.
        target: what the request line names.
    """

    origin: Origin
    path: str
    target: str

    def __repr__(self) -> str:
        """Without the query, which may hold a signature."""
        return f"Way({str(self.origin.url) + self.path!r})"

    @property
    def host(self) -> str:
        """The host's name."""
        return self.origin.url.host or ""


class Reply(msgspec.Struct, frozen=True):
    """The head of an answer whose body has not been read yet."""

    status: int
    reason: str
    headers: CIMultiDictProxy[str]
    content: StreamReader
    connection: Connection


class KeptWays:
    """The origins to which one connector keeps connections."""

    def __init__(self, connector: aiohttp.BaseConnector, guard: Guard, reuse_s: float) -> None:
        """
        Args:
            connector: keeps the connections.
            guard: is asked about each request.
            reuse_s: a WRITE takes only a connection that was used so recently.
        """
        self._connector = connector
        self._guard = guard
        self._reuse_s = reuse_s
        self._origins: dict[str, Origin] = {}

    def learn(self, url: yarl.URL, key: ConnectionKey) -> None:
        """Requests to the origin of `url` may go over connections that are kept under `key`."""
        origin = url.origin()
        self._origins[str(origin)] = Origin(origin, key)

    def way(self, method: str, url: str) -> Way | None:
        """A way for a request; None if the session has to send it."""
        plain = _PLAIN.fullmatch(url) if method in _METHODS else None
        if plain is None:
            return None
        prefix, path, query = plain.groups()
        origin = self._origins.get(prefix)
        return Way(origin, path, path if query is None else path + query) if origin is not None else None

    async def ask(self, way: Way, request: Request) -> Reply | None:
        """Send a request and wait for the head of its answer; None if no connection is kept, and nothing was sent.

        Raises:
            GuardError: it may not leave.
            aiohttp.ClientError: the connection broke, or the answer is no HTTP.
        """
        kept = self._connector._conns.get(way.origin.key)  # pyright: ignore[reportPrivateUsage]
        if not kept:
            return None
        head = self._head(way, request)
        if head is None:
            return None
        self.sound(kept, write=request.write)
        connection = await self._connector._get(way.origin.key, [])  # pyright: ignore[reportPrivateUsage]
        if connection is None:
            return None
        try:
            return await _asked(connection, head if request.body is None else head + request.body)
        except http.HttpProcessingError as error:
            connection.close()
            asked = aiohttp.RequestInfo(way.origin.url, request.method, _NO_HEADERS)
            raise aiohttp.ClientResponseError(asked, (), status=error.code, message=error.message) from error
        except BaseException:
            connection.close()
            raise

    def sound(self, kept: reuse.Kept, *, write: bool) -> None:
        """Close what a request must not use of the connections that are kept, up to the one that is taken next."""
        if write:
            reuse.keep_sure(kept, self._reuse_s)
        else:
            reuse.drop_spoiled(kept)

    def _head(self, way: Way, request: Request) -> bytes | None:
        """The request line and the headers, in aiohttp's order; None if the session has to write them, or refuse to."""
        url, headers, body = way.origin.url, request.headers or {}, request.body
        names = {name.lower() for name in headers}
        if (
            len(names) < len(headers)
            or not _UNUSUAL.isdisjoint(names)
            or not _TEXT.issuperset(map(type, headers.values()))
        ):
            return None
        self._guard.check(url, CIMultiDict(headers) if self._guard.marked else _NO_HEADERS)
        own = "\n".join([f"{name}: {value}" for name, value in headers.items()])
        if _CONTROL.search(own) or own.count("\n") >= max(len(headers), 1):
            return None
        sent = f"{request.method} {way.target} HTTP/1.1\r\nHost: {url.host_port_subcomponent}\r\n"
        if own:
            sent += own.replace("\n", "\r\n") + "\r\n"
        sent += _EVERY_LINE if names.isdisjoint(_EVERY_NAME) else _lines_besides(names)
        if body is not None or request.method != "GET":
            sent += f"Content-Length: {len(body or b'')}\r\n"
        if "content-type" not in names and (body is not None or request.method not in ("GET", "DELETE")):
            sent += "Content-Type: application/octet-stream\r\n"
        return f"{sent}\r\n".encode()


def _lines_besides(names: set[str]) -> str:
    """The automatic headers that a request does not have of its own."""
    return "".join(line for name, line in _AUTOMATIC if name not in names)


async def _asked(connection: Connection, request: bytes) -> Reply:
    """Write a request; the first answer that is a final one."""
    protocol, transport = connection.protocol, connection.transport
    assert protocol is not None  # the connector has just looked
    assert transport is not None
    protocol.set_response_params(timer=_TIMER, read_until_eof=True)
    transport.write(request)
    while True:
        message, payload = await protocol.read()
        if not 100 <= message.code <= 199 or message.code == HTTPStatus.SWITCHING_PROTOCOLS:
            return Reply(message.code, message.reason, message.headers, payload, connection)
