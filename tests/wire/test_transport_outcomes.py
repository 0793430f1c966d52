"""Each way in which a request can fail is provoked on a real socket and lands in its class and outcome."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from planar.config import Secret
from planar.errors import (
    BadResponse,
    ExchangeNotAvailable,
    GuardError,
    NetworkError,
    Outcome,
    PlanarError,
    RequestTimeout,
)
from planar.transport.context import CallContext, Effect, Priority
from planar.transport.dialer import Dialer, Route
from planar.transport.guard import HostRules
from planar.transport.http import TRANSPORT_OUTCOMES, Answer, send
from planar.venue.ca import Authority

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def server(behave: Behaviour) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A raw server; gives its port and the request heads that reached it."""
    seen: list[bytes] = []
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                seen.append(head)
                await behave(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            handlers.discard(task)

    running = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield running.sockets[0].getsockname()[1], seen
    finally:
        running.close()
        for task in list(handlers):
            task.cancel()
        await asyncio.sleep(0)


async def request(
    port: int,
    *,
    scheme: str = "http",
    host: str = "127.0.0.1",
    method: str = "POST",
    timeout_ms: int = 2000,
    proxy: str | None = None,
    rules: HostRules | None = None,
    times: int = 1,
) -> Answer:
    dialer = Dialer()
    route = Route(
        exchange="x",
        environment="live",
        rules=rules or HostRules(hosts=(host,), ports=(port,), plain=True),
        proxy=Secret(proxy) if proxy else None,
    )
    try:
        for _ in range(times):
            call = CallContext("create_order", timeout_ms, Priority.ORDER)
            answer = await send(
                dialer.session(route), method, f"{scheme}://{host}:{port}/order?a=1", {}, None, call, Effect.WRITE, "x"
            )
        return answer
    finally:
        await dialer.close()


async def failing(**how: object) -> PlanarError:
    with pytest.raises(PlanarError) as caught:
        await request(**how)  # type: ignore[arg-type]
    return caught.value


async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b'Content-Length: 100\r\n\r\n{"orderId": 1')
    await writer.drain()
    writer.close()


async def cut_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b'Transfer-Encoding: chunked\r\n\r\n20\r\n{"orderId": 1')
    await writer.drain()
    writer.close()


async def gibberish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n\r\n")
    await writer.drain()


async def stalled_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b'Content-Length: 100\r\n\r\n{"orderId": 1')
    await reader.read()


async def fine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 2\r\n\r\n{}")
    await writer.drain()


def at_last(behave: Behaviour, times: int) -> Behaviour:
    """Fine until then: the last request goes over a connection that was kept."""
    before = iter(range(times - 1))

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (behave if next(before, None) is None else fine)(reader, writer)

    return handle


@pytest.mark.parametrize(
    ("behave", "kind", "text"),
    [
        (close, ExchangeNotAvailable, "closed unanswered"),
        (reset, ExchangeNotAvailable, "broke"),
        (silent, RequestTimeout, "no answer came in time"),
        (cut, BadResponse, "the answer broke off"),
        (cut_chunks, BadResponse, "the answer broke off"),
        (stalled_body, RequestTimeout, "no answer came in time"),
        (gibberish, BadResponse, "not HTTP"),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
async def test_after_the_first_byte_the_outcome_is_unknown(
    behave: Behaviour, kind: type[PlanarError], text: str, times: int
) -> None:
    async with server(at_last(behave, times)) as (port, seen):
        error = await failing(port=port, timeout_ms=300, times=times)
    assert type(error) is kind
    assert text in str(error)
    assert error.outcome is Outcome.UNKNOWN
    assert not error.retryable
    assert len(seen) == times


async def test_a_refused_connection_was_not_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = await failing(port=port)
    assert (type(error), error.outcome, error.retryable) == (ExchangeNotAvailable, Outcome.NOT_SENT, True)


async def test_a_name_that_does_not_resolve_was_not_sent() -> None:
    error = await failing(port=80, host="no-such-host.invalid")
    assert (type(error), error.outcome) == (ExchangeNotAvailable, Outcome.NOT_SENT)
    assert "could not be resolved" in str(error)


async def test_a_connection_that_never_opens_was_not_sent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        blockers = [socket.socket() for _ in range(4)]
        try:
            for blocker in blockers:
                blocker.setblocking(False)
                blocker.connect_ex(("127.0.0.1", port))
            error = await failing(port=port, timeout_ms=400)
        finally:
            for blocker in blockers:
                blocker.close()
    assert (type(error), error.outcome) == (RequestTimeout, Outcome.NOT_SENT)


async def test_a_peer_without_tls_was_not_sent_the_request() -> None:
    async with server(fine) as (port, seen):
        error = await failing(port=port, scheme="https")
    assert isinstance(error, NetworkError)
    assert error.outcome is Outcome.NOT_SENT
    assert seen == []


async def test_an_untrusted_certificate_is_not_sent_the_request(tmp_path: Path) -> None:
    context = Authority.ensure(tmp_path).server_context(["127.0.0.1"])
    running = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0, ssl=context)
    try:
        error = await failing(port=running.sockets[0].getsockname()[1], scheme="https")
    finally:
        running.close()
    assert (type(error), error.outcome) == (NetworkError, Outcome.NOT_SENT)
    assert "certificate" in str(error)


async def test_a_proxy_that_cannot_be_reached_or_refuses_was_not_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = free.getsockname()[1]
    error = await failing(port=443, scheme="https", host="api.example", proxy=f"http://127.0.0.1:{gone}")
    assert (type(error), error.outcome) == (NetworkError, Outcome.NOT_SENT)

    async def forbid(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with server(forbid) as (port, _):
        error = await failing(port=443, scheme="https", host="api.example", proxy=f"http://127.0.0.1:{port}")
    assert (type(error), error.outcome) == (NetworkError, Outcome.NOT_SENT)


async def test_the_guard_stops_a_request_before_a_socket_opens() -> None:
    async with server(fine) as (port, seen):
        error = await failing(port=port, rules=HostRules(hosts=("testnet.example",)))
    assert (type(error), error.outcome) == (GuardError, Outcome.NOT_SENT)
    assert seen == []


async def test_the_guard_demands_the_marker() -> None:
    async with server(fine) as (port, seen):
        rules = HostRules(("127.0.0.1",), marker=(("x-simulated-trading", "1"),), ports=(port,), plain=True)
        error = await failing(port=port, rules=rules)
    assert type(error) is GuardError
    assert seen == []


def test_rules_know_domains_and_denied_hosts() -> None:
    rules = HostRules(hosts=("api.a.com", ".a.com"), denied=("testnet.a.com",))
    assert rules.allows("ws.a.com")
    assert not rules.allows("testnet.a.com")
    assert not rules.allows("a.com.evil.org")
    assert not rules.allows("evila.com")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_a_dropped_keep_alive_connection_is_never_sent_again(method: str) -> None:
    """aiohttp by itself sends idempotent methods a second time; here the venue sees each request once."""
    answered = 0

    async def once_then_drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        answered += 1
        await (fine if answered == 1 else close)(reader, writer)

    async with server(once_then_drop) as (port, seen):
        error = await failing(port=port, method=method, times=2)
    assert error.outcome is Outcome.UNKNOWN
    assert len(seen) == 2


async def test_a_redirect_is_not_followed() -> None:
    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with server(elsewhere) as (port, seen):
        assert (await request(port)).status == 302
    assert len(seen) == 1


async def test_every_class_of_aiohttp_has_a_row() -> None:
    """A new exception of aiohttp must be put into a class, not fall through."""
    rows = tuple(row[0] for row in TRANSPORT_OUTCOMES)
    kinds = [
        kind for kind in vars(aiohttp).values() if isinstance(kind, type) and issubclass(kind, aiohttp.ClientError)
    ]
    assert kinds
    assert all(issubclass(kind, rows) for kind in kinds)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_answer_to_nobody_is_nobodys_answer(method: str) -> None:
    """Bytes that come unasked over a kept connection are not taken for the answer to the next request."""
    unasked = asyncio.Event()

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await fine(reader, writer)
        if not unasked.is_set():
            await asyncio.sleep(0.01)  # the connection is kept by then
            writer.write(HEAD + b'Content-Length: 13\r\n\r\n{"orderId":1}')
            await writer.drain()
            unasked.set()

    dialer = Dialer()
    effect = Effect.READ if method == "GET" else Effect.WRITE
    try:
        async with server(twice) as (port, seen):
            route = Route("x", "live", HostRules(hosts=("127.0.0.1",), ports=(port,), plain=True))
            for _ in range(3):
                call = CallContext("call", 2000, Priority.ORDER)
                url = f"http://127.0.0.1:{port}/order"
                answer = await send(dialer.session(route), method, url, {}, None, call, effect, "x")
                assert answer.body == b"{}"
                await unasked.wait()
                await asyncio.sleep(0.01)  # it has arrived
            assert len(seen) == 3
    finally:
        await dialer.close()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", ["long", "packed", "endless"])
async def test_an_answer_without_measure_is_left(kind: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes may unpack to gigabytes: no more is read than the longest answer has."""
    monkeypatch.setattr("planar.transport.http.LONGEST_BODY", 1 << 20)
    megabyte = b"0" * (1 << 20)

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if kind == "packed":
            packed = gzip.compress(megabyte * 64)
            writer.write(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)
            await writer.drain()
            return
        writer.write(HEAD + (b"Content-Length: 1000000000" if kind == "long" else b"Transfer-Encoding: chunked"))
        writer.write(b"\r\n\r\n")
        while True:
            writer.write(megabyte if kind == "long" else b"100000\r\n" + megabyte + b"\r\n")
            await writer.drain()

    async with server(at_last(flood, times)) as (port, seen):
        error = await failing(port=port, times=times)
    assert isinstance(error, BadResponse)
    assert "longer than 1 MiB" in str(error)
    assert (error.outcome, error.retryable) == (Outcome.UNKNOWN, False)
    assert len(seen) == times
