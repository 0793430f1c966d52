"""Collects the events of an operation and delivers them in order when the operation is complete."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from planar.venue.engine.accounts import Account
from planar.venue.engine.events import BalanceChange, Event


class Outbox:
    """Events on their way to the subscribers.

    Attributes:
        active: whether anyone listens; who would make an event asks first.
    """

    __slots__ = ("_draining", "_subscribers", "_touched", "_waiting", "active")

    def __init__(self) -> None:
        self.active = False
        self._subscribers: list[Callable[[Event], None]] = []
        self._waiting: deque[Event] = deque()
        self._touched: dict[Account, dict[str, None]] = {}
        self._draining = False

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Adds a subscriber; returns what removes it."""
        self._subscribers.append(callback)
        self.active = True

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)
                self.active = bool(self._subscribers)

        return unsubscribe

    def add(self, event: Event) -> None:
        """Queues an event."""
        self._waiting.append(event)

    def touch(self, account: Account, asset: str) -> None:
        """Notes that a balance changed; one `BalanceChange` per account tells of it at the end."""
        if self.active and not account.is_market:
            self._touched.setdefault(account, {})[asset] = None

    def flush(self, now_ms: int) -> None:
        """Ends an operation: delivers what waits, unless an outer call is already at it."""
        for account, assets in self._touched.items():
            balances = tuple(account.show(asset) for asset in assets)
            self._waiting.append(BalanceChange(account.name, balances, now_ms))
        self._touched.clear()
        if self._draining:
            return
        self._draining = True
        try:
            while self._waiting:
                event = self._waiting.popleft()
                for callback in tuple(self._subscribers):
                    callback(event)
        finally:
            self._draining = False
