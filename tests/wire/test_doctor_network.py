"""The way to an exchange, on the real hosts' names through the local venue's proxy: names, certificates, proxies.

No request leaves this machine: there is no way to a live host but the proxy.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from planar.doctor import Diagnosis, Result, diagnose
from planar.venue.client import VenueControl, start_private
from planar.venue.faults import FailHandshake, FaultRule, HangConnection, RefuseTunnel
from planar.venue.registry import VenueRecord

HOSTS = {"binance": "api.binance.com", "kraken": "api.kraken.com"}
VENUES = tuple(HOSTS)
Examine = Callable[..., Awaitable[Diagnosis]]


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueRecord]:
    loop = asyncio.new_event_loop()
    private = loop.run_until_complete(start_private(VENUES, seed=6))
    yield private.record
    loop.run_until_complete(private.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
async def control(venue: VenueRecord) -> AsyncIterator[VenueControl]:
    async with VenueControl(venue) as opened:
        yield opened
        await opened.clear_faults()


@pytest.fixture
def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as once:
        once.bind(("127.0.0.1", 0))
        port: int = once.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own, and a resolver that knows this machine only."""
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PLANAR__BUDGET__SHARED", "false")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    real = socket.getaddrinfo

    def here_only(host: Any, *args: Any, **options: Any) -> Any:
        if host not in ("127.0.0.1", "localhost"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here_only)


@pytest.fixture
def examine(monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Examines a live exchange with these keys of its section."""

    async def run(name: str, symbol: str | None = None, **keys: object) -> Diagnosis:
        for key, value in {"environment": "live", "timeout": 800, **keys}.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            monkeypatch.setenv(f"PLANAR__{name.upper()}__{key.upper()}", text)
        return await diagnose(name, symbol)

    return run


def proxy_of(venue: VenueRecord) -> str:
    return f"http://127.0.0.1:{venue.port}"


def failed(found: Diagnosis) -> list[str]:
    return [result.check for result in found.checks if result.level == "fail"]


def says(result: Result, *words: str) -> None:
    text = f"{result.level} {result.text} {result.fix}"
    for word in words:
        assert word in text, f"{word!r} is not in {text!r}"


@pytest.mark.parametrize("name", VENUES)
async def test_the_proxy_that_leads_there(name: str, examine: Examine, venue: VenueRecord) -> None:
    found = await examine(name, "BTC/USDT", proxy=proxy_of(venue), verify_ssl=False)
    assert found.level == "warn"
    says(found.check("host"), HOSTS[name], "live")
    says(found.check("dns"), "skip", "the proxy resolves")
    says(found.check("tls"), "warn", "remove verify_ssl = false")
    says(found.check("proxy"), "ok", proxy_of(venue))
    says(found.check("symbol"), "ok")
    says(found.check("latency"), "p50")


@pytest.mark.parametrize("name", VENUES)
async def test_without_credentials_the_private_checks_say_how_to_add_them(
    name: str, examine: Examine, venue: VenueRecord
) -> None:
    found = await examine(name, proxy=proxy_of(venue), verify_ssl=False)
    for check in ("credentials", "private", "rights", "addresses"):
        says(found.check(check), "skip", "apiKey and secret are missing for live", f"[exchanges.{name}]")
    assert failed(found) == []


async def test_a_key_of_another_environment_is_never_used(
    examine: Examine, venue: VenueRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANAR_BINANCE_SANDBOX_APIKEY", "k" * 64)
    monkeypatch.setenv("PLANAR_BINANCE_SANDBOX_SECRET", "s" * 64)
    found = await examine("binance", proxy=proxy_of(venue), verify_ssl=False)
    says(found.check("environment"), "warn", "credentials for sandbox only", 'environment = "sandbox"')
    says(found.check("private"), "skip")


async def test_one_key_in_two_environments_is_a_mistake(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    for section in ("BINANCE", "BINANCE_SANDBOX"):
        monkeypatch.setenv(f"PLANAR_{section}_APIKEY", "k" * 64)
        monkeypatch.setenv(f"PLANAR_{section}_SECRET", "s" * 64)
    found = await examine("binance")
    assert failed(found) == ["configuration"]
    says(found.check("configuration"), "the same apiKey", "remove it from the wrong section")


@pytest.mark.parametrize("name", VENUES)
async def test_a_certificate_that_nobody_vouches_for(name: str, examine: Examine, venue: VenueRecord) -> None:
    found = await examine(name, proxy=proxy_of(venue))
    assert failed(found) == ["tls"]
    says(found.check("tls"), HOSTS[name], "certificate", "never set verify_ssl = false")
    says(found.check("public"), "skip", "tls failed")


async def test_a_handshake_that_fails(examine: Examine, venue: VenueRecord, control: VenueControl) -> None:
    await control.add_fault(FaultRule(fault=FailHandshake(), count=None))
    found = await examine("kraken", proxy=proxy_of(venue), verify_ssl=False)
    assert failed(found) == ["tls"]
    says(found.check("tls"), "api.kraken.com")


async def test_a_proxy_that_is_not_there(examine: Examine, closed_port: int) -> None:
    found = await examine("binance", proxy=f"http://user:hunter2@127.0.0.1:{closed_port}")
    assert failed(found) == ["proxy"]
    says(found.check("proxy"), f"127.0.0.1:{closed_port}", "correct proxy in [binance]")
    assert "hunter2" not in repr(found)
    says(found.check("tls"), "skip", "no connection came so far")
    says(found.check("public"), "skip", "proxy failed")


async def test_a_proxy_with_a_certificate_file(examine: Examine, venue: VenueRecord) -> None:
    found = await examine("binance", proxy=proxy_of(venue), ca_file=venue.ca)
    assert failed(found) == []
    says(found.check("tls"), "ok", "the certificate of api.binance.com is accepted")


async def test_a_proxy_that_this_host_does_not_need(examine: Examine, venue: VenueRecord) -> None:
    found = await examine("binance", proxy=proxy_of(venue), no_proxy=".binance.com")
    assert failed(found) == ["dns"]
    says(found.check("proxy"), "ok", "none for api.binance.com (no_proxy)")


async def test_a_proxy_that_wants_addresses(examine: Examine, closed_port: int) -> None:
    found = await examine("binance", proxy=f"socks5://127.0.0.1:{closed_port}")
    assert failed(found) == ["dns"]
    says(found.check("dns"), "api.binance.com cannot be resolved")
    found = await examine("binance", proxy=f"socks5h://127.0.0.1:{closed_port}")
    assert failed(found) == ["proxy"]
    says(found.check("dns"), "skip", "the proxy resolves")


async def test_a_proxy_whose_name_is_wrong(examine: Examine) -> None:
    found = await examine("kraken", proxy="http://proxy.example:3128")
    assert failed(found) == ["proxy"]


async def test_a_proxy_that_does_not_let_through(examine: Examine, venue: VenueRecord, control: VenueControl) -> None:
    await control.add_fault(FaultRule(fault=RefuseTunnel(status=502), count=None))
    found = await examine("kraken", proxy=proxy_of(venue), verify_ssl=False)
    assert failed(found) == ["proxy"]
    says(found.check("proxy"), "lets api.kraken.com through")


async def test_a_proxy_from_which_nothing_comes(examine: Examine, venue: VenueRecord, control: VenueControl) -> None:
    await control.add_fault(FaultRule(fault=HangConnection(), count=None))
    found = await examine("binance", proxy=proxy_of(venue), verify_ssl=False)
    assert failed(found) == ["proxy"]
    says(found.check("proxy"), "in time", "see whether the proxy runs")
    says(found.check("tls"), "skip", "no connection came so far")


async def test_a_name_that_cannot_be_resolved(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await examine("kraken")
    assert failed(found) == ["dns"]
    says(found.check("dns"), "api.kraken.com cannot be resolved", "name servers")
    says(found.check("public"), "skip", "dns failed")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    found = await examine("kraken")
    says(found.check("proxy"), "warn", "HTTPS_PROXY is set", "[kraken]")


async def test_a_check_that_would_never_end_is_ended(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def silent(*args: Any, **options: Any) -> Any:
        over.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    try:
        found = await examine("binance", timeout=150)
    finally:
        over.set()
    assert "dns" in failed(found)
    says(found.check("dns"), "did not end within 0.3 s", "raise timeout in [binance]")
    assert found.check("dns").took_ms < 2_000


async def test_a_host_that_takes_no_connection(
    examine: Examine, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", closed_port))]

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    found = await examine("binance")
    assert failed(found) == ["host"]
    says(found.check("host"), "api.binance.com takes no connection", "firewall")


async def test_a_host_of_another_environment(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "planar.toml").write_text('[binance.ccxt.urls.api]\npublic = "https://api.binance.example/api/v3"\n')
    found = await examine("binance")
    assert failed(found) == ["host"]
    says(found.check("host"), "api.binance.example was stopped", "overridden url")


async def test_what_stands_in_the_files(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "planar.toml").write_text("[binance]\ntimeuot = 5\nsandbox = 3\n")
    found = await examine("binance")
    assert failed(found) == ["configuration"]
    says(found.check("configuration"), "planar.toml:2", "planar.toml:3", "did you mean timeout?")
    assert {result.level for result in found.checks[1:]} == {"skip"}


async def test_being_offline_on_purpose(examine: Examine, venue: VenueRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANAR_OFFLINE", "1")
    found = await examine("kraken", proxy=proxy_of(venue), verify_ssl=False)
    says(found.check("configuration"), "warn", "unset PLANAR_OFFLINE")


async def test_exchanges_and_environments_that_there_are_not(examine: Examine) -> None:
    found = await diagnose("binnance")
    assert failed(found) == ["configuration"]
    says(found.check("configuration"), "binance")
    found = await diagnose("kraken", environment="sandbox")
    assert failed(found) == ["environment"]
    says(found.check("environment"), "no sandbox environment", 'environment = "local"')


async def test_pacing_that_is_off(examine: Examine, venue: VenueRecord) -> None:
    found = await examine("binance", proxy=proxy_of(venue), verify_ssl=False, enable_rate_limit=False)
    says(found.check("budget"), "warn", "remove enable_rate_limit = false")
