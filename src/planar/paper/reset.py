"""Beginning a paper account anew: its file and its order journal go, while nobody uses either."""

from __future__ import annotations

from pathlib import Path

from planar.errors import JournalError
from planar.orders.lock import WriterLock
from planar.paper.place import Place
from planar.paper.store import lock_of

_PARTS = ("", "-wal", "-shm")
"""Of a file of SQLite, by what their names end with."""


def reset(place: Place) -> tuple[Path, ...]:
    """Remove an account and its orders' journal; the files that are gone.

    Raises:
        JournalLocked: a program uses it.
        JournalError: a file cannot be removed.
    """
    locks = [WriterLock(lock_of(file)) for file in (place.file, place.journal) if file.exists()]
    held: list[WriterLock] = []
    try:
        for lock in locks:
            lock.acquire()
            held.append(lock)
        return tuple(_remove(place.journal) + _remove(place.file))
    finally:
        for lock in held:
            lock.release()


def _remove(file: Path) -> list[Path]:
    gone: list[Path] = []
    for part in _PARTS:
        path = file.with_name(file.name + part)
        try:
            path.unlink()
            gone.append(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise JournalError(
                f"{path} cannot be removed: {error.strerror}", hint="mend the permissions of its directory"
            ) from error
    return gone
