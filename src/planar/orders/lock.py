"""One writer per journal: an advisory lock that the system takes back when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

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
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise JournalError(f"the journal's lock {self._path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(handle, 200).decode(errors="replace").strip() or "an unknown process"
            os.close(handle)
            raise JournalLocked(
                f"the journal {self._path.with_suffix('')} is being written by {holder}",
                hint="one process at a time sends orders with a key; stop the other one, or use another account",
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
