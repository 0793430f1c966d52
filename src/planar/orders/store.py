"""The orders of one account in memory: the journal's facts, merged, with a handle for whoever waits."""

from __future__ import annotations

import asyncio
import logging

from planar.errors import JournalError
from planar.models import Order, OrderState
from planar.orders.events import AnyEvent
from planar.orders.journal import Journal
from planar.orders.machine import FINAL, Facts, merge, state_of
from planar.orders.view import events_of, order_of

log = logging.getLogger("planar.orders")


LAST_KEPT = 5_000
"""Ended orders of which the venue's whole answer stays in memory, at the least."""


class OrderStore:
    """Facts by client id. Every change is journaled first, then merged, then told."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._facts: dict[str, Facts] = {}
        self._last: dict[str, Order] = {}
        self._by_order_id: dict[tuple[str, str], str] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._intents: dict[str, str] = {}

    def replay(self) -> None:
        """Merge the whole journal."""
        for event in self.journal.events():
            self._merge(event)

    def record(self, *events: AnyEvent) -> None:
        """Journal events, merge them, wake whoever waits.

        Raises:
            JournalError: nothing was recorded.
        """
        self.journal.append(*events)
        for event in events:
            self._merge(event)
        for client_id in dict.fromkeys(event.client_id for event in events):
            self._tell(client_id)

    def _merge(self, event: AnyEvent) -> None:
        client_id = event.client_id
        before = self._facts.get(client_id) or Facts(client_id)
        after = merge(before, event)
        self._facts[client_id] = after
        if after.intent is not None:
            if after.intent.intent_id:
                self._intents[after.intent.intent_id] = client_id
            for order_id in after.order_ids:
                self._by_order_id[(after.intent.symbol, order_id)] = client_id
        if after.contradicted and not before.contradicted:
            log.error("order %s was given up, and yet the venue shows it: %s", client_id, ", ".join(after.marks))

    def observe(self, order: Order, source: str) -> None:
        """Take in a sight of an order at the venue; orders that are not of this journal are left alone."""
        client_id = self.client_id_of(order)
        if client_id is None:
            return
        self.remember(client_id, order)
        events = [event for event in events_of(order, client_id, source) if self._adds(event)]
        if events:
            self.record(*events)

    def observe_quietly(self, order: Order, source: str) -> None:
        """The same where the caller must not fail because the disk is full; the venue's answer stands."""
        try:
            self.observe(order, source)
        except JournalError as error:
            log.error("what became of order %s could not be journaled: %s", order.client_order_id, error)

    def remember(self, client_id: str, order: Order) -> None:
        """Keep what the venue showed last, for what the journal does not hold; of ended orders the newest only."""
        self._last[client_id] = order
        if len(self._last) > 2 * LAST_KEPT:
            ended = [name for name in self._last if state_of(self._facts[name]) in FINAL]
            for name in ended[:LAST_KEPT]:
                del self._last[name]

    def _adds(self, event: AnyEvent) -> bool:
        facts = self._facts.get(event.client_id) or Facts(event.client_id)
        return merge(facts, event) != facts

    def client_id_of(self, order: Order) -> str | None:
        """Our client id of an order that the venue shows, or None if it is foreign."""
        if order.client_order_id in self._facts:
            return order.client_order_id
        return self._by_order_id.get((order.symbol, order.id or ""))

    def find(self, symbol: str, name: str) -> str | None:
        """Our client id of what the user names by order id or client id; None if it is foreign."""
        return name if name in self._facts else self._by_order_id.get((symbol, name))

    def by_intent(self, intent_id: str) -> str | None:
        """Client id of the order with this intent id, if there is one."""
        return self._intents.get(intent_id)

    def knows(self, client_id: str) -> bool:
        """Whether this journal holds an order of that name."""
        return client_id in self._facts

    def facts(self, client_id: str) -> Facts:
        """All that is known."""
        return self._facts[client_id]

    def state(self, client_id: str) -> OrderState:
        """What it amounts to."""
        return state_of(self._facts[client_id])

    def order(self, client_id: str) -> Order:
        """The order as users see it."""
        return order_of(self._facts[client_id], self._last.get(client_id))

    def unfinished(self) -> list[str]:
        """Client ids of all orders that are not in a final state, oldest first."""
        return [client_id for client_id, facts in self._facts.items() if state_of(facts) not in FINAL]

    async def changed(self, client_id: str) -> None:
        """Wait for the next change of this order."""
        await self._changed.setdefault(client_id, asyncio.Event()).wait()

    def _tell(self, client_id: str) -> None:
        event = self._changed.pop(client_id, None)
        if event is not None:
            event.set()
