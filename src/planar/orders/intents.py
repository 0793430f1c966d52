"""Between an order as it is asked for and its intent in the journal."""

from __future__ import annotations

import msgspec

import planar.runtime as runtime
from planar.adapters.base import OrderRequest
from planar.orders.events import Intent

_SHARED = tuple(name for name in OrderRequest.__struct_fields__ if name not in ("client_id", "params"))
"""Fields that both have under one name."""


def intent_of(request: OrderRequest, client_id: str, intent_id: str) -> Intent:
    """The intent of an order, now."""
    return Intent(
        client_id=client_id,
        wall_ms=runtime.wall_ms(),
        intent_id=intent_id,
        params=dict(request.params),
        **{name: getattr(request, name) for name in _SHARED},
    )


def request_of(intent: Intent) -> OrderRequest:
    """The order that an intent wishes, under the same client id."""
    fields = {name: getattr(intent, name) for name in _SHARED}
    return OrderRequest(client_id=intent.client_id, params=dict(intent.params), **fields)


def named(request: OrderRequest, client_id: str) -> OrderRequest:
    """The order under a client id."""
    return msgspec.structs.replace(request, client_id=client_id)
