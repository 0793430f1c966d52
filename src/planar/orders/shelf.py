"""The facts of a journal's orders, in bounded memory.

Of unfinished orders and of those that ended last the facts are kept; of older ones the numbers of their rows in the
journal, from which they are merged again when somebody asks.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from planar.orders.journal import Journal
from planar.orders.machine import FINAL, Facts, merge, state_of

ENDED_KEPT = 500
"""Ended orders whose facts stay in memory, at the least."""


class Shelf:
    """Facts by client id."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._facts: dict[str, Facts] = {}
        self._rows: dict[str, array[int]] = {}
        self._open: dict[str, None] = {}
        self._ended: dict[str, None] = {}
        self._pinned: set[str] = set()

    def __contains__(self, client_id: object) -> bool:
        return client_id in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        """All client ids, the oldest first."""
        return iter(self._rows)

    def __reversed__(self) -> Iterator[str]:
        """All client ids, the newest first."""
        return reversed(self._rows)

    def get(self, client_id: str) -> Facts:
        """All that is known about an order; nothing, if it is not here.

        Raises:
            JournalError: it ended long ago, and its rows cannot be read any more.
        """
        found = self._facts.get(client_id)
        if found is not None:
            return found
        facts = Facts(client_id)
        if client_id in self._rows:
            for event in self._journal.events_at(self._rows[client_id]):
                facts = merge(facts, event)
        return facts

    def note(self, client_id: str, *rows: int) -> None:
        """Rows of the journal are about this order; of one that is new here nothing is known until `put`."""
        known = self._rows.get(client_id)
        if known is None:
            self._rows[client_id] = array("Q", rows)
            self._facts.setdefault(client_id, Facts(client_id))
        else:
            known.extend(rows)

    def pin(self, client_id: str) -> None:
        """Something is known about this order that the journal does not hold yet."""
        self._rows.setdefault(client_id, array("Q"))
        self._pinned.add(client_id)

    def unpin(self) -> None:
        """The journal holds everything again."""
        self._pinned.clear()

    def put(self, facts: Facts) -> None:
        """Keep what is known about an order."""
        client_id = facts.client_id
        self._facts[client_id] = facts
        if state_of(facts) not in FINAL:
            self._open[client_id] = None
            self._ended.pop(client_id, None)
            return
        self._open.pop(client_id, None)
        self._ended[client_id] = None
        if len(self._ended) > 2 * ENDED_KEPT:
            for name in [name for name in self._ended if name not in self._pinned][:ENDED_KEPT]:
                del self._ended[name], self._facts[name]

    @property
    def open_count(self) -> int:
        """How many orders are not in a final state."""
        return len(self._open)

    def is_open(self, client_id: str) -> bool:
        """Whether an order is here and not in a final state."""
        return client_id in self._open

    def unfinished(self) -> list[str]:
        """Client ids of all orders that are not in a final state, in the order of their first rows."""
        if len(self._open) < 2:
            return list(self._open)
        return sorted(self._open, key=self._first_row)

    def _first_row(self, client_id: str) -> float:
        rows = self._rows[client_id]
        return rows[0] if rows else float("inf")
