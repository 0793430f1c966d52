"""The comparison of answers with documented fields finds what is unknown and what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from ccxt_suite.fields import Fields

ACCOUNT: dict[str, Any] = {
    "orderListId": 1,
    "contingencyType": "OCO",
    "listStatusType": "ALL_DONE",
    "listOrderStatus": "ALL_DONE",
    "listClientOrderId": "a",
    "transactionTime": 1,
    "symbol": "BTCUSDT",
    "orders": [{"symbol": "BTCUSDT", "orderId": 1, "clientOrderId": "b"}],
}


def differences(answer: Any) -> list[str]:
    found = Fields("binance").differences("GET /api/v3/orderList", answer)
    return [text.removeprefix("GET /api/v3/orderList: ") for text in found]


def test_as_documented() -> None:
    assert differences(ACCOUNT) == []


def test_unknown_and_missing() -> None:
    assert differences({**ACCOUNT, "more": 1}) == ["unknown field more"]
    assert differences({name: value for name, value in ACCOUNT.items() if name != "symbol"}) == ["missing field symbol"]
    assert differences({**ACCOUNT, "orders": [{"symbol": "BTCUSDT", "orderId": 1, "x": 1}]}) == [
        "unknown field x at 'orders[]'",
        "missing field clientOrderId at 'orders[]'",
    ]
    assert differences({**ACCOUNT, "symbol": {"x": 1}}) == ["an object at 'symbol' is not documented"]


def test_rows_are_counted() -> None:
    book = {"lastUpdateId": 1, "bids": [["1", "2", "3"]], "asks": []}
    assert Fields("binance").differences("GET /api/v3/depth", book) == ["GET /api/v3/depth: bids[] has 3 members"]


@pytest.mark.parametrize("exchange", ["binance", "kraken"])
def test_every_table_names_its_page(exchange: str) -> None:
    fields = Fields(exchange)
    assert all(fields.page(endpoint) for endpoint in fields.endpoints)
