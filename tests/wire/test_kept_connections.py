"""Requests over kept connections are written by Planar itself: byte for byte what aiohttp's session writes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yarl
from hypothesis import given, settings
from hypothesis import strategies as st

from planar.errors import GuardError, Outcome, RequestTimeout
from planar.transport import http
from planar.transport.context import CallContext, Effect, Priority
from planar.transport.dialer import Dialer, Route
from planar.transport.guard import HostRules
from planar.transport.kept import Origin, Request, Way
from planar.venue.ca import Authority

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Listener:
    """Answers each request with `answer` and keeps what came, connection by connection.

    Attributes:
        connections: the bytes of the requests of each.
        answer: what each request is told.
    """

    def __init__(self) -> None:
        self.connections: list[list[bytes]] = []
        self.answer = FINE
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen: list[bytes] = []
        self.connections.append(seen)
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                length = request.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                seen.append(request + await reader.readexactly(int(length or b"0")))
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    listener = Listener()
    running = await asyncio.start_server(listener.handle, "127.0.0.1", 0, ssl=context)
    listener.port = running.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        running.close()


async def ask(
    dialer: Dialer,
    listener: Listener,
    method: str = "GET",
    target: str = "/order?a=1",
    headers: dict[str, str] | None = None,
    body: str | None = None,
    *,
    scheme: str = "http",
    ca_file: str | None = None,
    timeout_ms: int = 5_000,
    marker: tuple[tuple[str, str], ...] = (),
) -> http.Answer:
    rules = HostRules(hosts=("127.0.0.1",), ports=(listener.port,), plain=True, marker=marker)
    call = CallContext("call", timeout_ms, Priority.ORDER)
    effect = Effect.READ if method == "GET" else Effect.WRITE
    session = dialer.session(Route("x", "live", rules, ca_file=ca_file))
    url = f"{scheme}://127.0.0.1:{listener.port}{target}"
    return await http.send(session, method, url, headers, body, call, effect, "x")


@pytest.fixture
def by_session(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that aiohttp's session was asked for."""
    asked: list[str] = []
    original = http._by_session

    async def spy(session: object, target: object, *args: object) -> http.Answer:
        asked.append(str(target))
        return await original(session, target, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(http, "_by_session", spy)
    return asked


@pytest.fixture
async def dialer() -> AsyncIterator[Dialer]:
    opened = Dialer()
    yield opened
    await opened.close()


NAMES = st.sampled_from(
    ["X-MBX-APIKEY", "content-type", "Accept", "user-agent", "Accept-Encoding", "API-Key", "x-empty", "Connection"]
)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(str.strip)
TARGETS = st.sampled_from(
    [
        "/",
        "/api/v3/order",
        "/a?b=c",
        "/a?b=%20c&d=%5B%221%22%5D",
        "/a?",
        "/a/../b?x=y+z",
        "/0/private/AddOrder",
        "/%41?a",
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]),
    target=TARGETS,
    headers=st.none() | st.dictionaries(NAMES, VALUES, max_size=4),
    body=st.none() | st.sampled_from(["", "a=b&c=d", '{"a": "\u20ac"}']),
)
async def test_they_are_the_same_bytes(
    method: str, target: str, headers: dict[str, str] | None, body: str | None
) -> None:
    if headers and "Connection" in headers:
        headers["Connection"] = "close"
    async with listening() as listener:
        listener.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        dialer = Dialer()
        try:
            await ask(dialer, listener)
            await ask(dialer, listener, method, target, headers, body)
            await dialer.close()
            await ask(dialer, listener, method, target, headers, body)
        finally:
            await dialer.close()
    (_, kept), (new,) = listener.connections
    assert kept == new


async def test_only_the_first_request_needs_the_session(dialer: Dialer, by_session: list[str]) -> None:
    async with listening() as listener:
        for method in ("GET", "POST", "DELETE", "GET"):
            answer = await ask(dialer, listener, method, body="a=b" if method == "POST" else None)
            assert (answer.status, answer.reason, answer.body) == (200, "OK", b"{}")
            assert answer.headers["content-length"] == "2"
    assert len(by_session) == 1
    assert [len(seen) for seen in listener.connections] == [4]


async def test_over_tls_too(dialer: Dialer, tmp_path: Path, by_session: list[str]) -> None:
    authority = Authority.ensure(tmp_path)
    async with listening(authority.server_context(["127.0.0.1"])) as listener:
        for _ in range(3):
            assert (await ask(dialer, listener, scheme="https", ca_file=str(authority.path))).body == b"{}"
    assert len(by_session) == 1
    assert [len(seen) for seen in listener.connections] == [3]


async def test_the_guard_is_asked_about_each_request(dialer: Dialer, by_session: list[str]) -> None:
    marker = (("x-simulated-trading", "1"),)
    async with listening() as listener:
        await ask(dialer, listener, headers=dict(marker), marker=marker)
        with pytest.raises(GuardError, match="without the header x-simulated-trading"):
            await ask(dialer, listener, marker=marker)
        with pytest.raises(GuardError, match="user name"):
            await ask(dialer, listener, target="@evil.example/", marker=marker)
        with pytest.raises(GuardError, match="control character"):
            await ask(dialer, listener, target="/a\r\nHost: evil", headers=dict(marker), marker=marker)
    assert [len(seen) for seen in listener.connections] == [1]
    assert len(by_session) == 1


async def test_a_header_that_would_end_its_line_is_not_sent(dialer: Dialer) -> None:
    async with listening() as listener:
        await ask(dialer, listener)
        with pytest.raises(ValueError, match="control character"):
            await ask(dialer, listener, headers={"X-Key": "a\r\nHost: evil"})
        await ask(dialer, listener)
    seen = b"".join(one for connection in listener.connections for one in connection)
    assert seen.count(b"GET ") == 2
    assert b"evil" not in seen


async def test_a_word_in_between_is_no_answer(dialer: Dialer) -> None:
    async with listening() as listener:
        await ask(dialer, listener)
        listener.answer = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + FINE
        assert (await ask(dialer, listener)).body == b"{}"


async def test_names_that_come_twice_are_joined(dialer: Dialer) -> None:
    async with listening() as listener:
        await ask(dialer, listener)
        listener.answer = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\n{}"
        assert (await ask(dialer, listener)).headers["X-A"] == "1, 2"


async def test_a_connection_whose_answer_may_still_come_is_not_used_again(dialer: Dialer) -> None:
    async with listening() as listener:
        await ask(dialer, listener)
        listener.answer = b""
        with pytest.raises(RequestTimeout) as caught:
            await ask(dialer, listener, timeout_ms=50)
        assert caught.value.outcome is Outcome.UNKNOWN
        waiting = asyncio.ensure_future(ask(dialer, listener))
        while len(listener.connections) < 2 or not listener.connections[-1]:
            await asyncio.sleep(0.001)
        waiting.cancel()  # its caller leaves
        with pytest.raises(asyncio.CancelledError):
            await waiting
        listener.answer = FINE
        assert (await ask(dialer, listener)).body == b"{}"
    assert [len(seen) for seen in listener.connections] == [2, 1, 1]


def test_what_is_sent_shows_no_secret() -> None:
    url = "https://api.example/order?signature=abc"
    request = Request("POST", url, {"X-Key": "def"}, b"secret=ghi", write=True)
    way = Way(Origin(yarl.URL("https://api.example"), None), "/order", "/order?signature=abc")  # type: ignore[arg-type]
    assert repr(request) == "Request('POST', write=True)"
    assert repr(way) == "Way('https://api.example/order')"
