"""The order journal: an append-only table of events in SQLite, one file per environment, exchange and key.

Nothing is sent that is not in here first. A commit survives the death of the process (write-ahead log); each row carries
a checksum, and a row that does not match it stops the journal instead of being believed.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.adapters.profile import JOURNAL_ID_LENGTH
from planar.errors import JournalError
from planar.models import Amount
from planar.orders.events import AnyEvent
from planar.orders.lock import WriterLock

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL,
    body BLOB NOT NULL,
    crc INTEGER NOT NULL
);
"""

_INSERT = "INSERT INTO events (client_id, body, crc) VALUES (?, ?, ?)"


def _encode_extra(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise NotImplementedError(f"an event cannot hold {type(value).__name__}")


def _decode_extra(kind: type, value: Any) -> Any:
    if issubclass(kind, Amount):
        return Amount(value)
    raise NotImplementedError(f"an event cannot hold {kind.__name__}")


_encoder = msgspec.json.Encoder(enc_hook=_encode_extra)
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent, dec_hook=_decode_extra)


class Journal:
    """The journal of one account. One writer; its events are read back at the next start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = WriterLock(path.with_name(path.name + ".lock"))
        self._database: sqlite3.Connection | None = None
        self._id = ""
        self._count = 0

    @property
    def id(self) -> str:
        """Eight random characters, made with the journal; they stand inside every client id of its orders."""
        return self._id

    def open(self) -> None:
        """Take the writer's lock and open the file, making it if it is new.

        Raises:
            JournalLocked: another process writes it.
            JournalError: it cannot be opened, or another version of Planar made it.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise JournalError(f"{self.path.parent} cannot be made: {error.strerror}") from error
        self._lock.acquire()
        try:
            self._open_database()
        except sqlite3.Error as error:
            self.close()
            raise JournalError(
                f"the journal {self.path} cannot be opened: {error}",
                hint="free disk space, restore the file, or move it away after looking at the venue's open orders",
            ) from error
        except JournalError:
            self.close()
            raise

    def _open_database(self) -> None:
        database = sqlite3.connect(self.path, isolation_level=None)
        self._database = database
        self.path.chmod(0o600)
        database.execute("PRAGMA page_size=1024")  # a commit writes whole pages, and an event is small
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.executescript(_SCHEMA)
        meta = dict(database.execute("SELECT key, value FROM meta"))
        if not meta:
            meta = {"version": str(SCHEMA_VERSION), "id": runtime.token(JOURNAL_ID_LENGTH)}
            database.executemany("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))
        if meta["version"] != str(SCHEMA_VERSION):
            raise JournalError(
                f"the journal {self.path} has version {meta['version']}; this Planar reads version {SCHEMA_VERSION}"
            )
        self._id = meta["id"]
        self._count = database.execute("SELECT count(DISTINCT client_id) FROM events").fetchone()[0]

    def next_number(self) -> int:
        """A number that no earlier order of this journal has."""
        self._count += 1
        return self._count

    def append(self, *events: AnyEvent) -> None:
        """Write events, all or none; when this returns they survive the death of the process.

        Raises:
            JournalError: it could not be written. The caller must not send.
        """
        rows = [(event.client_id, body := _encoder.encode(event), zlib.crc32(body)) for event in events]
        database = self._connection()
        try:
            if len(rows) == 1:
                database.execute(_INSERT, rows[0])
            else:
                with database:
                    database.execute("BEGIN")
                    database.executemany(_INSERT, rows)
        except sqlite3.Error as error:
            raise JournalError(
                f"the journal {self.path} cannot be written: {error}",
                hint="free disk space or mend its permissions; no new order is sent before, cancels still are",
            ) from error

    def events(self) -> Iterator[AnyEvent]:
        """All events in the order of writing.

        Raises:
            JournalError: a row is damaged.
        """
        for seq, body, crc in self._connection().execute("SELECT seq, body, crc FROM events ORDER BY seq"):
            if not isinstance(body, bytes) or zlib.crc32(body) != crc:
                raise JournalError(
                    f"row {seq} of the journal {self.path} is damaged",
                    hint="compare the venue's open orders by hand, then move the file away",
                )
            yield _decoder.decode(body)

    def close(self) -> None:
        """Close the file and give the writer's lock back."""
        if self._database is not None:
            self._database.close()
            self._database = None
        self._lock.release()

    def _connection(self) -> sqlite3.Connection:
        if self._database is None:
            raise JournalError(f"the journal {self.path} is closed")
        return self._database
