"""Refusals: codes and texts as documented, and nothing done."""

from __future__ import annotations

from typing import Any

import pytest
from binance_kit import REST, LocalBinance

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001", "price": "50000"}
MARKET = {"side": "BUY", "type": "MARKET", "quantity": "0.001"}
DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"


def changed(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The base with changes; None takes a parameter away."""
    merged = {**base, **changes}
    return {name: value for name, value in merged.items() if value is not None}


ORDERS = [
    (changed(LIMIT, symbol=""), (-1105, "Parameter 'symbol' was empty.")),
    (
        changed(LIMIT, symbol="btcusdt"),
        (-1100, "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'."),
    ),
    (changed(LIMIT, symbol="NOSUCH"), (-1121, "Invalid symbol.")),
    (changed(LIMIT, side=None), (-1102, "Mandatory parameter 'side' was not sent, was empty/null, or malformed.")),
    (changed(LIMIT, side="LONG"), (-1117, "Invalid side.")),
    (changed(LIMIT, type="LIMITED"), (-1116, "Invalid orderType.")),
    (changed(LIMIT, timeInForce="GTX"), (-1115, "Invalid timeInForce.")),
    (
        changed(LIMIT, timeInForce=None),
        (-1102, "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed."),
    ),
    (
        changed(LIMIT, quantity=None),
        (-1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."),
    ),
    (changed(LIMIT, price=None), (-1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed.")),
    (
        changed(LIMIT, price="5e4"),
        (-1100, f"Illegal characters found in parameter 'price'; legal range is '{DECIMAL}'."),
    ),
    (
        changed(LIMIT, quantity="-1"),
        (-1100, f"Illegal characters found in parameter 'quantity'; legal range is '{DECIMAL}'."),
    ),
    (changed(LIMIT, quantity="0.001000001"), (-1111, "Parameter 'quantity' has too much precision.")),
    (changed(LIMIT, quantity="99999999999999"), (-1108, "Parameter 'quantity' overflowed.")),
    (changed(LIMIT, quantity="0"), (-1013, "Invalid quantity.")),
    (changed(LIMIT, price="0"), (-1013, "Invalid price.")),
    (changed(LIMIT, price="50000.001"), (-1013, "Filter failure: PRICE_FILTER")),
    (changed(LIMIT, quantity="0.000001"), (-1013, "Filter failure: LOT_SIZE")),
    (changed(LIMIT, quantity="0.001000001".rstrip("1") + "0"), None),
    (changed(LIMIT, quantity="0.00001"), (-1013, "Filter failure: NOTIONAL")),
    (changed(LIMIT, price="9"), (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")),
    (changed(LIMIT, quantity="90", price="50000"), (-2010, "Account has insufficient balance for requested action.")),
    (changed(LIMIT, stopPrice="1"), (-1106, "Parameter 'stopPrice' sent when not required.")),
    (changed(LIMIT, quoteOrderQty="1"), (-1106, "Parameter 'quoteOrderQty' sent when not required.")),
    (changed(LIMIT, foo="1"), (-1104, "Not all sent parameters were read; read '8' parameter(s) but was sent '9'.")),
    (
        changed(LIMIT, newClientOrderId="ä b"),
        (-1100, "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'."),
    ),
    (changed(LIMIT, newOrderRespType="SHORT"), (-1130, "Data sent for parameter 'newOrderRespType' is not valid.")),
    (
        changed(LIMIT, selfTradePreventionMode="DECREMENT"),
        (-1013, "This symbol does not allow the specified self-trade prevention mode."),
    ),
    (changed(LIMIT, strategyType="5"), (-1134, "`strategyType` was less than 1000000.")),
    (changed(LIMIT, icebergQty="0.0001", timeInForce="IOC"), (-1014, "Unsupported order combination.")),
    (changed(LIMIT, icebergQty="0.002"), (-2010, "IcebergQty exceeds QTY.")),
    (changed(LIMIT, icebergQty="0.00001"), (-1013, "Filter failure: ICEBERG_PARTS")),
    (changed(LIMIT, trailingDelta="10"), (-1106, "Parameter 'trailingDelta' sent when not required.")),
    (
        changed(MARKET, quantity=None),
        (-1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"),
    ),
    (changed(MARKET, quoteOrderQty="100"), (-1128, "Combination of optional parameters invalid.")),
    (changed(MARKET, price="50000"), (-1106, "Parameter 'price' sent when not required.")),
    (changed(MARKET, timeInForce="GTC"), (-1106, "Parameter 'timeInForce' sent when not required.")),
    (changed(MARKET, quantity="0.00001"), (-1013, "Filter failure: NOTIONAL")),
    (changed(LIMIT, type="LIMIT_MAKER"), (-1106, "Parameter 'timeInForce' sent when not required.")),
    (
        changed(LIMIT, type="LIMIT_MAKER", timeInForce=None, price="70000"),
        (-2010, "Order would immediately match and take."),
    ),
    (
        changed(MARKET, type="STOP_LOSS"),
        (-1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"),
    ),
    (
        changed(MARKET, type="STOP_LOSS", trailingDelta="9"),
        (-1013, "Filter failure: TRAILING_DELTA"),
    ),
    (
        changed(MARKET, type="STOP_LOSS", trailingDelta="2001"),
        (-1013, "Filter failure: TRAILING_DELTA"),
    ),
    (changed(MARKET, type="STOP_LOSS", stopPrice="50000"), (-2010, "Order would trigger immediately.")),
    (changed(LIMIT, type="TAKE_PROFIT_LIMIT", stopPrice="70000"), (-2010, "Order would trigger immediately.")),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("params", "error"), ORDERS)
async def test_new_order(shared: LocalBinance, params: dict[str, Any], error: tuple[int, str] | None) -> None:
    before = shared.exchange.orders("alice", "BTC/USDT")
    answer = await shared.order(**params)
    if error is None:
        assert answer.status == 200, answer.text
        return
    assert answer.error == (400, *error)
    assert shared.exchange.orders("alice", "BTC/USDT") == before


QUERIES = [
    ("GET", "/api/v3/depth", {}, (-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")),
    (
        "GET",
        "/api/v3/depth",
        {"symbol": "BTCUSDT", "limit": "x"},
        (-1100, "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'."),
    ),
    (
        "GET",
        "/api/v3/depth",
        {"symbol": "BTCUSDT", "symbolStatus": "HALT"},
        (-1220, "The symbol's status does not match the requested symbolStatus."),
    ),
    ("GET", "/api/v3/klines", {"symbol": "BTCUSDT", "interval": "2m"}, (-1120, "Invalid interval.")),
    (
        "GET",
        "/api/v3/klines",
        {"symbol": "BTCUSDT", "interval": "1m", "timeZone": "15:00"},
        (-1130, "Data sent for parameter 'timeZone' is not valid."),
    ),
    ("GET", "/api/v3/ping", {"a": "1"}, (-1101, "Too many parameters; expected '0' and received '1'.")),
    ("GET", "/api/v3/ticker", {}, (-1102, "Param 'symbol' or 'symbols' must be sent, but both were empty/null!")),
    (
        "GET",
        "/api/v3/ticker",
        {"symbol": "BTCUSDT", "windowSize": "8d"},
        (-1130, "Data sent for parameter 'windowSize' is not valid."),
    ),
    (
        "GET",
        "/api/v3/ticker/24hr",
        {"symbols": '["BTCUSDT","BTCUSDT"]'},
        (-1151, "Symbol is present multiple times in the list."),
    ),
    ("GET", "/api/v3/ticker/24hr", {"symbol": "BTCUSDT", "type": "HUGE"}, (-1139, "Invalid ticker type.")),
    (
        "GET",
        "/api/v3/ticker/price",
        {"symbol": "BTCUSDT", "symbols": '["ETHUSDT"]'},
        (-1128, "Combination of optional parameters invalid."),
    ),
    ("GET", "/api/v3/exchangeInfo", {"symbolStatus": "OPEN"}, (-1122, "Invalid symbolStatus.")),
    (
        "GET",
        "/api/v3/exchangeInfo",
        {"symbol": "BTCUSDT", "permissions": "SPOT"},
        (-1128, "Combination of optional parameters invalid."),
    ),
    (
        "GET",
        "/api/v3/aggTrades",
        {"symbol": "BTCUSDT", "fromId": "1", "startTime": "1"},
        (-1128, "Combination of optional parameters invalid."),
    ),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "path", "params", "error"), QUERIES)
async def test_public(
    shared: LocalBinance, method: str, path: str, params: dict[str, str], error: tuple[int, str]
) -> None:
    assert (await shared.get(path, **params)).error == (400, *error)


PRIVATE = [
    (
        "GET",
        "/api/v3/order",
        {"symbol": "BTCUSDT"},
        (-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"),
    ),
    ("GET", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": "1"}, (-2013, "Order does not exist.")),
    ("DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": "1"}, (-2011, "Unknown order sent.")),
    (
        "DELETE",
        "/api/v3/order",
        {"symbol": "BTCUSDT", "orderId": "1", "cancelRestrictions": "ANY"},
        (-1145, "Invalid cancelRestrictions"),
    ),
    ("DELETE", "/api/v3/openOrders", {"symbol": "LTCUSDT"}, (-2011, "Unknown order sent.")),
    (
        "GET",
        "/api/v3/allOrders",
        {"symbol": "BTCUSDT", "startTime": "1", "endTime": "86400002"},
        (-1127, "More than 24 hours between startTime and endTime."),
    ),
    (
        "GET",
        "/api/v3/myTrades",
        {"symbol": "BTCUSDT", "fromId": "1", "startTime": "1"},
        (-1128, "Combination of optional parameters invalid."),
    ),
    (
        "GET",
        "/api/v3/myPreventedMatches",
        {"symbol": "BTCUSDT"},
        (-1128, "Combination of optional parameters invalid."),
    ),
    ("GET", "/api/v3/order/amendments", {"symbol": "BTCUSDT", "orderId": "1"}, (-2013, "Order does not exist.")),
    (
        "PUT",
        "/api/v3/order/amend/keepPriority",
        {"symbol": "BTCUSDT", "orderId": "1", "newQty": "0.001"},
        (-2038, "Unknown order sent."),
    ),
    (
        "POST",
        "/api/v3/orderList/oco",
        {"symbol": "BTCUSDT"},
        (-1102, "Mandatory parameter 'side' was not sent, was empty/null, or malformed."),
    ),
    ("POST", "/api/v3/orderList/opo", {"symbol": "BTCUSDT"}, (-1013, "OPO orders are not supported for this symbol.")),
    ("DELETE", "/api/v3/orderList", {"symbol": "BTCUSDT", "orderListId": "7"}, (-2011, "Unknown order sent.")),
    ("GET", "/api/v3/orderList", {"orderListId": "7"}, (-2013, "Order does not exist.")),
    (
        "POST",
        "/api/v3/order/cancelReplace",
        {"symbol": "BTCUSDT"},
        (-1102, "Mandatory parameter 'cancelReplaceMode' was not sent, was empty/null, or malformed."),
    ),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "path", "params", "error"), PRIVATE)
async def test_private(
    shared: LocalBinance, method: str, path: str, params: dict[str, str], error: tuple[int, str]
) -> None:
    assert (await shared.signed(method, path, **params)).error == (400, *error)


@pytest.mark.asyncio(loop_scope="module")
async def test_duplicate_parameters(shared: LocalBinance) -> None:
    answer = await shared.send("GET", f"{REST}/api/v3/depth?symbol=BTCUSDT&symbol=ETHUSDT")
    assert answer.error == (400, -1101, "Duplicate values for a parameter detected.")


async def test_endless_number(binance: LocalBinance) -> None:
    endless = await binance.get("/api/v3/depth", symbol="BTCUSDT", limit="9" * 5000)
    assert endless.error[:2] == (400, -1100)


async def test_duplicate_client_id_among_open_orders_only(binance: LocalBinance) -> None:
    order = changed(LIMIT, newClientOrderId="mine")
    first = await binance.order(**order)
    assert (await binance.order(**order)).error == (400, -2010, "Duplicate order sent.")
    await binance.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")
    second = await binance.order(**order)
    assert second.json["orderId"] > first.json["orderId"]
    found = await binance.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")
    assert found.json["orderId"] == second.json["orderId"]


async def test_ids_of_two_orders(binance: LocalBinance) -> None:
    first = (await binance.order(**LIMIT)).json
    second = (await binance.order(**LIMIT)).json
    both = {"symbol": "BTCUSDT", "orderId": first["orderId"], "origClientOrderId": second["clientOrderId"]}
    error = (400, -2039, "Client order ID is not correct for this order ID.")
    assert (await binance.signed("GET", "/api/v3/order", **both)).error == error
    assert (await binance.signed("DELETE", "/api/v3/order", **both)).error == error


async def test_too_many_stops(binance: LocalBinance) -> None:
    stop = changed(LIMIT, type="STOP_LOSS_LIMIT", side="SELL", quantity="0.0005", stopPrice="50000")
    answers = [await binance.order(**stop) for _ in range(binance.exchange.symbols["BTC/USDT"].max_stop_orders + 1)]
    assert [answer.status for answer in answers[:-1]] == [200] * (len(answers) - 1)
    assert answers[-1].error == (400, -1013, "Filter failure: MAX_NUM_ALGO_ORDERS")


async def test_halted_market(binance: LocalBinance) -> None:
    from planar.venue.engine.enums import MarketStatus

    binance.exchange.set_status("BTC/USDT", MarketStatus.HALTED)
    assert (await binance.order(**LIMIT)).error == (400, -1013, "Market is closed.")
    info = await binance.get("/api/v3/exchangeInfo", symbol="BTCUSDT")
    assert info.json["symbols"][0]["status"] == "HALT"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", f"{REST}/api/v3/nothing", 404),
        ("GET", f"{REST}/", 404),
        ("GET", f"{REST}/api/v3/%FF", 404),
        ("GET", "https://stream.binance.com:9443/wss", 404),
        ("POST", f"{REST}/api/v3/ticker/price", 405),
        ("GET", f"{REST}/fapi/v1/ping", 404),
        ("GET", "https://data-api.binance.vision/api/v3/account", 404),
        ("GET", "https://data-api.binance.vision/sapi/v1/system/status", 404),
        ("GET", "https://fapi.binance.com/dapi/v1/ping", 404),
        ("GET", "https://ws-api.binance.com/ws-api/v3", 400),
        ("GET", "https://stream.binance.com:9443/ws", 400),
    ],
)
async def test_unknown_paths_are_no_json(shared: LocalBinance, method: str, url: str, status: int) -> None:
    answer = await shared.send(method, url)
    assert answer.status == status
    assert "{" not in answer.text
