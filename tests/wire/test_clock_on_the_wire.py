"""The venue's time in signed requests: a venue that is ahead or behind, a clock that drifts, a system clock that is set."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from streams_kit import SYMBOL, local_binance, local_kraken, until

import planar
from planar.errors import InvalidNonce, Outcome
from planar.models import OrderState
from planar.runtime.system import SystemRuntime
from planar.transport.context import RequestRecord
from planar.transport.observe import ExchangeHealth
from planar.venue.faults import FaultRule, RefuseRequest, ReplaceAnswer, ShiftClock

ORDER = "POST /api/v3/order"
TIME = "GET /api/v3/time"
ACCOUNT = "GET /api/v3/account"


def signed(requests: list[str]) -> list[str]:
    return [one for one in requests if one != TIME]


@pytest.mark.parametrize("skew_ms", [6_000, -3_000, -5_000, 600_000, -600_000, 3_600_000, -3_600_000])
async def test_a_refused_order_is_sent_once_more_by_the_venues_time(tmp_path: Path, skew_ms: int) -> None:
    async with local_binance(tmp_path) as local:
        local.server.faults.add(FaultRule(fault=ShiftClock(skew_ms=skew_ms), count=None))
        before = len(local.meddler.requests)
        order = await local.buy("pl-skew-1")
        assert order.state is OrderState.FILLED
        assert local.meddler.requests[before:] == [ORDER, TIME, ORDER]
        health = local.adapter.exchange.planar.monitor.clock.health()
        assert health.offset_ms == pytest.approx(skew_ms, abs=50)
        assert health.uncertainty_ms < 100
        sent = len(local.meddler.requests)
        await local.adapter.fetch_balance({}, timeout_ms=5_000)
        await local.buy("pl-skew-2")
        assert signed(local.meddler.requests[sent:]) == [ACCOUNT, ORDER]


async def test_many_at_once_are_each_sent_once_more_at_most(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        local.server.faults.add(FaultRule(fault=ShiftClock(skew_ms=-600_000), count=None))
        before = len(local.meddler.requests)
        await asyncio.gather(*(local.buy(f"pl-many-{number}") for number in range(8)))
        assert signed(local.meddler.requests[before:]).count(ORDER) <= 16


async def test_a_clock_that_drifts_is_followed(tmp_path: Path) -> None:
    """A clock that runs ten times too slow: each refusal sets it anew, and no call fails."""
    async with local_binance(tmp_path) as local:
        local.server.faults.add(FaultRule(fault=ShiftClock(skew_ms=0, drift_ppm=-900_000), count=None))
        began = time.monotonic()
        while time.monotonic() - began < 3:
            await local.adapter.fetch_balance({}, timeout_ms=5_000)
            await asyncio.sleep(0.05)
        assert local.adapter.exchange.planar.monitor.clock.health().samples >= 2


async def test_a_refusal_that_stays_is_told_after_one_more_try(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        refusal = ReplaceAnswer(status=400, body='{"code":-1021,"msg":"Timestamp outside of the recvWindow."}')
        local.server.faults.add(FaultRule(fault=refusal, path="/api/v3/order", count=None))
        before = len(local.meddler.requests)
        with pytest.raises(InvalidNonce) as caught:
            await local.buy("pl-stays")
        assert caught.value.outcome is Outcome.REFUSED
        assert local.meddler.requests[before:] == [ORDER, TIME, ORDER]


async def test_what_is_signed_with_the_time_asks_for_it_in_the_background(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        await local.adapter.fetch_ticker(SYMBOL, {}, timeout_ms=5_000)
        clock = local.adapter.exchange.planar.monitor.clock
        assert clock.due
        assert TIME not in local.meddler.requests
        for _ in range(3):
            await local.adapter.fetch_balance({}, timeout_ms=5_000)
        await until(lambda: clock.health().samples)
        assert local.meddler.requests.count(TIME) == 1


async def test_krakens_deadlines_are_by_the_venues_time(tmp_path: Path) -> None:
    async with local_kraken(tmp_path) as local:
        local.server.faults.add(FaultRule(fault=ShiftClock(skew_ms=-3_000), count=None))
        await local.adapter.fetch_time(timeout_ms=5_000)
        await local.buy("pl-dead-1", "0.001", "40000")
        clock = local.adapter.exchange.planar.monitor.clock
        await until(lambda: clock.health().samples)
        assert abs((clock.health().offset_ms or 0) + 3_000) <= 600
        assert abs((local.adapter.expiry_ms("pl-dead-2") or 0) - time.time() * 1000 + 3_000) < 6_000


async def test_a_jump_of_the_system_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The venue is a process of its own, so only this one sees the jump; orders and cancels go on, none is refused."""
    jump_s = 0
    monkeypatch.setattr(SystemRuntime, "wall_ns", lambda self: time.time_ns() + jump_s * 1_000_000_000)
    seen: list[tuple[str, RequestRecord]] = []
    async with planar.open(private_venue=True) as p:
        binance = await p.exchange("binance", environment="local")
        await binance.fetch_balance()
        await until(lambda: binance.health.clock.samples)
        end = p.on_request(lambda exchange, record: seen.append((exchange, record)))
        for jump_s in (600, -600):  # noqa: B007 (the patched clock reads it)
            order = await binance.create_limit_buy_order("BTC/USDT", "0.01", 20_000)
            await binance.cancel_order(order.id, "BTC/USDT")
            await binance.fetch_balance()
        assert {record.http_status for _, record in seen} == {200}
        count = len(seen)
        end()
        await binance.fetch_balance()
        assert len(seen) == count


def names(value: Any) -> list[str]:
    return [record.path for record in value]


async def test_the_last_requests_and_the_latencies_are_kept(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        for _ in range(120):
            await local.adapter.fetch_ticker(SYMBOL, {}, timeout_ms=5_000)
        local.server.faults.add(FaultRule(fault=RefuseRequest(status=503, body="<html>"), count=1))
        await local.adapter.fetch_order_book(SYMBOL, 5, {}, timeout_ms=5_000)  # a read is asked again
        health = ExchangeHealth(local.adapter.exchange.planar.monitor)
        assert len(health.recent()) == 100
        assert names(health.recent(3)) == ["/api/v3/ticker/24hr", "/api/v3/depth", "/api/v3/depth"]
        last = health.recent(2)[0]
        assert last.http_status == 503
        assert last.took_ms is not None
        host = health.hosts[0]
        assert host.host == "api.binance.com"
        assert (host.requests, host.failures, host.refusals, host.breaker) == (host.requests, 1, 0, "closed")
        assert host.requests > 120
        assert 0 < host.error_rate < 0.01
        assert host.p50_ms is not None
        assert host.p99_ms is not None
        assert 0.1 < host.p50_ms <= host.p99_ms < 5_000
        assert health.last_success_ms is not None
        assert abs(health.last_success_ms - time.time() * 1000) < 5_000
