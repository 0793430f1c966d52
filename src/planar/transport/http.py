"""One HTTP request: sent once, answered or classified.

`send` is the only place of Planar that writes an HTTP request. What can go wrong on the wire is put into its class by
`TRANSPORT_OUTCOMES`; what the venue answered is judged by its adapter.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

import aiohttp
import msgspec
from multidict import CIMultiDict

import planar.runtime as runtime
from planar.errors import BadResponse, ExchangeNotAvailable, NetworkError, Outcome, PlanarError, RequestTimeout
from planar.transport.context import CallContext, Effect, RequestRecord
from planar.transport.deadline import Deadline
from planar.transport.guard import address
from planar.transport.redact import redact_error
from planar.transport.reuse import Sending, sending

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
    target = address(url.replace(" ", "%20"), exchange, encoded=True)
    left_s = call.remaining_s()
    record = RequestRecord(method, target.host or "", target.path, effect, runtime.wall_ms())
    call.requests.append(record)
    way = Sending(effect is Effect.WRITE)
    before = sending.set(way)
    try:
        with Deadline(left_s):
            async with session.request(
                method,
                target,
                data=body.encode() if body else None,
                headers=headers,
                allow_redirects=False,
                # a little less than all of it, so that a connection that never opens (its name, its proxy and TLS
                # included) is known to be NOT_SENT; aiohttp would round up what is above the threshold
                timeout=aiohttp.ClientTimeout(connect=left_s * 0.9, ceil_threshold=left_s),
            ) as response:
                body_read = await _body(response, exchange, record)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        if way.connecting and type(error) is TimeoutError:  # the deadline came before a connection
            raise classify(aiohttp.ConnectionTimeoutError(), exchange, record) from aiohttp.ConnectionTimeoutError()
        raise classify(error, exchange, record) from redact_error(error)
    except PlanarError as error:
        record.outcome = error.outcome
        raise
    finally:
        sending.reset(before)
    record.http_status = response.status
    received = response.headers
    if len(set(received)) < len(received):  # a name is there more than once
        received = CIMultiDict({name: ", ".join(received.getall(name)) for name in received})
    return Answer(response.status, response.reason or "", received, body_read)


async def _body(response: aiohttp.ClientResponse, exchange: str, record: RequestRecord) -> bytes:
    """The whole body. Raises BadResponse (UNKNOWN) for one that is longer than `LONGEST_BODY`, and reads no more of it."""
    parts: list[bytes] = []
    length = 0
    while part := await response.content.readany():
        length += len(part)
        if length > LONGEST_BODY:
            response.close()
            raise BadResponse(
                f"{record.method} {record.host}{record.path}: the answer is longer than {LONGEST_BODY >> 20} MiB",
                exchange=exchange,
                outcome=Outcome.UNKNOWN,
                retryable=False,
                hint="see whether the exchange itself answers: `planar doctor`; ask for less at once (limit, symbols)",
            )
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
