"""Stop orders of one symbol that wait for a price.

Every trade price passes by here (`observe`); those it triggers become due, in the order in which the way of the price
met them, and are then taken out one by one (`pop_due`).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

from planar.venue.engine.enums import OrderKind
from planar.venue.engine.orders import LiveOrder


def waits_for_rise(order: LiveOrder) -> bool:
    """A stop-loss buy and a take-profit sell wait for a higher price, the other two for a lower one."""
    return order.is_buy == (order.kind in (OrderKind.STOP_LOSS, OrderKind.STOP_LOSS_LIMIT))


def is_due(order: LiveOrder, last: int) -> bool:
    """Whether a last trade price, in ticks, meets the stop price of an order that has one."""
    return last >= order.stop if waits_for_rise(order) else last <= order.stop


class Stops:
    """Waiting stops. The one whose price is met first on the way triggers first, then the older one."""

    __slots__ = ("_due", "_falling", "_orders", "_rising", "_trailing")

    def __init__(self) -> None:
        self._rising: list[tuple[int, int]] = []
        self._falling: list[tuple[int, int]] = []
        self._trailing: dict[int, LiveOrder] = {}
        self._due: deque[int] = deque()
        self._orders: dict[int, LiveOrder] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: LiveOrder, last: int | None, now: int) -> None:
        """Lets a stop wait. A trailing one without a stop price follows at once, from the last price on."""
        self._orders[order.id] = order
        if order.stop:
            queue, key = self._place(order)
            insort(queue, key)
            return
        self._trailing[order.id] = order
        if order.trail is not None and last is not None:
            order.trail.begin(last, now)

    def remove(self, order: LiveOrder) -> None:
        """Takes a waiting stop out."""
        del self._orders[order.id]
        if self._trailing.pop(order.id, None) is None:
            queue, key = self._place(order)
            index = bisect_left(queue, key)
            if index < len(queue) and queue[index] == key:
                del queue[index]

    def observe(self, price: int, now: int) -> None:
        """A trade happened."""
        for queue, reached in ((self._rising, price), (self._falling, -price)):
            while queue and queue[0][0] <= reached:
                order = self._orders[queue.pop(0)[1]]
                if order.trail is None:
                    self._due.append(order.id)
                else:
                    self._trailing[order.id] = order
        if self._trailing:
            self._follow(price, now)

    def _follow(self, price: int, now: int) -> None:
        for order in list(self._trailing.values()):
            trail = order.trail
            if trail is None:
                continue
            if not trail.best:
                trail.begin(price, now)
            elif trail.follow(price):
                del self._trailing[order.id]
                self._due.append(order.id)

    def pop_due(self) -> LiveOrder | None:
        """Takes out the next stop that has been triggered."""
        while self._due:
            order = self._orders.pop(self._due.popleft(), None)
            if order is not None:
                return order
        return None

    def _place(self, order: LiveOrder) -> tuple[list[tuple[int, int]], tuple[int, int]]:
        """Its queue, and its key there: the next to trigger has the smallest key."""
        if waits_for_rise(order):
            return self._rising, (order.stop, order.id)
        return self._falling, (-order.stop, order.id)
