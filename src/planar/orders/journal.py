"""The order journal: an append-only table of events in SQLite, one file per environment, exchange and key.

Nothing is sent that is not in here first. A commit survives the death of the process (write-ahead log), and, where
`durability` is "disk", the death of the machine. Each row carries a checksum, and a row that does not match it stops
the journal instead of being believed. What is missing is noticed: rows are numbered, and the number of the last one is
kept.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

import planar.runtime as runtime
from planar.adapters.profile import JOURNAL_ID_LENGTH
from planar.errors import JournalError
from planar.orders.events import AnyEvent
from planar.orders.journal_files import Identity, check_place
from planar.orders.journal_schema import (
    CHECKS,
    TABLES,
    UNREADABLE,
    VERSION,
    Meta,
    check_row,
    connect_to_read,
    damaged_row,
    decode_events,
    encode_event,
    migrate,
    read_meta,
    write_meta,
)
from planar.orders.journal_sync import GroupCommit, sync_file
from planar.orders.lock import WriterLock
from planar.transport.account_log import account_log

log = account_log("planar.orders")

Durability = Literal["process", "disk"]
"""What an event that was journaled survives: the death of the process, or the death of the machine too."""

Row = tuple[int, str, bytes, int]
Found = tuple[int, bytes, bytes, int]

CHUNK = 2_000
"""Rows that are read at once."""

_INSERT = "INSERT INTO events (seq, client_id, body, crc) VALUES (?, ?, ?, ?)"
_AT_ONCE = 4
"""So many rows are written by one statement, which is a transaction by itself; more by one for each row, in one."""
_SELECT = "SELECT seq, CAST(client_id AS BLOB), body, crc FROM events"
_WRITE_HINT = "free disk space or mend its permissions; no new order is sent before, cancels still are"


class Journal:
    """The journal of one account. One writer; any number of readers beside it.

    Args:
        path: of the file.
        durability: what an event that was journaled survives.
    """

    def __init__(self, path: Path, durability: Durability = "process") -> None:
        self.path = path
        self._durability: Durability = durability
        self._lock = WriterLock(path.with_name(path.name + ".lock"))
        self._database: sqlite3.Connection | None = None
        self._writing = False
        self._meta = Meta(VERSION, "")
        self._seq = 0
        self._numbers = 0
        self._orders: int | None = None
        self._identity: Identity | None = None
        self._group: GroupCommit | None = None

    @property
    def id(self) -> str:
        """Eight random characters, made with the journal; they stand inside every client id of its orders."""
        return self._meta.id

    @property
    def version(self) -> int:
        """Version of the file."""
        return self._meta.version

    @property
    def meta(self) -> Meta:
        """What the journal says about itself."""
        return self._meta

    @property
    def last_seq(self) -> int:
        """Number of the last row; 0 if there is none."""
        return self._seq

    # -- opening ---------------------------------------------------------------------------------------------------
    def open(self, *, read_only: bool = False) -> None:
        """Take the writer's lock and open the file, making it if it is new; or open it for reading, beside a writer.

        Raises:
            JournalLocked: another process writes it.
            JournalError: it cannot be opened, is damaged, lies on a network file system, or a newer Planar made it.
        """
        try:
            if read_only:
                self._open_to_read()
            else:
                self._open_to_write()
        except (*UNREADABLE, OSError) as error:
            self.close()
            raise JournalError(
                f"the journal {self.path} cannot be opened: {getattr(error, 'strerror', None) or error}",
                hint="mend its permissions, free disk space or restore the file; before it is moved away, look at the "
                "venue's open orders",
            ) from error
        except BaseException:
            self.close()
            raise

    def _open_to_write(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise JournalError(
                f"{self.path.parent} cannot be made: {error.strerror}",
                hint="make its parent writable for this user, or set PLANAR_STATE to another directory",
            ) from error
        check_place(self.path.parent)
        self._lock.acquire()
        if not self.path.exists():
            self._make()
        self._check_not_empty()
        self.path.chmod(0o600)
        database = sqlite3.connect(self.path, isolation_level=None)
        self._database = database
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        self._meta = migrate(database, self.path, read_meta(database, self.path))
        self._learn_last()
        self._identity = Identity(self.path)
        self._writing = True
        if self._durability == "disk":
            sync_file(str(self.path.parent))
            self._group = GroupCommit(f"{self.path}-wal")

    def _make(self) -> None:
        """Make the file under another name first: a journal that was begun and not finished is never found."""
        if self.path.with_name(self.path.name + "-wal").exists():
            raise JournalError(
                f"the journal {self.path} is gone, and its write-ahead log is still there",
                hint="restore the file; or look at the venue's open orders and then move the -wal file away",
            )
        half = self.path.with_name(self.path.name + ".new")
        half.unlink(missing_ok=True)
        database = sqlite3.connect(half, isolation_level=None)
        try:
            half.chmod(0o600)
            database.execute("PRAGMA page_size=1024")  # a commit writes whole pages, and an event is small
            database.execute("BEGIN")
            for statement in TABLES:
                database.execute(statement)
            write_meta(database, Meta(VERSION, runtime.token(JOURNAL_ID_LENGTH)))
            database.execute("COMMIT")
        finally:
            database.close()
        half.rename(self.path)

    def _open_to_read(self) -> None:
        if not self.path.exists():
            raise JournalError(f"there is no journal {self.path}")
        self._check_not_empty()
        self._database = connect_to_read(self.path)
        self._meta = read_meta(self._database, self.path)
        self._learn_last()

    def _check_not_empty(self) -> None:
        if self.path.stat().st_size == 0:
            raise JournalError(
                f"the journal {self.path} is empty: 0 bytes",
                hint="it was cut off; restore it from a backup, or look at the venue's open orders and then delete it",
            )

    def _learn_last(self) -> None:
        self._seq = self.connection().execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
        if self._seq < self._meta.last_seq:
            raise self._lost_end()

    def _lost_end(self) -> JournalError:
        return JournalError(
            f"the journal {self.path} ends with row {self._seq}, but had {self._meta.last_seq}: its end is lost",
            hint="restore it from a backup, or look at the venue's orders and then move it away",
        )

    # -- numbers ---------------------------------------------------------------------------------------------------
    def next_number(self) -> int:
        """A number that no earlier order of this journal has."""
        if self._orders is None:
            self._orders = self.connection().execute("SELECT count(DISTINCT client_id) FROM events").fetchone()[0]
        self._numbers = max(self._numbers, self._meta.numbers, self._orders or 0) + 1
        return self._numbers

    def numbered(self, orders: int) -> None:
        """So many orders are in this journal; whoever has read all of it says so."""
        self._orders = orders

    def number_beyond(self, number: int) -> None:
        """An order with this number exists, here or at the venue: the next number lies beyond it."""
        self._numbers = max(self._numbers, number)

    # -- writing ---------------------------------------------------------------------------------------------------
    def append(self, *events: AnyEvent) -> int:
        """Write events, all or none; when this returns they survive the death of the process.

        Returns the number of the first one's row.

        Raises:
            JournalError: it could not be written. The caller must not send.
        """
        database = self.connection()
        if not self._writing or self._identity is None:
            raise JournalError(f"the journal {self.path} is open for reading only")
        self._identity.check()
        if self._group is not None:
            self._group.check()
        rows: list[Row] = []
        for seq, event in enumerate(events, self._seq + 1):
            body = encode_event(event)
            rows.append((seq, event.client_id, body, check_row(seq, event.client_id.encode(), body)))
        try:
            if 0 < len(rows) <= _AT_ONCE:
                database.execute(_INSERT + ", (?, ?, ?, ?)" * (len(rows) - 1), [value for row in rows for value in row])
            else:
                with database:
                    database.execute("BEGIN")
                    database.executemany(_INSERT, rows)
        except sqlite3.Error as error:
            raise JournalError(f"the journal {self.path} cannot be written: {error}", hint=_WRITE_HINT) from error
        self._seq += len(rows)
        if self._group is not None:
            self._group.appended()
        return self._seq - len(rows) + 1

    def durable(self) -> Coroutine[Any, Any, None] | None:
        """What to await until all that was appended survives what `durability` promises; None if it does already.

        Awaiting it raises JournalError if the disk failed: the caller must not send.
        """
        return None if self._group is None else self._group.wait()

    # -- reading ---------------------------------------------------------------------------------------------------
    def events(self) -> Iterator[AnyEvent]:
        """All events in the order of writing.

        Raises:
            JournalError: a row is damaged or missing.
        """
        for chunk in self.chunks():
            for _, event in chunk:
                yield event

    def chunks(self) -> Iterator[list[tuple[int, AnyEvent]]]:
        """All events with the numbers of their rows, in the order of writing, many at once.

        Raises:
            JournalError: a row is damaged or missing.
        """
        last, before = 0, 0
        try:
            cursor = self.connection().execute(f"{_SELECT} ORDER BY seq")
            while rows := cursor.fetchmany(CHUNK):
                last, before = self._check(rows, last, before)
                numbers = [row[0] for row in rows]
                yield list(zip(numbers, decode_events(numbers, [row[2] for row in rows], self.path), strict=True))
        except UNREADABLE as error:
            raise self._unreadable(error, last) from error
        if last < self._seq or before < self._meta.compacted_rows:
            raise self._missing(last + 1)

    def _check(self, rows: Sequence[Found], last: int, before: int) -> tuple[int, int]:
        """Each row is what was written, and none is missing; the last number, and how many a compaction left."""
        check, gaps_to = CHECKS[self._meta.version], self._meta.compacted_seq
        for seq, client_id, body, crc in rows:
            whole = type(seq) is int and type(client_id) is bytes and type(body) is bytes
            if not whole or check(seq, client_id, body) != crc:
                raise damaged_row(self.path, seq)
            if seq > gaps_to:
                if seq != max(last, gaps_to) + 1:
                    raise self._missing(max(last, gaps_to) + 1)
            else:
                before += 1
            last = seq
        return last, before

    def events_at(self, numbers: Sequence[int]) -> list[AnyEvent]:
        """The events of these rows.

        Raises:
            JournalError: one of them is damaged, missing or cannot be read.
        """
        database, check = self.connection(), CHECKS[self._meta.version]
        bodies: list[bytes] = []
        try:
            for number in numbers:
                row: Found | None = database.execute(f"{_SELECT} WHERE seq = ?", (number,)).fetchone()
                if row is None:
                    raise self._missing(number)
                if type(row[2]) is not bytes or check(row[0], row[1], row[2]) != row[3]:
                    raise damaged_row(self.path, number)
                bodies.append(row[2])
        except UNREADABLE as error:
            raise self._unreadable(error, 0) from error
        return decode_events(numbers, bodies, self.path)

    def _unreadable(self, error: Exception, last: int) -> JournalError:
        return JournalError(
            f"the journal {self.path} cannot be read after row {last}: {error}",
            hint="`planar journal verify` says what can be done",
        )

    def _missing(self, seq: int) -> JournalError:
        return JournalError(
            f"row {seq} of the journal {self.path} is missing",
            hint="`planar journal verify` says what can be done",
        )

    # -- closing ---------------------------------------------------------------------------------------------------
    def close(self) -> None:
        """Note where it ends, close the file and give the writer's lock back."""
        database, self._database = self._database, None
        if database is not None:
            if self._writing:
                with contextlib.suppress(
                    sqlite3.Error
                ):  # on a full disk the end is not noted, and nothing else is lost
                    last = msgspec.structs.replace(
                        self._meta, last_seq=self._seq, numbers=max(self._numbers, self._meta.numbers)
                    )
                    if last != self._meta:
                        with database:
                            database.execute("BEGIN")
                            write_meta(database, last)
            database.close()
        self._writing = False
        self._lock.release()

    def note_compaction(self) -> None:
        """In the transaction that compacts: so many rows are left, and their numbers have gaps."""
        database = self.connection()
        rows, last = database.execute("SELECT count(*), coalesce(max(seq), 0) FROM events").fetchone()
        numbers = max(self._numbers, self._meta.numbers)
        self._meta = Meta(VERSION, self.id, numbers, last_seq=last, compacted_seq=last, compacted_rows=rows)
        self._seq = last
        write_meta(database, self._meta)

    def connection(self) -> sqlite3.Connection:
        """The open file.

        Raises:
            JournalError: it is closed.
        """
        if self._database is None:
            raise JournalError(f"the journal {self.path} is closed")
        return self._database
