"""What the lives of orders do not do, by the typed SDK: order lists, amendments, trailing stops, prevented matches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from judges.kit import Checks, Venue
from judges.raw_data import MARKET
from judges.raw_door import TableDoor
from judges.raw_life import SYMBOL, TICK
from judges.words import answered_order, ledger_order

REST = {
    "oco": "order_list_oco",
    "oto": "order_list_oto",
    "otoco": "order_list_otoco",
    "list": "get_order_list",
    "cancel_list": "delete_order_list",
    "lists": "all_order_list",
    "open_lists": "open_order_list",
    "amend": "order_amend_keep_priority",
    "amendments": "order_amendments",
    "filters": "my_filters",
    "allocations": "my_allocations",
    "prevented": "my_prevented_matches",
}
SOCKET = {
    "oco": "order_list_place_oco",
    "oto": "order_list_place_oto",
    "otoco": "order_list_place_otoco",
    "list": "order_list_status",
    "cancel_list": "order_list_cancel",
    "lists": "all_order_lists",
    "open_lists": "open_order_lists_status",
    "amend": "order_amend_keep_priority",
    "amendments": "order_amendments",
    "filters": "my_filters",
    "allocations": "my_allocations",
    "prevented": "my_prevented_matches",
}


class Further:
    """These orders of one account, through one of the SDK's doors."""

    def __init__(
        self, checks: Checks, venue: Venue, door: TableDoor, calls: Any, names: Mapping[str, str], account: str
    ) -> None:
        self._checks, self._venue, self._door = checks, venue, door
        self._call: Callable[..., Any] = lambda what, **params: getattr(calls, names[what])(**params)
        self._account = account

    async def run(self) -> None:
        """All of them."""
        ask = Decimal((await self._door.book(symbol=MARKET, limit=5))["asks"][0][0])
        low, high = (str((ask * factor).quantize(TICK)) for factor in (Decimal("0.8"), Decimal("1.2")))
        await self.prevent(str(ask - TICK))
        await self.amend(low)
        await self.trail()
        await self.lists(low, high)
        await self._call("filters", symbol=MARKET)
        self._checks.same("allocations", await self._call("allocations", symbol=MARKET), [])

    async def prevent(self, price: str) -> None:
        """An account that would trade with itself: the orders tell of it."""
        order = {"symbol": MARKET, "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.002", "price": price}
        maker = await self._door.new(**order, side="SELL")
        taker = await self._door.new(**order, side="BUY", selfTradePreventionMode="EXPIRE_BOTH")
        for one in (maker, taker):
            shown = await self._door.get(symbol=MARKET, orderId=one["orderId"])
            self._checks.same("prevented: status", shown["status"], "EXPIRED_IN_MATCH")
            self._checks.same("prevented: amount", shown["preventedQuantity"], "0.00200000")
        matches = await self._call("prevented", symbol=MARKET, orderId=taker["orderId"])
        self._checks.same("prevented: the match", [one["makerOrderId"] for one in matches], [maker["orderId"]])

    async def amend(self, price: str) -> None:
        """Less of an order, which keeps its place."""
        order = {"symbol": MARKET, "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.002", "price": price}
        placed = await self._door.new(**order, side="BUY")
        ref = {"symbol": MARKET, "orderId": placed["orderId"]}
        await self._call("amend", **ref, newQty="0.001")
        self._judge("amended", await self._door.get(**ref))
        rows = await self._call("amendments", **ref)
        self._checks.same(
            "amendments", [(one["origQty"], one["newQty"]) for one in rows], [("0.00200000", "0.00100000")]
        )
        await self._door.cancel(**ref)

    async def trail(self) -> None:
        """A stop that trails."""
        order = {"symbol": MARKET, "type": "STOP_LOSS", "quantity": "0.002", "side": "SELL"}
        placed = await self._door.new(**order, trailingDelta=100)
        ref = {"symbol": MARKET, "orderId": placed["orderId"]}
        shown = await self._door.get(**ref)
        self._checks.same("trailing: by how much", shown["trailingDelta"], 100)
        self._judge("trailing", shown)
        await self._door.cancel(**ref)

    async def lists(self, low: str, high: str) -> None:
        """One cancels the other, one triggers the other, one triggers two."""
        above, below = {"Type": "LIMIT_MAKER", "Price": high}, {"Type": "STOP_LOSS", "StopPrice": low}
        working = {"workingType": "LIMIT", "workingTimeInForce": "GTC", "workingSide": "BUY", "workingPrice": low}
        working |= {"workingQuantity": "0.002", "pendingSide": "SELL", "pendingQuantity": "0.002"}
        pair = {f"above{n}": v for n, v in above.items()} | {f"below{n}": v for n, v in below.items()}
        two = {f"pendingAbove{n}": v for n, v in above.items()} | {f"pendingBelow{n}": v for n, v in below.items()}
        for kind, params in (
            ("oco", {"side": "SELL", "quantity": "0.002", **pair}),
            ("oto", {**working, "pendingType": "MARKET"}),
            ("otoco", {**working, **two}),
        ):
            made = await self._call(kind, symbol=MARKET, **params)
            for report in made["orderReports"]:
                self._judge(f"{kind}: answer", report)
            number = made["orderListId"]
            shown = await self._call("list", orderListId=number)
            self._checks.same(f"{kind}: query", _ids(shown), _ids(made))
            is_open = [one["orderListId"] for one in await self._call("open_lists")]
            self._checks.same(f"{kind}: open", is_open, [number])
            for report in (await self._call("cancel_list", symbol=MARKET, orderListId=number))["orderReports"]:
                self._judge(f"{kind}: canceled", report)
            every = await self._call("lists")
            self._checks.true(f"{kind}: among all", number in [one["orderListId"] for one in every])

    def _judge(self, label: str, said: Mapping[str, Any]) -> None:
        row = self._venue.order(self._account, SYMBOL, str(said["orderId"]))
        self._checks.rows(label, answered_order(said), ledger_order(row))


def _ids(answer: Mapping[str, Any]) -> list[int]:
    return sorted(order["orderId"] for order in answer["orders"])
