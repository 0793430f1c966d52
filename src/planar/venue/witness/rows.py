"""The rows of what a venue has witnessed: requests, violations, meters, commands. The control API answers with them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

RequestKind = Literal["http", "connect", "message"]
"""`connect` opens a WebSocket; `message` is what a client sends over one."""
Verdict = Literal["pending", "done", "refused", "unheard", "failed"]
"""`unheard`: a fault kept it from the exchange; `failed`: the venue itself broke on it, which is a bug."""
Door = Literal["unix", "tls", "http"]
"""How a client came: by the Unix socket, or by the port, in a proxy's tunnel or not, with TLS or plain."""


class RequestRow(msgspec.Struct, kw_only=True, gc=False):
    """One request, WebSocket connection or WebSocket message, and what became of it.

    Attributes:
        id: 1 for the first of this exchange's run; it stays.
        ts_ms: when it was here in full (UTC epoch, ms, by the right clock even where a fault shifts the venue's).
        connection: of a message, the id of the row of its connection.
        method: the HTTP method; of a message, what it asks for (`order.place`, `subscribe`).
        path: without the query, and with what may be a secret masked; of a message, that of its connection.
        parameters: the names of what was sent with it; never the values.
        account: whose key or token it carried, whether or not the signature was good.
        symbol, client_id, order_id: as the client wrote them, where it did.
        verdict: what the exchange made of it.
        status: the exchange's own HTTP status, or that of its WebSocket answer where there is one; 101: connected.
        sent: the status that left for the client; None: none did.
        code, error: the exchange's error code, where it has codes, and its words.
        charges: what it was charged, by meter.
        faults: the fault rules that hit it, as `rule (kind)`; of a connection also those that hit its frames.
        duration_us: from when it was here in full to when its answer left (what a fault added included), or its
            connection was over.
        closed_ms, close_code: of a connection, when it ended and how (RFC 6455, 7.4); code 1006: without a close frame.
        frames, messages: of a connection, data frames that left and messages that came.
    """

    id: int
    ts_ms: int
    venue: str
    kind: RequestKind
    door: Door
    host: str
    method: str
    path: str
    connection: int | None = None
    parameters: tuple[str, ...] = ()
    account: str | None = None
    symbol: str | None = None
    client_id: str | None = None
    order_id: str | None = None
    verdict: Verdict = "pending"
    status: int | None = None
    sent: int | None = None
    code: str | None = None
    error: str | None = None
    charges: tuple[tuple[str, float], ...] = ()
    faults: tuple[str, ...] = ()
    duration_us: int | None = None
    closed_ms: int | None = None
    close_code: int | None = None
    frames: int = 0
    messages: int = 0


class MeterRow(msgspec.Struct, frozen=True, kw_only=True):
    """How a meter stands.

    Attributes:
        id: name of meter and subject together; it stays.
        meter: its name, as the exchange's documentation has it.
        scope: what it counts by.
        subject: whom it counts: an address, an account, a key as `account#2`, an account and a market.
        used, limit: what is counted, and what may be.
        window_ms, resets_ms: of a meter that starts anew, its interval, and when the next one starts (UTC epoch, ms).
        decay_per_s: of a meter that runs down, by how much in a second.
        ts_ms: when this was so (UTC epoch, ms).
    """

    id: str
    meter: str
    scope: str
    subject: str
    used: float
    limit: float
    window_ms: int | None = None
    resets_ms: int | None = None
    decay_per_s: float | None = None
    ts_ms: int


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A meter was exceeded.

    Attributes:
        id: 1 for the first of this exchange's run; it stays.
        meter: how the meter stood, or would have stood with this request.
        over: by how much that is too much.
        followed: what the exchange did: a status, an error text, a ban, a closed connection.
        until_ms: until when that lasts, where it does (UTC epoch, ms).
        request: id of the request that did it.
        account: whose it was, if that is known.
    """

    id: int
    ts_ms: int
    venue: str
    meter: MeterRow
    over: float
    followed: str
    until_ms: int | None = None
    request: int | None = None
    account: str | None = None


class CommandRow(msgspec.Struct, frozen=True, kw_only=True):
    """A command that was carried out (`planar.venue.steering`).

    Attributes:
        id: 1 for the first of this exchange's run; it stays.
        ts_ms: when (UTC epoch, ms).
        command: the command, its name under `action`, with what may be a key or a secret masked. What came of it is not
            kept.
    """

    id: int
    ts_ms: int
    venue: str
    command: dict[str, Any]


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question for requests.

    Attributes:
        requests: the rows, oldest first.
        counts: how many there ever were, by kind and by verdict, also those that are no longer kept.
        oldest_id: the first one still kept; None if there is none.
    """

    requests: list[RequestRow]
    counts: dict[str, int]
    oldest_id: int | None


class Violations(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question for violations: the rows, oldest first; and how many there ever were, by meter."""

    violations: list[Violation]
    counts: dict[str, int]


class Commands(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question for commands: the rows, oldest first; and how many there ever were."""

    commands: list[CommandRow]
    count: int


class Meters(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question for meters: those that have counted anything."""

    meters: list[MeterRow]
