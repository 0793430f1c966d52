"""An exchange that is gone: the breaker opens, urgent requests still try, and all goes on when it is back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from planar.adapters.base import OrderRef
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.errors import DDoSProtection, ExchangeNotAvailable, Outcome, PlanarError, RateLimitExceeded
from planar.transport.alarms import Alarm, Alarms
from planar.transport.dialer import Dialer
from planar.transport.observe import ExchangeHealth, Observatory
from planar.transport.pool import MeterPool

SYMBOL = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "orderTypes": ["LIMIT"],
    "isSpotTradingAllowed": True,
    "permissions": ["SPOT"],
    "filters": [],
}


class Kept:
    def __init__(self) -> None:
        self.alarms: list[Alarm] = []

    async def send(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)

    async def close(self) -> None:
        pass


class Venue:
    """An exchange that can go, come back, and ban."""

    def __init__(self, path: Path) -> None:
        self.path = str(path / "venue.sock")
        self.requests: list[str] = []
        self.banned = False
        self._runner: web.ServerRunner | None = None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        if self.banned:
            body = {"code": -1003, "msg": "Way too many requests; IP banned."}
            return web.json_response(body, status=418, headers={"Retry-After": "60"})
        if request.path.endswith("exchangeInfo"):
            symbols = [SYMBOL] if "/api/v3/" in request.path else []
            return web.json_response({"symbols": symbols, "rateLimits": [], "exchangeFilters": []})
        if request.path.endswith("depth"):
            return web.json_response({"lastUpdateId": 1, "bids": [["1", "1"]], "asks": [["2", "1"]]})
        return web.json_response({"code": -2011, "msg": "Unknown order sent."}, status=400)

    async def come(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._answer))
        await self._runner.setup()
        await web.UnixSite(self._runner, self.path).start()

    async def go(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()
        Path(self.path).unlink(missing_ok=True)


def adapter_of(venue: Venue, dialer: Dialer, directory: Path, observatory: Observatory) -> CcxtAdapter:
    request = OpeningRequest(
        exchange="binance",
        environment="local",
        credentials={"apiKey": "k" * 64, "secret": "s" * 64},
        fingerprint="f",
        timeout_ms=2_000,
        futures=False,
        unix_socket=venue.path,
    )
    return open_adapter(request, dialer, MeterPool(), MarketCache(directory / "cache"), observatory)


async def refusals(adapter: CcxtAdapter, count: int) -> list[PlanarError]:
    found: list[PlanarError] = []
    for _ in range(count):
        with pytest.raises(ExchangeNotAvailable) as caught:
            await adapter.fetch_order_book("BTC/USDT", 5, {}, timeout_ms=2_000)
        found.append(caught.value)
    return found


async def test_an_outage_opens_the_breaker_and_its_end_closes_it(tmp_path: Path) -> None:
    venue, dialer, kept = Venue(tmp_path), Dialer(), Kept()
    alarms = Alarms([kept])
    adapter = adapter_of(venue, dialer, tmp_path, Observatory(alarms))
    health = ExchangeHealth(adapter.exchange.planar.monitor)
    await venue.come()
    await adapter.load_markets(timeout_ms=2_000)
    await venue.go()
    for _ in range(8):
        with pytest.raises(ExchangeNotAvailable):
            await adapter.fetch_order_book("BTC/USDT", 5, {}, timeout_ms=2_000)
        await asyncio.sleep(0.2)
    assert health.breaker == "open"
    before = len(health.recent())
    refused = await refusals(adapter, 3)  # one of them may have been the probe
    assert len(health.recent()) - before <= 1
    assert "api.binance.com answers nothing" in refused[-1].message
    assert [(error.outcome, error.retryable) for error in refused] == [(Outcome.NOT_SENT, True)] * 3
    # a cancel and a question about an order leave all the same, and tell of the outage itself
    ref = OrderRef("BTC/USDT", client_id="x")
    for ask in (adapter.cancel, adapter.query_order):
        before = len(health.recent())
        with pytest.raises(PlanarError) as failed:
            await ask(ref, {}, timeout_ms=2_000)
        assert "no connection could be opened" in str(failed.value)
        assert len(health.recent()) > before
    await venue.come()
    async with asyncio.timeout(5):
        while True:
            try:
                await adapter.fetch_order_book("BTC/USDT", 5, {}, timeout_ms=2_000)
                break
            except ExchangeNotAvailable as error:
                await asyncio.sleep(min(0.05, error.retry_after_s or 0.05))
    assert health.breaker == "closed"
    await alarms.close()
    assert [(alarm.kind, alarm.severity) for alarm in kept.alarms] == [("breaker", "error"), ("breaker_closed", "info")]
    await adapter.close()
    await dialer.close()
    await venue.go()


async def test_a_ban_and_the_hunger_after_it_are_alarms(tmp_path: Path) -> None:
    venue, dialer, kept = Venue(tmp_path), Dialer(), Kept()
    alarms = Alarms([kept])
    adapter = adapter_of(venue, dialer, tmp_path, Observatory(alarms))
    await venue.come()
    await adapter.load_markets(timeout_ms=2_000)
    venue.banned = True
    with pytest.raises(DDoSProtection):
        await adapter.fetch_order_book("BTC/USDT", 5, {}, timeout_ms=2_000)
    count = len(venue.requests)
    for _ in range(5):
        with pytest.raises(RateLimitExceeded):
            await adapter.fetch_order_book("BTC/USDT", 5, {}, timeout_ms=2_000)
    assert len(venue.requests) == count
    await alarms.close()
    assert [alarm.kind for alarm in kept.alarms] == ["ban", "budget"]
    assert kept.alarms[0].data["retry_after_s"] == 60
    await adapter.close()
    await dialer.close()
    await venue.go()
