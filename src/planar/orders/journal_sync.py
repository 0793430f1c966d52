"""Group commit: appends that wait for the disk at the same time share one sync, in a thread.

The journal's write-ahead log is one file to which all appends go in order, so one sync makes all of them durable that
were appended before it began.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable

import planar.runtime as runtime
from planar.errors import JournalError


def sync_file(name: str) -> None:
    """Have the system write a file, or the entries of a directory, to the disk."""
    handle = os.open(name, os.O_RDONLY)
    try:
        full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone leaves it in the drive's cache
        if full is not None:
            fcntl.fcntl(handle, full)
        else:
            os.fsync(handle)
    finally:
        os.close(handle)


class GroupCommit:
    """Brings what was appended to the disk.

    Args:
        name: path of the write-ahead log.
        sync: brings the file of that name to the disk; runs in a thread.
    """

    def __init__(self, name: str, sync: Callable[[str], None] = sync_file) -> None:
        self._name = name
        self._sync = sync
        self._appended = 0
        self._synced = 0
        self._running: asyncio.Task[None] | None = None
        self._failure: JournalError | None = None

    def appended(self) -> None:
        """Something was appended."""
        self._appended += 1

    def check(self) -> None:
        """Raises JournalError if a sync failed: the system may have forgotten what it could not write, and a second
        sync that succeeds would prove nothing."""
        if self._failure is not None:
            raise self._failure

    async def wait(self) -> None:
        """Return when everything that was appended before this call is on the disk.

        Raises:
            JournalError: the disk failed.
        """
        wanted = self._appended
        while self._synced < wanted:
            self.check()
            if self._running is None:
                self._running = runtime.spawn(self._round(), name="journal: sync")
            await asyncio.shield(self._running)
        self.check()

    async def _round(self) -> None:
        upto = self._appended
        try:
            await asyncio.to_thread(self._sync, self._name)
            self._synced = upto
        except OSError as error:
            self._failure = JournalError(
                f"{self._name} could not be brought to the disk: {error.strerror or error}",
                hint="nothing new is sent, cancels still are; look at the disk, then start the program again",
            )
        finally:
            self._running = None

    async def close(self) -> None:
        """Wait for the sync that is under way."""
        if self._running is not None:
            await asyncio.wait([self._running])
