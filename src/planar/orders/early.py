"""Executions that were told before it was known whose they are.

A trade may be told by a stream before the answer to its order brings the venue's id of that order. Until then it waits
here; what other programs traded with the same account waits here too, and makes way for newer ones.
"""

from __future__ import annotations

from planar.models import Fill

KEPT = 2_000
"""Executions that wait, at the most; one that made way is found by the next reconciliation."""


class EarlyFills:
    """Executions by market and the venue's id of their order."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], dict[str, Fill]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, fill: Fill) -> None:
        """Let it wait; twice told, it waits once."""
        if fill.order_id is None:
            return  # it can never be known whose it is
        same_order = self._waiting.setdefault((fill.symbol, fill.order_id), {})
        if fill.id not in same_order:
            same_order[fill.id] = fill
            self._count += 1
        while self._count > KEPT:
            self._count -= len(self._waiting.pop(next(iter(self._waiting))))

    def take(self, symbol: str, order_id: str) -> tuple[Fill, ...]:
        """Those of an order whose id is known now; they wait no longer."""
        found = self._waiting.pop((symbol, order_id), {})
        self._count -= len(found)
        return tuple(found.values())
