"""Whether a journal is whole: SQLite's own check, checksum and number of each row, and what must hold of its events.

It reads what can be read, past damage too, and changes nothing. It may run beside the writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Literal, TypeGuard

import msgspec

from planar.errors import JournalError
from planar.models import OrderState
from planar.orders.events import AnyEvent, Intent
from planar.orders.journal_schema import CHECKS, UNREADABLE, Meta, connect_to_read, decode_events, read_meta
from planar.orders.machine import FINAL, Facts, merge, state_of

FaultKind = Literal["file", "row", "missing", "event", "order"]

WORST = 200
"""Faults that are told one by one."""

_NO_ORDER = (OrderState.REJECTED, OrderState.NEVER_ACCEPTED)

_Found = tuple[object, object, object, object]


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        kind: "file": SQLite says so, or it cannot be opened; "row": what it holds is not what was written; "missing": rows
            that are gone; "event": this Planar does not know it; "order": its events contradict each other.
        row: the number of the row; None if it concerns none.
        client_id: the order, where that is known.
        text: for people.
    """

    kind: FaultKind
    row: int | None
    client_id: str | None
    text: str


class CheckReport(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        rows: that could be read.
        orders: of which something could be read.
        unfinished: of them those that are in no final state.
        first_ms, last_ms: when the first and the last readable event were written, UTC milliseconds.
        faults: all of them, `WORST` at the most.
        advice: what to do; empty if nothing is wrong.
    """

    path: str
    id: str
    version: int
    rows: int
    orders: int
    unfinished: int
    first_ms: int | None
    last_ms: int | None
    faults: tuple[Fault, ...]
    advice: tuple[str, ...]


def check_journal(path: Path) -> CheckReport:
    """Check the journal at `path`.

    Raises:
        JournalError: there is no such file.
    """
    if not path.exists():
        raise JournalError(f"there is no journal {path}")
    checker = _Checker(path)
    if path.stat().st_size == 0:
        checker.fault("file", "it is empty: 0 bytes")
        return checker.report()
    database = connect_to_read(path)
    try:
        checker.run(database)
    finally:
        database.close()
    return checker.report()


class _Checker:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._meta = Meta(0, "")
        self._faults: list[Fault] = []
        self._rows = 0
        self._events: dict[str, list[AnyEvent]] = {}
        self._unfinished = 0
        self._times: list[int] = []

    def fault(self, kind: FaultKind, text: str, row: int | None = None, client_id: str | None = None) -> None:
        if len(self._faults) < WORST:
            self._faults.append(Fault(kind, row, client_id, text))

    def run(self, database: sqlite3.Connection) -> None:
        try:
            self._meta = read_meta(database, self._path)
            for (line,) in database.execute("PRAGMA integrity_check(20)"):
                if line != "ok":
                    self.fault("file", f"SQLite says: {line}")
        except JournalError as error:
            self.fault("file", error.message)
            return
        except UNREADABLE as error:
            self.fault("file", f"SQLite says: {error}")
        if self._meta.version not in CHECKS:
            return
        self._read(database)
        self._orders()

    def _read(self, database: sqlite3.Connection) -> None:
        last, before, meta = 0, 0, self._meta
        for seq, client_id, body, crc in self._whatever_can_be_read(database):
            if not isinstance(seq, int):
                self.fault("file", "a row has no number")
                continue
            if seq > meta.compacted_seq and seq != max(last, meta.compacted_seq) + 1:
                self._missing(max(last, meta.compacted_seq) + 1, seq - 1)
            before += seq <= meta.compacted_seq
            last = seq
            self._rows += 1
            name = client_id.decode(errors="replace") if isinstance(client_id, bytes) else None
            checked = (client_id, body)
            if not _is_bytes(checked) or CHECKS[meta.version](seq, *checked) != crc:
                self.fault("row", f"row {seq} is not what was written", seq, name)
                continue
            try:
                (event,) = decode_events([seq], [checked[1]], self._path)
            except JournalError as error:
                self.fault("event", error.message, seq, name)
                continue
            self._times = [*self._times[:1], event.wall_ms]
            self._events.setdefault(event.client_id, []).append(event)
        if last < meta.last_seq:
            self._missing(last + 1, meta.last_seq)
        if before < meta.compacted_rows:
            lost = meta.compacted_rows - before
            self.fault("missing", f"{lost} of the rows up to {meta.compacted_seq} are missing")

    def _missing(self, first: int, last: int) -> None:
        self.fault(
            "missing", f"rows {first} to {last} are missing" if last > first else f"row {first} is missing", first
        )

    def _whatever_can_be_read(self, database: sqlite3.Connection) -> Iterator[_Found]:
        """Rows from the start up to damage of the file, then those behind it."""
        last = 0
        select = "SELECT seq, CAST(client_id AS BLOB), body, crc FROM events"
        try:
            for row in database.execute(f"{select} ORDER BY seq"):
                last = row[0]
                yield row
            return
        except UNREADABLE as error:
            self.fault("file", f"after row {last}, SQLite says: {error}")
        behind: list[_Found] = []
        try:
            for row in database.execute(f"{select} WHERE seq > ? ORDER BY seq DESC", (last,)):
                behind.append(row)
        except UNREADABLE:
            pass  # the damage is reached from behind, and was told above
        yield from reversed(behind)

    def _orders(self) -> None:
        wishes: dict[str, str] = {}
        for client_id, events in self._events.items():
            facts = reduce(merge, events, Facts(client_id))
            if reduce(merge, reversed(events), Facts(client_id)) != facts:
                self.fault("order", "its events give another state in another order", None, client_id)
            self._unfinished += state_of(facts) not in FINAL
            if facts.intent is None:
                self.fault("order", "its intent is not in the journal", None, client_id)
            elif not isinstance(events[0], Intent):
                self.fault("order", "something is journaled before its intent", None, client_id)
            wish = facts.intent.intent_id if facts.intent is not None else ""
            if wish and state_of(facts) not in _NO_ORDER and wishes.setdefault(wish, client_id) != client_id:
                self.fault("order", f"it has the intent id {wish!r} of {wishes[wish]}", None, client_id)

    def report(self) -> CheckReport:
        return CheckReport(
            path=str(self._path),
            id=self._meta.id,
            version=self._meta.version,
            rows=self._rows,
            orders=len(self._events),
            unfinished=self._unfinished,
            first_ms=self._times[0] if self._times else None,
            last_ms=self._times[-1] if self._times else None,
            faults=tuple(self._faults),
            advice=_advice({fault.kind for fault in self._faults}),
        )


def _is_bytes(pair: tuple[object, object]) -> TypeGuard[tuple[bytes, bytes]]:
    return isinstance(pair[0], bytes) and isinstance(pair[1], bytes)


def _advice(kinds: set[FaultKind]) -> tuple[str, ...]:
    if not kinds:
        return ()
    if kinds == {"event"}:
        return ("use the newer Planar that wrote it",)
    if kinds == {"order"}:
        return ("the rows are what was written; compare the orders named above with the exchange's own history",)
    return (
        "stop the program that writes it, and copy the file, its -wal and its -shm away",
        "if there is a backup, put it back: orders that it lacks are found again at the exchange when the program starts",
        "if there is none: `planar journal export` saves what can be read; look at the open orders on the exchange's "
        "website, then move the file away. The next start makes a new journal and names the open orders of the old one",
    )
