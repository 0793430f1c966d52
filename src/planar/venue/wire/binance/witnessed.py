"""Which parameters of Binance the witness may show with their values (`planar.venue.witness`)."""

from __future__ import annotations

from typing import Final

from planar.venue.witness import Field

FIELDS: Final[dict[str, Field]] = {
    "symbol": "symbol",
    "orderId": "order_id",
    "cancelOrderId": "order_id",
    "origClientOrderId": "client_id",
    "cancelOrigClientOrderId": "client_id",
    "newClientOrderId": "client_id",
}
"""By name; of two for one field the later one here counts (the order that a request makes, before the one it ends)."""
