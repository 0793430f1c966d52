"""The journal's file: its tables, the checksum of each row, how events become bytes, and how old files become new ones.

    events (seq, client_id, body, crc)   one row per event, in the order of writing, numbered without gaps
    meta   (key, value)                  version, id, and what the numbers of rows must be; `check` covers them all

A migration is one transaction, and a copy of the file as it was stays beside it.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from planar.errors import JournalError
from planar.models import Amount
from planar.orders.events import AnyEvent

VERSION = 2
"""The version that this Planar writes."""

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL,
    body BLOB NOT NULL,
    crc INTEGER NOT NULL
)""",
)

UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged file raises; SQLite repeats damaged text in its messages, which then are no text."""

Check = Callable[[int, bytes, bytes], int]
"""The checksum of a row, of its number, client id (UTF-8) and body."""


def _check_1(_seq: int, _client_id: bytes, body: bytes) -> int:
    return zlib.crc32(body)


def check_row(seq: int, client_id: bytes, body: bytes) -> int:
    """The checksum of a row: a number, name or body that was exchanged for another shows."""
    return zlib.crc32(body, zlib.crc32(client_id, seq))


CHECKS: Mapping[int, Check] = {1: _check_1, 2: check_row}
"""By version."""


class Meta(msgspec.Struct, frozen=True):
    """What a journal says about itself.

    Attributes:
        version: of the file.
        id: eight random characters inside every client id of its orders.
        numbers: at least so many orders have had a number.
        last_seq: the rows up to here were there when it was closed last; fewer mean that its end was lost.
        compacted_seq: up to this row a compaction has left gaps in the numbers;
        compacted_rows: and so many rows.
    """

    version: int
    id: str
    numbers: int = 0
    last_seq: int = 0
    compacted_seq: int = 0
    compacted_rows: int = 0

    def rows(self) -> dict[str, str]:
        """As the table holds it."""
        values = {name: str(getattr(self, name)) for name in self.__struct_fields__}
        return values | {"check": str(_check_meta(values))}


def _check_meta(values: Mapping[str, str]) -> int:
    return zlib.crc32("\n".join(f"{name}={values[name]}" for name in sorted(values)).encode())


def connect_to_read(path: Path) -> sqlite3.Connection:
    """The file for reading. SQLite's own locks let a reader see a whole state while the writer goes on; where the
    directory is closed to us and nobody writes, there is nothing to lock."""
    nobody_writes = not path.with_name(path.name + "-wal").exists() and not os.access(path.parent, os.W_OK)
    mode = "immutable=1" if nobody_writes else "mode=ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)


def read_meta(database: sqlite3.Connection, path: Path) -> Meta:
    """What the journal says about itself.

    Raises:
        JournalError: it is no journal, is damaged, or a newer Planar made it.
    """
    damaged = JournalError(
        f"{path} is no journal of Planar, or its first page is damaged",
        hint="restore it from a backup, or look at the venue's open orders and then move it away",
    )
    tables = {sql for (sql,) in database.execute("SELECT sql FROM sqlite_master")}
    if tables != set(TABLES):
        raise damaged
    values = {str(key): str(value) for key, value in database.execute("SELECT key, value FROM meta")}
    try:
        version = int(values["version"])
    except (KeyError, ValueError):
        raise damaged from None
    if version > VERSION:
        raise JournalError(
            f"the journal {path} has version {version}; this Planar reads up to version {VERSION}",
            hint="use the newer Planar that wrote it, or take the copy that it left beside the journal",
        )
    if version == 1:
        return Meta(1, values.get("id", ""))
    check = values.pop("check", "")
    if str(_check_meta(values)) != check:
        raise damaged
    try:
        return msgspec.convert(values, Meta, strict=False)
    except msgspec.ValidationError:
        raise damaged from None


def write_meta(database: sqlite3.Connection, meta: Meta) -> None:
    """Replace what the journal says about itself; inside the caller's transaction, if there is one."""
    rows = sorted(meta.rows().items())
    marks = ", ".join("(?, ?)" for _ in rows)
    database.execute(f"INSERT OR REPLACE INTO meta VALUES {marks}", [word for row in rows for word in row])


# -- events as bytes -----------------------------------------------------------------------------------------------
def _encode_extra(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise NotImplementedError(f"an event cannot hold {type(value).__name__}")


def _decode_extra(kind: type, value: Any) -> Any:
    if kind is Amount:
        return Decimal.__new__(Amount, value)  # it was an Amount when it was written, and the row's checksum says so
    raise NotImplementedError(f"an event cannot hold {kind.__name__}")


encode_event = msgspec.json.Encoder(enc_hook=_encode_extra).encode
_decode_one = msgspec.json.Decoder(AnyEvent, dec_hook=_decode_extra).decode
_decode_many = msgspec.json.Decoder(list[AnyEvent], dec_hook=_decode_extra).decode


def decode_events(numbers: Sequence[int], bodies: Sequence[bytes], path: Path) -> list[AnyEvent]:
    """The events of rows.

    Raises:
        JournalError: this Planar does not know one of them.
    """
    try:
        return _decode_many(b"[" + b",".join(bodies) + b"]")
    except msgspec.MsgspecError:
        pass  # the row is found below
    events: list[AnyEvent] = []
    for seq, body in zip(numbers, bodies, strict=True):
        try:
            events.append(_decode_one(body))
        except msgspec.MsgspecError as error:
            raise JournalError(
                f"row {seq} of the journal {path} holds what this Planar does not know: {error}",
                hint="use the newer Planar that wrote it",
            ) from error
    return events


# -- migrations ----------------------------------------------------------------------------------------------------
def _from_1(database: sqlite3.Connection, path: Path, meta: Meta) -> Meta:
    """Version 2: a row's checksum covers its number and client id too; meta has a checksum of its own."""
    last = 0
    database.create_function("planar_check", 3, check_row, deterministic=True)
    for seq, body, crc in database.execute("SELECT seq, body, crc FROM events ORDER BY seq"):
        if not isinstance(body, bytes) or zlib.crc32(body) != crc:
            raise damaged_row(path, seq)
        last = seq
    database.execute("UPDATE events SET crc = planar_check(seq, CAST(client_id AS BLOB), body)")
    rows = database.execute("SELECT count(*) FROM events").fetchone()[0]
    gaps = {} if rows == last else {"compacted_seq": last, "compacted_rows": rows}
    return msgspec.structs.replace(meta, last_seq=last, **gaps)


MIGRATIONS: Mapping[int, Callable[[sqlite3.Connection, Path, Meta], Meta]] = {1: _from_1}
"""From a version to the next one."""


def migrate(database: sqlite3.Connection, path: Path, meta: Meta) -> Meta:
    """Bring the file to `VERSION`; a copy of what it was stays beside it, as `<journal>.v<version>`.

    Raises:
        JournalError: it is damaged; it stays as it was.
    """
    while meta.version < VERSION:
        _back_up(database, path.with_name(f"{path.name}.v{meta.version}"))
        database.execute("BEGIN IMMEDIATE")
        try:
            after = MIGRATIONS[meta.version](database, path, meta)
            meta = msgspec.structs.replace(after, version=meta.version + 1)
            write_meta(database, meta)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
    return meta


def _back_up(database: sqlite3.Connection, path: Path) -> None:
    half = path.with_name(path.name + ".half")
    half.unlink(missing_ok=True)
    copy = sqlite3.connect(half)
    try:
        database.backup(copy)
    finally:
        copy.close()
    half.chmod(0o600)
    half.replace(path)


def damaged_row(path: Path, seq: int) -> JournalError:
    """The error of a row that is not what was written."""
    return JournalError(
        f"row {seq} of the journal {path} is damaged",
        hint="`planar journal verify` names all damaged rows and what can be done",
    )
