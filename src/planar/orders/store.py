"""The orders of one account in memory: the journal's facts, merged, with a handle for whoever waits.

What is about to happen is journaled first (`record`): if that fails it must not happen. What has happened is true
whether or not the disk takes it (`keep`): it is merged at once and journaled as soon as the disk takes something again.
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

import planar.runtime as runtime
from planar.errors import JournalError
from planar.models import Fill, Order, OrderState
from planar.orders.amends import sight_of
from planar.orders.early import EarlyFills
from planar.orders.events import Amended, Amending, AnyEvent, FillSeen, GroupEnded, Seen
from planar.orders.journal import Journal
from planar.orders.machine import Facts, merge, state_of
from planar.orders.shelf import Shelf
from planar.orders.view import events_of, fill_event, order_of
from planar.transport.account_log import account_log

log = account_log("planar.orders")


CHANGES_KEPT = 10_000
"""So many of the last changes are counted by the limits."""

LAST_KEPT = 500
"""Ended orders of which the venue's whole answer stays in memory, at the least."""


class OrderStore:
    """Facts by client id. Every change is journaled first, then merged, then told.

    Attributes:
        listeners: called with the client id of each order that changes.
        on_contradiction: called with that of an order which was given up and is then seen at the venue.
        on_overfill: called with that of an order which is filled beyond its amount, each time by more.
        groups: group of linked orders -> its orders, oldest first.
        ended_groups: those that this program linked and that have ended -> how.
        shows_terms: the venue's answers show amount and price of an order as they are now; what changed is taken in.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._shelf = Shelf(journal)
        self._last: dict[str, Order] = {}
        self._by_order_id: dict[tuple[str, str], str] = {}
        self.listeners: list[Callable[[str], None]] = []
        self.on_contradiction: Callable[[str], None] | None = None
        self.on_overfill: Callable[[str], None] | None = None
        self.shows_terms = False
        self._changed: dict[str, asyncio.Event] = {}
        self._intents: dict[str, str] = {}
        self._amend_intents: dict[str, tuple[str, int]] = {}
        self._unsettled: dict[str, None] = {}
        self.groups: dict[str, dict[str, None]] = {}
        self.ended_groups: dict[str, str] = {}
        self._wished_ms: deque[int] = deque(maxlen=CHANGES_KEPT)
        self._held: list[AnyEvent] = []
        self._early = EarlyFills()

    def replay(self) -> None:
        """Merge the whole journal.

        Raises:
            JournalError: it is damaged.
        """
        collecting = gc.isenabled()
        gc.disable()  # nothing that is made here is garbage, and looking for some takes longer than all the rest
        try:
            for chunk in self.journal.chunks():
                self._replay(chunk)
        finally:
            if collecting:
                gc.enable()
        self.journal.numbered(len(self._shelf))

    def _replay(self, chunk: list[tuple[int, AnyEvent]]) -> None:
        by_order: dict[str, list[tuple[int, AnyEvent]]] = {}
        for pair in chunk:
            client_id = pair[1].client_id
            if client_id in by_order:
                by_order[client_id].append(pair)
            else:
                by_order[client_id] = [pair]
        for client_id, pairs in by_order.items():
            facts = self._shelf.get(client_id)
            for _, event in pairs:
                if type(event) is GroupEnded:
                    self.ended_groups[client_id] = event.note
                facts = merge(facts, event)
            self._shelf.note(client_id, *[row for row, _ in pairs])
            self._put(facts)

    def record(self, *events: AnyEvent) -> None:
        """Journal events, merge them, wake whoever waits.

        Raises:
            JournalError: nothing was recorded.
        """
        row = self.journal.append(*self._held, *events)
        for event in self._held:
            self._shelf.note(event.client_id, row)
            row += 1
        if self._held:
            self._held.clear()
            self._shelf.unpin()
        for event in events:
            self._shelf.note(event.client_id, row)
            row += 1
        self._take(events)

    def keep(self, *events: AnyEvent) -> None:
        """Take in what has happened already: journaled now if that is possible, else with the next event that can be.

        Until then it is known in this process only; after a restart the venue is asked again.
        """
        try:
            self.record(*events)
        except JournalError as error:
            log.error("what became of order %s is not journaled yet: %s", events[0].client_id, error)
            for event in events:
                self._shelf.pin(event.client_id)
            self._held.extend(events)
            self._take(events)

    def _take(self, events: Sequence[AnyEvent]) -> None:
        contradicted: list[str] = []
        overfilled: dict[str, None] = {}
        owned: list[FillSeen] = []
        for event in events:
            before = self._shelf.get(event.client_id)
            after = merge(before, event)
            self._put(after)
            if after.contradicted and not before.contradicted:
                contradicted.append(event.client_id)
                marks = ", ".join(after.marks)
                log.error("order %s was given up, and yet the venue shows it: %s", event.client_id, marks)
            beyond = after.overfilled
            if beyond and beyond > before.overfilled:
                log.error("order %s is filled beyond its amount, by %s", event.client_id, beyond)
                overfilled[event.client_id] = None
            if isinstance(event, GroupEnded):
                self.ended_groups[event.client_id] = event.note
            if isinstance(event, Amending):
                self._wished_ms.append(event.wall_ms)
            if isinstance(event, Amended) and event.number == 0 and after.foreign is not before.foreign:
                log.warning("order %s was changed by somebody else: %s", event.client_id, after.terms)
            if len(self._early) and after.intent is not None:
                for order_id in after.order_ids:
                    waited = self._early.take(after.intent.symbol, order_id)
                    owned += [fill_event(fill, event.client_id) for fill in waited]
        for client_id in dict.fromkeys(event.client_id for event in events):
            self._tell(client_id)
        for client_id in contradicted:
            if self.on_contradiction is not None:
                self.on_contradiction(client_id)
        for client_id in overfilled:
            if self.on_overfill is not None:
                self.on_overfill(client_id)
        if owned:
            news = [event for event in owned if self._adds(event)]
            if news:
                self.keep(*news)

    def _put(self, facts: Facts) -> None:
        self._shelf.put(facts)
        intent = facts.intent
        if intent is not None:
            if intent.intent_id:
                self._intents[intent.intent_id] = facts.client_id
            for order_id in facts.order_ids:
                self._by_order_id[(intent.symbol, order_id)] = facts.client_id
        if intent is not None and intent.member is not None:
            self.groups.setdefault(intent.member.group, {})[facts.client_id] = None
        if facts.amends:
            self._put_amends(facts)

    def _put_amends(self, facts: Facts) -> None:
        for one in facts.amends:
            if one.wish is not None and one.wish.intent_id:
                self._amend_intents[one.wish.intent_id] = (facts.client_id, one.number)
        if facts.unsettled:
            self._unsettled[facts.client_id] = None
        else:
            self._unsettled.pop(facts.client_id, None)

    def observe(self, order: Order, source: str) -> None:
        """Take in a sight of an order at the venue; orders that are not of this journal are left alone.

        Raises:
            JournalError: it could not be journaled.
        """
        events = self._news(order, source)
        if events:
            self.record(*events)

    def observe_quietly(self, order: Order, source: str) -> None:
        """The same where the caller must not fail because the disk is full; the venue's answer stands."""
        try:
            events = self._news(order, source)
        except JournalError as error:
            log.error("what was known of order %s cannot be read: %s", order.client_order_id, error)
            return
        if events:
            self.keep(*events)

    def observe_fill(self, fill: Fill) -> None:
        """Take in an execution that a stream or a query told, also after its order ended. One whose order is not known
        yet waits until the venue's id of an order of this journal is that of its order."""
        client_id = self._by_order_id.get((fill.symbol, fill.order_id or ""))
        if client_id is None:
            self._early.add(fill)
            return
        event = fill_event(fill, client_id)
        try:
            adds = self._adds(event)
        except JournalError as error:
            log.error("what was known of order %s cannot be read: %s", client_id, error)
            return
        if adds:
            self.keep(event)

    def _news(self, order: Order, source: str) -> list[AnyEvent]:
        """The events of a sight that add something."""
        client_id = self.client_id_of(order)
        if client_id is None:
            return []
        self.remember(client_id, order)
        return [event for event in self._proven(order, client_id, source) if self._adds(event)]

    def _proven(self, order: Order, client_id: str, source: str) -> list[AnyEvent]:
        """What a sight proves of an order of which something is known already."""
        events, facts = events_of(order, client_id, source), self._shelf.get(client_id)
        if facts.is_gone and order.state is OrderState.OPEN:
            events = [replace(one, back=facts.gone[0]) if isinstance(one, Seen) else one for one in events]
        if self.shows_terms and facts.intent is not None:
            changed = sight_of(facts.intent, facts.amends, facts.foreign, order, runtime.wall_ms())
            if changed is not None:
                events.append(changed)
        return events

    def remember(self, client_id: str, order: Order) -> None:
        """Keep what the venue showed last, for what the journal does not hold; of ended orders the newest only."""
        self._last[client_id] = order
        if len(self._last) - self._shelf.open_count > 2 * LAST_KEPT:
            ended = [name for name in self._last if not self._shelf.is_open(name)]
            for name in ended[:LAST_KEPT]:
                del self._last[name]

    def _adds(self, event: AnyEvent) -> bool:
        facts = self._shelf.get(event.client_id)
        return merge(facts, event) != facts

    def client_id_of(self, order: Order) -> str | None:
        """Our client id of an order that the venue shows, or None if it is foreign."""
        if order.client_order_id in self._shelf:
            return order.client_order_id
        return self._by_order_id.get((order.symbol, order.id or ""))

    def find(self, symbol: str, name: str) -> str | None:
        """Our client id of what the user names by order id or client id; None if it is foreign."""
        return name if name in self._shelf else self._by_order_id.get((symbol, name))

    def by_intent(self, intent_id: str) -> str | None:
        """Client id of the order with this intent id, if there is one."""
        return self._intents.get(intent_id)

    def by_amend_intent(self, intent_id: str) -> tuple[str, int] | None:
        """Client id of the order, and number, of the change with this intent id, if there is one."""
        return self._amend_intents.get(intent_id)

    def changed_since(self, since_ms: int) -> int:
        """How many changes of orders were wished in this process after a time."""
        return sum(wished_ms > since_ms for wished_ms in self._wished_ms)

    def unsettled(self) -> list[str]:
        """Client ids of orders of which nobody knows whether a change took effect."""
        return list(self._unsettled)

    def knows(self, client_id: str) -> bool:
        """Whether this journal holds an order of that name."""
        return client_id in self._shelf

    def facts(self, client_id: str) -> Facts:
        """All that is known.

        Raises:
            KeyError: it is no order of this journal.
            JournalError: it ended long ago, and its rows cannot be read any more.
        """
        if client_id not in self._shelf:
            raise KeyError(client_id)
        return self._shelf.get(client_id)

    def state(self, client_id: str) -> OrderState:
        """What it amounts to."""
        return state_of(self.facts(client_id))

    def order(self, client_id: str) -> Order:
        """The order as users see it."""
        return order_of(self.facts(client_id), self._last.get(client_id))

    def unfinished(self) -> list[str]:
        """Client ids of all orders that are not in a final state, oldest first."""
        return self._shelf.unfinished()

    def newest(self) -> Iterator[str]:
        """Client ids of all orders, the newest first."""
        return reversed(self._shelf)

    def named(self, name: str) -> str | None:
        """Our client id of what is named by client id, intent id or the venue's id (of whatever market)."""
        if name in self._shelf:
            return name
        return self._intents.get(name) or next(
            (client_id for (_, order_id), client_id in self._by_order_id.items() if order_id == name), None
        )

    def names(self) -> Iterator[str]:
        """Client ids of all orders, the oldest first."""
        return iter(self._shelf)

    async def changed(self, client_id: str) -> None:
        """Wait for the next change of this order."""
        await self._changed.setdefault(client_id, asyncio.Event()).wait()

    def _tell(self, client_id: str) -> None:
        for listener in tuple(self.listeners):
            listener(client_id)
        event = self._changed.pop(client_id, None)
        if event is not None:
            event.set()
