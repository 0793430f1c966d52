"""The guard judges the whole address, as it will be dialed, and what goes with it."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

import planar
from planar.errors import GuardError, Outcome
from planar.transport.context import CallContext, Effect, Priority
from planar.transport.dialer import Dialer, Route
from planar.transport.guard import Guard, HostRules, address
from planar.transport.http import send
from planar.transport.reuse import Sending, sending

RULES = HostRules(hosts=("api.good.com", ".good.net"), denied=("test.good.net",), ports=(443, 9443))


def guard(rules: HostRules = RULES) -> Guard:
    return Guard("some", "sandbox", rules)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.good.com/x",
        "https://API.Good.COM/x",
        "wss://api.good.com:9443/ws",
        "wss://a.b.good.net/ws?key=1",
        "https://api.good.com:443/x",
    ],
)
def test_what_belongs_to_the_environment_passes(url: str) -> None:
    for encoded in (True, False):
        guard().check(URL(url, encoded=encoded), {})


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://api.good.com/", "http is not https or wss"),
        ("ws://api.good.com/", "ws is not https or wss"),
        ("//api.good.com/", "no scheme is not https or wss"),
        ("https://api.good.com:8443/", "port 8443"),
        ("https://api.good.com./", "not a host"),
        ("https://x.good.net./", "not a host"),
        ("https://x%00.good.net/", "not a host"),
        ("https://api.good.com.evil.com/", "not a host"),
        ("https://evilgood.net/", "not a host"),
        ("https://good.net/", "not a host"),
        ("https://test.good.net/", "not a host"),
        ("https://TEST.good.net/", "not a host"),
        ("https://ws.test.good.net/", "not a host"),
        ("https://192.0.2.1/", "not a host"),
        ("https://3221225985/", "not a host"),
        ("https://[::1]/", "not a host"),
        ("https://[::ffff:192.0.2.1]/", "not a host"),
        ("https://api.gооd.com/", "not a host"),  # two Cyrillic letters
        ("https://api.good.com@evil.com/", "evil.com"),
        ("https:///x", "not a host"),
    ],
)
def test_what_does_not_is_stopped(url: str, text: str) -> None:
    with pytest.raises(GuardError, match=re.escape(text)) as caught:
        guard().check(URL(url), {})
    error = caught.value
    assert (error.outcome, error.exchange, error.retryable) == (Outcome.NOT_SENT, "some", False)
    for word in ("sandbox", "api.good.com", "443, 9443", "[some.ccxt]"):
        assert word in str(error.hint)


def test_a_host_that_only_looks_different_is_judged_as_it_is_dialed() -> None:
    guard().check(URL("https://ａpi.good.com/"), {})  # a full-width letter, which IDNA makes an ordinary one


def test_the_host_header_must_be_the_urls() -> None:
    url = URL("https://api.good.com:9443/")
    guard().check(url, {"Host": "API.good.com:9443"})
    for name in ("api.live.com", "api.good.com", "api.good.com:9443.live.com", ""):
        with pytest.raises(GuardError, match="Host header"):
            guard().check(url, {"Host": name})


@pytest.mark.parametrize(
    "url",
    ["https://api.good.com@evil.com/x", "https://user:pass@api.good.com/x?a=1", "wss://@api.good.com/", "//u@a.com"],
)
def test_no_address_holds_a_login(url: str) -> None:
    for encoded in (True, False):
        with pytest.raises(GuardError, match="user name or password") as caught:
            address(url, "some", encoded=encoded)
        assert "pass@" not in str(caught.value)
    address("https://api.good.com/a@b?c=@d#@", "some", encoded=True)


@pytest.mark.parametrize("url", ["https://api.good.com\\.evil.com/", "https://[::1/", "https://api.good.com:port/"])
def test_what_is_no_url_is_stopped(url: str) -> None:
    with pytest.raises(GuardError, match="no URL"):
        address(url, "some", encoded=True)


@pytest.mark.parametrize(
    "url", ["https://api.good.com/a\r\nHost: evil.com", "https://api.good.com/?a=\x00", "https://a.com/\x7f"]
)
def test_no_address_ends_its_line(url: str) -> None:
    for encoded in (True, False):
        with pytest.raises(GuardError, match="control character"):
            address(url, "some", encoded=encoded)


async def test_a_request_with_a_login_or_another_host_header_opens_nothing() -> None:
    dialer, asked = Dialer(), CallContext("fetch_time", 1_000, Priority.MARKET)
    session = dialer.session(Route("some", "sandbox", RULES))
    try:
        for url, headers in (
            ("https://u:p@api.good.com/", {}),
            ("https://ａpi.good.com/", {}),
            ("https://api.good.com/", {"host": "api.live.com"}),
        ):
            with pytest.raises(GuardError):
                await send(session, "GET", url, headers, None, asked, Effect.READ, "some")
        with pytest.raises(GuardError):
            await session.ws_connect("wss://api.good.com/ws", headers={"Host": "api.live.com"})
    finally:
        await dialer.close()


async def test_a_stream_follows_no_redirect(tmp_path: Path) -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("https://api.good.com/other")

    app = web.Application()
    app.router.add_get("/{path}", elsewhere)
    runner, dialer, path = web.AppRunner(app), Dialer(), str(tmp_path / "s")
    await runner.setup()
    await web.UnixSite(runner, path).start()
    session = dialer.session(Route("some", "local", RULES, unix_socket=path))
    before = sending.set(Sending(write=False))
    try:
        with pytest.raises(GuardError, match="a redirect to api.good.com was stopped"):
            await session.ws_connect("wss://api.good.com/ws")
    finally:
        sending.reset(before)
        await dialer.close()
        await runner.cleanup()
    assert asked == ["/ws"]
    assert issubclass(GuardError, planar.errors.PlanarError)
    assert not issubclass(GuardError, aiohttp.ClientError)


OPENERS = re.compile(
    r"open_connection|open_unix_connection|create_connection\(|create_unix_connection|ClientSession\(|socket\.socket\("
    r"|TCPConnector\(|UnixConnector\(|sock_connect|HTTPS?Connection\(|urlopen|import requests|getaddrinfo\("
    r"|import redis|from redis|datagram_endpoint"
)
WHO_OPENS = {
    "transport/dialer.py": "behind the guard",
    "adapters/ccxt_socket.py": "streams, over the Dialer's session",
    "transport/names.py": "looks up names for the Dialer",
    "transport/local.py": "asks the local venue for its accounts, over its Unix socket",
    "transport/sinks.py": "alarms, to addresses that the user wrote",
    "transport/shared_redis.py": "the Redis that the user named",
    "transport/shared_redis_link.py": "the Redis that the user named",
    "transport/addresses.py": "asks the system which own address it would use, and sends nothing",
    "doctor/network_checks.py": "looks up the host of the environment, and opens nothing",
    "runtime/simdoors.py": "connections in memory",
    "venue/": "the local venue itself and its clients, on this machine",
}
"""All of src/planar that opens a socket or looks up a name."""


def test_nothing_else_opens_a_socket() -> None:
    root = Path(planar.__file__).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if any(OPENERS.search(line.partition("#")[0]) for line in path.read_text(encoding="utf-8").splitlines())
    }
    assert {"transport/dialer.py", "transport/sinks.py", "transport/local.py"} <= found
    assert not [name for name in sorted(found) if not name.startswith(tuple(WHO_OPENS))]
