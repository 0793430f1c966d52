"""Changing orders in place, and several by one request.

Source: documentation, Amend Order, Add Order Batch, Cancel Order Batch; guide "Spot Atomic Amends". AmendOrder keeps the
ids of an order and what it has traded. EditOrder, the older way, makes a new order without a client id, which could not
be found again after a lost answer; nothing here uses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from planar.adapters.profile import AmendRule, BatchRule
from planar.errors import BadResponse

AMEND = AmendRule(amount="any", price=True, stop_price=True, source="Kraken REST API, Amend Order")

BATCH = BatchRule(
    create_least=2, create_most=15, cancel_most=20, source="Kraken REST API, Add Order Batch, Cancel Order Batch"
)
"""CancelOrderBatch takes 50, and QueryOrders, which is asked what became of them, 20 at a time."""


class KrakenChanges:
    """Mixed in before the seam."""

    async def amend_in_place(self, change: Mapping[str, Any]) -> None:
        """Change an order; the answer shows no more than an id of the change."""
        request = {"txid": change["id"], "order_qty": change["amount"]}
        if change["price"] is not None:
            request["limit_price"] = change["price"]
        if change["triggerPrice"] is not None:
            request["trigger_price"] = change["triggerPrice"]
        await cast(Any, self).privatePostAmendOrder({**request, **change["params"]})

    def handle_errors(
        self, code: int, reason: str, url: str, method: str, headers: Any, body: str, response: Any, *sent: Any
    ) -> Any:
        """CCXT takes one refused order of a batch for the refusal of all: those that were placed would be lost."""
        if url.endswith("/AddOrderBatch") and isinstance(response, dict) and cast(Any, response).get("error") == []:
            return None
        return cast(Any, super()).handle_errors(code, reason, url, method, headers, body, response, *sent)

    async def create_batch(
        self, symbol: str, orders: Sequence[Mapping[str, Any]], params: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Place orders of one market: for each its id, or the text of its error."""
        this = cast(Any, self)
        market = this.market(symbol)
        rows: list[dict[str, Any]] = []
        for order in orders:
            base = {
                "type": order["side"],
                "ordertype": order["type"],
                "volume": this.amount_to_precision(symbol, order["amount"]),
            }
            row, rest = this.order_request(
                "createOrders", symbol, order["type"], base, order["amount"], order["price"], order["params"]
            )
            rows.append({**row, **rest})
        answer = await this.privatePostAddOrderBatch({"pair": market["id"], "orders": rows, **params})
        placed: list[dict[str, Any]] = answer["result"]["orders"]
        if len(placed) != len(rows):
            raise BadResponse(f"{len(rows)} orders were sent, and the answer shows {len(placed)}", exchange=this.id)
        return [{"id": one.get("txid"), "error": one.get("error"), "info": one} for one in placed]

    async def cancel_batch(self, ids: Sequence[str]) -> None:
        """Cancel orders; those that are not open are passed over."""
        await cast(Any, self).privatePostCancelOrderBatch({"orders": list(ids)})
