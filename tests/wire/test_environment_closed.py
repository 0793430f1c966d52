"""Whatever CCXT is told, nothing leaves the environment: counted below every socket, for every id that has a sandbox.

Each id is opened as a workspace opens it. Endpoints of every section, unified calls, orders and streams are tried; that
they fail one way or another is expected, where they tried to go is what counts.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from socket_spy import Spy, spying

from planar.adapters import lazy_ccxt
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.ccxt_seam import seam_class
from planar.adapters.exchange_ids import exchange_ids
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.adapters.profile import hosts_of
from planar.errors import GuardError, NotSupported
from planar.transport.context import CallContext, Priority, calling
from planar.transport.dialer import Dialer
from planar.transport.pool import MeterPool

LIMIT_S = 0.2
"""For one try. Nothing is answered, so a try that is let out fails at once."""
SYMBOL = "BTC/USDT"
KEY = "0x" + "1" * 63 + "7"
CREDENTIALS = {
    **dict.fromkeys(("apiKey", "password", "uid", "login", "twofa", "token", "accountId"), "12345"),
    "secret": base64.b64encode(b"a secret of thirty-two characters").decode(),
    "privateKey": KEY,
    "walletAddress": "0x" + "a" * 40,
}
UNIFIED: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("fetch_time", ()),
    ("fetch_markets", ()),
    ("fetch_ticker", (SYMBOL,)),
    ("fetch_balance", ()),
    ("create_order", (SYMBOL, "limit", "buy", 1.0, 100.0)),
    ("cancel_order", ("1", SYMBOL)),
    ("fetch_open_orders", (SYMBOL,)),
    ("watch_ticker", (SYMBOL,)),
    ("watch_order_book", (SYMBOL,)),
    ("watch_trades", (SYMBOL,)),
    ("watch_orders", (SYMBOL,)),
    ("create_order_ws", (SYMBOL, "limit", "buy", 1.0, 100.0)),
)
PROXIES = (
    ("proxyUrl", "wsProxy"),
    ("proxy_url", "ws_proxy"),
    ("httpProxy", "wssProxy"),
    ("http_proxy", "wss_proxy"),
    ("httpsProxy", "wsSocksProxy"),
    ("https_proxy", "ws_socks_proxy"),
    ("socksProxy", "wsProxy"),
    ("socks_proxy", "wssProxy"),
    ("aiohttp_proxy", "wsProxy"),
    ("proxy", "wssProxy"),
)
"""Names of CCXT; it refuses more than one of each kind at a time."""
CALLBACKS = (
    *("proxyUrlCallback", "proxy_url_callback", "httpProxyCallback", "http_proxy_callback"),
    *("httpsProxyCallback", "https_proxy_callback", "socksProxyCallback", "socks_proxy_callback"),
)

lazy_ccxt.install()


def described(exchange_id: str) -> dict[str, Any]:
    """What CCXT says of an exchange before anybody configures it."""
    found: dict[str, Any] = seam_class(exchange_id)().describe()
    return found


SANDBOXES = [one for one in exchange_ids() if described(one)["urls"].get("test")]
SHARED = {"myokx", "okx", "okxus", "weex"}
"""Their sandbox is the live host with a header; it is not opened."""


@pytest.fixture
def spy() -> Iterator[Spy]:
    with spying() as active:
        yield active


class Once:
    """In the place of the policy of retries: what fails here fails for good."""

    def pause_s(self, *_: Any) -> None:
        """Never again."""


class Tries:
    """What came of the tries at one exchange.

    Attributes:
        stopped: what the guard refused, as "section METHOD", "socket" or the name of a unified call.
        failed: what failed otherwise, and how.
    """

    def __init__(self, adapter: CcxtAdapter) -> None:
        self.exchange: Any = adapter.exchange
        self.stopped: list[str] = []
        self.failed: list[str] = []

    async def all(self, sockets: list[str]) -> None:
        """Endpoints, unified calls, and these addresses of streams."""
        for section, method, path in endpoints(self.exchange.api):
            fill = dict.fromkeys(self.exchange.extract_params(path), "1")
            await self.one(f"{section} {method}", lambda s=section, m=method, p=path, f=fill: self._send(p, s, m, f))
        with contextlib.suppress(Exception):
            self.exchange.set_markets([self.exchange.safe_market_structure(market())])
        for name, arguments in UNIFIED:
            await self.one(name, lambda n=name, a=arguments: getattr(self.exchange, n)(*a))
        for url in sockets:
            await self.one("socket", lambda u=url: self.exchange.watch(u, "news", {"op": "subscribe"}, "news"))

    def _send(self, path: str, section: Any, method: str, params: dict[str, str]) -> Awaitable[Any]:
        sent: Awaitable[Any] = self.exchange.fetch2(path, section, method, params)
        return sent

    async def one(self, name: str, call: Callable[[], Awaitable[Any]]) -> None:
        try:
            with calling(CallContext(name, int(LIMIT_S * 1000), Priority.ORDER)):
                async with asyncio.timeout(LIMIT_S):
                    await call()
        except GuardError as error:
            assert self.exchange.id in str(error.hint)
            self.stopped.append(name)
        except Exception as error:  # where it went is what counts, and the spy has seen that
            self.failed.append(f"{name}: {error}")


def endpoints(tree: Any, section: tuple[str, ...] = ()) -> Iterator[tuple[Any, str, str]]:
    """One endpoint of every (section, method): what CCXT's `sign` tells apart."""
    for name, below in tree.items():
        if name.upper() in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            paths = list(below)
            if paths:
                yield (section[0] if len(section) == 1 else list(section)), name.upper(), str(paths[0])
        elif isinstance(below, Mapping):
            yield from endpoints(below, (*section, name))


def market() -> dict[str, Any]:
    return {
        "id": "BTCUSDT",
        "symbol": SYMBOL,
        "base": "BTC",
        "quote": "USDT",
        "baseId": "BTC",
        "quoteId": "USDT",
        "type": "spot",
        "spot": True,
        "swap": False,
        "active": True,
        "limits": {},
        "info": {},
        "precision": {"amount": 1e-6, "price": 1e-2},
    }


def replaced(value: Any, url: str) -> Any:
    """`value` with `url` in the place of every address and every host name in it."""
    if isinstance(value, Mapping):
        return {key: replaced(inner, url) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner, url) for inner in value]
    if isinstance(value, str) and "://" in value:
        return url.replace("https", "wss") if value.startswith("ws") else url
    return value


def aimed(exchange_id: str, tables: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Configuration that leads everything that CCXT lets one set to `tables` and `host`."""
    description = described(exchange_id)
    url = f"https://{host}"
    urls = {**replaced(description["urls"], url), **tables}
    options = {**replaced(description.get("options", {}), url), "sandboxMode": False, "hostname": host, "host": host}
    return {
        "urls": urls,
        "hostname": host,
        "options": options,
        "userAgent": url,
        "origin": url,
        "enableUnifiedLogging": True,
        "aiohttp_trust_env": True,
        "requests_trust_env": True,
        "isSandboxModeEnabled": False,
        "sandbox": False,
        "testnet": False,
        "verify": False,
    }


@contextlib.asynccontextmanager
async def opened(
    exchange_id: str, environment: str, directory: Path, ccxt: Mapping[str, Any] | None = None
) -> AsyncIterator[CcxtAdapter]:
    dialer = Dialer()
    request = OpeningRequest(
        exchange=exchange_id,
        environment=environment,
        credentials=CREDENTIALS,
        fingerprint="f",
        timeout_ms=int(LIMIT_S * 1000),
        pacing=False,
        allow_unjournaled=True,
        ccxt=ccxt or {},
    )
    adapter: CcxtAdapter | None = None
    try:
        adapter = open_adapter(request, dialer, MeterPool(), MarketCache(directory))
        adapter.exchange.planar.monitor.retries = Once()
        yield adapter
    finally:
        if adapter is not None:
            await adapter.close()
        await dialer.close()


def streams_of(table: Any, hostname: str | None) -> list[str]:
    """An address on each host of streams in a table of urls."""
    return [f"wss://{host}/a/stream" for host in hosts_of(table, hostname, ("ws", "wss"))]


def bare(exchange_id: str) -> tuple[dict[str, Any], str | None, list[str], list[str]]:
    """CCXT's urls and hostname, the live hosts, and those of the sandbox alone."""
    description = described(exchange_id)
    urls, hostname = description["urls"], description.get("hostname")
    live = hosts_of(urls["api"], hostname)
    return urls, hostname, live, [host for host in hosts_of(urls["test"], hostname) if host not in live]


def test_the_spy_counts_what_leaves(spy: Spy) -> None:
    async def main() -> None:
        for host in ("api.binance.com", "192.0.2.9"):
            with pytest.raises(OSError, match="spy|refused|connect"):
                await asyncio.get_running_loop().create_connection(asyncio.Protocol, host, 443)

    asyncio.run(main())
    assert spy.dialed == ["api.binance.com", "192.0.2.9"]
    assert spy.looked_up == ["api.binance.com"]
    spy.clear()
    with pytest.raises(OSError, match="spy"):
        http.client.HTTPSConnection("api.kraken.com").request("GET", "/")
    with socket.socket() as plain, pytest.raises(OSError, match="spy"):
        plain.connect(("192.0.2.8", 80))
    with pytest.raises(OSError, match="spy"):
        socket.gethostbyname("past.example")
    assert spy.hosts == {"api.kraken.com", "192.0.2.8", "past.example"}


def test_most_exchanges_that_have_a_sandbox_are_opened() -> None:
    assert len(SANDBOXES) >= 40
    assert {"binance", "bybit", "deribit"} < set(SANDBOXES)


@pytest.mark.parametrize("exchange_id", sorted(SHARED & set(SANDBOXES)))
async def test_a_sandbox_on_the_live_hosts_is_not_opened(exchange_id: str, spy: Spy, tmp_path: Path) -> None:
    _, _, live, _ = bare(exchange_id)
    with pytest.raises(NotSupported):
        async with opened(exchange_id, "sandbox", tmp_path, aimed(exchange_id, {}, live[0])):
            pass
    assert spy.hosts == set()


@pytest.mark.parametrize("exchange_id", [one for one in SANDBOXES if one not in SHARED])
async def test_nothing_leaves_a_sandbox(exchange_id: str, spy: Spy, tmp_path: Path) -> None:
    urls, hostname, live, tests = bare(exchange_id)
    # as it is: the tries do reach the point of connecting, at hosts of the sandbox alone
    async with opened(exchange_id, "sandbox", tmp_path) as adapter:
        rules = adapter.exchange.planar.session.connector.guard._rules
        sockets = streams_of(urls["test"], hostname)
        await Tries(adapter).all(sockets)
        assert {url.split("/")[2] for url in sockets} - {*live} <= set(spy.dialed)
        assert spy.dialed
        assert spy.hosts <= set(rules.hosts)
        assert set(spy.dialed) & set(tests)

    # every setting leads to the live hosts
    spy.clear()
    everywhere = {name: urls["api"] for name in ("api", "test", "demo", "demotrading") if name == "api" or name in urls}
    async with opened(exchange_id, "sandbox", tmp_path, aimed(exchange_id, everywhere, live[0])) as adapter:
        adapter.exchange.urls = {**adapter.exchange.urls, **everywhere}
        tries = Tries(adapter)
        await tries.all(streams_of(urls["api"], hostname) or [f"wss://{live[0]}/a/stream"])
        assert spy.hosts == set()
        assert "socket" in tries.stopped
        assert [name for name in tries.stopped if name != "socket"], "no request came as far as the guard"
    # addresses of the sandbox, but with proxies and headers of the live hosts
    async with opened(exchange_id, "sandbox", tmp_path) as adapter:
        section, method, path = next(endpoints(adapter.exchange.api))
        for number, (of_requests, of_streams) in enumerate(PROXIES):
            for name in {name for pair in PROXIES for name in pair}:
                setattr(adapter.exchange, name, None)
            proxy = f"http://{live[0]}:{8000 + number}"
            setattr(adapter.exchange, of_requests, proxy)
            setattr(adapter.exchange, of_streams, proxy)
            stream = f"wss://{tests[0]}/{number}"
            await Tries(adapter).one("socket", lambda url=stream: adapter.exchange.watch(url, "news"))
            await Tries(adapter).one("request", lambda: adapter.exchange.fetch2(path, section, method))
        for name in CALLBACKS:
            setattr(adapter.exchange, name, lambda *_: f"http://{live[0]}:9000")
        adapter.exchange.headers = {"Host": live[0]}
        adapter.exchange.options["ws"] = {"options": {"headers": {"Host": live[0]}}}
        tries = Tries(adapter)
        await tries.all([f"wss://{tests[0]}/host"])
        assert spy.hosts <= set(rules.hosts)
        assert tries.stopped, "a Host header led away from the URL"


@pytest.mark.parametrize("exchange_id", [one for one in SANDBOXES if one not in SHARED])
async def test_no_live_call_goes_to_a_sandbox(exchange_id: str, spy: Spy, tmp_path: Path) -> None:
    urls, _, _, tests = bare(exchange_id)
    settings = aimed(exchange_id, {"api": urls["test"]}, tests[0])
    async with opened(exchange_id, "live", tmp_path, settings) as adapter:
        adapter.exchange.urls = {**adapter.exchange.urls, "api": urls["test"]}
        tries = Tries(adapter)
        await tries.all([f"wss://{host}/a/stream" for host in tests])
        assert not spy.hosts & set(tests)
        assert "socket" in tries.stopped
        assert [name for name in tries.stopped if name != "socket"], "no request came as far as the guard"
