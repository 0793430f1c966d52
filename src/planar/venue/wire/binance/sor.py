"""Smart order routing: no market of this venue is part of it, so orders are refused and there are no allocations.

`exchangeInfo` says so by having no `sors` (rest-api.md, "SOR").
"""

from __future__ import annotations

from typing import Any

from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.errors import ApiError


def new_order(desk: Desk, call: Call) -> Any:
    """POST /api/v3/sor/order and /api/v3/sor/order/test."""
    call.params.market(desk.symbols)
    raise ApiError(-1014, "Unsupported order combination.")


def allocations(desk: Desk, call: Call) -> Any:
    """GET /api/v3/myAllocations."""
    call.params.market(desk.symbols)
    return []
