"""Weights, order counts, 429 and 418."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError
from binance_kit import STREAM, WS_API, LocalBinance, ask, local_binance, next_json, now_ms

from planar.venue.wire.binance import Settings
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.limits import AddressLimits, Meter, OrderLimits, Rule
from planar.venue.witness import Witness

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "50000"}
MINUTE = Rule("REQUEST_WEIGHT", "MINUTE", 1, 10)
REQUESTS = Rule("RAW_REQUESTS", "MINUTE", 5, 100)


def used(answer: Any) -> int:
    assert answer.headers["X-MBX-USED-WEIGHT"] == answer.headers["X-MBX-USED-WEIGHT-1M"]
    return int(answer.headers["X-MBX-USED-WEIGHT-1M"])


@pytest.mark.parametrize(
    ("path", "params", "weight"),
    [
        ("ping", {}, 1),
        ("time", {}, 1),
        ("exchangeInfo", {}, 20),
        ("depth", {"symbol": "BTCUSDT"}, 5),
        ("depth", {"symbol": "BTCUSDT", "limit": 500}, 25),
        ("depth", {"symbol": "BTCUSDT", "limit": 1000}, 50),
        ("depth", {"symbol": "BTCUSDT", "limit": 5000}, 250),
        ("trades", {"symbol": "BTCUSDT"}, 25),
        ("historicalTrades", {"symbol": "BTCUSDT"}, 25),
        ("aggTrades", {"symbol": "BTCUSDT"}, 4),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m"}, 2),
        ("uiKlines", {"symbol": "BTCUSDT", "interval": "1m"}, 2),
        ("avgPrice", {"symbol": "BTCUSDT"}, 2),
        ("ticker/24hr", {"symbol": "BTCUSDT"}, 2),
        ("ticker/24hr", {"symbols": '["BTCUSDT","ETHUSDT"]'}, 2),
        ("ticker/24hr", {}, 80),
        ("ticker", {"symbols": '["BTCUSDT","ETHUSDT"]'}, 8),
        ("ticker/tradingDay", {"symbol": "BTCUSDT"}, 4),
        ("ticker/price", {"symbol": "BTCUSDT"}, 2),
        ("ticker/price", {}, 4),
        ("ticker/bookTicker", {}, 4),
        ("depth", {}, 5),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_public_weights(shared: LocalBinance, path: str, params: dict[str, Any], weight: int) -> None:
    before, minute = used(await shared.get("/api/v3/ping")), now_ms() // 60_000
    after = used(await shared.get(f"/api/v3/{path}", **params))
    if now_ms() // 60_000 == minute:
        assert after - before == weight


@pytest.mark.parametrize(
    ("method", "path", "params", "weight"),
    [
        ("GET", "account", {}, 20),
        ("GET", "order", {"symbol": "BTCUSDT", "orderId": 1}, 4),
        ("GET", "openOrders", {"symbol": "BTCUSDT"}, 6),
        ("GET", "openOrders", {}, 80),
        ("GET", "allOrders", {"symbol": "BTCUSDT"}, 20),
        ("GET", "myTrades", {"symbol": "BTCUSDT"}, 20),
        ("GET", "myTrades", {"symbol": "BTCUSDT", "orderId": 1}, 5),
        ("GET", "rateLimit/order", {}, 40),
        ("GET", "account/commission", {"symbol": "BTCUSDT"}, 20),
        ("GET", "myFilters", {"symbol": "BTCUSDT"}, 40),
        ("GET", "openOrderList", {}, 6),
        ("GET", "allOrderList", {}, 20),
        ("DELETE", "order", {"symbol": "BTCUSDT", "orderId": 1}, 1),
        ("POST", "order/test", {"symbol": "BTCUSDT", **LIMIT}, 1),
        ("POST", "order/test", {"symbol": "BTCUSDT", **LIMIT, "computeCommissionRates": "true"}, 20),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_private_weights(
    shared: LocalBinance, method: str, path: str, params: dict[str, Any], weight: int
) -> None:
    before, minute = used(await shared.get("/api/v3/ping")), now_ms() // 60_000
    after = used(await shared.signed(method, f"/api/v3/{path}", **params))
    if now_ms() // 60_000 == minute:
        assert after - before == weight


async def test_sapi_counts_apart(binance: LocalBinance) -> None:
    before = used(await binance.get("/api/v3/ping"))
    answer = await binance.signed("GET", "/sapi/v1/capital/config/getall")
    assert answer.headers["X-SAPI-USED-IP-WEIGHT-1M"] == "10"
    assert "X-MBX-USED-WEIGHT-1M" not in answer.headers
    assert used(await binance.get("/api/v3/ping")) in (before + 1, 1)


async def test_429_then_418(socket_path: str) -> None:
    settings = Settings(weight_per_minute=20, warnings_before_ban=2, ban_ms=90_000)
    async with local_binance(socket_path, settings=settings) as venue:
        answers = [await venue.get("/api/v3/exchangeInfo") for _ in range(4)]
        text = (
            "Too much request weight used; current limit is 20 request weight per 1 MINUTE."
            " Please use WebSocket Streams for live updates to avoid polling the API."
        )
        assert [a.status for a in answers] in ([429, 429, 418, 418], [200, 429, 429, 418])
        warned = next(a for a in answers if a.status == 429)
        assert warned.error == (429, -1003, text)
        assert 1 <= int(warned.headers["Retry-After"]) <= 60
        final = answers[-1]
        assert 80 <= int(final.headers["Retry-After"]) <= 90
        until = int(final.json["msg"].split("IP banned until ")[1].split(".")[0])
        assert 80_000 < until - now_ms() <= 90_000
        assert final.json["code"] == -1003
        async with venue.ws(WS_API) as ws:
            frame = await ask(ws, "ping")
            assert (frame["status"], frame["error"]["code"]) == (418, -1003)
            assert frame["error"]["data"]["retryAfter"] == until
            with pytest.raises(ConnectionError):
                await next_json(ws)


def charge(limits: AddressLimits, weight: int, now: int) -> tuple[int, int | None]:
    """Status and time of retry of a request."""
    try:
        limits.charge("a", weight, now)
    except ApiError as error:
        return error.status, error.retry_at_ms
    return 200, None


def test_bans_grow() -> None:
    limits = AddressLimits(MINUTE, REQUESTS, warnings=1, ban_ms=120_000, witness=Witness("x", {}))
    assert charge(limits, 10, 60_000) == (200, None)
    assert charge(limits, 1, 60_001) == (429, 120_000)
    assert charge(limits, 1, 60_002) == (418, 180_002)
    assert charge(limits, 1, 180_001) == (418, 180_002)
    assert charge(limits, 10, 180_002) == (200, None)
    assert charge(limits, 1, 180_003) == (429, 240_000)
    assert charge(limits, 1, 180_004) == (418, 180_004 + 240_000)


def test_warnings_of_another_minute_do_not_count() -> None:
    limits = AddressLimits(MINUTE, REQUESTS, warnings=1, ban_ms=120_000, witness=Witness("x", {}))
    for minute in range(5):
        assert charge(limits, 11, minute * 60_000)[0] == 429


def test_number_of_requests() -> None:
    limits = AddressLimits(MINUTE, Rule("RAW_REQUESTS", "MINUTE", 5, 2), warnings=9, ban_ms=1, witness=Witness("x", {}))
    assert [charge(limits, 1, 1)[0] for _ in range(3)] == [200, 200, 429]
    assert charge(limits, 1, 1) == (429, 300_000)


def test_unfilled_orders() -> None:
    orders = OrderLimits([Rule("ORDERS", "SECOND", 10, 6), Rule("ORDERS", "DAY", 1, 100)], Witness("x", {}))
    for _ in range(6):
        orders.check("alice", 5)
        orders.placed("alice", 5)
    with pytest.raises(ApiError, match=r"Too many new orders; current limit is 6 orders per 10 SECOND\.") as refused:
        orders.check("alice", 9_999)
    assert (refused.value.status, refused.value.retry_at_ms) == (429, 10_000)
    orders.check("bob", 9_999)
    orders.first_fill("alice", 9_999, maker=False)
    orders.check("alice", 9_999)
    assert orders.headers("alice", 9_999) == {"X-MBX-ORDER-COUNT-10S": "5", "X-MBX-ORDER-COUNT-1D": "5"}
    orders.first_fill("alice", 9_999, maker=True)
    assert orders.headers("alice", 9_999) == {"X-MBX-ORDER-COUNT-10S": "0", "X-MBX-ORDER-COUNT-1D": "0"}
    orders.placed("alice", 9_999)
    assert orders.headers("alice", 10_000) == {"X-MBX-ORDER-COUNT-10S": "0", "X-MBX-ORDER-COUNT-1D": "1"}


def test_meters_turn_on_the_clock() -> None:
    meter = Meter(MINUTE)
    assert meter.add("a", 3, 59_999) == 3
    assert meter.count("a", 60_000) == 0
    assert meter.resets_ms(60_000) == 120_000


async def test_order_counts(binance: LocalBinance) -> None:
    def counted(answer: Any) -> int:
        return int(answer.headers["X-MBX-ORDER-COUNT-1D"])

    start = counted(await binance.order(**LIMIT))
    assert counted(await binance.order(**LIMIT)) == start + 1
    taker = await binance.order(side="BUY", type="MARKET", quantity="0.001")
    assert counted(taker) == start + 1
    refused = await binance.order(**{**LIMIT, "quantity": "90"})
    assert refused.error[1] == -2010
    counts = (await binance.signed("GET", "/api/v3/rateLimit/order")).json
    assert [(row["interval"], row["intervalNum"], row["limit"]) for row in counts] == [
        ("SECOND", 10, 100),
        ("DAY", 1, 200_000),
    ]
    assert counts[1]["count"] == start + 1
    assert "X-MBX-ORDER-COUNT-1D" not in (await binance.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT")).headers


async def test_too_many_orders(socket_path: str) -> None:
    async with local_binance(socket_path, settings=Settings(orders_per_day=2)) as venue:
        answers = [await venue.order(**LIMIT) for _ in range(3)]
        assert answers[-1].error == (429, -1015, "Too many new orders; current limit is 2 orders per 1 DAY.")
        assert int(answers[-1].headers["Retry-After"]) <= 86_400
        assert len(venue.exchange.open_orders("alice", "BTC/USDT")) >= 2


async def test_too_many_connections(socket_path: str) -> None:
    async with local_binance(socket_path, settings=Settings(connections_per_5m=2)) as venue:
        for _ in range(2):
            async with venue.ws(f"{STREAM}/ws"):
                await asyncio.sleep(0)
        with pytest.raises(WSServerHandshakeError) as refused:
            async with venue.ws(f"{STREAM}/ws"):
                raise AssertionError("a third connection")
        assert refused.value.status == 429
        assert refused.value.headers is not None
        assert int(refused.value.headers["Retry-After"]) <= 300


async def test_connecting_to_the_websocket_api_costs_weight(binance: LocalBinance) -> None:
    before = used(await binance.get("/api/v3/ping"))
    async with binance.ws(WS_API) as ws:
        frame = await ask(ws, "ping")
    assert frame["rateLimits"][0]["count"] in (before + 3, 3)
