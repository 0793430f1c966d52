"""Changing a spot order in place: Order Amend Keep Priority, which CCXT does not know.

Source: documentation, Order Amend Keep Priority. Only the amount can be changed, and only to less; the order keeps its id
and its place in the queue. Its client id is a new one unless the old one is sent again, as it is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from planar.adapters.profile import AmendRule, ReplaceRule

WEIGHT = 4
"""Of a request; CCXT's cost is a fifth of the weight. It counts as no order."""

AMEND = AmendRule(
    amount="less",
    price=False,
    stop_price=False,
    allowed=lambda info: info.get("amendAllowed") is True,
    source="Binance spot REST API, Order Amend Keep Priority; `amendAllowed` of exchangeInfo",
)

REPLACE = ReplaceRule(
    unfilled={"cancelRestrictions": "ONLY_NEW"},
    source="Binance spot REST API, Cancel an Existing Order and Send a New Order: `cancelRestrictions`",
)


class BinanceChanges:
    """Mixed in before the seam."""

    async def amend_in_place(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """Make an order smaller; as CCXT shows orders."""
        this = cast(Any, self)
        market = this.market(change["symbol"])
        request = {
            "symbol": market["id"],
            "orderId": change["id"],
            "newQty": change["amount"],
            "newClientOrderId": change["clientOrderId"],
        }
        answer: dict[str, Any] = await this.request(
            "order/amend/keepPriority", ["private"], "PUT", {**request, **change["params"]}, {"cost": WEIGHT / 5}
        )
        shown = answer["amendedOrder"]
        # the names that orders have in Binance's other answers
        order = shown | {
            "origQty": shown["qty"],
            "cummulativeQuoteQty": shown["cumulativeQuoteQty"],
            "transactTime": answer["transactTime"],
        }
        return this.parse_order(order, market)
