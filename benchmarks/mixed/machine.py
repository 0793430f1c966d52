"""For how long the machine kept client and exchange from running: no deadline can be met meanwhile, and none is broken.

Linux counts for each process the time in which it was ready to run and no core was free (`/proc/<pid>/schedstat`, the
second number, nanoseconds). What a process wastes by itself is not in it.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec


class Kept(msgspec.Struct, frozen=True):
    """Seconds since the start of each process in which it was kept from running."""

    client_s: float
    exchange_s: float

    def since(self, before: Kept) -> Kept:
        """What was added since an earlier moment."""
        return Kept(self.client_s - before.client_s, self.exchange_s - before.exchange_s)


class Machine:
    """Reads both counts.

    Args:
        exchange_pid: the process of the local exchanges.
    """

    def __init__(self, exchange_pid: int) -> None:
        self._files = [os.open(Path("/proc", name, "schedstat"), os.O_RDONLY) for name in ("self", str(exchange_pid))]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            os.close(file)

    def kept(self) -> Kept:
        """As it is now."""
        client_s, exchange_s = (int(os.pread(file, 100, 0).split()[1]) / 1e9 for file in self._files)
        return Kept(client_s, exchange_s)
