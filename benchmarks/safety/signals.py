"""SIGTERM and SIGINT in the middle of an order: the process ends in time and cleanly, and the next one settles the rest.

    python -m benchmarks.safety.signals --lives 100

A program trades until it is told to end, at a named point of the order path or at any moment, with answers that hang or
come late beside. It has to leave within its deadline, with no task, connection or file left to Python's own clean-up. The
next life takes up its journal; at the end the exchange's ledger judges, as it does over `kill -9`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.safety import planar_bot
from benchmarks.safety.__main__ import ACCOUNTS, Progress, fund, local, orders_since, start_venue
from benchmarks.safety.venue import PLACES
from benchmarks.safety.wishes import Diary, judge
from planar.orders import points
from planar.transport.local import LocalVenue
from planar.venue.client import VenueControl
from planar.venue.faults import DelayAnswer, DropAnswer, Fault, FaultRule, HangAnswer
from planar.venue.registry import VenueRecord

SIGNALS = (signal.SIGTERM, signal.SIGINT)
FAULTS: tuple[Fault | None, ...] = (None, None, HangAnswer(), DelayAnswer(delay_ms=300), DropAnswer())
"""What the answers to orders and cancels meet in a life."""
ENDS_S = 6.0
"""How long a life may take to end: the deadline of its calls, 1.5 s, for what is under way; the rest is the machine's."""
CLEAN, UNCLEAN = 0, 3


class Told(logging.Handler):
    """What asyncio complains of: tasks and exceptions that nobody took care of."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.lines.append(record.getMessage())


class Signaller:
    """Sends this process a signal when a named point is reached for the n-th time."""

    def __init__(self, number: signal.Signals, point: str | None, nth: int) -> None:
        self._number, self._point, self._left = number, point, nth

    def __call__(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), self._number)


async def trade(venue: LocalVenue, diary: Diary, seed: int, prices: Any, told: Signaller) -> None:
    """The program: SIGINT cancels its main task by itself (`asyncio.run`), SIGTERM as every service does it."""
    main = asyncio.current_task()
    assert main is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, main.cancel)
    await planar_bot.live(venue, ACCOUNTS[0], diary, seed, prices, told)


def one_life(venue: LocalVenue, diary: Diary, seed: int, prices: Any, told: Signaller) -> int:
    """Trade until told to end; whether nothing was left over."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
    asked, unseen = Told(), list[str]()
    complaints = logging.getLogger("asyncio")
    complaints.setLevel(logging.WARNING)
    complaints.addHandler(asked)
    sys.unraisablehook = lambda found: unseen.append(f"{found.err_msg or 'Exception ignored in'} {found.exc_value!r}")
    warnings.simplefilter("error", ResourceWarning)
    files = len(os.listdir("/proc/self/fd"))
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(trade(venue, diary, seed, prices, told))
    gc.collect()
    left = len(os.listdir("/proc/self/fd")) - files
    problems = [*asked.lines, *unseen, *([f"{left} files are open"] if left else [])]
    for line in problems:
        print(f"left over: {line}", file=sys.stderr, flush=True)
    return UNCLEAN if problems else CLEAN


def fork(run: Any, keep: int) -> int:
    """A child that runs it; its exit code is what `run` returns."""
    child = os.fork()
    if child == 0:
        os.close(keep)
        try:
            os._exit(run())
        except BaseException as error:
            print(f"a life ended by {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    return child


class Lives(msgspec.Struct):
    """How lives ended.

    Attributes:
        ended: by a signal.
        late: took longer than allowed.
        unclean: left something over, or ended by an error.
        longest_s: from a signal at any moment to the end.
    """

    ended: int = 0
    late: int = 0
    unclean: int = 0
    longest_s: float = 0.0


def one_after_another(record: VenueRecord, diary: Diary, count: int, seed: int, prices: Any, pipe: int) -> Lives:
    """Lives that end by signals: each second one at a named point, the others at any moment."""
    rng, found = random.Random(f"{seed}/signals"), Lives()
    progress = Progress(f"{record.venues[0]}, SIGTERM and SIGINT", count)
    for number in range(count):
        asyncio.run(_meet(record, FAULTS[rng.randrange(len(FAULTS))]))
        what, point = SIGNALS[number % 2], points.ALL[(number // 4) % len(points.ALL)] if number % 4 < 2 else None
        told = Signaller(what, point, rng.randint(1, 2))
        child = fork(lambda told=told: one_life(local(record), diary, seed, prices, told), pipe)
        if point is None:
            time.sleep(rng.uniform(0.05, 0.6))
        else:
            _wait(child, 12.0)  # a point that this life never reaches ends it at any moment too
        status = _ended(child)
        if status is None:
            signaled_s = time.monotonic()
            os.kill(child, what)
            status = _wait(child, ENDS_S)
            found.longest_s = max(found.longest_s, round(time.monotonic() - signaled_s, 2))
        if status is None:
            found.late += 1
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
        elif status != CLEAN:
            print(
                f"life {number}, {what.name} at {point or 'any moment'}: status {status}", file=sys.stderr, flush=True
            )
            found.unclean += 1
        found.ended += 1
        progress(found.ended)
    asyncio.run(_meet(record, None))
    return found


async def _meet(record: VenueRecord, fault: Fault | None) -> None:
    async with VenueControl(record) as control:
        await control.clear_faults()
        if fault is not None:
            rule = FaultRule(fault=fault, path="*rder", probability=0.2, count=None, seed=random.randrange(1_000))
            await control.add_fault(rule)


_statuses: dict[int, int] = {}


def _ended(child: int) -> int | None:
    """The exit status of a child, if it has ended; a child that a signal killed has one above 128."""
    if child not in _statuses:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            _statuses[child] = os.waitstatus_to_exitcode(status) % 256
    return _statuses.get(child)


def _wait(child: int, limit_s: float) -> int | None:
    due_s = time.monotonic() + limit_s
    while (status := _ended(child)) is None and time.monotonic() < due_s:
        time.sleep(0.005)
    return status


def run_signals(exchange: str, count: int, seed: int) -> dict[str, Any]:
    """All lives on one exchange, then the last one, then the judgement."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        os.environ["PLANAR_STATE"], os.environ["PLANAR_CACHE"] = str(directory / "state"), str(directory / "cache")
        venue, record = start_venue(directory, exchange, seed)
        assert venue.stdin is not None
        try:
            prices, since_ms, began = asyncio.run(fund(record)), int(time.time() * 1000), time.monotonic()
            diary = Diary(directory / f"{ACCOUNTS[0]}.jsonl")
            lives = one_after_another(record, diary, count, seed, prices, venue.stdin.fileno())
            beliefs = asyncio.run(planar_bot.finish(local(record), ACCOUNTS[0], diary, seed, prices))
            verdict = judge(beliefs, asyncio.run(orders_since(record, ACCOUNTS[0], since_ms)))
        finally:
            venue.stdin.close()
            venue.wait()
    took = {"seconds": round(time.monotonic() - began, 1)}
    return {"exchange": exchange, **took, **msgspec.to_builtins(lives), **msgspec.to_builtins(verdict)}


WRONG = ("late", "unclean", "lost", "doubled", "unknown", "misreported", "strangers")


def main() -> int:
    """Run and print; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lives", type=int, default=100)
    parser.add_argument("--exchange", choices=list(PLACES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    exchanges = [given.exchange] if given.exchange else list(PLACES)
    rows = [run_signals(exchange, given.lives, given.seed) for exchange in exchanges]
    if given.json:
        print(msgspec.json.encode({"seed": given.seed, "rows": rows}).decode())
    else:
        for row in rows:
            print(", ".join(f"{name} {value}" for name, value in row.items()))
    return 1 if any(row[name] for row in rows for name in WRONG) else 0


if __name__ == "__main__":
    sys.exit(main())
