"""`simulate`: run a whole asynchronous program from one seed and leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import random
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, TypeVar

from planar.runtime.simloop import DEFAULT_START_WALL_MS, LIMIT_S, SimLoop, where

T = TypeVar("T")

GRACE_S: Final = 60.0
"""Virtual seconds that cancelled tasks have to finish."""


class SimulationUnclean(RuntimeError):
    """The simulated program ended, but a task failed unseen or would not end; each is a line of the message."""


def simulate(
    main: Callable[[], Coroutine[Any, Any, T]],
    seed: int = 1,
    start_wall_ms: int = DEFAULT_START_WALL_MS,
    limit_s: float = LIMIT_S,
) -> T:
    """Run `main()` on a new `SimLoop` and return its result; tasks that it left are cancelled.

    Args:
        main: the program.
        seed: decides every random choice, delay and identifier.
        start_wall_ms: what the wall clock shows first, UTC.
        limit_s: virtual seconds that `main` may take.

    The module `random`, which libraries draw from, is seeded meanwhile and restored. The garbage collector runs at
    fixed points and only over what the simulation made, so that finalizers run at the same moment in every run.

    Raises:
        SimulationDeadlock: every task waits and nothing can wake one.
        SimulationStuck: `limit_s` has passed, or a task spins without time passing.
        SimulationUnclean: something reached the loop's exception handler, or a task survived its cancellation.
        RuntimeError: an event loop is running in this thread.
    """
    if asyncio._get_running_loop() is not None:  # pyright: ignore[reportPrivateUsage] (get_running_loop raises if none)
        raise RuntimeError("simulate() starts its own event loop: call it from a plain function")
    loop = SimLoop(seed, start_wall_ms)
    loop.end_s = loop.time() + limit_s
    problems: list[str] = []
    loop.set_exception_handler(lambda _, context: _note(context, problems))
    with _own_world(seed), contextlib.closing(loop):
        try:
            result = loop.run_until_complete(main())
        except BaseException as error:
            _wind_down(loop, problems)
            for problem in problems:
                error.add_note(problem)
            raise
        _wind_down(loop, problems)
    if problems:
        raise SimulationUnclean("\n".join(problems))
    return result


def sim_loop() -> SimLoop:
    """The seeded loop that runs the caller, for its network and its clock.

    Raises:
        RuntimeError: the caller is not inside a simulation.
    """
    loop = asyncio._get_running_loop()  # pyright: ignore[reportPrivateUsage] (get_running_loop raises if none)
    if not isinstance(loop, SimLoop):
        raise RuntimeError("sim_loop() answers only inside planar.runtime.simulate()")
    return loop


def _wind_down(loop: SimLoop, problems: list[str]) -> None:
    """Cancel what is left until nothing is, and note what will not go or fails on its way."""
    loop.end_s = math.inf
    deadline = loop.time() + GRACE_S
    asked: set[asyncio.Task[Any]] = set()
    while (tasks := loop.live_tasks()) and loop.time() < deadline:
        for task in tasks:
            if task not in asked:
                asked.add(task)
                task.cancel()
        waiting = asyncio.wait(tasks, timeout=deadline - loop.time(), return_when=asyncio.FIRST_COMPLETED)
        loop.run_until_complete(waiting)
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                problems.append(f"task {task.get_name()!r} failed when cancelled: {error!r}")
    problems.extend(f"task {task.get_name()!r} would not end: {where(task)}" for task in tasks)
    try:
        loop.run_until_complete(asyncio.wait_for(loop.shutdown_asyncgens(), GRACE_S))
    except TimeoutError:
        problems.append("an asynchronous generator would not close")


@contextlib.contextmanager
def _own_world(seed: int) -> Generator[None, None, None]:
    state, collecting = random.getstate(), gc.isenabled()
    random.seed(f"planar/{seed}/module")
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        if collecting:
            gc.enable()
        random.setstate(state)


def _note(context: dict[str, Any], problems: list[str]) -> None:
    error = context.get("exception")
    if isinstance(error, asyncio.CancelledError):
        return  # no failure; Python 3.11's stream servers report the cancellation of a handler as if it were one
    problems.append(context["message"] if error is None else f"{context['message']}: {error!r}")
