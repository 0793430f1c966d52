"""A seeded asyncio event loop: virtual time, one thread, connections in memory, no operating system.

Time stands still while callbacks run and jumps to the next timer or arrival when nothing is ready, so that hours pass
in milliseconds and two runs from one seed take the same steps. Its `planar_runtime` is what `planar.runtime.current()`
finds; its `network` holds the connections and their faults.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import math
import random
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from planar.runtime.api import seeded_loop_made
from planar.runtime.network import Event, SimNetwork
from planar.runtime.simdoors import SimDoors
from planar.runtime.system import Runtime

T = TypeVar("T")

DEFAULT_START_WALL_MS: Final = 1_700_000_000_000
"""2023-11-14 22:13:20 UTC: what a simulation's clock shows first unless told otherwise."""
START_MONOTONIC_NS: Final = 1_000_000_000_000
"""Not 0, so that code that takes 0 for "never" is not flattered."""
COLLECT_EVERY: Final = 20_000
"""Passes of the loop between garbage collections: a count, because asyncio acts when it sees objects collected."""

LIMIT_S: Final = 30 * 86_400.0
"""Virtual seconds a simulation may take unless told otherwise: heartbeats alone would keep one running for ever."""
LIMIT_PASSES: Final = 1_000_000
"""Passes of the loop in one instant of virtual time."""


class SimulationDeadlock(RuntimeError):
    """Tasks wait, and nothing is scheduled or under way that could ever wake them."""


class SimulationStuck(RuntimeError):
    """The program goes on for ever: past its limit of virtual time, or without time passing at all."""


class SimRuntime(Runtime):
    """The loop's clock and the seed's randomness. Identifiers and jitter are drawn from separate generators."""

    def __init__(self, loop: SimLoop, seed: int, start_wall_ms: int) -> None:
        super().__init__(random.Random(f"planar/{seed}/random"))
        self._ids = random.Random(f"planar/{seed}/ids")
        self._loop = loop
        self._wall_offset_ns = start_wall_ms * 1_000_000 - loop.now_ns

    def wall_ns(self) -> int:
        return self._wall_offset_ns + self._loop.now_ns

    def monotonic_ns(self) -> int:
        return self._loop.now_ns

    def token_bytes(self, n: int) -> bytes:
        return self._ids.randbytes(n)

    def step_wall(self, delta_ms: int) -> None:
        """Step the wall clock, as a time server's correction does; the monotonic clock goes on."""
        self._wall_offset_ns += delta_ms * 1_000_000


class SimFuture(asyncio.Future[T]):
    """A future whose place in a set follows from the order of creation, not from its address in memory.

    Libraries walk sets of futures and tasks: a failing `TaskGroup` to cancel its children, aiohttp to wake those who
    wait for one name's address.
    """

    def __init__(self, *, serial: int, loop: asyncio.AbstractEventLoop) -> None:
        self.serial = serial
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.serial


class SimTask(asyncio.Task[T]):
    """A task that hashes as `SimFuture` does."""

    def __init__(self, coro: Any, *, serial: int, **options: Any) -> None:
        self.serial = serial  # before super(): registration asks for the hash
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.serial


class SimLoop(SimDoors):
    """The loop; `planar.runtime.simulate` is the usual way to run one.

    Attributes:
        now_ns: the monotonic clock, nanoseconds.
        planar_runtime: the runtime of everything that runs here.
        network: connections, servers and faults.
        end_s: the loop's `time()` past which it raises SimulationStuck.
    """

    def __init__(self, seed: int = 1, start_wall_ms: int = DEFAULT_START_WALL_MS) -> None:
        super().__init__()
        seeded_loop_made()
        self.now_ns = START_MONOTONIC_NS
        self.planar_runtime = SimRuntime(self, seed, start_wall_ms)
        self.network = SimNetwork(self, f"planar/{seed}", lambda: self.now_ns)
        self._selector = _VirtualSelector(self)
        self._now_s = self.now_ns / 1e9
        self._clock_resolution = math.ulp(self._now_s)
        self.end_s = math.inf
        self._asyncgens = _OrderedWeakSet()
        self._serials = itertools.count()
        self._task_count = 0

    def time(self) -> float:
        return self._now_s

    def advance(self) -> bool:
        """Move the clock to the next timer or arrival, whichever is first; False if there is none."""
        timer_s = self._next_timer_s()
        arrival_ns = self.network.next_ns()
        if arrival_ns is not None and arrival_ns / 1e9 <= timer_s:
            at_s, at_ns = arrival_ns / 1e9, arrival_ns
        elif timer_s < math.inf:
            # A timer that finds the clock short of its moment sets itself again, for ever: the clock takes the timer's
            # own number, and asyncio's tolerance for early timers is the smallest that lets it fire.
            at_s, at_ns = timer_s, round(timer_s * 1e9)
        else:
            return False
        self._now_s, self.now_ns = max(self._now_s, at_s), max(self.now_ns, at_ns)
        self._clock_resolution = math.ulp(self._now_s)
        return True

    def create_future(self) -> asyncio.Future[Any]:
        """As asyncio's, but hashes count per loop; see `SimFuture`."""
        return SimFuture[Any](serial=next(self._serials), loop=self)

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None, **options: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] (its parameters differ between Python versions)
        """As asyncio's, but names and hashes count per loop instead of per process."""
        if self.get_task_factory() is not None:
            return super().create_task(coro, name=name, context=context, **options)
        self._task_count += 1
        if name is None:
            name = f"Task-{self._task_count}"
        return SimTask[Any](coro, serial=next(self._serials), loop=self, name=name, context=context, **options)

    def _next_timer_s(self) -> float:
        timers: list[asyncio.TimerHandle] = getattr(self, "_scheduled")  # noqa: B009 (unknown to asyncio's type stubs)
        return timers[0].when() if timers else math.inf

    def live_tasks(self) -> list[asyncio.Task[Any]]:
        """The tasks that are not done, oldest first."""
        return sorted(asyncio.all_tasks(self), key=_age)

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> asyncio.Handle:
        """As `call_soon`; refused to other threads, whose timing no seed decides."""
        if self.is_running() and asyncio._get_running_loop() is not self:  # pyright: ignore[reportPrivateUsage]
            raise RuntimeError(
                "a simulated loop has one thread; run the work with run_in_executor, which runs it inline"
            )
        return self.call_soon(callback, *args, context=context)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Nothing to shut down: `run_in_executor` runs inline."""

    def _process_events(self, event_list: list[Event]) -> None:
        for context, call in event_list:
            self.call_soon(call, context=context)

    def _write_to_self(self) -> None:
        """Wake the selector, which never sleeps."""


class _VirtualSelector:
    """Stands where asyncio's loop asks the operating system to wait."""

    def __init__(self, loop: SimLoop) -> None:
        self._loop = loop
        self._passes = self._passes_now = 0

    def select(self, timeout: float | None) -> list[Event]:
        """What has arrived; advances the clock first, to the next timer or arrival, unless callbacks are ready."""
        self._passes += 1
        if self._passes % COLLECT_EVERY == 0 and not gc.isenabled():
            gc.collect()
        loop = self._loop
        if timeout == 0:
            self._passes_now += 1
            if self._passes_now > LIMIT_PASSES:
                self._passes_now = 0
                raise SimulationStuck(_describe(loop, f"{LIMIT_PASSES:,} passes of the loop and no time passed"))
        else:
            self._passes_now = 0
            if not loop.advance():
                raise SimulationDeadlock(_describe(loop, "nothing is scheduled that could wake a task"))
            if loop.time() > loop.end_s:
                raise SimulationStuck(_describe(loop, "the limit of virtual time (limit_s) has passed"))
        return loop.network.due()

    def close(self) -> None:
        """Nothing to release."""


class _OrderedWeakSet:
    """A weak set that is walked in the order of adding; asyncio closes generators in the order it walks its set."""

    def __init__(self) -> None:
        self._items: weakref.WeakKeyDictionary[Any, None] = weakref.WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def add(self, item: Any) -> None:
        self._items[item] = None

    def discard(self, item: Any) -> None:
        self._items.pop(item, None)

    def clear(self) -> None:
        self._items.clear()


def _age(task: asyncio.Task[Any]) -> tuple[bool, int, int, str]:
    """Sorts tasks by creation; those that bypassed the loop's `create_task` come last, by asyncio's numbered names."""
    name = task.get_name()
    return (False, task.serial, 0, "") if isinstance(task, SimTask) else (True, 0, len(name), name)


def _describe(loop: SimLoop, what: str) -> str:
    tasks = [f"  {task.get_name()}: {where(task)}" for task in loop.live_tasks()]
    lines = [f"{what}; {len(tasks)} pending tasks:", *tasks]
    if held := loop.network.held():
        lines.append(f"partitions hold back {held} arrivals; see network.heal()")
    return "\n".join(lines)


def where(task: asyncio.Task[Any]) -> str:
    """The innermost coroutine that `task` waits in, and its line."""
    coro: Any = task.get_coro()
    inner: Any = coro
    while inspect.iscoroutine(getattr(inner, "cr_await", None)):
        inner = inner.cr_await
    frame = getattr(inner, "cr_frame", None)
    line = frame.f_lineno if frame is not None else "?"
    inside = "" if inner is coro else f" in {inner.__qualname__}"
    return f"{getattr(coro, '__qualname__', coro)}{inside}, line {line}"
