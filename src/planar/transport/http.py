"""One HTTP request: sent once, answered or classified.

`send` is the only place of Planar that writes an HTTP request. What can go wrong on the wire is put into its class by
`TRANSPORT_OUTCOMES`; what the venue answered is judged by its adapter.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

import aiohttp
import msgspec
import yarl
from multidict import CIMultiDict, MultiMapping

import planar.runtime as runtime
from planar.errors import BadResponse, ExchangeNotAvailable, NetworkError, Outcome, PlanarError, RequestTimeout
from planar.transport.context import CallContext, Effect, RequestRecord
from planar.transport.deadline import Deadline
from planar.transport.guard import address
from planar.transport.kept import KeptWays, Request, Way
from planar.transport.redact import redact_error
from planar.transport.reuse import Sending, sending

if TYPE_CHECKING:
    from planar.transport.dialer import GuardedTcp, GuardedUnix

LONGEST_BODY: Final = 64 * 1024 * 1024
"""Bytes of an answer's body, decompressed. The longest that exchanges give, lists of all markets, have a third of it;
what goes on beyond it is broken, or meant to use up the memory."""


class Answer(msgspec.Struct, frozen=True):
    """A complete HTTP answer, not yet judged.

    Attributes:
        status: HTTP status.
        reason: the status line's text.
        headers: found by their names in any case, as HTTP wants it; repeated ones joined with ", ".
        body: the body, decompressed.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


TRANSPORT_OUTCOMES: tuple[tuple[type[BaseException], type[PlanarError], Outcome, str], ...] = (
    # before the first byte of the request
    (aiohttp.ClientConnectorDNSError, ExchangeNotAvailable, Outcome.NOT_SENT, "its host name could not be resolved"),
    (aiohttp.ClientConnectorCertificateError, NetworkError, Outcome.NOT_SENT, "its certificate was not accepted"),
    (aiohttp.ClientSSLError, NetworkError, Outcome.NOT_SENT, "TLS could not be set up"),
    (aiohttp.ClientProxyConnectionError, NetworkError, Outcome.NOT_SENT, "the proxy cannot be reached"),
    (aiohttp.ClientConnectorError, ExchangeNotAvailable, Outcome.NOT_SENT, "no connection could be opened"),
    (aiohttp.ConnectionTimeoutError, RequestTimeout, Outcome.NOT_SENT, "no connection could be opened in time"),
    (aiohttp.ClientHttpProxyError, NetworkError, Outcome.NOT_SENT, "the proxy refused the connection"),
    (aiohttp.NonHttpUrlClientError, BadResponse, Outcome.NOT_SENT, "its address is no URL of HTTP"),
    (aiohttp.InvalidURL, BadResponse, Outcome.NOT_SENT, "its address is no URL"),
    # after it: the venue may have acted
    (TimeoutError, RequestTimeout, Outcome.UNKNOWN, "no answer came in time"),
    (aiohttp.ServerDisconnectedError, ExchangeNotAvailable, Outcome.UNKNOWN, "the connection was closed unanswered"),
    (aiohttp.ClientOSError, ExchangeNotAvailable, Outcome.UNKNOWN, "the connection broke"),
    (aiohttp.ClientPayloadError, BadResponse, Outcome.UNKNOWN, "the answer broke off"),
    (aiohttp.ClientResponseError, BadResponse, Outcome.UNKNOWN, "the answer was not HTTP"),
    (aiohttp.ClientError, NetworkError, Outcome.UNKNOWN, "the request failed"),
    (ssl.SSLError, NetworkError, Outcome.UNKNOWN, "TLS failed"),
    (OSError, NetworkError, Outcome.UNKNOWN, "the connection broke"),
)
"""(exception, error, outcome, text): the first row that fits decides. Proven row by row in tests/wire."""


_HINTS: dict[type[BaseException], str] = {
    aiohttp.ClientConnectorDNSError: "is this machine connected, and does its name server answer? `planar doctor` looks",
}
"""What to do where the class of the error says too little."""


def classify(error: BaseException, exchange: str, record: RequestRecord) -> PlanarError:
    """The error of Planar for an exception of aiohttp, asyncio or the system."""
    row = next((row for row in TRANSPORT_OUTCOMES if isinstance(error, row[0])), None)
    if row is None:
        raise error
    _, planar_kind, outcome, text = row
    record.outcome = outcome
    return planar_kind(
        f"{record.method} {record.host}{record.path}: {text}",
        outcome=outcome,
        hint=next((hint for kind, hint in _HINTS.items() if isinstance(error, kind)), None),
        exchange=exchange,
        retryable=record.effect is Effect.READ or outcome is Outcome.NOT_SENT,
    )


async def send(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    body: str | None,
    call: CallContext,
    effect: Effect,
    exchange: str,
) -> Answer:
    """Send one request and read its whole answer before the call's deadline.

    Raises:
        PlanarError: of the class and outcome that `TRANSPORT_OUTCOMES` gives; GuardError if it may not leave.
    """
    # some of CCXT's classes leave blanks as they are, and a request line with one is none
    url = url.replace(" ", "%20")
    left_s = call.remaining_s()
    connector = cast("GuardedTcp | GuardedUnix", session.connector)
    way = connector.kept.way(method, url)
    if way is not None:
        host, path = way.host, way.path
    else:
        target = address(url, exchange, encoded=True)
        host, path = target.host or "", target.path
    record = RequestRecord(method, host, path, effect, runtime.wall_ms())
    call.requests.append(record)
    request = Request(method, url, headers, body.encode() if body else None, effect is Effect.WRITE)
    state = Sending(request.write)
    before = sending.set(state)
    try:
        with Deadline(left_s):
            answer = await _over_kept(connector.kept, way, request) if way is not None else None
            if answer is None:
                answer = await _by_session(session, address(url, exchange, encoded=True), request, left_s)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        if state.connecting and type(error) is TimeoutError:  # the deadline came before a connection
            raise classify(aiohttp.ConnectionTimeoutError(), exchange, record) from aiohttp.ConnectionTimeoutError()
        raise classify(error, exchange, record) from redact_error(error)
    except _TooLong:
        record.outcome = Outcome.UNKNOWN
        raise BadResponse(
            f"{method} {host}{path}: the answer is longer than {LONGEST_BODY >> 20} MiB",
            exchange=exchange,
            outcome=Outcome.UNKNOWN,
            retryable=False,
            hint="see whether the exchange itself answers: `planar doctor`; ask for less at once (limit, symbols)",
        ) from None
    except PlanarError as error:
        record.outcome = error.outcome
        raise
    finally:
        sending.reset(before)
    record.http_status = answer.status
    return answer


async def _over_kept(kept: KeptWays, way: Way, request: Request) -> Answer | None:
    """The answer that came over a kept connection; None if there is none, and nothing was sent."""
    reply = await kept.ask(way, request)
    if reply is None:
        return None
    try:
        body = await _body(reply.content)
    except BaseException:
        reply.connection.close()
        raise
    reply.connection.release()
    return _answer(reply.status, reply.reason, reply.headers, body)


async def _by_session(session: aiohttp.ClientSession, target: yarl.URL, request: Request, left_s: float) -> Answer:
    """The answer to a request that aiohttp's session sends, over a new connection if need be."""
    async with session.request(
        request.method,
        target,
        data=request.body,
        headers=request.headers,
        allow_redirects=False,
        # a little less than all of it, so that a connection that never opens (its name, its proxy and TLS included) is
        # known to be NOT_SENT; aiohttp would round up what is above the threshold
        timeout=aiohttp.ClientTimeout(connect=left_s * 0.9, ceil_threshold=left_s),
    ) as response:
        try:
            body = await _body(response.content)
        except BaseException:
            response.close()
            raise
        return _answer(response.status, response.reason or "", response.headers, body)


def _answer(status: int, reason: str, headers: MultiMapping[str], body: bytes) -> Answer:
    if len(set(headers)) == len(headers):
        return Answer(status, reason, headers, body)
    return Answer(status, reason, CIMultiDict({name: ", ".join(headers.getall(name)) for name in headers}), body)


class _TooLong(Exception):
    """A body is longer than `LONGEST_BODY`."""


async def _body(content: aiohttp.StreamReader) -> bytes:
    """The whole body. Raises _TooLong as soon as it is, and reads no more of it."""
    parts: list[bytes] = []
    length = 0
    while part := await content.readany():
        length += len(part)
        if length > LONGEST_BODY:
            raise _TooLong
        parts.append(part)
        if content.at_eof():
            break
    return parts[0] if len(parts) == 1 else b"".join(parts)
