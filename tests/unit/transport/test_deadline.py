"""A shared deadline ends a block as `asyncio.timeout` does."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

import planar.runtime as runtime
from planar.transport.deadline import Deadline


async def _ends_after(seconds: float, work_s: float) -> tuple[float, bool]:
    began, late = runtime.monotonic(), False
    try:
        with Deadline(seconds):
            await runtime.sleep(work_s)
    except TimeoutError:
        late = True
    return round(runtime.monotonic() - began, 3), late


def test_each_ends_at_its_own_time_whatever_the_order() -> None:
    async def main() -> list[tuple[float, bool]]:
        return list(await asyncio.gather(*(_ends_after(s, w) for s, w in CASES)))

    CASES = [(10.0, 0.5), (3.0, 5.0), (1.0, 60.0), (2.0, 60.0), (2.0, 1.999), (0.25, 1.0), (30.0, 60.0)]
    expected = [(0.5, False), (3.0, True), (1.0, True), (2.0, True), (1.999, False), (0.25, True), (30.0, True)]
    assert runtime.simulate(main, seed=1) == expected


def test_one_after_the_other() -> None:
    async def main() -> list[tuple[float, bool]]:
        return [await _ends_after(1.0, work_s) for work_s in (0.4, 0.4, 0.4, 2.0, 0.9, 5.0)]

    expected = [(0.4, False), (0.4, False), (0.4, False), (1.0, True), (0.9, False), (1.0, True)]
    assert runtime.simulate(main, seed=1) == expected


async def test_a_cancelled_task_is_cancelled_and_not_late() -> None:
    async def work() -> None:
        with Deadline(30):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_cancelled_at_the_very_moment_at_which_the_time_is_over() -> None:
    deadlines: list[Deadline] = []

    async def work() -> None:
        with Deadline(30) as deadline:
            deadlines.append(deadline)
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    deadlines[0].expire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


def test_the_inner_one_of_two_ends_first_and_the_task_goes_on() -> None:
    async def main() -> str:
        said = ""
        try:
            with Deadline(5):
                try:
                    with Deadline(1):
                        await runtime.sleep(60)
                except TimeoutError:
                    said += "inner "
                await runtime.sleep(60)
        except TimeoutError:
            said += "outer"
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await runtime.sleep(1)
        return said

    assert runtime.simulate(main, seed=1) == "inner outer"


async def test_an_error_of_the_block_stays_what_it_is() -> None:
    with pytest.raises(KeyError), Deadline(30):
        raise KeyError("x")


def test_time_that_is_over_already_ends_the_block_at_its_first_wait() -> None:
    async def main() -> tuple[float, bool]:
        return await _ends_after(-1.0, 60.0)

    took_s, late = runtime.simulate(main, seed=1)
    assert late
    assert took_s < 0.01


def test_a_loop_that_has_ended_is_not_kept() -> None:
    async def main() -> weakref.ref[asyncio.AbstractEventLoop]:
        with Deadline(30):
            await asyncio.sleep(0)
        return weakref.ref(asyncio.get_running_loop())

    ended = asyncio.run(main())
    gc.collect()
    assert ended() is None
