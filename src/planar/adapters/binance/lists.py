"""Order lists (documentation: New Order list - OCO, New Order list - OTOCO)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from planar.adapters.base import OrderRequest
from planar.adapters.linked import LinkedRequest, LinkedRule

_TYPES = {
    ("stop_loss", "market"): "STOP_LOSS",
    ("stop_loss", "limit"): "STOP_LOSS_LIMIT",
    ("take_profit", "market"): "TAKE_PROFIT",
    ("take_profit", "limit"): "TAKE_PROFIT_LIMIT",
}

Text = Callable[[Any], str]


def request(asked: LinkedRequest, market_id: str, text: Text) -> tuple[str, dict[str, Any]]:
    """`orderList/oco` for two exits, `orderList/otoco` for an entry with its exits."""
    legs = asked.by_role
    entry, profit, loss = legs.get("entry"), legs["take_profit"], legs["stop_loss"]
    above, below = (profit, loss) if profit.side == "sell" else (loss, profit)
    params: dict[str, Any] = {"symbol": market_id, "newOrderRespType": "RESULT"}
    if entry is None:
        params |= {"side": profit.side.upper(), "quantity": text(profit.amount)}
        return "private_post_orderlist_oco", params | _exit("above", above, text) | _exit("below", below, text)
    params |= {
        "workingType": "LIMIT_MAKER" if entry.post_only else "LIMIT",
        "workingSide": entry.side.upper(),
        "workingClientOrderId": entry.client_id,
        "workingQuantity": text(entry.amount),
        "workingPrice": text(entry.price),
        "pendingSide": profit.side.upper(),
        "pendingQuantity": text(profit.amount),
    }
    if not entry.post_only:
        params["workingTimeInForce"] = entry.time_in_force or "GTC"
    exits = _exit("pendingAbove", above, text) | _exit("pendingBelow", below, text)
    return "private_post_orderlist_otoco", params | exits


def _exit(prefix: str, leg: OrderRequest, text: Text) -> dict[str, Any]:
    role = "" if leg.member is None else leg.member.role
    word = "LIMIT_MAKER" if leg.stop_price is None else _TYPES[role, leg.type]
    found: dict[str, Any] = {f"{prefix}Type": word, f"{prefix}ClientOrderId": leg.client_id}
    if leg.stop_price is not None:
        found[f"{prefix}StopPrice"] = text(leg.stop_price)
    if leg.price is not None:
        found[f"{prefix}Price"] = text(leg.price)
    if word.endswith("_LIMIT"):
        found[f"{prefix}TimeInForce"] = "GTC"
    return found


def reports(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The report of each order."""
    return answer["orderReports"]


LINKED = LinkedRule(
    request=request,
    reports=reports,
    entry_types=("limit",),
    source="Binance spot REST API, Order lists",
)
