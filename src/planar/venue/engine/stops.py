"""Stop orders of one symbol that wait for a price."""

from __future__ import annotations

from bisect import insort

from planar.venue.engine.enums import OrderKind
from planar.venue.engine.orders import LiveOrder


def _waits_for_rise(order: LiveOrder) -> bool:
    """A stop-loss buy and a take-profit sell wait for a higher price, the other two for a lower one."""
    return order.is_buy == (order.kind in (OrderKind.STOP_LOSS, OrderKind.STOP_LOSS_LIMIT))


def is_due(order: LiveOrder, last: int) -> bool:
    """Whether a last trade price, in ticks, triggers a stop."""
    return last >= order.stop if _waits_for_rise(order) else last <= order.stop


class Stops:
    """Waiting stops. The one whose price is met first on the way triggers first, then the older one."""

    __slots__ = ("_falling", "_orders", "_rising")

    def __init__(self) -> None:
        self._rising: list[tuple[int, int]] = []
        self._falling: list[tuple[int, int]] = []
        self._orders: dict[int, LiveOrder] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def _place(self, order: LiveOrder) -> tuple[list[tuple[int, int]], tuple[int, int]]:
        """Its queue, and its key there: the next to trigger has the smallest key."""
        if _waits_for_rise(order):
            return self._rising, (order.stop, order.id)
        return self._falling, (-order.stop, order.id)

    def add(self, order: LiveOrder) -> None:
        """Lets a stop wait."""
        queue, key = self._place(order)
        insort(queue, key)
        self._orders[order.id] = order

    def remove(self, order: LiveOrder) -> None:
        """Takes a waiting stop out."""
        queue, key = self._place(order)
        queue.remove(key)
        del self._orders[order.id]

    def pop_due(self, last: int) -> LiveOrder | None:
        """Takes out the next stop that a last trade price triggers."""
        for queue in (self._rising, self._falling):
            if queue:
                order = self._orders[queue[0][1]]
                if is_due(order, last):
                    del queue[0], self._orders[order.id]
                    return order
        return None
