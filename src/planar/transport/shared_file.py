"""Meters that all processes of one user on this machine share, without a server: one small mapped file per exchange.

Layout: a header, a directory (name digest -> place), then one block per meter: the boot that its times count from, the
meter's cells, and what each process holds. A reservation is a few reads and writes of the mapping under one lock of the
operating system, so that each process sees the use of all others within it.

Each process keeps a lock of its own on one byte for as long as it lives. The system lets go of a dead process's locks,
so a crash blocks nobody, whatever it was doing; and whoever waits looks which holders are gone, and settles what they
held once their last requests must have arrived. Writes stand in such an order that a crash between two of them leaves
more counted than was taken, never less.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import mmap
import os
import struct
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Final

import planar.runtime as runtime
from planar.errors import ConfigError
from planar.transport.context import Priority
from planar.transport.meters import LEAST_WAIT_S, Cells, Meter
from planar.transport.store import Ask, Store
from planar.transport.venue_time import VenueTime

HOLDERS: Final = 128
"""Processes that can share one file."""
ENTRIES: Final = 4096
_ENTRY: Final = struct.Struct("=16sdd")  # digest of the name, first cell of the block, cells of the meter
_HEADER: Final = 64
_BLOCKS: Final = (_HEADER + ENTRIES * _ENTRY.size) // 8
_CELLS: Final = 1_000_000
_SIZE: Final = _CELLS * 8
_VERSION: Final = 1.0
# cells of the header
_VERSION_AT, _COUNT_AT, _FREE_AT, _SEEN_AT = range(4)
_LOCK_AT: Final = _SIZE + HOLDERS
"""Byte that is locked while the file is changed; those before it are the processes' own. None of them is in the file."""
SPINS: Final = 400
"""How often the lock is asked for before the event loop goes on: it is held for microseconds, unless a holder is stopped."""
BUSY_S: Final = 0.001
GONE_S: Final = 0.5
"""How long after its process was seen to be gone a request may still arrive: what was sent is on its way already."""


class SharedFile:
    """One mapped file, once in a process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._guard = threading.Lock()
        self._dead: dict[int, float] = {}
        self.users = 0
        with self.whole():
            os.truncate(self._descriptor, _SIZE)
            self._map = mmap.mmap(self._descriptor, _SIZE)
            self.cells = memoryview(self._map).cast("d")
            self._begin()
        self.slot = self._take_slot()

    def _begin(self) -> None:
        cells, now = self.cells, runtime.monotonic()
        if cells[_VERSION_AT] != _VERSION:
            self._map[:_HEADER] = bytes(_HEADER)
            cells[_FREE_AT] = _BLOCKS
            cells[_VERSION_AT] = _VERSION
        self.boot = _boot(now < cells[_SEEN_AT])
        cells[_SEEN_AT] = now

    @contextlib.contextmanager
    def whole(self) -> Generator[None]:
        """Within the block nobody else changes the file."""
        self.lock_surely()
        try:
            yield
        finally:
            self.unlock()

    def lock_surely(self) -> None:
        """Keep others from changing the file, however long it takes."""
        self._guard.acquire()
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, _LOCK_AT)
        except BaseException:
            self._guard.release()
            raise

    def lock(self) -> bool:
        """Keep others from changing the file; False if somebody keeps it longer than a change takes."""
        if not (self._guard.acquire(False) or self._guard.acquire(timeout=BUSY_S)):
            return False
        for _ in range(SPINS):
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _LOCK_AT)
            except OSError:
                os.sched_yield()
            else:
                return True
        self._guard.release()
        return False

    def unlock(self) -> None:
        """Let others change the file."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _LOCK_AT)
        self._guard.release()

    def _try_slot(self, slot: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _SIZE + slot)
        except OSError:
            return False
        return True

    def _take_slot(self) -> int:
        with self.whole():
            for slot in range(HOLDERS):
                if self._try_slot(slot):
                    if not any(self.cells[held + slot] for held in self._held_places()):
                        return slot
                    fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _SIZE + slot)
        raise ConfigError(
            f"{HOLDERS} processes share the budget in {self.path} already",
            hint='[budget] shared = false, or a Redis: shared = "redis://..."',
        )

    def _held_places(self) -> Generator[int]:
        """First cell of what each process holds, of each meter."""
        for number in range(int(self.cells[_COUNT_AT])):
            _, first, width = _ENTRY.unpack_from(self._map, _HEADER + number * _ENTRY.size)
            yield int(first + 1 + width)

    def place(self, name: str, width: int) -> int:
        """First cell of the block of a meter, which is made if there is none.

        Raises:
            ConfigError: the file is full.
        """
        digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
        with self.whole():
            cells = self.cells
            count = int(cells[_COUNT_AT])
            for number in range(count):
                found, first, _ = _ENTRY.unpack_from(self._map, _HEADER + number * _ENTRY.size)
                if found == digest:
                    return int(first)
            first = int(cells[_FREE_AT])
            if count == ENTRIES or first + 1 + width + HOLDERS > _CELLS:
                raise ConfigError(f"{self.path} has no place for another meter", hint="delete it while nothing runs")
            for cell in range(first, first + 1 + width + HOLDERS):
                cells[cell] = 0.0
            cells[first] = self.boot
            _ENTRY.pack_into(self._map, _HEADER + count * _ENTRY.size, digest, first, width)
            cells[_FREE_AT] = first + 1 + width + HOLDERS
            cells[_COUNT_AT] = count + 1
            return first

    def close(self) -> None:
        """One user less; the last one lets go of the file and of its locks."""
        self.users -= 1
        if not self.users:
            del _files[self.path]
            self.release()

    def release(self) -> None:
        """Let go of the file and of its locks."""
        self.cells.release()
        self._map.close()
        os.close(self._descriptor)

    def is_at_its_path(self) -> bool:
        """False where another deleted the file after this process had opened it, and before it had locked its place."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def gone(self, held_at: int, now: float, late_s: float) -> list[int]:
        """Processes that hold something of a meter, and have not lived for `late_s`. The file is locked."""
        found: list[int] = []
        for slot in range(HOLDERS):
            if slot == self.slot or not self.cells[held_at + slot]:
                continue
            if not self._try_slot(slot):
                self._dead.pop(slot, None)
                continue
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _SIZE + slot)
            if now - self._dead.setdefault(slot, now) >= late_s:
                found.append(slot)
        return found


def _boot(earlier: bool) -> float:
    """A number for the time since the machine was started, which monotonic times count from."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        # elsewhere: the clock of the file is ahead of ours only if the machine was started anew
        return runtime.wall_ns() / 1e9 if earlier else 1.0
    return float(int(text.replace("-", "")[:12], 16))


_files: dict[Path, SharedFile] = {}
"""A lock of a process ends when the process closes the file anywhere, so each file is opened once."""
os.register_at_fork(after_in_child=_files.clear)


def open_file(path: Path) -> SharedFile:
    """The one mapping of a file in this process, for one more user of it."""
    file = _files.get(path)
    while file is None:
        made = SharedFile(path)
        if made.is_at_its_path():
            file = _files[path] = made
        else:
            made.release()
    file.users += 1
    return file


def remove_unused(directory: Path, pattern: str, but: Path) -> None:
    """Delete the files of a directory that no process has open, except one."""
    for path in sorted(directory.glob(pattern)):
        if path == but or path in _files:
            continue
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, HOLDERS, _SIZE)
            path.unlink()
        except OSError:
            continue  # in use, or deleted by another
        finally:
            os.close(descriptor)


class FileStore(Store):
    """The meters of one exchange and environment in a file that other processes use too."""

    def __init__(self, path: Path, clock: VenueTime, reserve: float, share: float) -> None:
        super().__init__(clock, reserve, share)
        self._file = open_file(path)
        self._cells = self._file.cells
        self._looked_at = 0.0

    def _place(self, name: str, width: int) -> tuple[Cells, int]:
        return self._cells, self._file.place(name, width) + 1

    def _attached(self, meter: Meter, at: int) -> None:
        first_held, file, cells = at + meter.WIDTH, self._file, self._cells
        meter.held_at = first_held + file.slot

        def begin() -> None:
            if cells[at - 1] != file.boot:
                meter.restart(runtime.monotonic())
                for slot in range(HOLDERS):
                    cells[first_held + slot] = 0.0
                cells[at - 1] = file.boot
            self._settle_gone(meter, runtime.monotonic())

        self._change(begin)

    def _settle_gone(self, meter: Meter, now: float) -> None:
        first_held, cells = meter.held_at - self._file.slot, self._cells
        gone = self._file.gone(first_held, now, GONE_S)
        if gone:
            rest = sum(cells[first_held + slot] for slot in range(HOLDERS) if slot not in gone)
            meter.set_held(rest, now)
            for slot in gone:
                cells[first_held + slot] = 0.0

    def attempt(self, asks: Sequence[Ask], priority: Priority, now: float) -> float:
        """See `Store`."""
        if not self._file.lock():
            return BUSY_S
        try:
            wait_s = super().attempt(asks, priority, now)
            if not wait_s:
                cells = self._cells
                for meter, cost in asks:
                    if cost:
                        cells[meter.held_at] += cost
            return wait_s
        finally:
            self._file.unlock()

    def take(self, asks: Sequence[Ask], now: float) -> None:
        """See `Store`."""

        def taking() -> None:
            for meter, cost in asks:
                meter.wait_s(cost, now, meter.limit)
                meter.take(cost, now)
                self._cells[meter.held_at] += cost

        self._change(taking)

    def end(self, asks: Sequence[Ask], now: float, *, sent: bool) -> None:
        """See `Store`."""

        cells, file = self._cells, self._file
        file.lock_surely()
        try:
            for meter, cost in asks:
                if sent:
                    meter.settle(cost, now)
                else:
                    meter.give_back(cost, now)
                cells[meter.held_at] = max(0.0, cells[meter.held_at] - cost)
        finally:
            file.unlock()

    def waits(self, asks: Sequence[Ask], priority: Priority, now: float) -> list[float]:
        """See `Store`."""
        if not self._file.lock():
            return [BUSY_S for _ in asks]
        try:
            return super().waits(asks, priority, now)
        finally:
            self._file.unlock()

    def used(self, meter: Meter, now: float) -> float:
        """See `Store`."""
        found = 0.0

        def reading() -> None:
            nonlocal found
            found = meter.used(now)

        self._change(reading)
        return found

    def _change(self, action: Callable[[], None]) -> None:
        """See `Store`. What has happened must be written down, so this waits for the lock."""
        with self._file.whole():
            action()

    def close(self) -> None:
        """See `Store`."""
        self._file.close()

    def reap(self, now: float) -> None:
        """See `Store`."""
        if now - self._looked_at < LEAST_WAIT_S * 1000:
            return
        self._looked_at = now

        def looking() -> None:
            for meter in self._meters.values():
                self._settle_gone(meter, now)

        self._change(looking)
