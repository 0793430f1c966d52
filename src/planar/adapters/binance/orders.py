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
