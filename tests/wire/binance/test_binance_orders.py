"""Orders by REST: every kind, its answers, and what the ledger says of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from binance_kit import LocalBinance, local_binance

from planar.venue.engine.enums import OrderKind, OrderStatus, Side
from planar.venue.engine.types import NewOrder, OrderRef
from planar.venue.wire.binance import Settings

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "50000"}
ACK = {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
NUMBERS = {
    "price",
    "origQty",
    "executedQty",
    "origQuoteOrderQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "selfTradePreventionMode",
}
RESULT = ACK | NUMBERS | {"workingTime"}
FULL = RESULT | {"fills"}
CANCELED = ACK | NUMBERS | {"origClientOrderId"}
QUERIED = (
    (ACK - {"transactTime"}) | NUMBERS | {"stopPrice", "icebergQty", "time", "updateTime", "isWorking", "workingTime"}
)
AMENDED = {
    "symbol",
    "orderId",
    "orderListId",
    "origClientOrderId",
    "clientOrderId",
    "price",
    "qty",
    "executedQty",
    "preventedQty",
    "quoteOrderQty",
    "cumulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "workingTime",
    "selfTradePreventionMode",
}


def best(binance: LocalBinance, side: str, symbol: str = "BTC/USDT") -> Decimal:
    """Best price of a side of the book."""
    book = binance.exchange.depth(symbol, 1)
    return (book.bids if side == "BUY" else book.asks)[0].price


def ledger_order(binance: LocalBinance, order_id: int) -> Any:
    return binance.exchange.order("alice", "BTC/USDT", OrderRef(order_id))


async def test_limit_order_rests_and_is_canceled(binance: LocalBinance) -> None:
    before = binance.exchange.balances("alice")["USDT"]
    placed = await binance.order(**LIMIT, newClientOrderId="my-order_1")
    assert placed.status == 200
    assert set(placed.json) == FULL
    assert placed.json | {"orderId": 0, "transactTime": 0, "workingTime": 0} == {
        "symbol": "BTCUSDT",
        "orderId": 0,
        "orderListId": -1,
        "clientOrderId": "my-order_1",
        "transactTime": 0,
        "price": "50000.00000000",
        "origQty": "0.00100000",
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "workingTime": 0,
        "fills": [],
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
    locked = binance.exchange.balances("alice")["USDT"]
    assert (locked.free, locked.locked) == (before.free - 50, before.locked + 50)
    queried = await binance.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="my-order_1")
    assert set(queried.json) == QUERIED
    assert queried.json["isWorking"] is True
    canceled = await binance.signed(
        "DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=placed.json["orderId"], newClientOrderId="the-cancel"
    )
    assert set(canceled.json) == CANCELED
    assert canceled.json["status"] == "CANCELED"
    assert (canceled.json["origClientOrderId"], canceled.json["clientOrderId"]) == ("my-order_1", "the-cancel")
    assert binance.exchange.balances("alice")["USDT"] == before
    after = await binance.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed.json["orderId"])
    assert (after.json["status"], after.json["clientOrderId"]) == ("CANCELED", "my-order_1")
    assert binance.exchange.audit() == []


@pytest.mark.parametrize("side", ["BUY", "SELL"])
async def test_market_order(binance: LocalBinance, side: str) -> None:
    before = binance.exchange.balances("alice")
    placed = (await binance.order(side=side, type="MARKET", quantity="0.3")).json
    fills = binance.exchange.fills("alice", "BTC/USDT", order_id=placed["orderId"])
    assert placed["status"] == "FILLED"
    assert [(f["tradeId"], f["price"], f["qty"], f["commission"], f["commissionAsset"]) for f in placed["fills"]] == [
        (f.trade_id, f"{f.price:.8f}", f"{f.amount:.8f}", f"{f.commission:.8f}", f.commission_asset) for f in fills
    ]
    assert len(fills) > 1
    assert sum(f.amount for f in fills) == Decimal("0.3")
    cost = sum(f.quote for f in fills)
    assert Decimal(placed["cummulativeQuoteQty"]) == cost
    fee = sum(f.commission for f in fills)
    after = binance.exchange.balances("alice")
    if side == "BUY":
        assert after["BTC"].free == before["BTC"].free + Decimal("0.3") - fee
        assert after["USDT"].free == before["USDT"].free - cost
    else:
        assert after["BTC"].free == before["BTC"].free - Decimal("0.3")
        assert after["USDT"].free == before["USDT"].free + cost - fee
    trades = (await binance.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=placed["orderId"])).json
    assert [t["id"] for t in trades] == [f.trade_id for f in fills]
    assert trades[0] == {
        "symbol": "BTCUSDT",
        "id": fills[0].trade_id,
        "orderId": placed["orderId"],
        "orderListId": -1,
        "price": f"{fills[0].price:.8f}",
        "qty": f"{fills[0].amount:.8f}",
        "quoteQty": f"{fills[0].quote:.8f}",
        "commission": f"{fills[0].commission:.8f}",
        "commissionAsset": "BTC" if side == "BUY" else "USDT",
        "time": fills[0].ts_ms,
        "isBuyer": side == "BUY",
        "isMaker": False,
        "isBestMatch": True,
    }


@pytest.mark.parametrize("side", ["BUY", "SELL"])
async def test_market_order_by_quote(binance: LocalBinance, side: str) -> None:
    placed = (await binance.order(side=side, type="MARKET", quoteOrderQty="1000")).json
    assert placed["status"] == "FILLED"
    assert placed["origQuoteOrderQty"] == "1000.00000000"
    assert placed["origQty"] == placed["executedQty"]
    assert 0 <= 1000 - Decimal(placed["cummulativeQuoteQty"]) < Decimal("1")


async def test_immediate_or_cancel_and_fill_or_kill(binance: LocalBinance) -> None:
    ask = best(binance, "SELL")
    part = (await binance.order(**{**LIMIT, "quantity": "2", "price": str(ask), "timeInForce": "IOC"})).json
    assert part["status"] == "EXPIRED"
    assert 0 < Decimal(part["executedQty"]) < 2
    none = (
        await binance.order(**{**LIMIT, "quantity": "2", "price": str(best(binance, "SELL")), "timeInForce": "FOK"})
    ).json
    assert (none["status"], none["executedQty"], none["fills"]) == ("EXPIRED", "0.00000000", [])
    whole = (await binance.order(**{**LIMIT, "price": str(best(binance, "SELL")), "timeInForce": "FOK"})).json
    assert whole["status"] == "FILLED"


async def test_post_only_answers_ack_by_default(binance: LocalBinance) -> None:
    order = {"side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.001", "price": "50000"}
    placed = await binance.order(**order)
    assert set(placed.json) == ACK
    queried = await binance.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed.json["orderId"])
    assert (queried.json["type"], queried.json["timeInForce"]) == ("LIMIT_MAKER", "GTC")
    shown = await binance.order(**order, newOrderRespType="RESULT")
    assert set(shown.json) == RESULT


@pytest.mark.parametrize(
    ("kind", "stop", "extra"),
    [
        ("STOP_LOSS", "0.99", {}),
        ("STOP_LOSS_LIMIT", "0.99", {"timeInForce": "GTC", "price": "0.95"}),
        ("TAKE_PROFIT", "1.01", {}),
        ("TAKE_PROFIT_LIMIT", "1.01", {"timeInForce": "GTC", "price": "0.95"}),
    ],
)
async def test_stop_orders_wait_and_trigger(binance: LocalBinance, kind: str, stop: str, extra: dict[str, str]) -> None:
    spec = binance.exchange.symbols["BTC/USDT"]
    last = binance.exchange.last_price("BTC/USDT")
    assert last is not None
    stop_price = last * Decimal(stop) // spec.tick * spec.tick
    if "price" in extra:
        extra = {**extra, "price": str(last * Decimal(extra["price"]) // spec.tick * spec.tick)}
    placed = (
        await binance.order(
            side="SELL", type=kind, quantity="0.001", stopPrice=str(stop_price), newOrderRespType="RESULT", **extra
        )
    ).json
    assert set(placed) == RESULT | {"stopPrice"}
    assert (placed["status"], placed["workingTime"], placed["type"]) == ("NEW", -1, kind)
    query = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    waiting = (await binance.signed("GET", "/api/v3/order", **query)).json
    assert (waiting["isWorking"], waiting["workingTime"], waiting["stopPrice"]) == (False, -1, f"{stop_price:.8f}")
    trade_at(binance, stop_price)
    done = (await binance.signed("GET", "/api/v3/order", **query)).json
    assert (done["status"], done["isWorking"]) == ("FILLED", True)
    assert done["workingTime"] >= placed["transactTime"]


def trade_at(binance: LocalBinance, price: Decimal) -> None:
    """Let bob and carol trade so that the last price is `price`, clearing the book up to there; a deep bid stays."""
    exchange = binance.exchange
    for account in ("bob", "carol"):
        exchange.credit(account, "BTC", Decimal(100), "test")
        exchange.credit(account, "USDT", Decimal(10_000_000), "test")
    last = exchange.last_price("BTC/USDT")
    assert last is not None
    tick = exchange.symbols["BTC/USDT"].tick
    deep = {"symbol": "BTC/USDT", "kind": OrderKind.LIMIT, "price": price * Decimal("0.97") // tick * tick}
    exchange.submit(NewOrder(account="bob", side=Side.BUY, amount=Decimal(1), **deep))  # type: ignore[arg-type]
    taker = Side.BUY if price > last else Side.SELL
    maker = Side.SELL if taker is Side.BUY else Side.BUY
    common = {"symbol": "BTC/USDT", "kind": OrderKind.LIMIT, "price": price}
    exchange.submit(NewOrder(account="bob", side=maker, amount=Decimal("0.01"), **common))  # type: ignore[arg-type]
    order = exchange.submit(NewOrder(account="carol", side=taker, amount=Decimal(50), **common))  # type: ignore[arg-type]
    if order.is_open:
        exchange.cancel("carol", "BTC/USDT", OrderRef(order.id))


async def test_iceberg_and_strategy(binance: LocalBinance) -> None:
    placed = (
        await binance.order(**{**LIMIT, "quantity": "0.01"}, icebergQty="0.002", strategyId=7, strategyType=1_000_001)
    ).json
    assert set(placed) == FULL | {"icebergQty", "strategyId", "strategyType"}
    assert (placed["icebergQty"], placed["strategyId"], placed["strategyType"]) == ("0.00200000", 7, 1_000_001)
    queried = (await binance.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"])).json
    assert queried["strategyId"] == 7
    refused = await binance.order(**{**LIMIT, "quantity": "50"}, strategyId=8, newClientOrderId="again")
    assert refused.error[1] == -2010
    plain = (await binance.order(**LIMIT, newClientOrderId="again")).json
    assert "strategyId" not in plain


async def test_test_order_leaves_nothing(binance: LocalBinance) -> None:
    before = len(binance.exchange.orders("alice", "BTC/USDT"))
    answer = await binance.signed("POST", "/api/v3/order/test", symbol="BTCUSDT", **{**LIMIT, "quantity": "90"})
    assert answer.json == {}
    odd = await binance.signed("POST", "/api/v3/order/test", symbol="BTCUSDT", **{**LIMIT, "quantity": "0.0010005"})
    assert odd.error == (400, -1013, "Filter failure: LOT_SIZE")
    rates = await binance.signed("POST", "/api/v3/order/test", symbol="BTCUSDT", **LIMIT, computeCommissionRates="true")
    assert rates.json["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert set(rates.json) == {
        "standardCommissionForOrder",
        "specialCommissionForOrder",
        "taxCommissionForOrder",
        "discount",
    }
    assert len(binance.exchange.orders("alice", "BTC/USDT")) == before


async def test_cancel_restrictions(binance: LocalBinance) -> None:
    placed = (await binance.order(**LIMIT)).json
    query = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    refused = await binance.signed("DELETE", "/api/v3/order", **query, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert refused.error == (400, -2011, "Order was not canceled due to cancel restrictions.")
    assert (await binance.signed("DELETE", "/api/v3/order", **query, cancelRestrictions="ONLY_NEW")).status == 200


async def test_cancel_all(binance: LocalBinance) -> None:
    placed = [(await binance.order(**LIMIT)).json["orderId"] for _ in range(2)]
    open_before = [order.id for order in binance.exchange.open_orders("alice", "BTC/USDT")]
    canceled = (await binance.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")).json
    assert [order["orderId"] for order in canceled] == open_before
    assert set(placed) <= set(open_before)
    assert len({order["clientOrderId"] for order in canceled}) == 1
    assert binance.exchange.open_orders("alice", "BTC/USDT") == []


async def test_open_and_all_orders(binance: LocalBinance) -> None:
    await binance.order(**LIMIT)
    everywhere = (await binance.signed("GET", "/api/v3/openOrders")).json
    assert [o["orderId"] for o in everywhere] == [o.id for o in binance.exchange.open_orders("alice")]
    assert {o["symbol"] for o in everywhere} > {"BTCUSDT"}
    orders = (await binance.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT")).json
    assert [o["orderId"] for o in orders] == [o.id for o in binance.exchange.orders("alice", "BTC/USDT")]
    assert all(set(o) == QUERIED for o in orders)
    last = orders[-2]["orderId"]
    tail = (await binance.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT", orderId=last, limit=1)).json
    assert [o["orderId"] for o in tail] == [last]


async def test_cancel_replace(binance: LocalBinance) -> None:
    placed = (await binance.order(**LIMIT, newClientOrderId="old")).json
    path = "/api/v3/order/cancelReplace"
    base = {"symbol": "BTCUSDT", "cancelReplaceMode": "STOP_ON_FAILURE", **LIMIT, "price": "51000"}
    done = await binance.signed("POST", path, **base, cancelOrderId=placed["orderId"], cancelNewClientOrderId="gone")
    assert done.status == 200
    assert (done.json["cancelResult"], done.json["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert set(done.json["cancelResponse"]) == CANCELED
    assert done.json["cancelResponse"]["clientOrderId"] == "gone"
    assert set(done.json["newOrderResponse"]) == FULL
    failed = await binance.signed("POST", path, **base, cancelOrderId=placed["orderId"])
    assert failed.error == (400, -2022, "Order cancel-replace failed.")
    assert failed.json["data"] == {
        "cancelResult": "FAILURE",
        "newOrderResult": "NOT_ATTEMPTED",
        "cancelResponse": {"code": -2011, "msg": "Unknown order sent."},
        "newOrderResponse": None,
    }
    allowed = {**base, "cancelReplaceMode": "ALLOW_FAILURE"}
    half = await binance.signed("POST", path, **allowed, cancelOrderId=placed["orderId"], newOrderRespType="ACK")
    assert half.error == (409, -2021, "Order cancel-replace partially failed.")
    assert (half.json["data"]["cancelResult"], half.json["data"]["newOrderResult"]) == ("FAILURE", "SUCCESS")
    assert set(half.json["data"]["newOrderResponse"]) == ACK
    new_id = half.json["data"]["newOrderResponse"]["orderId"]
    poor = await binance.signed("POST", path, **{**base, "quantity": "50"}, cancelOrderId=new_id)
    assert poor.error == (409, -2021, "Order cancel-replace partially failed.")
    assert poor.json["data"]["newOrderResponse"] == {
        "code": -2010,
        "msg": "Account has insufficient balance for requested action.",
    }
    assert ledger_order(binance, new_id).status is OrderStatus.CANCELED
    both = await binance.signed("POST", path, **{**allowed, "quantity": "50"}, cancelOrderId=new_id)
    assert both.error == (400, -2022, "Order cancel-replace failed.")
    assert (both.json["data"]["cancelResult"], both.json["data"]["newOrderResult"]) == ("FAILURE", "FAILURE")


async def test_cancel_replace_checks_filters_before_anything(binance: LocalBinance) -> None:
    placed = (await binance.order(**LIMIT)).json
    refused = await binance.signed(
        "POST",
        "/api/v3/order/cancelReplace",
        symbol="BTCUSDT",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=placed["orderId"],
        **{**LIMIT, "price": "50000.001"},
    )
    assert refused.error == (400, -1013, "Filter failure: PRICE_FILTER")
    assert ledger_order(binance, placed["orderId"]).is_open


async def test_cancel_replace_over_the_order_limit(socket_path: str) -> None:
    async with local_binance(socket_path, settings=Settings(orders_per_day=1)) as venue:
        venue.freeze()
        placed = (await venue.order(**LIMIT)).json
        base = {
            "symbol": "BTCUSDT",
            "cancelReplaceMode": "STOP_ON_FAILURE",
            "cancelOrderId": placed["orderId"],
            **LIMIT,
        }
        nothing = await venue.signed("POST", "/api/v3/order/cancelReplace", **base)
        assert nothing.error == (429, -1015, "Too many new orders; current limit is 1 orders per 1 DAY.")
        only = await venue.signed(
            "POST", "/api/v3/order/cancelReplace", **base, orderRateLimitExceededMode="CANCEL_ONLY"
        )
        assert only.error == (429, -2021, "Order cancel-replace partially failed.")
        assert only.json["data"]["cancelResult"] == "SUCCESS"
        assert only.json["data"]["newOrderResponse"]["code"] == -1015
        allowed = {**base, "cancelReplaceMode": "ALLOW_FAILURE", "orderRateLimitExceededMode": "CANCEL_ONLY"}
        both = await venue.signed("POST", "/api/v3/order/cancelReplace", **allowed)
        assert both.error == (400, -2022, "Order cancel-replace failed.")


async def test_amend_keeps_priority(binance: LocalBinance) -> None:
    placed = (await binance.order(**{**LIMIT, "quantity": "0.005"}, newClientOrderId="first")).json
    path, query = "/api/v3/order/amend/keepPriority", {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    amended = await binance.signed("PUT", path, **query, newQty="0.003", newClientOrderId="second")
    assert amended.status == 200
    assert set(amended.json) == {"transactTime", "executionId", "amendedOrder"}
    order = amended.json["amendedOrder"]
    assert set(order) == AMENDED
    assert (order["qty"], order["origClientOrderId"], order["clientOrderId"]) == ("0.00300000", "first", "second")
    assert ledger_order(binance, placed["orderId"]).amount == Decimal("0.003")
    same = await binance.signed("PUT", path, **query, newQty="0.003")
    assert same.error == (400, -2038, "The requested action would change no state; rejecting.")
    more = await binance.signed("PUT", path, **query, newQty="0.004")
    assert more.error == (400, -2038, "Order amend (quantity increase) is not supported.")
    history = (await binance.signed("GET", "/api/v3/order/amendments", **query)).json
    assert history == [
        {
            "symbol": "BTCUSDT",
            "orderId": placed["orderId"],
            "executionId": amended.json["executionId"],
            "origClientOrderId": "first",
            "newClientOrderId": "second",
            "origQty": "0.00500000",
            "newQty": "0.00300000",
            "time": amended.json["transactTime"],
        }
    ]
    for step in range(9):
        answer = await binance.signed("PUT", path, **query, newQty=f"0.0029{9 - step}")
        assert answer.status == 200, answer.text
    last = await binance.signed("PUT", path, **query, newQty="0.001")
    assert last.error == (400, -2038, "Filter failure: MAX_NUM_ORDER_AMENDS")


@pytest.mark.parametrize(
    ("mode", "taker", "maker"),
    [
        ("NONE", "FILLED", "FILLED"),
        ("EXPIRE_MAKER", None, "EXPIRED_IN_MATCH"),
        ("EXPIRE_TAKER", "EXPIRED_IN_MATCH", "NEW"),
        ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
    ],
)
async def test_self_trade_prevention(binance: LocalBinance, mode: str, taker: str | None, maker: str) -> None:
    price = str(best(binance, "SELL") - Decimal("0.01"))
    resting = (await binance.order(side="SELL", type="LIMIT_MAKER", quantity="0.002", price=price)).json
    crossing = (
        await binance.order(**{**LIMIT, "quantity": "0.002", "price": price}, selfTradePreventionMode=mode)
    ).json
    resting_now = (await binance.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=resting["orderId"])).json
    assert resting_now["status"] == maker
    assert crossing["status"] == (taker or "NEW")
    matches = (
        await binance.signed("GET", "/api/v3/myPreventedMatches", symbol="BTCUSDT", orderId=crossing["orderId"])
    ).json
    if mode == "NONE":
        assert matches == []
        return
    assert matches[0] | {"preventedMatchId": 0, "transactTime": 0} == {
        "symbol": "BTCUSDT",
        "preventedMatchId": 0,
        "takerOrderId": crossing["orderId"],
        "makerSymbol": "BTCUSDT",
        "makerOrderId": resting["orderId"],
        "tradeGroupId": -1,
        "selfTradePreventionMode": mode,
        "price": f"{Decimal(price):.8f}",
        **({"takerPreventedQuantity": "0.00200000"} if mode != "EXPIRE_MAKER" else {}),
        **({"makerPreventedQuantity": "0.00200000"} if mode != "EXPIRE_TAKER" else {}),
        "transactTime": 0,
    }
    assert crossing["preventedMatches"][0]["makerOrderId"] == resting["orderId"]
    if maker == "EXPIRED_IN_MATCH":
        assert resting_now["preventedQuantity"] == "0.00200000"
        assert resting_now["preventedMatchId"] == matches[0]["preventedMatchId"]


async def test_account(binance: LocalBinance) -> None:
    account = (await binance.signed("GET", "/api/v3/account")).json
    assert set(account) == {
        "makerCommission",
        "takerCommission",
        "buyerCommission",
        "sellerCommission",
        "commissionRates",
        "canTrade",
        "canWithdraw",
        "canDeposit",
        "brokered",
        "requireSelfTradePrevention",
        "preventSor",
        "updateTime",
        "accountType",
        "balances",
        "permissions",
        "uid",
    }
    held = binance.exchange.balances("alice")
    shown = {b["asset"]: (Decimal(b["free"]), Decimal(b["locked"])) for b in account["balances"]}
    assert {asset: (b.free, b.locked) for asset, b in held.items()}.items() <= shown.items()
    assert list(shown) == list(binance.exchange.assets)
    short = (await binance.signed("GET", "/api/v3/account", omitZeroBalances="true")).json
    assert [b["asset"] for b in short["balances"]] == [asset for asset in shown if any(shown[asset])]
    commission = (await binance.signed("GET", "/api/v3/account/commission", symbol="BTCUSDT")).json
    assert commission["standardCommission"] == account["commissionRates"]
