"""Requests and streams of Binance through real proxies, to a local exchange behind TLS with its own authority."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from proxy_kit import HttpProxy, LocalProxy, SocksProxy

from planar.adapters.base import OrderRequest
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.config import Secret
from planar.errors import GuardError, NetworkError, Outcome, PlanarError, RequestTimeout
from planar.models import Amount
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.transport.dialer import Dialer
from planar.transport.names import Names
from planar.transport.pool import MeterPool
from planar.venue.ca import Authority

API = "api.binance.com:443"
STREAM = "stream.binance.com:9443"
LOGIN = "us:er:p%40ss%2Fwörd"
"""As it stands in the URL; `TOLD` is what the proxy is told."""
TOLD = "us:er:p@ss/wörd"
SECRETS = ("p%40ss", "p@ss", "dXM6ZXI6")
KINDS = ("http", "https", "socks5", "socks5h")


class Here(AbstractResolver):
    """Knows every name as this machine, so that nothing leaves it."""

    def __init__(self, *addresses: str) -> None:
        self.asked: list[str] = []
        self.addresses = addresses or ("127.0.0.1",)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        found = [await ThreadedResolver().resolve(one, port, socket.AF_INET) for one in self.addresses]
        return [one for some in found for one in some]

    async def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with start_local_venue(["binance"], seed=4) as started:
        yield started


@pytest.fixture
def tls(tmp_path: Path) -> Authority:
    """Issues the certificate of an HTTPS proxy."""
    return Authority.ensure(tmp_path / "proxy")


def proxy_of(kind: str, venue: LocalVenue, authority: Authority, login: str | None = None) -> LocalProxy:
    assert venue.record.port is not None
    if kind.startswith("socks"):
        return SocksProxy(venue.record.port, login)
    context = authority.server_context(["localhost"]) if kind == "https" else None
    return HttpProxy(venue.record.port, login, context)


def bundle(venue: LocalVenue, authority: Authority, directory: Path) -> str:
    """One file with both authorities: the venue's and the proxy's."""
    path = directory / "company-ca.pem"
    path.write_text(Path(venue.ca).read_text() + authority.path.read_text())
    return str(path)


@asynccontextmanager
async def binance(
    venue: LocalVenue, directory: Path, names: AbstractResolver | None = None, **how: Any
) -> AsyncIterator[CcxtAdapter]:
    dialer, account = Dialer(Names(names or Here())), venue.accounts("binance")[0]
    request = OpeningRequest(
        exchange="binance",
        credentials={"apiKey": account.apiKey, "secret": account.secret},
        fingerprint="f",
        futures=False,
        **{"environment": "live", "timeout_ms": 2_000, "ca_file": venue.ca, **how},
    )
    adapter = open_adapter(request, dialer, MeterPool(), MarketCache(directory / "markets"))
    try:
        yield adapter
    finally:
        await adapter.close()
        await dialer.close()


async def fails(adapter: CcxtAdapter, kind: type[PlanarError], *texts: str, timeout_ms: int = 1_500) -> None:
    """An order and a stream fail before anything is sent, with this class and text, and tell no password."""
    order = OrderRequest(client_id="pl1", symbol="BTC/USDT", side="buy", type="market", amount=Amount("0.001"))
    adapter.exchange.options["ws"] = {"connectionTimeout": timeout_ms}
    for what, name in (
        (adapter.submit(order, timeout_ms=timeout_ms, on_send=lambda: None), "order"),
        (adapter.exchange.watch_ticker("BTC/USDT"), "stream"),
    ):
        with pytest.raises(PlanarError) as caught:
            await what
        error = caught.value
        assert isinstance(error, kind)
        assert error.exchange == "binance" or name == "stream"
        if name == "order" or kind is not RequestTimeout:  # a stream's own limit is what ends then
            assert error.outcome is Outcome.NOT_SENT
            for text in texts:
                assert text in f"{error} {error.hint}"
        seen: BaseException | None = error
        while seen is not None:
            told = f"{seen} {seen!r} {seen.args} {vars(seen)}"
            assert not [word for word in SECRETS if word in told]
            seen = seen.__cause__ or seen.__context__


@pytest.mark.parametrize("login", [None, TOLD], ids=["open", "with a password"])
@pytest.mark.parametrize("kind", KINDS)
async def test_requests_and_streams_go_through(
    kind: str, login: str | None, venue: LocalVenue, tls: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    names = Here()
    async with proxy_of(kind, venue, tls, login) as proxy:
        url = Secret(proxy.url("us:p%40ss" if login is None else "us%3Aer:p%40ss%2Fw%C3%B6rd", kind))
        how: dict[str, Any] = {"proxy": url, "ca_file": bundle(venue, tls, tmp_path)}
        async with binance(venue, tmp_path, names, **how) as adapter:
            markets = await adapter.load_markets(timeout_ms=5_000)
            assert "BTC/USDT" in markets
            order = OrderRequest(client_id="pl1", symbol="BTC/USDT", side="buy", type="market", amount=Amount("0.001"))
            placed = await adapter.submit(order, timeout_ms=5_000, on_send=lambda: None)
            assert placed.id
            async with asyncio.timeout(5):
                ticker = await adapter.exchange.watch_ticker("BTC/USDT")
            assert ticker["symbol"] == "BTC/USDT"
        ways = {API, STREAM} if kind != "socks5" else {"127.0.0.1:443", "127.0.0.1:9443"}
        assert set(proxy.asked) == ways
        # names are resolved where the proxy does not do it
        assert set(names.asked) == ({"api.binance.com", "stream.binance.com"} if kind == "socks5" else set())
        if login is not None:
            assert set(proxy.logins) == {TOLD}
        async with asyncio.timeout(2):
            while proxy.open:
                await asyncio.sleep(0.005)
    assert not [word for word in SECRETS if word in caplog.text]


FAILURES: dict[str, dict[str, tuple[type[PlanarError], str]]] = {
    "http": {
        "refuse": (NetworkError, "it answered HTTP 502 Bad Gateway"),
        "garbage": (NetworkError, "its answer was not HTTP"),
        "close": (NetworkError, "it closed the connection"),
        "hang": (RequestTimeout, "it did not answer in time"),
        "close inside": (NetworkError, "the way through it broke off before TLS stood"),
        "stall inside": (RequestTimeout, "it did not answer in time"),
    },
    "socks5h": {
        "refuse": (NetworkError, "the host takes no connection"),
        "garbage": (NetworkError, "it does not speak SOCKS 5"),
        "close": (NetworkError, "it closed the connection"),
        "hang": (RequestTimeout, "it did not answer in time"),
        "close inside": (NetworkError, "the way through it broke off before TLS stood"),
        "stall inside": (RequestTimeout, "it did not answer in time"),
    },
}
FAILURES["https"] = FAILURES["http"]


@pytest.mark.parametrize(("kind", "how"), [(kind, how) for kind, rows in FAILURES.items() for how in rows])
async def test_a_proxy_that_fails(kind: str, how: Any, venue: LocalVenue, tls: Authority, tmp_path: Path) -> None:
    error, text = FAILURES[kind][how]
    async with proxy_of(kind, venue, tls) as proxy:
        url = Secret(proxy.url("us:p%40ss", kind))
        async with binance(venue, tmp_path, proxy=url, ca_file=bundle(venue, tls, tmp_path)) as adapter:
            await adapter.load_markets(timeout_ms=5_000)
            assert proxy.asked.pop() == API
            await reconnect(adapter)
            proxy.how = how
            await fails(adapter, error, f"through the proxy {proxy.url(scheme=kind)}", text, timeout_ms=600)
            proxy.how = "lead"
            assert await adapter.fetch_time(timeout_ms=2_000), "it goes on by itself"


async def reconnect(adapter: CcxtAdapter) -> None:
    """The next request needs a new connection."""
    connector = adapter.exchange.session.connector
    for kept in connector._conns.values():
        for protocol, _ in kept:
            protocol.close()
    connector._conns.clear()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_password(kind: str, venue: LocalVenue, tls: Authority, tmp_path: Path) -> None:
    async with proxy_of(kind, venue, tls, "us:right") as proxy:
        url = Secret(proxy.url("us:p%40ss", kind))
        async with binance(venue, tmp_path, proxy=url, ca_file=bundle(venue, tls, tmp_path)) as adapter:
            with pytest.raises(NetworkError) as caught:
                await adapter.load_markets(timeout_ms=2_000)
            assert "refused the user or the password" in str(caught.value)
            assert "environment variable" in str(caught.value.hint)
            assert proxy.logins == ["us:p@ss"], "asked once: no second try makes a password right"


@pytest.mark.parametrize("kind", ["http", "socks5h"])
async def test_a_proxy_that_wants_a_password_and_gets_none(kind: str, venue: LocalVenue, tmp_path: Path) -> None:
    async with proxy_of(kind, venue, None, "us:right") as proxy:  # type: ignore[arg-type]
        async with binance(venue, tmp_path, proxy=Secret(proxy.url(scheme=kind))) as adapter:
            with pytest.raises(NetworkError, match="user and a password|user or the password"):
                await adapter.load_markets(timeout_ms=2_000)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_proxy_that_is_down(kind: str, venue: LocalVenue, tls: Authority, tmp_path: Path) -> None:
    async with proxy_of(kind, venue, tls) as proxy:
        url = Secret(proxy.url("us:p%40ss", kind))
    async with binance(venue, tmp_path, proxy=url) as adapter:
        with pytest.raises(NetworkError) as caught:
            await adapter.fetch_time(timeout_ms=800)
    error = caught.value
    assert error.outcome is Outcome.NOT_SENT
    assert error.retryable
    assert "takes no connection (Connection refused)" in str(error)
    assert "proxy in planar.toml" in str(error.hint)


async def test_a_proxy_whose_certificate_is_not_trusted(venue: LocalVenue, tls: Authority, tmp_path: Path) -> None:
    async with proxy_of("https", venue, tls) as proxy:
        async with binance(venue, tmp_path, proxy=Secret(proxy.url())) as adapter:
            with pytest.raises(NetworkError, match="its certificate was not accepted") as caught:
                await adapter.fetch_time(timeout_ms=2_000)
        assert "ca_file" in str(caught.value.hint)
        assert proxy.asked == []


@pytest.mark.parametrize("kind", KINDS)
async def test_the_exchanges_certificate_is_checked_behind_the_proxy(
    kind: str, venue: LocalVenue, tls: Authority, tmp_path: Path
) -> None:
    async with proxy_of(kind, venue, tls) as proxy:
        url = Secret(proxy.url(scheme=kind))
        async with binance(venue, tmp_path, proxy=url, ca_file=str(tls.path)) as adapter:
            with pytest.raises(NetworkError, match="its certificate was not accepted") as caught:
                await adapter.fetch_time(timeout_ms=2_000)
        assert "proxy" not in caught.value.message, "the exchange's certificate, not the proxy's"
        assert proxy.asked != []


@pytest.mark.parametrize("kind", KINDS)
async def test_the_guard_is_asked_before_the_proxy(
    kind: str, venue: LocalVenue, tls: Authority, tmp_path: Path
) -> None:
    urls = {"api": {"public": "https://evil.example/api/v3", "ws": {"spot": "wss://evil.example:9443/ws"}}}
    names = Here()
    async with proxy_of(kind, venue, tls) as proxy:
        url = Secret(proxy.url(scheme=kind))
        async with binance(venue, tmp_path, names, proxy=url, ccxt={"urls": urls}) as adapter:
            for what in (adapter.fetch_time(timeout_ms=2_000), adapter.exchange.watch_ticker("BTC/USDT")):
                with pytest.raises(GuardError):
                    await what
        assert (proxy.asked, names.asked) == ([], [])


async def test_what_ccxt_says_of_a_proxy_has_no_effect(venue: LocalVenue, tls: Authority, tmp_path: Path) -> None:
    async with proxy_of("http", venue, tls) as proxy, proxy_of("http", venue, tls) as other:
        async with binance(venue, tmp_path, proxy=Secret(proxy.url())) as adapter:
            await adapter.load_markets(timeout_ms=5_000)
            adapter.exchange.wssProxy = adapter.exchange.httpsProxy = other.url()
            await adapter.fetch_time(timeout_ms=2_000)
            async with asyncio.timeout(5):
                await adapter.exchange.watch_ticker("BTC/USDT")
        assert other.asked == []
        assert set(proxy.asked) == {API, STREAM}


@pytest.mark.parametrize(
    ("no_proxy", "through"),
    [(("stream.binance.com",), {API}), ((".binance.com",), set()), (("*",), set()), (("binance.com",), {API, STREAM})],
)
@pytest.mark.parametrize("kind", ["http", "socks5h"])
async def test_hosts_that_are_reached_without_it(
    kind: str, no_proxy: tuple[str, ...], through: set[str], venue: LocalVenue, tls: Authority, tmp_path: Path
) -> None:
    names = Here()
    async with proxy_of(kind, venue, tls) as proxy:
        how = {"proxy": Secret(proxy.url(scheme=kind)), "no_proxy": no_proxy}
        async with binance(venue, tmp_path, names, **how) as adapter:
            session: aiohttp.ClientSession = adapter.exchange.session
            for what in (session.get(f"https://{API}/api/v3/ping"), session.ws_connect(f"wss://{STREAM}/ws")):
                with contextlib.suppress(aiohttp.ClientConnectorError):  # nobody is at these ports of this machine
                    async with what:
                        pass
        assert set(proxy.asked) == through
        assert set(names.asked) == {way.partition(":")[0] for way in {API, STREAM} - through}


async def test_the_local_venues_socket_needs_no_proxy(venue: LocalVenue, tls: Authority, tmp_path: Path) -> None:
    async with proxy_of("http", venue, tls) as proxy:
        how = {"environment": "local", "unix_socket": venue.record.socket, "proxy": Secret(proxy.url())}
        async with binance(venue, tmp_path, **how) as adapter:
            await adapter.load_markets(timeout_ms=5_000)
            async with asyncio.timeout(5):
                await adapter.exchange.watch_ticker("BTC/USDT")
        assert proxy.asked == []


async def test_the_address_that_a_proxy_reaches_is_found(venue: LocalVenue, tls: Authority, tmp_path: Path) -> None:
    async with proxy_of("socks5", venue, tls) as proxy:
        proxy.closed_hosts = {"127.0.0.7", "127.0.0.8"}
        names = Here("127.0.0.7", "127.0.0.8", "127.0.0.1")
        async with binance(venue, tmp_path, names, proxy=Secret(proxy.url(scheme="socks5"))) as adapter:
            await adapter.fetch_time(timeout_ms=2_000)
        assert proxy.asked == ["127.0.0.7:443", "127.0.0.8:443", "127.0.0.1:443"]
        names.addresses = ("127.0.0.7", "127.0.0.8")
        async with binance(venue, tmp_path, names, proxy=Secret(proxy.url(scheme="socks5"))) as adapter:
            with pytest.raises(NetworkError, match="the host takes no connection"):
                await adapter.fetch_time(timeout_ms=500)


async def test_a_name_that_this_machine_does_not_know(venue: LocalVenue, tls: Authority, tmp_path: Path) -> None:
    """With socks5:// it is asked for here: that it fails is not the proxy's doing."""

    class Nowhere(Here):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with proxy_of("socks5", venue, tls) as proxy:
        async with binance(venue, tmp_path, Nowhere(), proxy=Secret(proxy.url(scheme="socks5"))) as adapter:
            with pytest.raises(NetworkError, match="its host name could not be resolved") as caught:
                await adapter.fetch_time(timeout_ms=500)
        assert caught.value.outcome is Outcome.NOT_SENT
        assert proxy.asked == []
