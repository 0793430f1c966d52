"""Orders that hang together: one ends the other (OCO), one starts the other (OTO), one starts two such (OTOCO).

Rules are those of the Binance spot documentation ("Order lists"): the first execution or the trigger of one of two
orders ends the other; the complete fill of a working order starts the pending ones; when one of a list is canceled or
expires, so do the others. Two orders of which one ends the other lock what the dearer of them needs, once.
"""

from __future__ import annotations

from planar.venue.engine.enums import EventKind, ListChange, OrderStatus
from planar.venue.engine.events import ListEvent
from planar.venue.engine.feasibility import check_funds, check_market, check_pair
from planar.venue.engine.lists import LiveList
from planar.venue.engine.matching import Matcher
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.rejects import EngineReject


class LinkedMatcher(Matcher):
    """A matcher that also carries order lists."""

    __slots__ = ()

    def accept_list(self, found: LiveList, now: int) -> None:
        """Takes in the checked orders of a list. `follow_up` does what follows from it."""
        found.created_ms = found.updated_ms = now
        for order in found.orders:
            order.link = found
            self._enter(order, now)
        self._tell_list(ListChange.STARTED, found, now)
        for order in found.pending:
            order.status = OrderStatus.PENDING_NEW
            self._tell(EventKind.NEW, order, now)
        for order in found.first:
            self._begin(order, now, EventKind.NEW)

    def _start(self, orders: tuple[LiveOrder, ...], now: int) -> None:
        """Begins both of two orders, or rejects both."""
        if len(orders) == 1:
            super()._start(orders, now)
            return
        for order in orders:
            order.status = OrderStatus.NEW
            order.updated_ms = now
        try:
            for order in orders:
                check_market(order)
            check_pair(*orders)
            for order in orders:
                check_funds(order)
        except EngineReject as reject:
            for order in orders:
                if order.link is not None:
                    order.link.decided = True
                self._reject(order, reject, now)
        else:
            for order in orders:
                self._begin(order, now, EventKind.RELEASED)

    def _on_set_off(self, order: LiveOrder, now: int) -> None:
        self._end_partner(order, now)

    def _on_execution(self, order: LiveOrder, now: int) -> None:
        if self._end_partner(order, now):
            self._adjust(order)

    def _end_partner(self, order: LiveOrder, now: int) -> bool:
        """Expires the other of two orders, if it is open still. Returns whether it was."""
        link = order.link
        partner = None if link is None else link.partner(order)
        if link is None or partner is None or not partner.is_open:
            return False
        link.decided = True
        self._withdraw(partner, now)
        self._end(partner, OrderStatus.EXPIRED, EventKind.EXPIRED, now)
        return True

    def _on_ended(self, order: LiveOrder, now: int, request_id: str | None = None) -> None:
        link = order.link
        if link is None:
            return
        link.updated_ms = now
        if order.status is OrderStatus.FILLED:
            if order in link.first and link.pending:
                self._released.append(link.pending)
                return
        elif not link.decided:
            self._end_others(link, order, now, request_id)
        if not link.closed and not link.is_open:
            link.closed = True
            self._tell_list(ListChange.DONE, link, now)

    def _end_others(self, link: LiveList, order: LiveOrder, now: int, request_id: str | None) -> None:
        canceled = order.status is OrderStatus.CANCELED
        for other in link.orders:
            if other.is_open:
                self._withdraw(other, now)
                if canceled:
                    self._end(other, OrderStatus.CANCELED, EventKind.CANCELED, now, request_id)
                else:
                    self._end(other, OrderStatus.EXPIRED, EventKind.EXPIRED, now)

    def _on_renamed(self, order: LiveOrder, now: int) -> None:
        link = order.link
        partner = None if link is None else link.partner(order)
        if partner is not None and partner.is_open:
            self._adjust(partner)
        if link is not None:
            link.updated_ms = now
            self._tell_list(ListChange.UPDATED, link, now)

    def _tell_list(self, change: ListChange, link: LiveList, now: int) -> None:
        if self._outbox.active:
            self._outbox.add(ListEvent(change, link.snapshot(), now))
