"""Which parameters of Kraken the witness may show with their values (`planar.venue.witness`)."""

from __future__ import annotations

from typing import Final

from planar.venue.witness import Field

FIELDS: Final[dict[str, Field]] = {
    "pair": "symbol",
    "symbol": "symbol",
    "txid": "order_id",
    "order_id": "order_id",
    "cl_ord_id": "client_id",
}
"""By name, of REST and of the WebSocket."""
