"""The seeded loop: virtual time, seeded chance, deadlocks that speak, and a clean end."""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

import planar.runtime as runtime
from planar.runtime import SimulationDeadlock, SimulationStuck, SimulationUnclean, simulate


class Thing:
    """Something that nobody but a cycle of its own holds."""

    def __init__(self, gone: list[str], name: str) -> None:
        self.me, self.gone, self.name = self, gone, name

    def __del__(self) -> None:
        self.gone.append(self.name)


def test_an_hour_passes_in_no_time() -> None:
    async def main() -> tuple[float, int, int]:
        loop, start, wall = asyncio.get_running_loop(), runtime.monotonic_ns(), runtime.wall_ms()
        before = loop.time()
        await runtime.sleep(3600)
        return loop.time() - before, runtime.monotonic_ns() - start, runtime.wall_ms() - wall

    real = time.monotonic()
    assert simulate(main) == (3600, 3600 * 10**9, 3_600_000)
    assert time.monotonic() - real < 5


def test_time_stands_still_while_code_runs() -> None:
    async def main() -> bool:
        before = runtime.monotonic_ns()
        for _ in range(100):
            await runtime.sleep(0)
        return runtime.monotonic_ns() == before

    assert simulate(main)


def test_timers_fire_at_their_very_moment_and_in_order() -> None:
    async def main() -> list[int]:
        loop, start, fired = runtime.sim_loop(), runtime.monotonic_ns(), []
        for seconds in (0.3, 0.1, 0.7, 0.2):
            loop.call_later(seconds, lambda: fired.append(loop.now_ns - start))
        await runtime.sleep(90_000)  # more than a day, which asyncio sleeps in two parts
        return [*fired, loop.now_ns - start]

    assert simulate(main) == [100_000_000, 200_000_000, 300_000_000, 700_000_000, 90_000 * 10**9]


def test_timeouts_and_queues_take_virtual_time() -> None:
    async def main() -> list[float]:
        loop, start, seen = asyncio.get_running_loop(), asyncio.get_running_loop().time(), []
        queue: asyncio.Queue[int] = asyncio.Queue()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await queue.get()
        seen.append(loop.time() - start)
        loop.call_later(5, queue.put_nowait, 7)
        assert await asyncio.wait_for(queue.get(), 60) == 7
        seen.append(loop.time() - start)
        return seen

    assert simulate(main) == [10, 15]


def test_the_wall_clock_starts_where_it_is_told_and_can_step() -> None:
    async def main() -> tuple[int, int, int]:
        rt = runtime.sim_loop().planar_runtime
        first, before = runtime.wall_ms(), runtime.monotonic_ns()
        rt.step_wall(-5000)
        return first, runtime.wall_ms(), runtime.monotonic_ns() - before

    assert simulate(main, 1, 1_650_000_000_000) == (1_650_000_000_000, 1_649_999_995_000, 0)


async def chances() -> tuple[Any, ...]:
    rt = runtime.current()
    return rt.random.random(), rt.token_bytes(8), rt.token(8), rt.uuid4(), random.random()


def test_chance_follows_from_the_seed() -> None:
    assert simulate(chances, seed=4) == simulate(chances, seed=4)
    assert not set(simulate(chances, seed=4)) & set(simulate(chances, seed=5))


def test_jitter_does_not_change_identifiers() -> None:
    async def jittery() -> Any:
        runtime.current().random.random()
        return runtime.uuid4()

    async def plain() -> Any:
        return runtime.uuid4()

    assert simulate(jittery) == simulate(plain)


def test_the_global_generator_is_given_back() -> None:
    random.seed("before")
    expected = random.random()
    random.seed("before")
    simulate(chances)
    assert random.random() == expected


async def forever(name: str, order: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        order.append(name)


def test_a_deadlock_names_who_waits_and_where() -> None:
    async def inner() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        runtime.spawn(inner(), name="stuck pump")
        await inner()

    with pytest.raises(SimulationDeadlock) as caught:
        simulate(main)
    text = str(caught.value)
    assert "nothing is scheduled that could wake a task; 2 pending tasks:" in text
    assert "Task-1: test_a_deadlock_names_who_waits_and_where.<locals>.main in Event.wait, line " in text
    assert "stuck pump: test_a_deadlock_names_who_waits_and_where.<locals>.inner in Event.wait, line " in text


def test_a_program_that_only_beats_its_heart_is_stopped() -> None:
    cleaned: list[str] = []

    async def beat() -> None:
        try:
            while True:
                await runtime.sleep(20)
        finally:
            await runtime.sleep(5)
            cleaned.append("heart")

    async def main() -> None:
        runtime.spawn(beat(), name="heart")
        await asyncio.Event().wait()

    with pytest.raises(SimulationStuck, match=r"limit_s\) has passed; 2 pending tasks:(.|\n)*heart: .*beat"):
        simulate(main, limit_s=3600)
    assert cleaned == ["heart"]


def test_a_program_in_which_no_time_passes_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planar.runtime.simloop.LIMIT_PASSES", 1000)

    async def spin() -> None:
        while True:
            await runtime.sleep(0)

    with pytest.raises(SimulationStuck, match=r"1,000 passes of the loop and no time passed; 1 pending"):
        simulate(spin)


def test_no_timer_finds_the_clock_short_of_its_moment() -> None:
    """A heartbeat that does sets itself again for the same moment, for ever."""

    async def main() -> list[float]:
        loop, short = asyncio.get_running_loop(), []
        for power in range(9):
            await runtime.sleep(10**power)
            for _ in range(100):
                when = loop.time() + runtime.current().random.random()
                fired = asyncio.Event()
                loop.call_at(when, fired.set)
                await fired.wait()
                if loop.time() != when:
                    short.append(loop.time() - when)
        return short

    assert simulate(main, limit_s=1e9) == []


def test_arrivals_are_on_time_after_years() -> None:
    async def main() -> int:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while word := await reader.readline():
                writer.write(word)
            writer.close()

        server = await asyncio.start_unix_server(answer, "/sim/x")
        await runtime.sleep(30 * 365 * 86_400)  # from here on a float of seconds is coarser than a nanosecond
        reader, writer = await asyncio.open_unix_connection("/sim/x")
        answers = 0
        for _ in range(50):
            writer.write(b"word\n")
            answers += len(await reader.readline()) == 5
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return answers

    assert simulate(main, limit_s=1e9) == 50


def test_what_main_leaves_is_cancelled_oldest_first() -> None:
    order: list[str] = []
    kept: list[asyncio.Future[None]] = []

    async def main() -> None:
        for number in range(30):
            runtime.spawn(forever(f"{number}", order), name=f"left {number}")
            kept.extend(asyncio.get_running_loop().create_future() for _ in range(number % 7))
        await runtime.sleep(1)

    simulate(main)
    assert order == [f"{number}" for number in range(30)]


def test_a_task_group_cancels_its_children_in_the_order_of_their_making() -> None:
    """asyncio walks a set of tasks there; theirs is an order of addresses, ours of numbers."""
    order: list[str] = []

    async def fail() -> None:
        raise ValueError("one fails")

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(forever(f"{number}", order))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup):
        simulate(main)
    assert order == [f"{number}" for number in range(40)]


def test_a_set_of_futures_is_walked_alike_in_every_run() -> None:
    kept: list[Any] = []

    async def main() -> list[int]:
        futures: list[asyncio.Future[None]] = []
        for _ in range(100):
            kept.append(bytearray(random.SystemRandom().randrange(500)))  # other addresses in every run
            futures.append(asyncio.get_running_loop().create_future())
        kept.append(futures)
        return [futures.index(future) for future in set(futures)]

    assert simulate(main) == simulate(main)


def test_tasks_are_numbered_per_loop() -> None:
    async def main() -> list[str]:
        async with asyncio.TaskGroup() as group:
            return [group.create_task(runtime.sleep(0)).get_name() for _ in range(2)]

    assert simulate(main) == simulate(main) == ["Task-2", "Task-3"]


def test_a_task_factory_is_honoured() -> None:
    made: list[str] = []

    def factory(loop: Any, coro: Any, **options: Any) -> asyncio.Task[Any]:
        made.append(coro.__name__)
        return asyncio.Task(coro, loop=loop, **options)

    async def main() -> None:
        runtime.sim_loop().set_task_factory(factory)
        await runtime.spawn(runtime.sleep(1), name="through the factory")

    simulate(main)
    assert "sleep" in made


def test_a_task_that_will_not_end_is_named() -> None:
    async def stubborn() -> None:
        while True:
            try:
                await runtime.sleep(3600)
            except asyncio.CancelledError:
                if (task := asyncio.current_task()) is not None:
                    task.uncancel()

    async def main() -> None:
        runtime.spawn(stubborn(), name="mule")
        await runtime.sleep(0)

    with pytest.raises(SimulationUnclean, match=r"task 'mule' would not end: .*stubborn"):
        simulate(main)


def test_a_task_that_fails_unseen_fails_the_simulation() -> None:
    async def fail() -> None:
        raise ValueError("unseen")

    async def main() -> str:
        runtime.spawn(fail(), name="pump")
        return "fine"

    async def main_that_waits() -> str:
        await main()
        await runtime.sleep(1)
        return "fine"

    for program in (main, main_that_waits):
        with pytest.raises(
            SimulationUnclean, match=r"'pump' failed and nobody was waiting for it: ValueError\('unseen'\)"
        ):
            simulate(program)


def test_a_failure_while_being_cancelled_is_told() -> None:
    async def bad_cleanup() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("bad cleanup")

    async def main() -> None:
        runtime.spawn(bad_cleanup(), name="untidy")
        await runtime.sleep(0)

    with pytest.raises(SimulationUnclean, match="'untidy' failed"):
        simulate(main)


def test_cancelling_the_handler_of_a_stream_server_is_no_failure() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    async def main() -> None:
        await asyncio.start_unix_server(handle, "/sim/x")
        _, writer = await asyncio.open_unix_connection("/sim/x")
        await runtime.sleep(1)
        writer.close()

    simulate(main)


def test_the_error_of_main_comes_first_and_carries_the_rest() -> None:
    async def fail() -> None:
        raise ValueError("aside")

    async def main() -> None:
        runtime.spawn(fail(), name="aside")
        await runtime.sleep(1)
        raise KeyError("main")

    with pytest.raises(KeyError, match="main") as caught:
        simulate(main)
    assert any("'aside' failed" in note for note in caught.value.__notes__)


def test_generators_are_closed_in_the_order_of_their_starting() -> None:
    order: list[int] = []

    async def count(number: int) -> AsyncIterator[int]:
        try:
            while True:
                yield number
        finally:
            order.append(number)
            await runtime.sleep(0.1)

    kept: list[Any] = []

    async def main() -> None:
        for number in range(20):
            kept.append(count(number))
            await anext(kept[-1])

    simulate(main)
    assert order == list(range(20))


def test_a_generator_that_will_not_close_is_told() -> None:
    async def hang() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.Event().wait()

    kept: list[Any] = []

    async def main() -> None:
        kept.append(hang())
        await anext(kept[0])

    with pytest.raises(SimulationUnclean, match="generator would not close"):
        simulate(main)


def test_the_collector_runs_at_fixed_points_and_is_given_back() -> None:
    gone: list[str] = []
    Thing(gone, "foreign")  # garbage of before; unless it was collected on the spot, the simulation leaves it alone

    async def main() -> list[str]:
        gone.clear()
        Thing(gone, "own")
        for _ in range(3):
            [[] for _ in range(200_000)]
            await runtime.sleep(0)
        early = list(gone)
        for _ in range(20_000):
            await runtime.sleep(0)
        return [*early, "then", *gone]

    assert gc.isenabled()
    assert simulate(main) == ["then", "own"]
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_work_for_threads_runs_inline() -> None:
    async def main() -> tuple[bool, int, str]:
        loop = asyncio.get_running_loop()
        here = await asyncio.to_thread(threading.get_ident) == threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 // 0)
        return here, await loop.run_in_executor(None, pow, 2, 10), type(runtime.current()).__name__

    assert simulate(main) == (True, 1024, "SimRuntime")


def test_call_soon_threadsafe_works_here_and_refuses_other_threads() -> None:
    refused: list[BaseException] = []

    async def main() -> None:
        loop, event = asyncio.get_running_loop(), asyncio.Event()

        def intrude() -> None:
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError as error:
                refused.append(error)

        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()
        loop.call_soon_threadsafe(event.set)
        await event.wait()

    simulate(main)
    assert "has one thread" in str(refused[0])


def test_what_has_no_meaning_in_memory_is_refused() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(NotImplementedError, match="no signals"):
            loop.add_signal_handler(signal.SIGTERM, print)
        with pytest.raises(NotImplementedError, match="no signals"):
            loop.remove_signal_handler(signal.SIGTERM)
        with pytest.raises(NotImplementedError, match="no datagrams"):
            await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        with pytest.raises(NotImplementedError, match="no processes"):
            await asyncio.create_subprocess_exec("true")
        with pytest.raises(NotImplementedError, match="no processes"):
            await asyncio.create_subprocess_shell("true")
        await loop.shutdown_default_executor()

    simulate(main)


async def test_a_simulation_cannot_start_inside_a_loop() -> None:
    with pytest.raises(RuntimeError, match="from a plain function"):
        simulate(chances)


async def test_sim_loop_answers_only_inside_a_simulation() -> None:
    with pytest.raises(RuntimeError, match="only inside"):
        runtime.sim_loop()
