"""Before the first new order: journal and venue are brought to agree.

1. An intent that was never followed by SENDING was not sent.
2. Every other unfinished order is asked for at the venue.
3. Open orders at the venue that carry this journal's id and are not in it are orphans: reported, and watched from now on.
A query that fails stops the reconciliation, and with it the new order: a failed query never means "nothing there".
"""

from __future__ import annotations

import logging

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef
from planar.models import OrderState
from planar.orders.events import Intent, NotSent
from planar.orders.ids import ClientIds
from planar.orders.store import OrderStore

log = logging.getLogger("planar.orders")


class Reconciliation(msgspec.Struct, frozen=True):
    """What one reconciliation found; client ids.

    Attributes:
        not_sent: intents that the process left before sending.
        settled: orders whose state changed while nobody looked.
        unknown: orders that are still unknown; their resolver is at work.
        orphans: orders of this journal at the venue that it does not hold.
    """

    not_sent: tuple[str, ...]
    settled: tuple[str, ...]
    unknown: tuple[str, ...]
    orphans: tuple[str, ...]


async def reconcile(adapter: Adapter, store: OrderStore, ids: ClientIds, timeout_ms: int) -> Reconciliation:
    """Bring the journal up to what the venue knows.

    Raises:
        PlanarError: a query failed; nothing may be concluded from that.
    """
    not_sent: list[str] = []
    settled: list[str] = []
    unknown: list[str] = []
    for client_id in store.unfinished():
        state = store.state(client_id)
        intent = store.facts(client_id).intent
        if state is OrderState.PENDING:
            store.record(
                NotSent(client_id=client_id, wall_ms=runtime.wall_ms(), reason="the process ended before sending")
            )
            not_sent.append(client_id)
        elif intent is not None:
            ref = OrderRef(intent.symbol, client_id=client_id, order_id=store.facts(client_id).order_id)
            order = await adapter.query_order(ref, {}, timeout_ms=timeout_ms)
            if order is not None:
                store.observe(order, "reconciliation")
            if store.state(client_id) is not state:
                settled.append(client_id)
            elif state is OrderState.UNKNOWN:
                unknown.append(client_id)
    orphans = await _orphans(adapter, store, ids, timeout_ms)
    return Reconciliation(tuple(not_sent), tuple(settled), tuple(unknown), tuple(orphans))


async def _orphans(adapter: Adapter, store: OrderStore, ids: ClientIds, timeout_ms: int) -> list[str]:
    found: list[str] = []
    for order in await adapter.fetch_open_orders(None, {}, timeout_ms=timeout_ms):
        client_id = order.client_order_id
        if client_id is None or not ids.owns(client_id) or store.find(order.symbol, client_id):
            continue
        log.error("open order %s at the venue carries this journal's id, and is not in it", client_id)
        store.record(
            Intent(
                client_id=client_id,
                wall_ms=order.ts_ms or runtime.wall_ms(),
                symbol=order.symbol,
                side=order.side,
                type=order.type or "limit",
                amount=order.amount,
                price=order.price,
            )
        )
        store.observe(order, "orphan")
        found.append(client_id)
    return found
