"""Meters that all processes of one user on this machine share, without a server, through a file (`meter_file`).

A reservation is a few reads and writes of the mapping under one lock of the operating system, so that each process sees
the use of all others within it. Whatever becomes of the file, nobody is let through unlimited and nobody waits for ever:
one that was deleted is made again, and what this process knew of it is taken along; one that was begun anew is filled
again; and where no file can be used at all, this process goes on alone with a fair part of each limit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import planar.runtime as runtime
from planar.errors import ConfigError
from planar.transport.context import Priority
from planar.transport.meter_file import BUSY_S, HOLDERS, STUCK_S, FileTrouble, open_file
from planar.transport.meters import LEAST_WAIT_S, Cells, Meter
from planar.transport.store import LONG_MS, STRANGERS, Ask, Store
from planar.transport.venue_time import VenueTime

log = logging.getLogger("planar")

GONE_S = 0.5
"""How long after its process was seen to be gone a request may still arrive: what was sent is on its way already."""
LOOK_AFTER_S = 1.0
"""How often is looked whether the file is still there, and whole."""


class FileStore(Store):
    """The meters of one exchange and environment in a file that other processes use too.

    Attributes:
        alone: the file could not be used any more; this process keeps its meters for itself.
    """

    def __init__(self, path: Path, clock: VenueTime, reserve: float, share: float) -> None:
        """
        Raises:
            OSError: the file cannot be used.
            ConfigError: too many processes use it.
        """
        super().__init__(clock, reserve, share)
        self.alone = False
        self._file = open_file(path)
        self._generation = self._file.generation
        self._names: dict[Meter, str] = {}
        self._owed: list[Callable[[], None]] = []
        self._looked_at = 0.0
        self._looked_after = runtime.monotonic()
        self._busy_since: float | None = None

    # -- the lock --------------------------------------------------------------------------------------------------
    def _lock(self, now: float) -> bool:
        """Lock the file, and see that it holds our meters; False if it is kept, or `alone` from now on."""
        if self.alone:
            return False
        try:
            if now - self._looked_after > LOOK_AFTER_S:
                self._looked_after = now
                self._look_after(now)
            if not self._file.lock():
                self._busy_since = now if self._busy_since is None else self._busy_since
                if now - self._busy_since > STUCK_S:
                    raise FileTrouble("a process that keeps its lock stands still")
                return False
            self._busy_since = None
            if self._file.generation != self._generation and not self._meet_again(now):
                return False
            while self._owed:
                self._owed.pop(0)()
        except OSError as error:
            self._go_alone(error, now)
            return False
        return True

    def _change(self, action: Callable[[], None]) -> None:
        """See `Store`. What has happened must be written down: now, or with what is next."""
        self._owed.append(action)
        if self._lock(runtime.monotonic()):
            self._file.unlock()
        elif self.alone:
            self._pay()

    def _pay(self) -> None:
        while self._owed:
            self._owed.pop(0)()

    # -- places ----------------------------------------------------------------------------------------------------
    def _place(self, name: str, width: int) -> tuple[Cells, int]:
        """Cells of its own, until the file is locked."""
        self._name = name
        return super()._place(name, width)

    def _attached(self, meter: Meter, at: int) -> None:
        self._names[meter] = self._name
        if self.alone:
            self._keep(meter)
            return
        try:
            with self._file.whole():
                self._settle_in(meter, runtime.monotonic())
        except (OSError, ConfigError) as error:
            self._keep(meter)
            log.warning(
                "a limit of the shared budget is kept by this process alone, to one of %d parts: %s", STRANGERS, error
            )

    def _settle_in(self, meter: Meter, now: float) -> None:
        """Give a meter its place in the file, which is locked."""
        file, cells = self._file, self._file.cells
        first, made = file.place(self._names[meter], meter.WIDTH)
        at = first + 1
        meter.move(cells, at)
        meter.held_at = at + meter.WIDTH + file.slot
        window_s = min(meter.spec.window_ms or LONG_MS, LONG_MS) / 1000
        if made:
            if file.lost_s(now) < window_s:
                self._fill(meter, now)
            return
        if cells[first] != file.boot:
            meter.restart(now)
            self._forget_held(meter)
            cells[first] = file.boot
        if not meter.sound(now):
            log.warning("the limit %s of the shared budget is damaged: it begins full", self._names[meter])
            self._forget_held(meter)
            for cell in range(at, at + meter.WIDTH):
                cells[cell] = 0.0
            self._fill(meter, now)
        self._settle_gone(meter, now)

    def _forget_held(self, meter: Meter) -> None:
        first_held = meter.held_at - self._file.slot
        for slot in range(HOLDERS):
            self._file.cells[first_held + slot] = 0.0

    def _fill(self, meter: Meter, now: float) -> None:
        """Nobody knows what is used of it. The end of a long window would be too far."""
        if meter.spec.window_ms <= LONG_MS:
            meter.assume(meter.limit, now)

    def _all(self) -> list[Meter]:
        return [*self._meters.values(), *self._stops.values()]

    def _place_again(self, now: float) -> None:
        """The file was begun anew, so the old places are others' now."""
        for meter in self._all():
            if meter.held_at:
                self._settle_in(meter, now)
        self._generation = self._file.generation

    def _meet_again(self, now: float) -> bool:
        """The file, which is locked, was begun anew, or left by somebody who saw that it was deleted. Whether the file
        that holds now is locked."""
        if not self._file.is_at_its_path():
            self._file.unlock()
            self._look_after(now)
            if not self._file.lock():
                return False
        if self._file.generation != self._generation:
            self._place_again(now)
        return True

    def _look_after(self, now: float) -> None:
        """Take all to a new file where this one was deleted, and mend what is damaged."""
        file = self._file
        if file.is_at_its_path():
            if file.lock():
                try:
                    for meter in self._all():
                        if meter.held_at and file.generation == self._generation and not meter.sound(now):
                            self._settle_in(meter, now)
                finally:
                    file.unlock()
            return
        log.warning("the file of the shared budget %s was deleted while in use: it is made again", file.path)
        with file.whole():
            # nobody takes anything in the old file from now on
            known = [(m, m.used(now), file.cells[m.held_at]) for m in self._all() if m.held_at]
            file.leave()
        self._file = open_file(file.path)
        self._generation = self._file.generation
        with self._file.whole():
            for meter, used, held in known:
                self._settle_in(meter, now)
                meter.carry(used, held, now)
                self._file.cells[meter.held_at] += held
        file.close()

    def _go_alone(self, error: OSError, now: float) -> None:
        """No file can be used any more."""
        self.alone = True
        log.warning(
            "the file of the shared budget cannot be used any more (%s): until it is opened again, this process keeps to "
            "one of %d parts of each limit; [budget] shared = false if nothing else uses this address and these keys",
            error,
            STRANGERS,
        )
        for meter in self._all():
            self._keep(meter)
            meter.assume(meter.limit, now)
        self._pay()

    def _keep(self, meter: Meter) -> None:
        meter.move([0.0] * meter.WIDTH, 0)
        meter.set_share(self._share / STRANGERS)
        meter.held_at = 0

    # -- use -------------------------------------------------------------------------------------------------------
    def attempt(self, asks: Sequence[Ask], priority: Priority, now: float) -> float:
        """See `Store`."""
        if not self._lock(now):
            return super().attempt(asks, priority, now) if self.alone else BUSY_S
        try:
            wait_s = super().attempt(asks, priority, now)
            if not wait_s:
                cells = self._file.cells
                for meter, cost in asks:
                    if meter.held_at:
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
                if meter.held_at:
                    self._file.cells[meter.held_at] += cost

        self._change(taking)

    def end(self, asks: Sequence[Ask], now: float, *, sent: bool) -> None:
        """See `Store`."""
        if not self._lock(now):
            self._owed.append(lambda: self._end(asks, now, sent=sent))
            if self.alone:
                self._pay()
            return
        try:
            self._end(asks, now, sent=sent)
        finally:
            self._file.unlock()

    def observe(self, told: Sequence[tuple[Meter, float]], now: float, taken_at: float) -> None:
        """See `Store`. The end of the request whose answer says so comes next, and locks the file for both."""
        self._owed.append(lambda: self._observe(told, now, taken_at))
        if self.alone:
            self._pay()

    def _end(self, asks: Sequence[Ask], now: float, *, sent: bool) -> None:
        cells = self._file.cells
        for meter, cost in asks:
            if sent:
                meter.settle(cost, now)
            else:
                meter.give_back(cost, now)
            if meter.held_at:
                cells[meter.held_at] = max(0.0, cells[meter.held_at] - cost)

    def waits(self, asks: Sequence[Ask], priority: Priority, now: float) -> list[float]:
        """See `Store`."""
        if not self._lock(now):
            return super().waits(asks, priority, now) if self.alone else [BUSY_S for _ in asks]
        try:
            return super().waits(asks, priority, now)
        finally:
            self._file.unlock()

    def used(self, meter: Meter, now: float) -> float:
        """See `Store`. What is shown may be read while another writes, if that takes long."""
        locked = self._lock(now)
        try:
            return meter.used(now)
        finally:
            if locked:
                self._file.unlock()

    def fit(self, asks: Sequence[Ask], now: float) -> bool:
        """See `Store`."""
        locked = self._lock(now)
        try:
            return all(meter.used(now) <= max(meter.limit, cost) + 1e-6 for meter, cost in asks)
        finally:
            if locked:
                self._file.unlock()

    def reap(self, now: float) -> None:
        """See `Store`."""
        if now - self._looked_at < LEAST_WAIT_S * 1000 or not self._lock(now):
            return
        self._looked_at = now
        try:
            for meter in self._meters.values():
                if meter.held_at:
                    self._settle_gone(meter, now)
        finally:
            self._file.unlock()

    def _settle_gone(self, meter: Meter, now: float) -> None:
        first_held, cells = meter.held_at - self._file.slot, self._file.cells
        gone = self._file.gone(first_held, now, GONE_S)
        if gone:
            rest = sum(cells[first_held + slot] for slot in range(HOLDERS) if slot not in gone)
            meter.set_held(rest, now)
            for slot in gone:
                cells[first_held + slot] = 0.0

    def close(self) -> None:
        """See `Store`."""
        self._file.close()
