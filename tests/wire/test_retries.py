"""Queries are sent again while deadline, bucket and meters allow; what changes something never is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from planar import errors
from planar.adapters.base import OrderRequest
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.errors import Outcome, PlanarError
from planar.models import Amount
from planar.transport.context import CallContext, Effect, Priority, RequestRecord
from planar.transport.dialer import Dialer
from planar.transport.pool import MeterPool
from planar.transport.retries import BUCKET, TRIES, Retries

BOOK = '{"lastUpdateId":1,"bids":[["1","2"]],"asks":[["3","4"]]}'
DROP = -1
HTML = "<html><body>Bad Gateway</body></html>"
SYMBOL = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "orderTypes": ["LIMIT", "MARKET"],
    "isSpotTradingAllowed": True,
    "permissions": ["SPOT"],
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
    ],
}


class Front:
    """Answers the next of `answers` (status, body, headers), the last one for ever; counts requests."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str, dict[str, str]]] = [(200, BOOK, {})]
        self.requests: list[str] = []
        self.release = asyncio.Event()
        self.release.set()
        self.listings = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("exchangeInfo"):
            self.listings += 1
            await self.release.wait()
            symbols = [SYMBOL] if "/api/v3/" in request.path else []
            return web.json_response({"symbols": symbols, "rateLimits": [], "exchangeFilters": []})
        self.requests.append(f"{request.method} {request.path}")
        status, body, headers = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if status == DROP:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=status, text=body, headers=headers, content_type="application/json")


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[tuple[Front, CcxtAdapter]]:
    made, dialer = Front(), Dialer()
    runner = web.ServerRunner(web.Server(made.answer))
    await runner.setup()
    path = str(tmp_path / "front.sock")
    await web.UnixSite(runner, path).start()
    request = OpeningRequest(
        exchange="binance",
        environment="local",
        credentials={"apiKey": "k" * 64, "secret": "s" * 64},
        fingerprint="f",
        timeout_ms=2_000,
        unix_socket=path,
        ccxt={"options": {"maxRetriesOnFailure": 3}},
    )
    adapter = open_adapter(request, dialer, MeterPool(), MarketCache(tmp_path / "cache"))
    yield made, adapter
    await adapter.close()
    await dialer.close()
    await runner.cleanup()


async def book(adapter: CcxtAdapter, timeout_ms: int = 2_000) -> object:
    return await adapter.fetch_order_book("BTC/USDT", None, {}, timeout_ms=timeout_ms)


@pytest.mark.parametrize("first", [(DROP, "", {}), (502, HTML, {}), (200, HTML, {}), (200, "", {}), (200, "{}", {})])
async def test_a_query_is_sent_again(first: tuple[int, str, dict[str, str]], front: tuple[Front, CcxtAdapter]) -> None:
    made, adapter = front
    await adapter.load_markets(timeout_ms=2_000)
    made.answers = [first, first, (200, BOOK, {})]
    await book(adapter)
    assert made.requests == ["GET /api/v3/depth"] * 3


async def test_a_query_that_goes_on_failing_tells_every_request(front: tuple[Front, CcxtAdapter]) -> None:
    made, adapter = front
    await adapter.load_markets(timeout_ms=2_000)
    made.answers = [(502, HTML, {})]
    with pytest.raises(errors.ExchangeNotAvailable) as caught:
        await book(adapter)
    assert len(made.requests) == TRIES
    told = caught.value.requests
    assert [(r.effect, r.method, r.path, r.http_status, r.outcome) for r in told] == [
        (Effect.READ, "GET", "/api/v3/depth", 502, Outcome.UNKNOWN)
    ] * TRIES
    assert all(r.took_ms is not None and r.sent_ms > 0 for r in told)
    assert told[0].sent_ms < told[-1].sent_ms


@pytest.mark.parametrize("code", [-1121, -2015, -1100])
async def test_a_permanent_error_is_asked_once(code: int, front: tuple[Front, CcxtAdapter]) -> None:
    made, adapter = front
    await adapter.load_markets(timeout_ms=2_000)
    made.answers = [(400, f'{{"code":{code},"msg":"no"}}', {})]
    with pytest.raises(errors.ExchangeError):
        await book(adapter)
    assert len(made.requests) == 1


async def test_a_limit_is_waited_for_if_the_deadline_allows(front: tuple[Front, CcxtAdapter]) -> None:
    made, adapter = front
    await adapter.load_markets(timeout_ms=2_000)
    limited = (429, '{"code":-1003,"msg":"slow down"}', {"Retry-After": "1"})
    made.answers = [limited, (200, BOOK, {})]
    began = asyncio.get_running_loop().time()
    await book(adapter, 4_000)
    assert asyncio.get_running_loop().time() - began >= 1
    assert len(made.requests) == 2


@pytest.mark.parametrize("first", [(DROP, "", {}), (502, HTML, {}), (200, HTML, {})])
async def test_an_order_is_sent_once(first: tuple[int, str, dict[str, str]], front: tuple[Front, CcxtAdapter]) -> None:
    made, adapter = front
    await adapter.load_markets(timeout_ms=2_000)
    made.answers = [first]
    order = OrderRequest("plabc", "BTC/USDT", "buy", "limit", amount=Amount("0.01"), price=Amount(20_000))
    with pytest.raises(PlanarError) as caught:
        await adapter.submit(order, timeout_ms=2_000, on_send=lambda: None)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert made.requests == ["POST /api/v3/order"]
    assert [r.effect for r in caught.value.requests] == [Effect.WRITE]


async def test_a_host_has_a_bucket_of_retries() -> None:
    retries, call = Retries(), CallContext("fetch_ticker", 60_000, Priority.MARKET)
    error = errors.ExchangeNotAvailable("no")
    error.requests = (RequestRecord("GET", "a.example", "/", Effect.READ, 0),)
    assert [retries.pause_s(error, 1, call) is not None for _ in range(12)] == [True] * int(BUCKET) + [False] * 2
    error.requests = (RequestRecord("GET", "b.example", "/", Effect.READ, 0),)
    assert retries.pause_s(error, 1, call) is not None


async def test_one_who_leaves_takes_nobody_along(front: tuple[Front, CcxtAdapter]) -> None:
    """Several callers wait for the markets; the one whose request it is gives up."""
    made, adapter = front
    made.release.clear()
    callers = [asyncio.create_task(adapter.load_markets(timeout_ms=5_000)) for _ in range(3)]
    while not made.listings:
        await asyncio.sleep(0)
    callers[0].cancel()
    made.release.set()
    assert all("BTC/USDT" in markets for markets in await asyncio.gather(*callers[1:]))
    assert callers[0].cancelled()
