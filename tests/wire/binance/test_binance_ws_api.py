"""The WebSocket API: requests, sessions, subscriptions, refusals."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError
from binance_kit import WS_API, LocalBinance, ask, eventually, local_binance, next_json, now_ms
from cryptography.hazmat.primitives import serialization

from planar.venue.wire.binance import Settings

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.001",
    "price": "50000",
}


def ed25519(binance: LocalBinance, **params: Any) -> dict[str, Any]:
    """Parameters signed with alice's Ed25519 key."""
    more = binance.account().more
    private = serialization.load_pem_private_key(more["ed25519.secret"].encode(), None)
    params = {"apiKey": more["ed25519.apiKey"], "timestamp": now_ms(), **params}
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return {**params, "signature": base64.b64encode(private.sign(payload.encode())).decode()}  # type: ignore[union-attr, call-arg]


@pytest.mark.asyncio(loop_scope="module")
async def test_answers(shared: LocalBinance) -> None:
    async with shared.ws(WS_API) as ws:
        pong = await ask(ws, "ping", request_id="an id, any")
        assert list(pong) == ["id", "status", "result", "rateLimits"]
        assert (pong["id"], pong["status"], pong["result"]) == ("an id, any", 200, {})
        assert {k: v for k, v in pong["rateLimits"][0].items() if k != "count"} == {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": 6000,
        }
        time = await ask(ws, "time", {"returnRateLimits": False}, None)
        assert list(time) == ["id", "status", "result"]
        assert abs(time["result"]["serverTime"] - now_ms()) < 5000
        assert (await ask(ws, "v3/time", {}, 12))["id"] == 12
    async with shared.ws(f"{WS_API}?returnRateLimits=false") as ws:
        assert "rateLimits" not in await ask(ws, "ping")
        assert "rateLimits" in await ask(ws, "ping", {"returnRateLimits": True})


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("depth", "depth", {"symbol": "BTCUSDT", "limit": 5}),
        ("trades.recent", "trades", {"symbol": "BTCUSDT", "limit": 2}),
        ("trades.historical", "historicalTrades", {"symbol": "BTCUSDT", "limit": 2}),
        ("trades.aggregate", "aggTrades", {"symbol": "BTCUSDT", "limit": 2}),
        ("klines", "klines", {"symbol": "BTCUSDT", "interval": "1h", "limit": 2}),
        ("uiKlines", "uiKlines", {"symbol": "BTCUSDT", "interval": "1h", "limit": 2}),
        ("avgPrice", "avgPrice", {"symbol": "BTCUSDT"}),
        ("ticker.price", "ticker/price", {"symbols": ["BTCUSDT", "ETHUSDT"]}),
        ("ticker.book", "ticker/bookTicker", {"symbol": "BTCUSDT"}),
    ],
)
async def test_market_data_is_that_of_rest(
    shared: LocalBinance, method: str, path: str, params: dict[str, Any]
) -> None:
    query = {name: json.dumps(value) if isinstance(value, list) else value for name, value in params.items()}
    query = {name: str(value).replace(" ", "") for name, value in query.items()}
    async with shared.ws(WS_API) as ws:
        answer = await ask(ws, method, params)
        assert answer["result"] == (await shared.get(f"/api/v3/{path}", **query)).json


async def test_microseconds(binance: LocalBinance) -> None:
    async with binance.ws(f"{WS_API}?timeUnit=microsecond") as ws:
        placed = await ask(ws, "order.place", binance.api_params(**LIMIT))
        order = binance.exchange.open_orders("alice", "BTC/USDT")[-1]
        assert placed["result"]["transactTime"] == placed["result"]["workingTime"] == order.created_ms * 1000
    with pytest.raises(WSServerHandshakeError) as refused:
        async with binance.ws(f"{WS_API}?timeUnit=hour"):
            raise AssertionError("connected")
    assert refused.value.status == 400


@pytest.mark.asyncio(loop_scope="module")
async def test_other_market_data(shared: LocalBinance) -> None:
    async with shared.ws(WS_API) as ws:
        info = (await ask(ws, "exchangeInfo", {"symbols": ["BTCUSDT"]}))["result"]
        assert info["rateLimits"][-1] == {
            "rateLimitType": "CONNECTIONS",
            "interval": "MINUTE",
            "intervalNum": 5,
            "limit": 300,
        }
        for method, params in (
            ("ticker.24hr", {"symbol": "BTCUSDT"}),
            ("ticker.tradingDay", {"symbol": "BTCUSDT"}),
            ("ticker", {"symbol": "BTCUSDT", "windowSize": "7d"}),
        ):
            assert (await ask(ws, method, params))["result"]["symbol"] == "BTCUSDT"


async def test_life_of_an_order(binance: LocalBinance) -> None:
    async with binance.ws(WS_API) as ws:
        tested = await ask(ws, "order.test", binance.api_params(**LIMIT))
        assert tested["result"] == {}
        placed = await ask(ws, "order.place", binance.api_params(**LIMIT, newClientOrderId="one"))
        assert placed["status"] == 200
        assert [row["rateLimitType"] for row in placed["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
        order_id = placed["result"]["orderId"]
        own = {"symbol": "BTCUSDT", "orderId": order_id}
        status = await ask(ws, "order.status", binance.api_params(**own))
        assert status["result"] == (await binance.signed("GET", "/api/v3/order", **own)).json
        amended = await ask(ws, "order.amend.keepPriority", binance.api_params(**own, newQty="0.0005"))
        assert amended["result"]["amendedOrder"]["qty"] == "0.00050000"
        history = await ask(ws, "order.amendments", binance.api_params(**own))
        assert history["result"][0]["origClientOrderId"] == "one"
        replaced = await ask(
            ws,
            "order.cancelReplace",
            binance.api_params(**LIMIT, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order_id),
        )
        new_id = replaced["result"]["newOrderResponse"]["orderId"]
        again = await ask(
            ws,
            "order.cancelReplace",
            binance.api_params(**LIMIT, cancelReplaceMode="ALLOW_FAILURE", cancelOrderId=order_id),
        )
        assert (again["status"], again["error"]["code"]) == (409, -2021)
        assert again["error"]["data"]["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
        canceled = await ask(ws, "order.cancel", binance.api_params(symbol="BTCUSDT", orderId=new_id))
        assert canceled["result"]["status"] == "CANCELED"
        poor = await ask(ws, "order.place", binance.api_params(**{**LIMIT, "quantity": "90"}))
        assert poor["error"] == {"code": -2010, "msg": "Account has insufficient balance for requested action."}
        assert [row["rateLimitType"] for row in poor["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
        open_orders = await ask(ws, "openOrders.status", binance.api_params(symbol="BTCUSDT"))
        gone = await ask(ws, "openOrders.cancelAll", binance.api_params(symbol="BTCUSDT"))
        assert [o["orderId"] for o in gone["result"]] == [o["orderId"] for o in open_orders["result"]]
        everything = await ask(ws, "allOrders", binance.api_params(symbol="BTCUSDT"))
        assert everything["result"] == (await binance.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT")).json
        fills = await ask(ws, "myTrades", binance.api_params(symbol="BTCUSDT"))
        assert fills["result"] == (await binance.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")).json
        account = await ask(ws, "account.status", binance.api_params(omitZeroBalances=True))
        assert account["result"] == (await binance.signed("GET", "/api/v3/account", omitZeroBalances="true")).json
        counts = await ask(ws, "account.rateLimits.orders", binance.api_params())
        assert counts["result"][1]["count"] >= 2


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", (400, -1135, "Invalid JSON Request")),
        ("[1]", (400, -1135, "Invalid JSON Request")),
        ('{"id":1}', (400, -1135, "Invalid 'method' in JSON request; expected a string.")),
        (
            '{"id":1,"method":"ping","params":[1]}',
            (400, -1135, "Invalid 'params' in JSON request; expected an object."),
        ),
        ('{"id":1,"method":"order.fly"}', (400, -1135, "Unknown method 'order.fly' in JSON request.")),
        ('{"id":1,"method":"depth","params":{"symbol":"NOSUCH"}}', (400, -1121, "Invalid symbol.")),
        (
            '{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","foo":1}}',
            (400, -1104, "Not all sent parameters were read; read '1' parameter(s) but was sent '2'."),
        ),
        (
            '{"id":1,"method":"depth","params":{"symbol":null}}',
            (400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        ),
        (
            '{"id":1,"method":"account.status","params":{"timestamp":1}}',
            (400, -1102, "Mandatory parameter 'apiKey' was not sent, was empty/null, or malformed."),
        ),
        (
            '{"id":1,"method":"userDataStream.subscribe"}',
            (401, -1002, "You are not authorized to execute this request."),
        ),
        ('{"id":1,"method":"userDataStream.unsubscribe"}', (400, -2036, "User Data Stream subscription not active.")),
    ],
)
async def test_refusals(shared: LocalBinance, text: str, error: tuple[int, int, str]) -> None:
    async with shared.ws(WS_API) as ws:
        await ws.send_str(text)
        frame = await next_json(ws)
        assert (frame["status"], frame["error"]["code"], frame["error"]["msg"]) == error
        assert frame["id"] == (1 if text.startswith('{"id":1') else None)
        assert (await ask(ws, "ping"))["status"] == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_signatures_and_clocks(shared: LocalBinance) -> None:
    async with shared.ws(WS_API) as ws:
        wrong = await ask(ws, "account.status", {**shared.api_params(), "signature": "0" * 64})
        assert (wrong["status"], wrong["error"]["code"]) == (400, -1022)
        late = await ask(ws, "account.status", shared.api_params(timestamp=now_ms() - 6000))
        assert late["error"] == {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}
        early = await ask(ws, "account.status", shared.api_params(timestamp=now_ms() + 2000))
        assert early["error"]["msg"] == "Timestamp for this request was 1000ms ahead of the server's time."
        numbers = await ask(ws, "account.status", shared.api_params(recvWindow=5000.5))
        assert numbers["status"] == 200


async def test_session(binance: LocalBinance) -> None:
    async with binance.ws(WS_API) as ws:
        hmac = await ask(ws, "session.logon", binance.api_params())
        assert hmac["error"] == {"code": -4056, "msg": "HMAC_SHA256 API key is not supported."}
        before = (await ask(ws, "session.status"))["result"]
        assert (before["apiKey"], before["authorizedSince"], before["userDataStream"]) == (None, None, False)
        logged_on = (await ask(ws, "session.logon", ed25519(binance)))["result"]
        assert logged_on["apiKey"] == binance.account().more["ed25519.apiKey"]
        assert logged_on["authorizedSince"] >= logged_on["connectedSince"] > 0
        placed = await ask(ws, "order.place", {**LIMIT, "timestamp": now_ms()})
        assert placed["result"]["status"] == "NEW"
        late = await ask(ws, "order.place", {**LIMIT, "timestamp": now_ms() - 6000})
        assert late["error"]["code"] == -1021
        bob = await ask(ws, "account.status", binance.api_params("bob"))
        alice = await ask(ws, "account.status", {"timestamp": now_ms()})
        assert bob["result"]["uid"] != alice["result"]["uid"]
        assert (await ask(ws, "userDataStream.subscribe"))["result"] == {"subscriptionId": 0}
        assert (await ask(ws, "session.status"))["result"]["userDataStream"] is True
        await ws.send_str(json.dumps({"id": 5, "method": "session.logout"}))
        frames = [await next_json(ws), await next_json(ws)]
        ended = next(frame for frame in frames if "event" in frame)
        assert (ended["subscriptionId"], ended["event"]["e"]) == (0, "eventStreamTerminated")
        assert next(frame for frame in frames if "id" in frame)["result"]["apiKey"] is None
        assert (await ask(ws, "account.status", {"timestamp": now_ms()}))["error"]["code"] == -1102


async def test_subscriptions(binance: LocalBinance) -> None:
    subscribe = "userDataStream.subscribe.signature"
    async with binance.ws(WS_API) as ws:
        assert (await ask(ws, subscribe, binance.api_params()))["result"] == {"subscriptionId": 0}
        again = await ask(ws, subscribe, binance.api_params())
        assert again["error"] == {"code": -2035, "msg": "User Data Stream subscription already active."}
        assert (await ask(ws, subscribe, binance.api_params("bob")))["result"] == {"subscriptionId": 1}
        listed = await ask(ws, "session.subscriptions")
        assert listed["result"] == [{"subscriptionId": 0}, {"subscriptionId": 1}]
        await binance.order("bob", side="BUY", type="MARKET", quantity="0.001")
        events = [await next_json(ws) for _ in range(3)]
        assert {event["subscriptionId"] for event in events} == {1}
        await ws.send_str(
            json.dumps({"id": 9, "method": "userDataStream.unsubscribe", "params": {"subscriptionId": 1}})
        )
        frames = [await next_json(ws), await next_json(ws)]
        assert next(f["subscriptionId"] for f in frames if "event" in f) == 1
        assert next(f for f in frames if "id" in f)["result"] == {}
        await binance.order("bob", side="BUY", type="MARKET", quantity="0.001")
        assert (await ask(ws, "session.subscriptions"))["result"] == [{"subscriptionId": 0}]
    assert not binance.wire.desk.users.has_subscriber("alice")


async def test_slow_requests_do_not_hold_up_others(socket_path: str) -> None:
    async with local_binance(socket_path, settings=Settings(engine_delay_ms=200)) as venue, venue.ws(WS_API) as ws:
        await ws.send_str(json.dumps({"id": "slow", "method": "account.status", "params": venue.api_params()}))
        await ws.send_str(json.dumps({"id": "fast", "method": "ping"}))
        assert [(await next_json(ws))["id"], (await next_json(ws))["id"]] == ["fast", "slow"]
        order = venue.api_params(**LIMIT, newClientOrderId="left-behind")
        await ws.send_str(json.dumps({"id": "left", "method": "order.place", "params": order}))
        await ask(ws, "ping")
        await ws.close()
        await eventually(lambda: any(o.client_id == "left-behind" for o in venue.exchange.open_orders("alice")))
