"""What an account's orders and balances were a little while ago, for reads that lag behind.

A fault rule makes the reads of a request lag (`lagging`); the exchange then answers its queries from here. Orders and
balances are recorded from the engine's events: the versions of the last `KEPT_MS`, and below them one version of what
is still open, so that the record stays small. Fills carry their own time and need no record.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextvars import ContextVar
from typing import Final, Generic, TypeVar

from planar.venue.engine.events import BalanceChange, Event, OrderEvent
from planar.venue.engine.types import Balance, Order

KEPT_MS: Final = 60_000
"""How far back reads can lag."""
VERSIONS_KEPT: Final = 50_000
"""Most versions kept of orders, and of balances; where more come in `KEPT_MS`, reads can lag less far behind."""

_LAG_MS: ContextVar[int] = ContextVar("venue_read_lag", default=0)

K = TypeVar("K")
V = TypeVar("V")
OrderKey = tuple[str, str, int]
"""Account, symbol, order id."""


@contextlib.contextmanager
def lagging(lag_ms: int) -> Generator[None]:
    """Inside, and in tasks spawned there, queries answer as of `lag_ms` ago; 0: as of now."""
    token = _LAG_MS.set(lag_ms)
    try:
        yield
    finally:
        _LAG_MS.reset(token)


def present() -> contextlib.AbstractContextManager[None]:
    """Inside, queries answer as of now: for commands, which see the truth."""
    return lagging(0)


def lag_ms() -> int:
    """By how much queries lag here."""
    return _LAG_MS.get()


class Versions(Generic[K, V]):
    """What each key's value has been; the newest version before the time kept stays while the key matters."""

    def __init__(self, matters: Callable[[V], bool]) -> None:
        """`matters`: whether a value that is not changed any more is still needed."""
        self._matters = matters
        self._versions: dict[K, list[tuple[int, V]]] = {}
        self._ages: deque[tuple[int, K]] = deque()

    def add(self, ts_ms: int, key: K, value: V) -> None:
        """A new version."""
        self._versions.setdefault(key, []).append((ts_ms, value))
        self._ages.append((ts_ms, key))
        while self._ages[0][0] < ts_ms - KEPT_MS or len(self._ages) > VERSIONS_KEPT:
            self._forget(*self._ages.popleft())

    def _forget(self, ts_ms: int, key: K) -> None:
        """Drop what a key was before the version in force at a time, and that one too if it no longer matters."""
        known = self._versions.get(key)
        if known is None:
            return
        while len(known) > 1 and known[1][0] <= ts_ms:
            del known[0]
        if len(known) == 1 and known[0][0] <= ts_ms and not self._matters(known[0][1]):
            del self._versions[key]

    def at(self, key: K, ts_ms: int) -> V | None:
        """The value as of a time; None if there was none, or none is known."""
        found: V | None = None
        for since_ms, value in self._versions.get(key, ()):
            if since_ms > ts_ms:
                break
            found = value
        return found

    def changed_after(self, key: K, ts_ms: int) -> bool:
        """Whether a version is younger than a time."""
        known = self._versions.get(key)
        return known is not None and known[-1][0] > ts_ms

    def __len__(self) -> int:
        return sum(len(known) for known in self._versions.values())


class Past:
    """The recent versions of the user accounts' orders and balances."""

    def __init__(self) -> None:
        self._orders: Versions[OrderKey, Order] = Versions(lambda order: order.is_open)
        self._balances: Versions[tuple[str, str], Balance] = Versions(lambda balance: True)

    def begin(self, orders: Sequence[Order], balances: Sequence[tuple[str, Balance]]) -> None:
        """Take what there is when recording begins, as if it had always been: open orders, and balances by account."""
        for order in orders:
            self._orders.add(0, (order.account, order.symbol, order.id), order)
        for account, balance in balances:
            self._balances.add(0, (account, balance.asset), balance)

    def on_event(self, event: Event) -> None:
        """Record what changes."""
        if isinstance(event, OrderEvent):
            order = event.order
            self._orders.add(event.ts_ms, (order.account, order.symbol, order.id), order)
        elif isinstance(event, BalanceChange):
            for balance in event.balances:
                self._balances.add(event.ts_ms, (event.account, balance.asset), balance)

    def order(self, now: Order, ts_ms: int) -> Order | None:
        """An order as of a time, given what it is now; None if it did not exist."""
        key = (now.account, now.symbol, now.id)
        if now.created_ms > ts_ms:
            return None
        if not self._orders.changed_after(key, ts_ms):
            return now
        return self._orders.at(key, ts_ms)

    def balance(self, account: str, now: Balance, ts_ms: int) -> Balance | None:
        """A balance as of a time, given what it is now; None if the account had not held the asset yet."""
        key = (account, now.asset)
        return self._balances.at(key, ts_ms) if self._balances.changed_after(key, ts_ms) else now

    def __len__(self) -> int:
        return len(self._orders) + len(self._balances)
