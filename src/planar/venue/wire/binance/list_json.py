"""Order lists as the REST and WebSocket APIs and the user data stream show them (rest-api.md, "Order lists")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from planar.venue.engine.enums import Contingency
from planar.venue.engine.types import Order, OrderList

CONTINGENCIES: Final = {Contingency.OCO: "OCO", Contingency.OTO: "OTO", Contingency.OTOCO: "OTO"}
"""`contingencyType`: an OTOCO counts as an OTO (enums.md)."""


def orders(found: OrderList, market_id: str) -> list[dict[str, Any]]:
    """The ids of its orders."""
    return [
        {"symbol": market_id, "orderId": order.id, "clientOrderId": order.client_id}
        for order in sorted(found.orders, key=lambda order: order.id)
    ]


def order_status(found: OrderList) -> str:
    """`listOrderStatus`."""
    return "EXECUTING" if found.is_open else "ALL_DONE"


def queried(found: OrderList, market_id: str) -> dict[str, Any]:
    """A list in the answer to a query."""
    return {
        "orderListId": found.id,
        "contingencyType": CONTINGENCIES[found.contingency],
        "listStatusType": "EXEC_STARTED" if found.is_open else "ALL_DONE",
        "listOrderStatus": order_status(found),
        "listClientOrderId": found.client_id,
        "transactionTime": found.updated_ms,
        "symbol": market_id,
        "orders": orders(found, market_id),
    }


def reported(found: OrderList, market_id: str, report: Callable[[Order], dict[str, Any]]) -> dict[str, Any]:
    """A list with reports of its orders: the answer to a new list and to the cancel of one."""
    return {**queried(found, market_id), "orderReports": [report(order) for order in found.orders]}


def in_amendment(found: OrderList, market_id: str) -> dict[str, Any]:
    """`listStatus` in the answer to the amendment of one of its orders."""
    return {
        "orderListId": found.id,
        "contingencyType": CONTINGENCIES[found.contingency],
        "listOrderStatus": order_status(found),
        "listClientOrderId": found.client_id,
        "symbol": market_id,
        "orders": orders(found, market_id),
    }
