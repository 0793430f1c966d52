"""Every row of Binance's table of errors, answered on a real socket, becomes the class and outcome that it says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from planar import errors
from planar.adapters.base import OrderRequest
from planar.adapters.binance.outcomes import CLOCK_ERRORS, CODES, TEXTS
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.errors import NetworkError, OrderUnknown, Outcome, PlanarError
from planar.models import Amount
from planar.transport.dialer import Dialer
from planar.transport.pool import MeterPool

SYMBOL: dict[str, Any] = {
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
HTML = "<html><body>Bad Gateway</body></html>"


class Front:
    """Answers exchangeInfo as it should, and everything else as it is told; counts."""

    def __init__(self) -> None:
        self.status = 200
        self.body = "{}"
        self.headers: dict[str, str] = {}
        self.requests: list[str] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("exchangeInfo"):
            symbols = [SYMBOL] if "/api/v3/" in request.path else []
            return web.json_response({"symbols": symbols, "rateLimits": [], "exchangeFilters": []})
        self.requests.append(f"{request.method} {request.path}")
        kind = "text/html" if self.body.startswith("<") else "application/json"
        return web.Response(status=self.status, text=self.body, content_type=kind, headers=self.headers)


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
    await adapter.load_markets(timeout_ms=2_000)
    yield made, adapter
    await adapter.close()
    await dialer.close()
    await runner.cleanup()


async def submit(adapter: CcxtAdapter) -> PlanarError:
    order = OrderRequest("plabc", "BTC/USDT", "buy", "limit", amount=Amount("0.01"), price=Amount(20_000))
    with pytest.raises(PlanarError) as caught:
        await adapter.submit(order, timeout_ms=2_000, on_send=lambda: None)
    return caught.value


@pytest.mark.parametrize("code", CODES)
async def test_each_code(code: str, front: tuple[Front, CcxtAdapter]) -> None:
    made, adapter = front
    made.status, made.body = 400, f'{{"code":{code},"msg":"What it says."}}'
    error = await submit(adapter)
    assert type(error) is CODES[code].kind
    assert error.outcome is CODES[code].outcome
    assert error.code == code
    assert "What it says." in str(error)
    # CCXT's own resend is off, whatever its options say; a front that does not tell its time mends no clock
    asked = ["GET /api/v3/time"] if code in CLOCK_ERRORS else []
    assert made.requests == ["POST /api/v3/order", *asked]


@pytest.mark.parametrize(("text", "row"), TEXTS)
async def test_each_text_says_more_than_its_code(text: str, row: Any, front: tuple[Front, CcxtAdapter]) -> None:
    made, adapter = front
    made.status, made.body = 400, f'{{"code":-2010,"msg":"{text}."}}'
    error = await submit(adapter)
    assert (type(error), error.outcome) == (row.kind, row.outcome)


@pytest.mark.parametrize(
    ("status", "body", "kind", "outcome"),
    [
        (400, '{"code":-9999,"msg":"A code of tomorrow."}', errors.ExchangeError, Outcome.REFUSED),
        (400, HTML, errors.PlanarError, Outcome.UNKNOWN),
        (403, HTML, errors.PlanarError, Outcome.UNKNOWN),
        (418, '{"code":-1003,"msg":"banned"}', errors.DDoSProtection, Outcome.REFUSED),
        (429, '{"code":-1003,"msg":"slow down"}', errors.RateLimitExceeded, Outcome.REFUSED),
        (429, HTML, errors.RateLimitExceeded, Outcome.UNKNOWN),
        (500, '{"code":-1000,"msg":"?"}', errors.ExchangeNotAvailable, Outcome.UNKNOWN),
        (503, '{"code":-2010,"msg":"refused, says a 503"}', errors.InvalidOrder, Outcome.UNKNOWN),
        (502, HTML, errors.ExchangeNotAvailable, Outcome.UNKNOWN),
        (504, HTML, errors.RequestTimeout, Outcome.UNKNOWN),
        (200, HTML, errors.BadResponse, Outcome.UNKNOWN),
        (200, "", errors.BadResponse, Outcome.UNKNOWN),
        (200, "{}", errors.BadResponse, Outcome.UNKNOWN),
        (200, "[]", errors.PlanarError, Outcome.UNKNOWN),
        (200, "17", errors.BadResponse, Outcome.UNKNOWN),
        (200, '{"orderId": 1, "sym', errors.BadResponse, Outcome.UNKNOWN),
        (200, '{"symbol":"BTCUSDT","status":"NEW"}', errors.BadResponse, Outcome.UNKNOWN),
        (200, '{"symbol":"BTCUSDT","orderId":1,"status":"SURPRISE"}', errors.BadResponse, Outcome.UNKNOWN),
        (302, "", errors.PlanarError, Outcome.UNKNOWN),
    ],
)
async def test_an_order_is_refused_only_by_the_venues_own_word(
    status: int, body: str, kind: type[PlanarError], outcome: Outcome, front: tuple[Front, CcxtAdapter]
) -> None:
    made, adapter = front
    made.status, made.body = status, body
    error = await submit(adapter)
    assert isinstance(error, kind), repr(error)
    assert error.outcome in (outcome, Outcome.OK if status == 200 else outcome), repr(error)
    assert error.outcome is not Outcome.REFUSED or outcome is Outcome.REFUSED
    assert made.requests == ["POST /api/v3/order"]


async def test_retry_after_is_told_and_obeyed(front: tuple[Front, CcxtAdapter]) -> None:
    made, adapter = front
    made.status, made.body, made.headers = 429, '{"code":-1003,"msg":"slow down"}', {"Retry-After": "7"}
    error = await submit(adapter)
    assert error.retry_after_s == 7.0
    with pytest.raises(errors.RateLimitExceeded) as caught:
        await adapter.fetch_ticker("BTC/USDT", {}, timeout_ms=1_000)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert len(made.requests) == 1


async def test_what_on_send_refuses_is_not_sent(front: tuple[Front, CcxtAdapter]) -> None:
    made, adapter = front

    def full() -> None:
        raise errors.JournalError("the disk is full")

    order = OrderRequest("plabc", "BTC/USDT", "buy", "limit", amount=Amount("0.01"), price=Amount(20_000))
    with pytest.raises(errors.JournalError) as caught:
        await adapter.submit(order, timeout_ms=1_000, on_send=full)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert made.requests == []


def test_an_unknown_order_is_no_network_error() -> None:
    assert not issubclass(OrderUnknown, NetworkError)
