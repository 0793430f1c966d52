"""The system runtime, and the door to whichever runtime is current."""

from __future__ import annotations

import asyncio
import collections
import gc
import os
import time
import timeit
import uuid
from typing import Any

import pytest

import planar.runtime as runtime


class Handler:
    """Collects what reaches the running loop's exception handler."""

    def __init__(self) -> None:
        self.contexts: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.contexts.append(context))


async def fail(message: str = "broken") -> None:
    raise ValueError(message)


async def passes(count: int = 3) -> None:
    """Let everything that is ready run."""
    for _ in range(count):
        await runtime.sleep(0)


def test_the_wall_clock_is_utc_in_the_named_unit() -> None:
    before = time.time_ns()
    ns, ms = runtime.wall_ns(), runtime.wall_ms()
    after = time.time_ns()
    assert before <= ns <= after
    assert before // 1_000_000 <= ms <= after // 1_000_000


def test_the_monotonic_clocks_agree() -> None:
    before = runtime.monotonic_ns()
    seconds = runtime.monotonic()
    after = runtime.monotonic_ns()
    assert before <= round(seconds * 1e9) <= after


async def test_the_monotonic_clock_is_the_loops_own() -> None:
    assert abs(runtime.monotonic() - asyncio.get_running_loop().time()) < 0.5


def test_tokens_have_the_length_and_alphabet_asked_for() -> None:
    assert len(runtime.token_bytes(20)) == 20
    assert len(runtime.token(33)) == 33
    assert set(runtime.token(4000)) == set(runtime.BASE32_LOWER)
    assert runtime.token(0) == ""
    assert runtime.token(20) != runtime.token(20)


def test_a_token_favours_no_character() -> None:
    counts = collections.Counter(runtime.token(30_000, "abc"))
    assert all(9_400 < counts[char] < 10_600 for char in "abc")  # 7 standard deviations


class CountingRuntime(runtime.SystemRuntime):
    """Gives the bytes 0, 1, 2 ... 255, 0 ..."""

    def __init__(self) -> None:
        super().__init__()
        self.next = 0

    def token_bytes(self, n: int) -> bytes:
        start, self.next = self.next, self.next + n
        return bytes(i % 256 for i in range(start, start + n))


def test_bytes_that_would_favour_a_character_are_thrown_away() -> None:
    alphabet = "".join(map(chr, range(100)))  # 256 bytes hold it twice and a half
    text = CountingRuntime().token(400, alphabet)
    assert text == alphabet * 4


@pytest.mark.parametrize("alphabet", ["", "a", "x" * 257])
def test_an_alphabet_that_cannot_serve_is_refused(alphabet: str) -> None:
    with pytest.raises(ValueError, match=f"2 to 256 characters, not {len(alphabet)}"):
        runtime.token(3, alphabet)


def test_uuid4_is_a_random_uuid() -> None:
    one, other = runtime.uuid4(), runtime.uuid4()
    assert (one.version, one.variant) == (4, uuid.RFC_4122)
    assert one != other


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_draws_its_own_jitter() -> None:
    state = runtime.SYSTEM.random.getstate()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, b"same" if runtime.SYSTEM.random.getstate() == state else b"own")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"own"
    os.close(read)
    os.close(write)


async def test_sleep_waits_at_least_as_long() -> None:
    start = runtime.monotonic_ns()
    await runtime.sleep(0.02)
    assert runtime.monotonic_ns() - start >= 19_000_000


async def test_spawn_names_the_task_and_returns_its_result() -> None:
    async def answer() -> int:
        return 42

    task = runtime.spawn(answer(), name="answering")
    assert task.get_name() == "answering"
    assert await task == 42


async def test_only_the_runtime_holds_a_task_that_waits_on_its_own_future() -> None:
    """asyncio holds tasks weakly: this one and its future know only each other."""
    collected: list[str] = []

    class Canary:
        def __del__(self) -> None:
            collected.append("gone")

    async def wait() -> None:
        canary = Canary()
        await asyncio.get_running_loop().create_future()
        del canary

    def start() -> None:
        runtime.spawn(wait(), name="self-contained")

    start()
    await passes()
    gc.collect()
    assert collected == []
    for task in asyncio.all_tasks():
        if task.get_name() == "self-contained":
            task.cancel()
    await passes()


async def test_a_failure_that_nobody_waits_for_reaches_the_handler_at_once() -> None:
    handler = Handler()
    task = runtime.spawn(fail(), name="pump")  # held, as an object holds its pump; asyncio would say nothing
    await passes()
    assert [str(context["exception"]) for context in handler.contexts] == ["broken"]
    assert "'pump' failed" in handler.contexts[0]["message"]
    del task
    gc.collect()
    assert len(handler.contexts) == 1  # and asyncio does not report it again


async def test_who_awaits_later_still_gets_the_error() -> None:
    Handler()
    task = runtime.spawn(fail(), name="early")
    await passes()
    with pytest.raises(ValueError, match="broken"):
        await task


async def test_a_failure_that_somebody_waits_for_is_his_alone() -> None:
    handler = Handler()
    with pytest.raises(ValueError, match="broken"):
        await runtime.spawn(fail(), name="awaited")
    results = await asyncio.gather(runtime.spawn(fail("one"), name="gathered"), return_exceptions=True)
    runtime.spawn(fail(), name="watched").add_done_callback(lambda task: task.exception())
    await passes()
    assert [str(result) for result in results] == ["one"]
    assert handler.contexts == []


async def test_a_cancelled_task_is_no_failure() -> None:
    handler = Handler()
    task = runtime.spawn(runtime.sleep(60), name="cancelled")
    await passes()
    task.cancel()
    await passes()
    assert task.cancelled()
    assert handler.contexts == []


def test_spawn_outside_a_loop_is_refused() -> None:
    coro = fail()
    with pytest.raises(RuntimeError, match="no running event loop"):
        runtime.spawn(coro, name="nowhere")
    coro.close()


def test_the_current_runtime_is_the_systems_outside_a_loop() -> None:
    assert runtime.current() is runtime.SYSTEM


async def test_the_current_runtime_is_the_systems_on_an_ordinary_loop() -> None:
    assert runtime.current() is runtime.SYSTEM


def test_the_current_runtime_is_the_loops_own_under_simulation() -> None:
    async def main() -> tuple[runtime.Runtime, int, int]:
        await runtime.sleep(1.5)
        return runtime.current(), runtime.wall_ms(), runtime.monotonic_ns()

    rt, wall_ms, monotonic_ns = runtime.simulate(main, start_wall_ms=1_000_000)
    assert isinstance(rt, runtime.SimRuntime)
    assert wall_ms == 1_001_500
    assert monotonic_ns == rt.monotonic_ns()
    assert runtime.current() is runtime.SYSTEM


async def test_asking_for_the_current_runtime_costs_next_to_nothing() -> None:
    """0.2 microseconds on the machine this was written on; the bound leaves room for a loaded one."""
    count = 20_000
    best_s = min(timeit.repeat(runtime.current, number=count, repeat=20)) / count
    assert best_s < 1e-6


@pytest.mark.parametrize("call", ["wall_ns", "wall_ms", "monotonic", "monotonic_ns", "uuid4"])
def test_the_module_answers_as_the_current_runtime(call: str) -> None:
    async def main() -> tuple[object, object]:
        own = getattr(runtime.current(), call)()
        return own, getattr(runtime, call)()

    async def once() -> object:
        return getattr(runtime, call)()

    own, short = runtime.simulate(main, seed=3)
    assert type(own) is type(short)
    if call == "uuid4":
        assert own == runtime.simulate(once, seed=3)
    else:
        assert own == short
