"""What has come for one consumer and was not taken yet: bounded, and honest about what it let go."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Final, Generic, Protocol, TypeVar

import planar.runtime as runtime
from planar.streams.states import Gap

T = TypeVar("T")


class Nothing:
    """The mailbox is empty."""


NOTHING: Final = Nothing()


class Mailbox(Protocol[T]):
    """Where a consumer's items wait.

    Attributes:
        dropped: how many it let go because nobody took them in time.
    """

    dropped: int

    def put(self, key: Hashable, item: T) -> None:
        """Keep it, at the cost of an older one if need be."""
        ...

    def mark(self, gap: Gap) -> None:
        """Rows are missing between what was put and what will be."""
        ...

    def take(self) -> T | Gap | Nothing:
        """The next one, taken out."""
        ...


class Latest(Generic[T]):
    """The newest item per key; the keys in the order in which they first changed."""

    def __init__(self) -> None:
        self.dropped = 0
        self._items: dict[Hashable, T] = {}

    def put(self, key: Hashable, item: T) -> None:
        """See `Mailbox`."""
        if key in self._items:
            self.dropped += 1
        self._items[key] = item

    def mark(self, gap: Gap) -> None:
        """See `Mailbox`. Between newest items there is no place to miss anything."""

    def take(self) -> T | Gap | Nothing:
        """See `Mailbox`."""
        if not self._items:
            return NOTHING
        return self._items.pop(next(iter(self._items)))


class Every(Generic[T]):
    """Each item, up to `limit` of them; beyond it the oldest go, and a gap stands in their place."""

    def __init__(self, limit: int) -> None:
        self.dropped = 0
        self._limit = limit
        self._items: deque[T | Gap] = deque()
        self._lost = 0
        self._lost_since_ms = 0

    def put(self, key: Hashable, item: T) -> None:
        """See `Mailbox`."""
        self._items.append(item)
        if len(self._items) > self._limit:
            self._drop()

    def mark(self, gap: Gap) -> None:
        """See `Mailbox`."""
        self._items.append(gap)

    def take(self) -> T | Gap | Nothing:
        """See `Mailbox`."""
        if self._lost:
            lost, self._lost = self._lost, 0
            reason = f"more than {self._limit} were waiting to be taken"
            return Gap(since_ms=self._lost_since_ms, until_ms=runtime.wall_ms(), reason=reason, dropped=lost)
        return self._items.popleft() if self._items else NOTHING

    def _drop(self) -> None:
        item = self._items.popleft()
        if isinstance(item, Gap):
            return  # it was told when it came
        if not self._lost:
            self._lost_since_ms = runtime.wall_ms()
        self._lost += 1
        self.dropped += 1
