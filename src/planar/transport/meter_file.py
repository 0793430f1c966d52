"""The mapped file in which all processes of one user on this machine keep the meters of one exchange and environment.

Layout: a header, a directory (name digest -> place), then one block per meter: the boot that its times count from, the
meter's cells, and what each process holds. A reservation is a few reads and writes of the mapping under one lock of the
operating system, so that each process sees the use of all others within it.

Each process keeps a lock of its own on one byte for as long as it lives. The system lets go of a dead process's locks,
so a crash blocks nobody, whatever it was doing; and whoever waits looks which holders are gone, and settles what they
held once their last requests must have arrived. Writes stand in such an order that a crash between two of them leaves
more counted than was taken, never less.

A file that is damaged, cut off or of another version is begun anew, with a new generation number, so that those who have
it open notice; what was used is not known then, and meters begin full. What was not written before is written by `pwrite`,
which fails where the disk is full: a mapping would end the process.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import mmap
import os
import struct
import threading
from collections.abc import Generator
from math import inf, isfinite
from pathlib import Path
from typing import Final

import planar.runtime as runtime
from planar.errors import ConfigError

log = logging.getLogger("planar")

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
_VERSION_AT, _COUNT_AT, _FREE_AT, _SEEN_AT, _GENERATION_AT, _LOST_AT, _LOST_BOOT_AT = range(7)
_LOCK_AT: Final = _SIZE + HOLDERS
"""Byte that is locked while the file is changed; those before it are the processes' own. None of them is in the file."""
SPINS: Final = 400
"""How often the lock is asked for before the event loop goes on: it is held for microseconds, unless a holder is stopped."""
BUSY_S: Final = 0.001
STUCK_S: Final = 2.0
"""Who keeps the lock for longer stands still, and is not waited for."""


class FileTrouble(OSError):
    """The file cannot be used."""


class SharedFile:
    """One mapped file, once in a process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._guard = threading.Lock()
        self._dead: dict[int, float] = {}
        self._mapped = False
        self.users = 0
        try:
            with self.whole():
                size = os.fstat(self._descriptor).st_size
                os.truncate(self._descriptor, _SIZE)
                self._map = mmap.mmap(self._descriptor, _SIZE)
                self.cells = memoryview(self._map).cast("d")
                self._begin(size)
                self._mapped = True
            self.slot = self._take_slot()
        except BaseException:
            os.close(self._descriptor)
            raise

    def _begin(self, size: int) -> None:
        cells, now = self.cells, runtime.monotonic()
        self.boot = _boot(now < cells[_SEEN_AT])
        trouble = self._trouble(size)
        if trouble is not None:
            self._wipe(now, trouble)
        cells[_SEEN_AT] = now

    def _trouble(self, size: int) -> str | None:
        """What is wrong with the file; "" if it is new."""
        cells = self.cells
        if not size or (size == _SIZE and not any(self._map[:_HEADER])):
            return ""
        if size < _SIZE:
            return "was cut off"
        if cells[_VERSION_AT] != _VERSION:
            if any(self._is_held(slot) for slot in range(HOLDERS)):
                raise FileTrouble(f"{self.path} is in use by another version of Planar")
            return "is of another version of Planar, or damaged"
        count, free = cells[_COUNT_AT], cells[_FREE_AT]
        whole = all(isfinite(cell) and cell == int(cell) for cell in (count, free))
        if not whole or not 0 <= count <= ENTRIES or not _BLOCKS <= free <= _CELLS:
            return "is damaged"
        for number in range(int(count)):
            _, first, width = _ENTRY.unpack_from(self._map, _HEADER + number * _ENTRY.size)
            if not (first >= _BLOCKS and width >= 1 and first + 1 + width + HOLDERS <= free):
                return "is damaged"
        return None

    def _wipe(self, now: float, trouble: str) -> None:
        """Begin anew. The file is locked."""
        header = [0.0] * (_HEADER // 8)
        header[_VERSION_AT], header[_FREE_AT] = _VERSION, _BLOCKS
        header[_GENERATION_AT] = float(runtime.wall_ns() // 1000)
        if trouble:
            header[_LOST_AT], header[_LOST_BOOT_AT] = now, self.boot
            log.warning(
                "the shared budget %s %s: it is begun anew, and what was used of each limit counts as all of it",
                self.path,
                trouble,
            )
        os.pwrite(self._descriptor, struct.pack(f"={len(header)}d", *header), 0)

    @property
    def generation(self) -> float:
        """Another one means that the file was begun anew."""
        return self.cells[_GENERATION_AT]

    def lost_s(self, now: float) -> float:
        """Seconds since what was used has been lost; infinite if that was before this start of the machine, or never."""
        cells = self.cells
        return now - cells[_LOST_AT] if cells[_LOST_AT] and cells[_LOST_BOOT_AT] == self.boot else inf

    @contextlib.contextmanager
    def whole(self) -> Generator[None]:
        """Within the block nobody else changes the file."""
        self.lock_surely()
        try:
            yield
        finally:
            self.unlock()

    def lock_surely(self) -> None:
        """Keep others from changing the file.

        Raises:
            FileTrouble: somebody keeps it for longer than a change can take.
        """
        until = runtime.monotonic() + STUCK_S
        while not self.lock():
            if runtime.monotonic() > until:
                raise FileTrouble(f"{self.path} is locked by a process that stands still")
            _pause.wait(BUSY_S)

    def lock(self) -> bool:
        """Keep others from changing the file; False if somebody keeps it longer than a change takes."""
        if not (self._guard.acquire(False) or self._guard.acquire(timeout=BUSY_S)):
            return False
        for _ in range(SPINS):
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _LOCK_AT)
            except BlockingIOError:
                os.sched_yield()
            except BaseException:
                self._guard.release()
                raise
            else:
                return self._locked()
        self._guard.release()
        return False

    def _locked(self) -> bool:
        """The file must be as long as its mapping: to read beyond its end would end the process."""
        try:
            if self._mapped and os.fstat(self._descriptor).st_size < _SIZE:
                os.truncate(self._descriptor, _SIZE)
                self._wipe(runtime.monotonic(), "was cut off while in use")
        except BaseException:
            self.unlock()
            raise
        return True

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

    def _is_held(self, slot: int) -> bool:
        if not self._try_slot(slot):
            return True
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _SIZE + slot)
        return False

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

    def place(self, name: str, width: int) -> tuple[int, bool]:
        """First cell of the block of a meter, and whether it was made now, all 0. The file is locked.

        Raises:
            ConfigError: the file is full.
            OSError: the disk is.
        """
        digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
        cells = self.cells
        count = int(cells[_COUNT_AT])
        for number in range(count):
            found, first, found_width = _ENTRY.unpack_from(self._map, _HEADER + number * _ENTRY.size)
            if found == digest and found_width == width:
                return int(first), False
        first = int(cells[_FREE_AT])
        length = 1 + width + HOLDERS
        if count == ENTRIES or first + length > _CELLS:
            raise ConfigError(f"{self.path} has no place for another meter", hint="delete it while nothing runs")
        os.pwrite(self._descriptor, struct.pack("=d", self.boot) + bytes(8 * (length - 1)), first * 8)
        os.pwrite(self._descriptor, _ENTRY.pack(digest, first, width), _HEADER + count * _ENTRY.size)
        cells[_FREE_AT] = first + length
        cells[_COUNT_AT] = count + 1
        return first, True

    def close(self) -> None:
        """One user less; the last one lets go of the file and of its locks."""
        self.users -= 1
        if not self.users:
            if _files.get(self.path) is self:
                del _files[self.path]
            self.release()

    def release(self) -> None:
        """Let go of the file and of its locks."""
        self.cells.release()
        self._map.close()
        os.close(self._descriptor)

    def leave(self) -> None:
        """Have all others look for the file that has taken this one's place. This one is locked."""
        self.cells[_GENERATION_AT] += 1

    def is_at_its_path(self) -> bool:
        """False where somebody has deleted the file."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def gone(self, held_at: int, now: float, late_s: float) -> list[int]:
        """Processes that hold something of a meter, and have not lived for `late_s`. The file is locked."""
        found: list[int] = []
        for slot in range(HOLDERS):
            place = held_at + slot
            if slot == self.slot or not self.cells[place] or self._is_held(slot):
                # the place may be another process's by the time at which something is held there again
                self._dead.pop(place, None)
            elif now - self._dead.setdefault(place, now) >= late_s:
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


_pause = threading.Event()
"""Never set: to wait for it is to wait."""
_files: dict[Path, SharedFile] = {}
"""A lock of a process ends when the process closes the file anywhere, so each file is opened once."""
os.register_at_fork(after_in_child=_files.clear)


def open_file(path: Path) -> SharedFile:
    """The one mapping of a file in this process, for one more user of it.

    Raises:
        OSError: it cannot be used.
        ConfigError: too many processes use it.
    """
    file = _files.get(path)
    if file is not None and not file.is_at_its_path():
        file = None
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
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # another's, or deleted by another
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, HOLDERS, _SIZE)
            path.unlink()
        except OSError:
            continue  # in use, or deleted by another
        finally:
            os.close(descriptor)
