"""Compaction: of orders that ended long ago only what they came to is kept.

Of each such order the intent stays, with its id and the user's own name for the wish, and one sight of the order with
all that it came to. Its state, amounts and ids are the same before and after, which is checked for each order. Nothing of
other orders is touched. It is one transaction: whatever dies on the way, the journal is either as it was or compacted.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import msgspec

from planar.errors import JournalError
from planar.orders import points
from planar.orders.events import Acked, AnyEvent, FillSeen, Seen, Sending, Unknown
from planar.orders.journal import Journal
from planar.orders.journal_schema import check_row, encode_event
from planar.orders.machine import FINAL, Facts, merge, state_of

Row = tuple[int, AnyEvent]

COMPACT_POINTS = ("compact.begun", "compact.rewritten", "compact.committed", "compact.vacuumed")


class Compaction(msgspec.Struct, frozen=True):
    """What was done.

    Attributes:
        orders: that were compacted.
        rows_before, rows_after: of the whole journal.
        bytes_before, bytes_after: of the file.
    """

    orders: int
    rows_before: int
    rows_after: int
    bytes_before: int
    bytes_after: int


def compact(path: Path, before_ms: int, *, keep_fills: bool) -> Compaction:
    """Compact the orders of the journal at `path` that ended before a time.

    Args:
        before_ms: orders whose last event is older, UTC milliseconds.
        keep_fills: their executions stay. Otherwise their sums stay, and fees and prices of each are gone.

    Raises:
        JournalLocked: a program writes it.
        JournalError: it is damaged or cannot be written; it is as it was.
    """
    if not path.exists():
        raise JournalError(f"there is no journal {path}")
    journal = Journal(path)
    journal.open()
    try:
        size = path.stat().st_size
        orders, deleted, changed = _plan(journal, before_ms, keep_fills)
        rows = _count(journal)
        if deleted:
            try:
                _apply(journal, deleted, changed)
            except sqlite3.Error as error:
                raise JournalError(
                    f"the journal {path} cannot be compacted: {error}",
                    hint="free disk space, as much as the journal is large; it is as it was",
                ) from error
        return Compaction(orders, rows, rows - len(deleted), size, path.stat().st_size)
    finally:
        journal.close()


def _count(journal: Journal) -> int:
    return journal.connection().execute("SELECT count(*) FROM events").fetchone()[0]


def _plan(journal: Journal, before_ms: int, keep_fills: bool) -> tuple[int, list[int], list[Row]]:
    """How many orders are compacted, the rows that go, and those that hold something else from then on."""
    numbers: dict[str, array[int]] = {}
    latest: dict[str, int] = {}
    for chunk in journal.chunks():
        for seq, event in chunk:
            numbers.setdefault(event.client_id, array("Q")).append(seq)
            latest[event.client_id] = max(latest.get(event.client_id, 0), event.wall_ms)
    orders, deleted, changed = 0, list[int](), list[Row]()
    for client_id, last_ms in latest.items():
        if last_ms >= before_ms:
            continue
        rows = list(zip(numbers[client_id], journal.events_at(numbers[client_id]), strict=True))
        kept = fold(rows, keep_fills=keep_fills)
        if len(kept) < len(rows):
            was, left = dict(rows), dict(kept)
            orders += 1
            deleted += [seq for seq in was if seq not in left]
            changed += [(seq, event) for seq, event in kept if event is not was[seq]]
    return orders, deleted, changed


def fold(rows: Sequence[Row], *, keep_fills: bool) -> Sequence[Row]:
    """The rows of one order that say in fewer events what it came to; the same rows if it has not ended."""
    client_id = rows[0][1].client_id
    facts = _merged(rows, client_id)
    if state_of(facts) not in FINAL:
        return rows
    changes = [row for row in rows if getattr(row[1], "action", "") == "amend"]
    of_order = [row for row in rows if row not in changes]
    sights = [
        row for row in of_order if isinstance(row[1], Seen | Acked) or (isinstance(row[1], FillSeen) and not keep_fills)
    ]
    rest = [row for row in of_order if not isinstance(row[1], Seen | Acked | Sending | Unknown | FillSeen)]
    rest += [row for row in changes if not isinstance(row[1], Sending | Unknown)]
    fills = [row for row in rows if isinstance(row[1], FillSeen)] if keep_fills else []
    if sights:
        word = next((word for word in _VENUE_WORDS if word in facts.marks), None)
        ids = facts.order_ids or (None,)
        if len(ids) > len(sights):
            return rows
        for (seq, event), order_id in zip(sights[-len(ids) :], ids, strict=True):
            total = Seen(
                client_id=client_id,
                wall_ms=event.wall_ms,
                order_id=order_id,
                state=word,
                filled=facts.filled,
                cost=facts.cost,
                updated_ms=facts.updated_ms,
                source="compaction",
            )
            rest.append((seq, total))
    kept = sorted([*rest, *fills], key=lambda row: row[0])
    return kept if _same(facts, _merged(kept, client_id)) else rows


_VENUE_WORDS = ("filled", "canceled", "expired", "rejected", "open")


def _merged(rows: Sequence[Row], client_id: str) -> Facts:
    return reduce(merge, [event for _, event in rows], Facts(client_id))


def _same(one: Facts, other: Facts) -> bool:
    """Whether two orders are the same for whoever asks."""

    def seen(facts: Facts) -> tuple[object, ...]:
        shown = (facts.filled, facts.cost, facts.order_ids, facts.updated_ms)
        terms = (facts.terms, facts.most, facts.unsettled, facts.is_gone)
        return (state_of(facts), facts.intent, *shown, facts.contradicted, facts.reasons, *terms)

    return seen(one) == seen(other)


def _apply(journal: Journal, deleted: Sequence[int], changed: Sequence[Row]) -> None:
    database = journal.connection()
    points.reached(COMPACT_POINTS[0])
    database.execute("BEGIN IMMEDIATE")
    try:
        database.executemany("DELETE FROM events WHERE seq = ?", [(seq,) for seq in deleted])
        for seq, event in changed:
            body = encode_event(event)
            crc = check_row(seq, event.client_id.encode(), body)
            database.execute("UPDATE events SET body = ?, crc = ? WHERE seq = ?", (body, crc, seq))
        journal.note_compaction()
        points.reached(COMPACT_POINTS[1])
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    points.reached(COMPACT_POINTS[2])
    database.execute("VACUUM")
    points.reached(COMPACT_POINTS[3])
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
