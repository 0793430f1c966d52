"""When anything last happened to each order of a journal: what is young is not judged by lists, which may lag."""

from __future__ import annotations

import planar.runtime as runtime
from planar.orders.store import OrderStore


class Activity:
    """Follows the events of a store."""

    def __init__(self, store: OrderStore) -> None:
        self._store = store
        self._touched: dict[str, float] = {}
        store.listeners.append(self._changed)

    def _changed(self, client_id: str) -> None:
        self._touched.pop(client_id, None)  # the youngest stand at the end
        self._touched[client_id] = runtime.monotonic()

    def age_ms(self, client_id: str) -> float:
        """How long ago the last event of an order was recorded; of those before this process, how long ago the venue's
        last word, or the intent, is by the system's clock."""
        touched = self._touched.get(client_id)
        if touched is not None:
            return (runtime.monotonic() - touched) * 1000
        facts = self._store.facts(client_id)
        last_ms = max(facts.updated_ms or 0, facts.intent.wall_ms if facts.intent else 0)
        return max(0.0, runtime.wall_ms() - last_ms)

    def since(self, mark_s: float) -> list[str]:
        """Orders that were touched since `mark_s` (monotonic seconds), the youngest last."""
        found: list[str] = []
        for client_id, touched in reversed(self._touched.items()):
            if touched < mark_s:
                break
            found.append(client_id)
        return found[::-1]

    def newest_s(self) -> float | None:
        """When the last event of any order was recorded in this process, monotonic seconds."""
        return next(reversed(self._touched.values())) if self._touched else None

    def forget(self, before_s: float) -> None:
        """Keep nothing about orders that were last touched before `before_s`."""
        for client_id, touched in list(self._touched.items()):
            if touched >= before_s:
                return
            del self._touched[client_id]
