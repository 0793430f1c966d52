"""What CCXT does not read of Binance's orders, or says wrongly about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


class BinanceOrders:
    """Mixed in before CCXT's class."""

    def parse_order_status(self, status: Any) -> Any:
        """CCXT's word; an order of a list that waits for its working order to be filled is open (documentation: Enums,
        Order status)."""
        return "open" if status == "PENDING_NEW" else cast(Any, super()).parse_order_status(status)

    def parse_order(self, order: Mapping[str, Any], market: Any = None) -> Any:
        """CCXT takes `strategyId`, the user's own number of a strategy, for the order's id where both are there
        (documentation: Conditional fields in Order Responses)."""
        if "strategyId" not in order or "orderId" not in order:
            return cast(Any, super()).parse_order(order, market)
        plain = {name: value for name, value in order.items() if name != "strategyId"}
        return {**cast(Any, super()).parse_order(plain, market), "info": order}

    def edit_spot_order_request(
        self,
        id: str,
        symbol: str,
        type: str,
        side: str,
        amount: Any,
        price: Any = None,
        params: Mapping[str, Any] = {},
    ) -> dict[str, Any]:
        """The request that replaces an order: that of the new order, and which one it replaces (documentation: Cancel an
        Existing Order and Send a New Order).

        CCXT's own knows stop orders only, and sends their trigger under two names, of which Binance refuses one.
        """
        request: dict[str, Any] = cast(Any, self).create_order_request(symbol, type, side, amount, price, dict(params))
        named = {} if "cancelOrigClientOrderId" in request else {"cancelOrderId": id}
        return {**request, "cancelReplaceMode": "STOP_ON_FAILURE", **named}
