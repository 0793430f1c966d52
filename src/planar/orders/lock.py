"""One writer per journal: an advisory lock that the system takes back when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import planar.runtime as runtime
from planar.errors import JournalError, JournalLocked


class WriterLock:
    """Holds `<journal>.lock`; the file names its holder for whoever is refused."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            JournalLocked: another process holds it; the message names it.
        """
        while self._handle is None:
            try:
                handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise JournalError(
                    f"the journal's lock {self._path} cannot be opened: {error.strerror}",
                    hint="make its directory writable for this user, or set PLANAR_STATE to another one",
                ) from error
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = _read(handle)
                os.close(handle)
                raise JournalLocked(
                    f"the journal {self._path.with_suffix('')} is being written by {holder}",
                    hint="one process at a time sends orders with a key; stop the other one, or use another account",
                ) from error
            except OSError as error:
                os.close(handle)
                raise JournalError(
                    f"the file system does not lock {self._path}: {error.strerror}",
                    hint="set PLANAR_STATE to a directory on a disk of this machine",
                ) from error
            if self._is_at_path(handle):
                self._handle = handle
            else:
                os.close(handle)  # somebody deleted the file between opening and locking it
        self._sign(self._handle)

    def _is_at_path(self, handle: int) -> bool:
        try:
            there, held = os.stat(self._path), os.fstat(handle)
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def _sign(self, handle: int) -> None:
        since = datetime.fromtimestamp(runtime.wall_ms() / 1000, UTC)
        program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
        text = f"process {os.getpid()} ({program}) since {since:%Y-%m-%d %H:%M:%S} UTC"
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, text.encode(), 0)
        except OSError as error:
            self.release()
            raise JournalError(
                f"the journal's lock {self._path} cannot be written: {error.strerror}",
                hint="free disk space; no new order is sent before, cancels still are",
            ) from error

    def release(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            with contextlib.suppress(OSError):  # on a full or lost disk the lock ends all the same
                os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None


def holder_of(path: Path) -> str | None:
    """Who holds a lock, as far as the file and the processes of this machine tell; None if nobody seems to. Only for
    people to read: the lock itself is not touched."""
    try:
        text = path.read_text(errors="replace").strip()
        os.kill(int(text.split()[1]), 0)
    except PermissionError:
        return path.read_text(errors="replace").strip()  # another user's process is alive
    except (OSError, IndexError, ValueError):
        return None
    return text


def _read(handle: int) -> str:
    return os.pread(handle, 300, 0).decode(errors="replace").strip() or "an unknown process"
