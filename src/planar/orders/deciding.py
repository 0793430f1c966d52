"""A person ends an order that the venue does not tell about. Journaled; what the venue shows later goes above it.

Two kinds of orders can be ended so: one of which nobody knows whether the venue ever had it, and one that the venue had
and, asked for it by id and for its open orders, does not know any more.
"""

from __future__ import annotations

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef
from planar.errors import InvalidOrder, Outcome
from planar.models import Order, OrderState
from planar.orders.events import ByHand
from planar.orders.machine import Facts
from planar.orders.store import OrderStore

UNKNOWN_ENDS = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.NEVER_ACCEPTED)
"""What an order may be decided to be of which nobody knows whether the venue ever had it."""
GHOST_ENDS = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED)
"""What one may be that the venue had."""


class Decider:
    """Takes the decisions about one account's orders."""

    def __init__(self, adapter: Adapter, store: OrderStore, timeout_ms: int) -> None:
        self._adapter = adapter
        self._store = store
        self._timeout_ms = timeout_ms

    async def decide(self, client_id: str, state: OrderState, reason: str) -> Order:
        """Hold an order for ended from now on. Of one that the journal has open the venue is asked first.

        Raises:
            InvalidOrder: (NOT_SENT) the journal has no such order that is unknown or open, the venue shows it, or the
                state or the reason does not end it.
            PlanarError: the venue could not be asked.
        """
        if not self._store.knows(client_id):
            raise self._refused(f"{client_id} is no unknown order of this journal")
        found = self._store.state(client_id)
        if found not in (OrderState.UNKNOWN, OrderState.OPEN):
            raise self._refused(f"{client_id} is no unknown order of this journal: it is {found.value}")
        ends = UNKNOWN_ENDS if found is OrderState.UNKNOWN else GHOST_ENDS
        if state not in ends:
            raise self._refused(f"{state.value} is no end; it is one of {', '.join(one.value for one in ends)}")
        if not reason.strip():
            raise self._refused("a decision needs a reason: what was looked at, and where")
        evidence, gone = "", 0
        if found is OrderState.OPEN:
            evidence = await self._missing(client_id)
            gone = self._store.facts(client_id).gone[0] + 1
        word = "rejected" if state is OrderState.NEVER_ACCEPTED else state.value
        self._store.record(
            ByHand(
                client_id=client_id,
                wall_ms=runtime.wall_ms(),
                status=word,
                reason=reason,
                evidence=evidence,
                gone=gone,
            )
        )
        return self._store.order(client_id)

    async def _missing(self, client_id: str) -> str:
        """That the venue knows no such order any more.

        Raises:
            InvalidOrder: it does, or its answers may be older than the order.
        """
        facts: Facts = self._store.facts(client_id)
        assert facts.intent is not None
        symbol = facts.intent.symbol
        ref = OrderRef(symbol, order_id=facts.order_id, client_id=client_id)
        shown = await self._adapter.query_order(ref, {}, timeout_ms=self._timeout_ms)
        if shown is None:
            listed = await self._adapter.fetch_open_orders(symbol, {}, timeout_ms=self._timeout_ms)
            shown = next((one for one in listed if self._store.client_id_of(one) == client_id), None)
        if shown is not None:
            self._store.observe_quietly(shown, "query")
            raise self._refused(f"{client_id} is no unknown order: the venue shows it, {shown.state.value}")
        settle_ms = self._adapter.profile.expiry.settle_ms
        if runtime.wall_ms() - max(facts.intent.wall_ms, facts.updated_ms or 0) < settle_ms:
            raise self._refused(f"{client_id} is too young: the venue's answers may lag by {settle_ms} ms")
        return f"asked for by id ({facts.order_id or client_id}) and among the open orders of {symbol}: not known"

    def _refused(self, message: str) -> InvalidOrder:
        return InvalidOrder(message, outcome=Outcome.NOT_SENT, exchange=self._adapter.id)
