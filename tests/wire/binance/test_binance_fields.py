"""No answer and no event of the local Binance has a field that Binance does not document, or lacks one that it does."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from binance_kit import REST, STREAM, WS_API, LocalBinance, ask, next_json, now_ms, sign
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ccxt_suite.fields import Fields
from planar.venue.client import VenueControl
from planar.venue.steering.accounts import CreateKey, MakeDeposit
from planar.venue.steering.state import ExpireTokens
from planar.venue.wire.binance.routes import REST as ROUTES
from planar.venue.wire.binance.routes import WEBSOCKET
from planar.venue.wire.binance.ws_session import SESSION_METHODS

FIELDS = Fields("binance")
REFUSED = {
    "POST /api/v3/orderList/opo",
    "POST /api/v3/orderList/opoco",
    "POST /sapi/v1/asset/dust",
    "POST /api/v3/sor/order",
    "POST /api/v3/sor/order/test",
}
"""What is refused on this venue, whatever is asked."""
SYMBOL = {"symbol": "BTCUSDT"}


class Walk:
    """Asks, and compares what it is told.

    Attributes:
        seen: the endpoints that answered.
        wrong: the differences.
    """

    def __init__(self, venue: LocalBinance) -> None:
        self.venue = venue
        self.seen: set[str] = set()
        self.wrong: list[str] = []

    def take(self, endpoint: str, answer: Any) -> Any:
        """Compare an answer."""
        self.seen.add(endpoint)
        self.wrong += FIELDS.differences(endpoint, answer)
        return answer

    async def public(self, name: str, host: str = REST, **params: Any) -> Any:
        """A market data endpoint, without a key."""
        return self.take(f"GET {name}", (await self.venue.get(name, host, **params)).json)

    async def signed(self, method: str, name: str, account: str = "alice", **params: Any) -> Any:
        """A signed endpoint; it must not refuse."""
        answer = await self.venue.signed(method, name, account, **params)
        assert answer.status == 200, (name, answer.text)
        return self.take(f"{method} {name}", answer.json)


@pytest.fixture
async def walk(binance: LocalBinance) -> AsyncIterator[Walk]:
    walked = Walk(binance)
    yield walked
    assert walked.wrong == []


def price(venue: LocalBinance, factor: str) -> str:
    """The last price times a factor, on the tick."""
    last = venue.exchange.last_price("BTC/USDT")
    assert last is not None
    return f"{last * Decimal(factor) // 1:.2f}"


async def market(walk: Walk) -> None:
    for name in ("ping", "time", "exchangeInfo", "ticker/24hr", "ticker/price", "ticker/bookTicker"):
        await walk.public(f"/api/v3/{name}")
    for name in ("depth", "trades", "historicalTrades", "aggTrades", "avgPrice", "ticker", "ticker/tradingDay"):
        await walk.public(f"/api/v3/{name}", **SYMBOL)
    for name in ("ticker/24hr", "ticker/price", "ticker/bookTicker"):
        await walk.public(f"/api/v3/{name}", **SYMBOL)
    mini = (await walk.venue.get("/api/v3/ticker/24hr", **SYMBOL, type="MINI")).json
    walk.take("GET /api/v3/ticker/24hr MINI", mini)
    for name in ("klines", "uiKlines"):
        await walk.public(f"/api/v3/{name}", **SYMBOL, interval="1m")
    for prefix in ("fapi", "dapi", "eapi"):
        for name in ("ping", "time", "exchangeInfo"):
            await walk.public(f"/{prefix}/v1/{name}", f"https://{prefix}.binance.com")


async def orders(walk: Walk, venue: LocalBinance) -> None:
    limit = {**SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.002"}
    low = {**limit, "price": price(venue, "0.9")}
    await walk.signed("POST", "/api/v3/order", **SYMBOL, side="BUY", type="MARKET", quantity="0.01")
    placed = await walk.signed("POST", "/api/v3/order", **low)
    asked = {**SYMBOL, "orderId": placed["orderId"]}
    await walk.signed("GET", "/api/v3/order", **asked)
    await walk.signed("PUT", "/api/v3/order/amend/keepPriority", **asked, newQty="0.001")
    await walk.signed("GET", "/api/v3/order/amendments", **asked)
    await walk.signed("DELETE", "/api/v3/order", **asked)
    stop = {"type": "STOP_LOSS_LIMIT", "stopPrice": price(venue, "1.1"), "price": price(venue, "1.1")}
    iceberg = {"icebergQty": "0.001", "strategyId": 1, "strategyType": 1_000_000}
    for more in ({"newOrderRespType": "ACK"}, stop, {"newOrderRespType": "RESULT", **iceberg}):
        await walk.signed("POST", "/api/v3/order", **{**low, **more})
    for more in ({}, {"computeCommissionRates": "true"}):
        await walk.signed("POST", "/api/v3/order/test", **low, **more)
    open_order = (await walk.signed("GET", "/api/v3/openOrders", **SYMBOL))[0]
    await walk.signed(
        "POST",
        "/api/v3/order/cancelReplace",
        **{**low, "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": open_order["orderId"]},
    )
    await walk.signed("GET", "/api/v3/allOrders", **SYMBOL)
    await walk.signed("DELETE", "/api/v3/openOrders", **SYMBOL)


async def lists(walk: Walk, venue: LocalBinance) -> None:
    both = {**SYMBOL, "side": "SELL", "quantity": "0.002"}
    above = {"price": price(venue, "1.1"), "stopPrice": price(venue, "0.9")}
    await walk.signed("POST", "/api/v3/order/oco", **both, **above)
    pair = {
        "aboveType": "LIMIT_MAKER",
        "abovePrice": price(venue, "1.1"),
        "belowType": "STOP_LOSS",
        "belowStopPrice": price(venue, "0.9"),
    }
    placed = await walk.signed("POST", "/api/v3/orderList/oco", **both, **pair)
    working = {
        **SYMBOL,
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingPrice": price(venue, "0.9"),
        "workingQuantity": "0.002",
        "workingTimeInForce": "GTC",
        "pendingSide": "SELL",
        "pendingQuantity": "0.002",
    }
    pending = {f"pending{name[0].upper()}{name[1:]}": value for name, value in pair.items()}
    await walk.signed("POST", "/api/v3/orderList/oto", **working, pendingType="MARKET")
    await walk.signed("POST", "/api/v3/orderList/otoco", **working, **pending)
    asked = {"orderListId": placed["orderListId"]}
    await walk.signed("GET", "/api/v3/orderList", **asked)
    for name in ("allOrderList", "openOrderList"):
        assert await walk.signed("GET", f"/api/v3/{name}")
    await walk.signed("DELETE", "/api/v3/orderList", **SYMBOL, **asked)


async def account(walk: Walk) -> None:
    await walk.signed("GET", "/api/v3/account")
    for name in ("account/commission", "myTrades", "myFilters", "myPreventedMatches", "myAllocations"):
        await walk.signed("GET", f"/api/v3/{name}", **SYMBOL, **({"orderId": 1} if "Prevented" in name else {}))
    await walk.signed("GET", "/api/v3/rateLimit/order")


async def wallet(walk: Walk, venue: LocalBinance) -> None:
    async with VenueControl(venue.record) as control:
        await control.command(MakeDeposit(account="alice", asset="ETH", amount="2", settle_ms=None))
    for name in (
        "capital/config/getall",
        "capital/deposit/hisrec",
        "capital/withdraw/history",
        "capital/withdraw/address/list",
        "asset/tradeFee",
        "asset/assetDetail",
        "asset/wallet/balance",
        "asset/assetDividend",
        "asset/dribblet",
        "account/apiRestrictions",
        "account/apiTradingStatus",
        "account/info",
        "account/status",
        "convert/assetInfo",
        "margin/isolated/allPairs",
        "margin/interestHistory",
        "pay/transactions",
    ):
        await walk.signed("GET", f"/sapi/v1/{name}")
    await walk.signed("GET", "/sapi/v1/accountSnapshot", type="SPOT")
    await walk.signed("GET", "/sapi/v1/convert/tradeFlow", startTime=now_ms() - 1000, endTime=now_ms())
    for name in ("orders", "payments"):
        await walk.signed("GET", f"/sapi/v1/fiat/{name}", transactionType=0)
    for name in ("deposit/address", "deposit/address/list"):
        await walk.signed("GET", f"/sapi/v1/capital/{name}", coin="ETH")
    for name in ("enableFastWithdrawSwitch", "disableFastWithdrawSwitch"):
        await walk.signed("POST", f"/sapi/v1/account/{name}")
    saved = await walk.signed("GET", "/sapi/v1/capital/withdraw/address/list")
    vault = next(one for one in saved if one["coin"] == "ETH")
    asked = {"coin": vault["coin"], "address": vault["address"], "network": vault["network"], "amount": "0.5"}
    await walk.signed("POST", "/sapi/v1/capital/withdraw/apply", **asked, withdrawOrderId="w1")
    moved = {"type": "MAIN_FUNDING", "asset": "BTC", "amount": "0.1"}
    await walk.signed("POST", "/sapi/v1/asset/transfer", **moved)
    await walk.signed("GET", "/sapi/v1/asset/transfer", type="MAIN_FUNDING")
    await walk.signed("POST", "/sapi/v3/asset/getUserAsset", needBtcValuation="true")
    await walk.signed("POST", "/sapi/v1/asset/get-funding-asset", needBtcValuation="true")
    await walk.signed("POST", "/sapi/v1/asset/dust-btc")
    walk.take("GET /sapi/v1/system/status", (await venue.get("/sapi/v1/system/status")).json)
    url = f"{REST}/sapi/v1/margin/allPairs"
    walk.take("GET /sapi/v1/margin/allPairs", (await venue.send("GET", url, key=venue.account().apiKey)).json)


async def sub_accounts(walk: Walk, venue: LocalBinance) -> None:
    base = "/sapi/v1/sub-account"
    made = await walk.signed("POST", f"{base}/virtualSubAccount", subAccountString="desk")
    email = {"email": made["email"]}
    await walk.signed("GET", f"{base}/list")
    await walk.signed("GET", f"{base}/spotSummary")
    moved = {"fromAccountType": "SPOT", "toAccountType": "SPOT", "asset": "BTC", "amount": "0.1"}
    await walk.signed("POST", f"{base}/universalTransfer", **moved, toEmail=made["email"], clientTranId="transfer-1")
    await walk.signed("GET", f"{base}/universalTransfer")
    for version in ("v3", "v4"):
        await walk.signed("GET", f"/sapi/{version}/sub-account/assets", **email)
    await walk.signed("GET", "/sapi/v1/capital/deposit/subAddress", **email, coin="ETH")
    await walk.signed("GET", "/sapi/v1/capital/deposit/subHisrec", **email)
    async with VenueControl(venue.record) as control:
        key = (await control.command(CreateKey(account="desk")))["binance"]
    query = urlencode({"asset": "BTC", "amount": "0.05", "timestamp": now_ms()})
    url = f"{REST}{base}/transfer/subToMaster?{query}&signature={sign(query, key['secret'])}"
    sent = await venue.send("POST", url, key=key["apiKey"])
    walk.take(f"POST {base}/transfer/subToMaster", sent.json)


async def test_every_endpoint(walk: Walk, binance: LocalBinance) -> None:
    await market(walk)
    await orders(walk, binance)
    await lists(walk, binance)
    await account(walk)
    await listen_keys(walk, binance)
    await wallet(walk, binance)
    await sub_accounts(walk, binance)
    routes = {f"{method} {path}" for method, path in ROUTES}
    assert routes - walk.seen - REFUSED == set()


async def listen_keys(walk: Walk, venue: LocalBinance) -> None:
    key = venue.account().apiKey
    listen = await venue.send("POST", f"{REST}/api/v3/userDataStream", key=key)
    walk.take("POST /api/v3/userDataStream", listen.json)
    for method in ("PUT", "DELETE"):
        url = f"{REST}/api/v3/userDataStream?listenKey={listen.json['listenKey']}"
        walk.take(f"{method} /api/v3/userDataStream", (await venue.send(method, url, key=key)).json)


async def test_every_market_stream(living: LocalBinance) -> None:
    walk = Walk(living)
    names = [name.removeprefix("stream ") for name in FIELDS.endpoints if name.startswith("stream ")]
    left = {(name if name.startswith("!") else f"btcusdt@{name}"): f"stream {name}" for name in names}
    async with living.ws(f"{STREAM}/stream?streams={'/'.join(sorted(left))}") as ws:
        while left:
            frame = await next_json(ws)
            if (endpoint := left.pop(frame["stream"], None)) is not None:
                walk.take(endpoint, frame["data"])
    assert walk.wrong == []


async def test_every_account_event(binance: LocalBinance) -> None:
    walk = Walk(binance)
    wanted = {name for name in FIELDS.endpoints if name.startswith("event ")}
    async with binance.ws(WS_API) as ws:
        await ask(ws, "userDataStream.subscribe.signature", binance.api_params())
        await orders(Walk(binance), binance)
        await lists(Walk(binance), binance)
        async with VenueControl(binance.record) as control:
            await control.command(MakeDeposit(account="alice", asset="ETH", amount="2", settle_ms=0))
        terminated = {"event eventStreamTerminated"}
        while wanted - walk.seen - terminated:
            event = (await next_json(ws))["event"]
            walk.take(f"event {event['e']}", event)
        await ws.send_json({"id": 2, "method": "userDataStream.unsubscribe"})
        while wanted - walk.seen:
            frame = await next_json(ws)
            if "event" in frame:
                walk.take(f"event {frame['event']['e']}", frame["event"])
    assert walk.wrong == []


async def test_every_method_of_the_websocket_api(binance: LocalBinance) -> None:
    """Methods are carried out by the handlers of the REST endpoints; the others are asked here."""
    own = {name for name, endpoint in WEBSOCKET.items() if endpoint.handler not in {e.handler for e in ROUTES.values()}}
    assert own == {"exchangeInfo"}
    walk = Walk(binance)

    async def call(ws: Any, method: str, params: Any = None) -> Any:
        answer = await ask(ws, method, params)
        assert answer["status"] == 200, answer
        walk.wrong += FIELDS.differences("ws-api envelope", answer | {"result": {}})
        return walk.take(f"ws-api {method}", answer["result"])

    async with binance.ws(WS_API) as ws:
        await call(ws, "exchangeInfo")
        more = binance.account("bob").more
        key = cast("Ed25519PrivateKey", load_pem_private_key(more["ed25519.secret"].encode(), None))
        log_on: dict[str, Any] = {"apiKey": more["ed25519.apiKey"], "timestamp": now_ms()}
        payload = "&".join(f"{name}={log_on[name]}" for name in sorted(log_on))
        log_on["signature"] = base64.b64encode(key.sign(payload.encode())).decode()
        await call(ws, "session.logon", log_on)
        await call(ws, "userDataStream.subscribe")
        await call(ws, "userDataStream.subscribe.signature", binance.api_params())
        for method in ("session.subscriptions", "session.status"):
            await call(ws, method)
        await call(ws, "userDataStream.unsubscribe", {"subscriptionId": 0})
        await call(ws, "session.logout")
    methods = {f"ws-api {name}" for name in (*SESSION_METHODS, "exchangeInfo")}
    assert methods - walk.seen == set()
    assert walk.wrong == []


async def test_the_last_words_of_a_stream(living: LocalBinance) -> None:
    walk = Walk(living)
    listen = await living.send("POST", f"{REST}/api/v3/userDataStream", key=living.account().apiKey)
    async with living.ws(f"{STREAM}/ws/{listen.json['listenKey']}") as user, living.ws(f"{STREAM}/ws") as market_data:
        async with VenueControl(living.record) as control:
            await control.command(ExpireTokens(account="alice"))
        walk.take("token listenKeyExpired", await next_json(user))
        stopping = asyncio.create_task(living.server.stop())
        walk.take("farewell serverShutdown", await next_json(market_data))
    await stopping
    assert walk.wrong == []
