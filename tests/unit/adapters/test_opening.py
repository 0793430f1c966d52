"""Every id of the installed CCXT opens; its environment is closed; nothing is sent by opening."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from yarl import URL

import planar.runtime as runtime
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.exchange_ids import exchange_ids
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter, warn_of_spacing
from planar.adapters.profile import hosts_of
from planar.errors import ConfigError, GuardError, NotSupported
from planar.transport.dialer import Dialer
from planar.transport.guard import Guard
from planar.transport.meters import MeterSpec
from planar.transport.pool import MeterPool


async def opened(dialer: Dialer, directory: Path, exchange: str, environment: str = "live", **more: Any) -> CcxtAdapter:
    request = OpeningRequest(
        exchange=exchange,
        environment=environment,
        credentials={},
        fingerprint="public",
        timeout_ms=1_000,
        **more,
    )
    return open_adapter(request, dialer, MeterPool(), MarketCache(directory))


def guard_of(adapter: CcxtAdapter) -> Guard:
    return adapter.exchange.planar.session.connector.guard


@pytest.mark.parametrize("exchange", exchange_ids())
async def test_every_id_opens_live_and_is_closed_in(exchange: str, tmp_path: Path) -> None:
    dialer = Dialer()
    try:
        adapter = await opened(dialer, tmp_path, exchange)
        assert adapter.id == exchange
        guard = guard_of(adapter)
        live = hosts_of(adapter.exchange.urls.get("api"), getattr(adapter.exchange, "hostname", None))
        assert live
        guard.check(URL(f"https://{adapter.host}"), {})  # where public calls go is inside
        table = adapter.profile.hosts.get("live")
        for host in live:
            # CCXT's tables also name help pages; where Planar has a table of its own, that one counts
            if table is None or table.allows(host):
                guard.check(URL(f"https://{host}"), {})
        assert any(table is None or table.allows(host) for host in live)
        for host in ("evil.example", "localhost", f"{live[0]}.evil.example"):
            with pytest.raises(GuardError):
                guard.check(URL(f"https://{host}"), {})
        assert adapter.exchange.enableRateLimit is False
        await adapter.close()
    finally:
        await dialer.close()


@pytest.mark.parametrize("exchange", exchange_ids())
async def test_a_sandbox_reaches_no_live_host_or_is_refused_with_the_reason(exchange: str, tmp_path: Path) -> None:
    dialer = Dialer()
    try:
        live_adapter = await opened(dialer, tmp_path, exchange)
        live = hosts_of(live_adapter.exchange.urls.get("api"), getattr(live_adapter.exchange, "hostname", None))
        await live_adapter.close()
        try:
            adapter = await opened(dialer, tmp_path, exchange, "sandbox")
        except NotSupported as error:
            assert "sandbox" in str(error)
            assert error.hint
            return
        guard = guard_of(adapter)
        for host in live:
            with pytest.raises(GuardError):
                guard.check(URL(f"https://{host}"), {})
        await adapter.close()
    finally:
        await dialer.close()


async def test_an_unknown_environment_url_or_verbose_is_refused(tmp_path: Path) -> None:
    dialer = Dialer()
    try:
        with pytest.raises(ConfigError, match="PLANAR_DEBUG"):
            await opened(dialer, tmp_path, "binance", ccxt={"verbose": True})
        with pytest.raises(NotSupported):
            await opened(dialer, tmp_path, "nosuchexchange")
    finally:
        await dialer.close()


async def test_a_hand_set_rate_limit_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dialer = Dialer()
    try:
        await opened(dialer, tmp_path, "binance", spacing_ms=1200)
        assert "0.833 requests a second, the venue 6000 weight in 60 s" in caplog.text
        caplog.clear()
        await opened(dialer, tmp_path, "binance", spacing_ms=1)
        assert "is kept whatever rateLimit says" in caplog.text
    finally:
        await dialer.close()


def test_ccxts_clock_and_chance_are_the_runtimes(tmp_path: Path) -> None:
    async def main() -> tuple[Any, ...]:
        dialer = Dialer()
        adapter = await opened(dialer, tmp_path, "binance")
        exchange = adapter.exchange
        drawn = (exchange.milliseconds(), exchange.nonce(), exchange.uuid(), exchange.uuid16(), exchange.uuid22())
        await adapter.close()
        await dialer.close()
        return drawn

    first = runtime.simulate(main, seed=5)
    assert first == runtime.simulate(main, seed=5)
    assert first != runtime.simulate(main, seed=6)
    assert first[0] == 1_700_000_000_000


@pytest.mark.parametrize(
    ("spacing_ms", "text"), [(5_000, "the venue 0.33 calls a second"), (1_000, "allows 0.33 calls a second")]
)
def test_a_spacing_is_compared_with_what_a_counter_loses(
    spacing_ms: int, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    request = OpeningRequest(
        exchange="x", environment="live", credentials={}, fingerprint="", timeout_ms=1, spacing_ms=spacing_ms
    )
    warn_of_spacing(request, MeterSpec("calls", 15, decay_per_s=0.33))
    assert text in caplog.text
