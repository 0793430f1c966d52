"""Order lists: which orders hang together, and the records of all lists of an exchange."""

from __future__ import annotations

import msgspec

from planar.venue.engine.enums import Contingency
from planar.venue.engine.orders import LiveOrder
from planar.venue.engine.types import OrderList


class LiveList(msgspec.Struct, kw_only=True, eq=False):
    """One order list from acceptance on."""

    id: int
    client_id: str
    contingency: Contingency
    orders: tuple[LiveOrder, ...]
    created_ms: int = 0
    updated_ms: int = 0
    decided: bool = False
    """Whether one of two orders has ended the other."""
    closed: bool = False

    @property
    def first(self) -> tuple[LiveOrder, ...]:
        """The orders that begin at once."""
        return self.orders if self.contingency is Contingency.OCO else self.orders[:1]

    @property
    def pending(self) -> tuple[LiveOrder, ...]:
        """The orders that the complete fill of the working one starts."""
        return () if self.contingency is Contingency.OCO else self.orders[1:]

    @property
    def is_open(self) -> bool:
        """Whether any of its orders is."""
        return any(order.is_open for order in self.orders)

    def partner(self, order: LiveOrder) -> LiveOrder | None:
        """The order that this one ends, and that ends this one."""
        pair = {Contingency.OCO: self.orders, Contingency.OTOCO: self.orders[1:]}.get(self.contingency, ())
        others = [other for other in pair if other is not order]
        return others[0] if len(others) == 1 else None

    def expected_hold(self, order: LiveOrder) -> int:
        """Units that should be locked for an open order of it: of two, the dearer locks for both."""
        own = order.hold_for(order.remaining)
        partner = self.partner(order)
        if partner is None or not partner.is_open or partner.is_pending:
            return own
        others = partner.hold_for(partner.remaining)
        return own if own > others or (own == others and order.id < partner.id) else 0

    def snapshot(self) -> OrderList:
        """The list as others see it, at this moment."""
        any_order = self.orders[0]
        return OrderList(
            id=self.id,
            client_id=self.client_id,
            account=any_order.account.name,
            symbol=any_order.market.symbol,
            contingency=self.contingency,
            is_open=self.is_open,
            orders=tuple(order.snapshot() for order in self.orders),
            created_ms=self.created_ms,
            updated_ms=self.updated_ms,
        )


class Lists:
    """All order lists of an exchange, open or not."""

    def __init__(self) -> None:
        self._by_account: dict[str, list[LiveList]] = {}
        self._next_id = 0

    def make(self, client_id: str, contingency: Contingency, account: str, orders: tuple[LiveOrder, ...]) -> LiveList:
        """Records a new list."""
        found = LiveList(id=self._next_id, client_id=client_id, contingency=contingency, orders=orders)
        self._next_id += 1
        self._by_account.setdefault(account, []).append(found)
        return found

    def of(self, account: str) -> list[LiveList]:
        """The lists of an account, by rising id."""
        return self._by_account.get(account, [])

    def find(self, account: str, list_id: int | None, client_id: str | None) -> LiveList | None:
        """The list that both ids name, as far as they are given; the newest of those that shared a client id."""
        for found in reversed(self.of(account)):
            if list_id in (None, found.id) and client_id in (None, found.client_id):
                return found
        return None

    def open(self, account: str) -> list[LiveList]:
        """The open lists of an account, by rising id."""
        return [found for found in self.of(account) if not found.closed]
