"""Trailing stops and order lists of the local Binance: REST, WebSocket API, user data, and CCXT as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt_async
import pytest
from binance_kit import WS_API, LocalBinance

from planar.venue.engine.enums import OrderKind, OrderStatus, Side, TimeInForce
from planar.venue.engine.types import NewOrder, OrderRef

SYMBOL = "BTC/USDT"
LIST = {
    "orderListId",
    "contingencyType",
    "listStatusType",
    "listOrderStatus",
    "listClientOrderId",
    "transactionTime",
    "symbol",
    "orders",
}
REPORT = {
    "symbol",
    "orderId",
    "orderListId",
    "clientOrderId",
    "transactTime",
    "price",
    "origQty",
    "executedQty",
    "origQuoteOrderQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "workingTime",
    "selfTradePreventionMode",
}
LIST_STATUS = {"e", "E", "s", "g", "c", "l", "L", "r", "C", "T", "O"}


@pytest.fixture
def last(binance: LocalBinance) -> Decimal:
    """The last price."""
    found = binance.exchange.last_price(SYMBOL)
    assert found is not None
    return found


def at(last: Decimal, factor: str) -> str:
    """A price at a factor of another, on the tick."""
    return str((last * Decimal(factor)).quantize(Decimal("0.01")))


def trade_down_to(binance: LocalBinance, price: str) -> None:
    """Let others sell into the book until the last price is this one."""
    exchange = binance.exchange
    for account, asset, amount in (("bob", "BTC", 5000), ("bob", "USDT", 10_000_000), ("carol", "BTC", 10)):
        exchange.set_balance(account, asset, Decimal(amount))
    sweep = {"side": Side.SELL, "amount": Decimal(4000), "tif": TimeInForce.IOC}
    for account, fields in (
        ("bob", sweep),
        ("bob", {"side": Side.BUY, "amount": Decimal("0.01")}),
        ("carol", {"side": Side.SELL, "amount": Decimal("0.01")}),
    ):
        fields |= {"account": account, "symbol": SYMBOL, "kind": OrderKind.LIMIT, "price": Decimal(price)}
        exchange.submit(NewOrder(**fields))
    assert exchange.last_price(SYMBOL) == Decimal(price)


def sell_oco(last: Decimal, **changes: str) -> dict[str, str]:
    return {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "0.01",
        "aboveType": "LIMIT_MAKER",
        "abovePrice": at(last, "1.1"),
        "belowType": "STOP_LOSS_LIMIT",
        "belowStopPrice": at(last, "0.95"),
        "belowPrice": at(last, "0.94"),
        "belowTimeInForce": "GTC",
        **changes,
    }


async def test_a_trailing_stop_says_how_it_trails_and_triggers(binance: LocalBinance, last: Decimal) -> None:
    asked = {"side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "trailingDelta": "200"}
    placed = (await binance.order(**asked, newOrderRespType="RESULT")).json
    assert set(placed) == REPORT | {"stopPrice", "trailingDelta", "trailingTime"}
    assert (placed["stopPrice"], placed["trailingDelta"]) == ("0.00000000", 200)
    assert placed["trailingTime"] == placed["transactTime"]
    assert placed["workingTime"] == -1
    query = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    asked_again = (await binance.signed("GET", "/api/v3/order", **query)).json
    assert (asked_again["trailingDelta"], asked_again["isWorking"]) == (200, False)
    trade_down_to(binance, at(last, "0.981"))
    assert (await binance.signed("GET", "/api/v3/order", **query)).json["status"] == "NEW"
    trade_down_to(binance, at(last, "0.979"))
    after = (await binance.signed("GET", "/api/v3/order", **query)).json
    assert (after["status"], after["workingTime"] > placed["transactTime"]) == ("EXPIRED", True)  # no bids are left
    assert binance.exchange.audit() == []


async def test_a_trailing_stop_with_a_stop_price_waits_for_it(binance: LocalBinance, last: Decimal) -> None:
    asked = {"side": "BUY", "type": "TAKE_PROFIT_LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    prices = {"price": at(last, "0.9"), "stopPrice": at(last, "0.95"), "trailingDelta": "100"}
    placed = (await binance.order(**asked, **prices, newOrderRespType="RESULT")).json
    assert (placed["trailingTime"], placed["stopPrice"]) == (-1, f"{Decimal(prices['stopPrice']):.8f}")
    trade_down_to(binance, at(last, "0.949"))
    order = binance.exchange.order("alice", SYMBOL, OrderRef(placed["orderId"]))
    assert order.trailing_since_ms is not None
    assert order.trigger_price is not None
    assert order.trigger_price >= Decimal(at(last, "0.949")) * Decimal("1.01")


async def test_an_oco_is_answered_asked_for_and_canceled(binance: LocalBinance, last: Decimal) -> None:
    before = binance.exchange.balances("alice")["BTC"]
    answer = await binance.signed("POST", "/api/v3/orderList/oco", **sell_oco(last, listClientOrderId="both"))
    placed = answer.json
    assert answer.status == 200, placed
    assert set(placed) == LIST | {"orderReports"}
    assert (placed["contingencyType"], placed["listStatusType"], placed["listOrderStatus"]) == (
        "OCO",
        "EXEC_STARTED",
        "EXECUTING",
    )
    stop, limit = placed["orderReports"]
    assert set(stop) == REPORT | {"stopPrice"}
    assert set(limit) == REPORT
    assert (stop["type"], limit["type"]) == ("STOP_LOSS_LIMIT", "LIMIT_MAKER")
    assert {stop["orderListId"], limit["orderListId"]} == {placed["orderListId"]}
    assert [row["orderId"] for row in placed["orders"]] == [stop["orderId"], limit["orderId"]]
    after = binance.exchange.balances("alice")["BTC"]
    assert (after.locked - before.locked, binance.exchange.audit()) == (Decimal("0.01"), [])
    held = (await binance.signed("GET", "/api/v3/openOrderList")).json
    assert [row["listClientOrderId"] for row in held] == ["both"]
    assert set(held[0]) == LIST
    one = (await binance.signed("GET", "/api/v3/orderList", origClientOrderId="both")).json
    assert one == held[0]
    query = {"symbol": "BTCUSDT", "orderId": stop["orderId"]}
    canceled = (await binance.signed("DELETE", "/api/v3/order", **query)).json
    assert set(canceled) == LIST | {"orderReports"}
    assert (canceled["listStatusType"], canceled["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert [row["status"] for row in canceled["orderReports"]] == ["CANCELED", "CANCELED"]
    assert (await binance.signed("GET", "/api/v3/openOrderList")).json == []
    assert [row["orderListId"] for row in (await binance.signed("GET", "/api/v3/allOrderList")).json] == [
        placed["orderListId"]
    ]
    assert binance.exchange.balances("alice")["BTC"] == before


async def test_the_trigger_of_one_expires_the_other(binance: LocalBinance, last: Decimal) -> None:
    async with binance.ws(WS_API) as ws:
        await ws.send_json(
            {"id": 1, "method": "userDataStream.subscribe.signature", "params": binance.api_params("alice")}
        )
        assert json.loads((await ws.receive()).data)["status"] == 200
        placed = (await binance.signed("POST", "/api/v3/orderList/oco", **sell_oco(last))).json
        trade_down_to(binance, at(last, "0.949"))
        seen: list[dict[str, Any]] = []
        while not seen or seen[-1]["e"] != "listStatus" or len([e for e in seen if e["e"] == "executionReport"]) < 3:
            seen.append(json.loads((await ws.receive(timeout=5)).data)["event"])
            if any(e.get("X") == "EXPIRED" for e in seen) and any(
                e.get("w") for e in seen if e.get("o") == "STOP_LOSS_LIMIT"
            ):
                break
    began = next(event for event in seen if event["e"] == "listStatus")
    assert set(began) == LIST_STATUS
    assert (began["g"], began["c"], began["l"], began["L"]) == (
        placed["orderListId"],
        "OCO",
        "EXEC_STARTED",
        "EXECUTING",
    )
    assert all(event["g"] == placed["orderListId"] for event in seen if event["e"] == "executionReport")
    statuses = {order.kind: order.status for order in binance.exchange.order_list("alice", list_id=began["g"]).orders}
    assert statuses[OrderKind.LIMIT] is OrderStatus.EXPIRED
    assert binance.exchange.audit() == []


async def test_an_oto_starts_the_pending_order_when_the_working_one_is_filled(
    binance: LocalBinance, last: Decimal
) -> None:
    ask = binance.exchange.depth(SYMBOL, 1).asks[0].price
    asked = {
        "symbol": "BTCUSDT",
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingPrice": str(ask),
        "workingQuantity": "0.001",
        "workingTimeInForce": "GTC",
        "pendingType": "LIMIT_MAKER",
        "pendingSide": "SELL",
        "pendingPrice": at(last, "1.2"),
        "pendingQuantity": "0.0005",
    }
    placed = (await binance.signed("POST", "/api/v3/orderList/oto", **asked)).json
    working, pending = placed["orderReports"]
    assert placed["contingencyType"] == "OTO"
    assert (working["status"], pending["status"], pending["workingTime"]) == ("FILLED", "PENDING_NEW", -1)
    query = {"symbol": "BTCUSDT", "orderId": pending["orderId"]}
    assert (await binance.signed("GET", "/api/v3/order", **query)).json["status"] == "NEW"
    canceled = await binance.signed("DELETE", "/api/v3/orderList", symbol="BTCUSDT", orderListId=placed["orderListId"])
    assert [row["orderId"] for row in canceled.json["orderReports"]] == [pending["orderId"]]


async def test_an_otoco_waits_and_amending_a_leg_tells_the_list(binance: LocalBinance, last: Decimal) -> None:
    asked = {
        "symbol": "BTCUSDT",
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingPrice": at(last, "0.9"),
        "workingQuantity": "0.01",
        "workingTimeInForce": "GTC",
        "pendingSide": "SELL",
        "pendingQuantity": "0.01",
        "pendingAboveType": "TAKE_PROFIT",
        "pendingAboveStopPrice": at(last, "1.1"),
        "pendingBelowType": "STOP_LOSS",
        "pendingBelowTrailingDelta": "500",
    }
    params = binance.api_params("alice", **asked)
    async with binance.ws(WS_API) as ws:
        await ws.send_json({"id": 1, "method": "orderList.place.otoco", "params": params})
        placed = json.loads((await ws.receive()).data)["result"]
    assert (placed["contingencyType"], len(placed["orders"])) == ("OTO", 3)
    assert [row["status"] for row in placed["orderReports"]] == ["NEW", "PENDING_NEW", "PENDING_NEW"]
    working = placed["orderReports"][0]
    amended = await binance.signed(
        "PUT", "/api/v3/order/amend/keepPriority", symbol="BTCUSDT", orderId=working["orderId"], newQty="0.005"
    )
    assert set(amended.json["listStatus"]) == LIST - {"listStatusType", "transactionTime"}
    await binance.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert binance.exchange.open_orders("alice", SYMBOL) == []
    assert binance.exchange.audit() == []


def wrong() -> Iterator[tuple[dict[str, str], tuple[int, str]]]:
    yield {"aboveType": "MARKET"}, (-1158, "Order type not supported in OCO.")
    yield {"belowType": "LIMIT_MAKER"}, (-1168, "At least one OCO order must be contingent.")
    yield {"aboveType": "STOP_LOSS"}, (-1197, "A stop loss order in a sell OCO must be below.")
    yield {"belowType": "TAKE_PROFIT"}, (-1199, "A take profit order in a sell OCO must be above.")
    yield {"side": "BUY"}, (-1165, "A limit order in a buy OCO must be below.")
    yield {"aboveStopPrice": "1.00"}, (-1106, "Parameter 'aboveStopPrice' sent when not required.")
    yield {"belowStopPrice": "1.1"}, (-2010, "The relationship of the prices for the orders is not correct.")
    yield {"quantity": "0.0000001"}, (-1013, "Filter failure: LOT_SIZE")


@pytest.mark.parametrize(("change", "error"), list(wrong()))
async def test_wrong_lists_are_refused(
    binance: LocalBinance, last: Decimal, change: dict[str, str], error: tuple[int, str]
) -> None:
    if change.get("belowStopPrice") == "1.1":
        change = {"belowStopPrice": at(last, "1.05")}
    answer = await binance.signed("POST", "/api/v3/orderList/oco", **sell_oco(last, **change))
    assert answer.error == (400, *error)
    assert binance.exchange.order_lists("alice") == []


async def test_ccxt_places_trailing_stops_and_the_deprecated_oco(binance: LocalBinance, last: Decimal) -> None:
    async with binance.ccxt(ccxt_async.binance) as exchange:
        trailing = await exchange.create_order(
            SYMBOL,
            "market",
            "sell",
            0.01,
            None,
            {"trailingPercent": 2, "stopLossOrTakeProfit": "stopLoss"},
        )
        order = binance.exchange.order("alice", SYMBOL, OrderRef(int(trailing["id"])))
        assert order.trailing is not None
        assert (order.kind, order.trailing.fraction) == (OrderKind.STOP_LOSS, Decimal("0.02"))
        await exchange.cancel_order(trailing["id"], SYMBOL)
        for params, kind in (
            ({"stopLossPrice": at(last, "0.9")}, OrderKind.STOP_LOSS),
            ({"takeProfitPrice": at(last, "1.1")}, OrderKind.TAKE_PROFIT),
            ({"triggerPrice": at(last, "0.9")}, OrderKind.STOP_LOSS),
        ):
            placed = await exchange.create_order(SYMBOL, "market", "sell", 0.01, None, params)
            assert binance.exchange.order("alice", SYMBOL, OrderRef(int(placed["id"]))).kind is kind
        asked = {
            "symbol": "BTCUSDT",
            "side": "SELL",
            "quantity": "0.01",
            "price": at(last, "1.1"),
            "stopPrice": at(last, "0.95"),
            "stopLimitPrice": at(last, "0.94"),
            "stopLimitTimeInForce": "GTC",
        }
        old = await exchange.private_post_order_oco(asked)
        new = await exchange.private_post_orderlist_oco(sell_oco(last))
        held = await exchange.private_get_openorderlist()
        assert [int(row["orderListId"]) for row in held] == [int(old["orderListId"]), int(new["orderListId"])]
        await exchange.cancel_all_orders(SYMBOL)
        assert binance.exchange.open_orders("alice", SYMBOL) == []


async def test_ccxt_places_every_other_kind(binance: LocalBinance, last: Decimal) -> None:
    low, high = float(at(last, "0.9")), float(at(last, "1.1"))
    async with binance.ccxt(ccxt_async.binance) as exchange:
        for price, params, check in (
            (low, {"postOnly": True}, lambda order: order.post_only),
            (low, {"timeInForce": "IOC"}, lambda order: order.status is OrderStatus.EXPIRED),
            (low, {"timeInForce": "FOK"}, lambda order: order.status is OrderStatus.EXPIRED),
            (low, {"icebergAmount": 0.001}, lambda order: order.iceberg_amount == Decimal("0.001")),
            (high, {"stopLossPrice": high}, lambda order: order.kind is OrderKind.STOP_LOSS_LIMIT),
            (low, {"takeProfitPrice": low}, lambda order: order.kind is OrderKind.TAKE_PROFIT_LIMIT),
            (
                high,
                {"trailingPercent": 1, "stopLossOrTakeProfit": "stopLoss"},
                lambda order: order.trailing is not None,
            ),
        ):
            placed = await exchange.create_order(SYMBOL, "limit", "buy", 0.002, price, params)
            order = binance.exchange.order("alice", SYMBOL, OrderRef(int(placed["id"])))
            assert check(order), params
        spent = await exchange.create_market_buy_order_with_cost(SYMBOL, 100)
        filled = binance.exchange.order("alice", SYMBOL, OrderRef(int(spent["id"])))
        assert Decimal(99) < filled.quote_filled <= 100
        placed = await exchange.create_order(SYMBOL, "limit", "buy", 0.002, low)
        edited = await exchange.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.003, low)
        amended = binance.exchange.order("alice", SYMBOL, OrderRef(int(edited["id"])))
        assert (amended.amount, amended.status) == (Decimal("0.003"), OrderStatus.NEW)
        await exchange.cancel_all_orders(SYMBOL)
        assert binance.exchange.open_orders("alice", SYMBOL) == []
        assert binance.exchange.audit() == []


@pytest.mark.parametrize(
    ("path", "change", "error"),
    [
        ("oto", {"workingType": "MARKET"}, (-1116, "Invalid orderType.")),
        (
            "oto",
            {"pendingType": "LIMIT"},
            (-1102, "Mandatory parameter 'pendingTimeInForce' was not sent, was empty/null, or malformed."),
        ),
        ("oto", {"pendingStopPrice": "1.00"}, (-1106, "Parameter 'pendingStopPrice' sent when not required.")),
        ("otoco", {}, (-1102, "Mandatory parameter 'pendingAboveType' was not sent, was empty/null, or malformed.")),
    ],
)
async def test_wrong_lists_of_a_working_order_are_refused(
    binance: LocalBinance, last: Decimal, path: str, change: dict[str, str], error: tuple[int, str]
) -> None:
    asked = {
        "symbol": "BTCUSDT",
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingPrice": at(last, "0.9"),
        "workingQuantity": "0.001",
        "workingTimeInForce": "GTC",
        "pendingSide": "SELL",
        "pendingQuantity": "0.001",
    }
    if path == "oto":
        asked |= {"pendingType": "LIMIT_MAKER", "pendingPrice": at(last, "1.2")}
    answer = await binance.signed("POST", f"/api/v3/orderList/{path}", **{**asked, **change})
    assert answer.error == (400, *error)


async def test_only_so_many_lists_and_stops_may_wait(binance: LocalBinance, last: Decimal) -> None:
    for _ in range(5):
        assert (await binance.signed("POST", "/api/v3/orderList/oco", **sell_oco(last))).status == 200
    answer = await binance.signed("POST", "/api/v3/orderList/oco", **sell_oco(last))
    assert answer.error == (400, -1013, "Filter failure: MAX_NUM_ALGO_ORDERS")
