"""Meters in a file: processes see each other's use, and one that dies loses nothing and blocks nobody."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import planar.runtime as runtime
from planar.errors import ConfigError, RateLimitExceeded
from planar.transport import meter_file, shared_file
from planar.transport.budget import Budget
from planar.transport.context import CallContext, Priority
from planar.transport.meter_file import SharedFile, remove_unused
from planar.transport.meters import MeterSpec
from planar.transport.pool import MeterPool
from planar.transport.shared_file import FileStore

SPECS = (
    MeterSpec("fixed", 10, 86_400_000, "fixed", cancels=False),
    MeterSpec("sliding", 10, 60_000, cancels=False),
    MeterSpec("decaying", 10, kind="decaying", decay_per_s=0.001, cancels=False),
    MeterSpec("short", 10, 200, cancels=False),
)
OTHER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_shared_file import budget, call

async def main():
    own = budget(Path(sys.argv[2]))
    held = [await own.reserve(((name, float(cost)),), call()) for name, cost in zip(sys.argv[3::2], sys.argv[4::2])]
    print("held", flush=True)
    sys.stdin.readline()
    for one in held:
        one.end()
    print("ended", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


def call(timeout_ms: int = 10_000) -> CallContext:
    return CallContext("call", timeout_ms, Priority.MARKET)


def budget(directory: Path, **options: Any) -> Budget:
    return Budget(MeterPool(directory), "x", "live", "key", SPECS, **options)


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    for file in list(meter_file._files.values()):
        file.users = 1
        file.close()


class Other:
    """Another process that takes something, ends it when told so, and ends itself when told again."""

    def __init__(self, directory: Path, **costs: float) -> None:
        words = [str(word) for pair in costs.items() for word in pair]
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER, str(Path(__file__).parent), str(directory), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.read() == "held"

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go_on(self) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


async def test_processes_see_each_others_use(tmp_path: Path) -> None:
    other = Other(tmp_path, fixed=4, sliding=5, decaying=6)
    try:
        own = budget(tmp_path)
        used = {name: round(value, 1) for name, (value, _) in own.usage().items()}
        assert used == {"fixed": 4, "sliding": 5, "decaying": 6, "short": 0}
        with pytest.raises(RateLimitExceeded):
            await own.reserve((("sliding", 6.0),), call(100))
        await own.reserve((("sliding", 5.0),), call())
        assert other.go_on() == "ended"
        assert own.usage()["sliding"][0] == 10
        assert (await asyncio.to_thread(other.go_on)) == ""
    finally:
        other.end()


async def test_what_a_dead_process_held_is_settled_by_those_who_wait(tmp_path: Path) -> None:
    other = Other(tmp_path, short=10)
    own = budget(tmp_path)
    other.end()
    began = runtime.monotonic()
    held = await own.reserve((("short", 10.0),), call())
    assert shared_file.GONE_S + 0.2 <= runtime.monotonic() - began < shared_file.GONE_S + 1.0
    held.end()


async def test_each_dead_process_is_given_its_time_though_it_had_the_place_of_another(tmp_path: Path) -> None:
    own = budget(tmp_path)
    for _ in range(2):
        other = Other(tmp_path, short=10)
        other.end()
        began = runtime.monotonic()
        (await own.reserve((("short", 10.0),), call())).end()
        assert runtime.monotonic() - began >= shared_file.GONE_S


async def test_a_stop_is_a_stop_for_all_processes(tmp_path: Path) -> None:
    budget(tmp_path).stop(100)
    command = [sys.executable, "-c", OTHER, str(Path(__file__).parent), str(tmp_path), "short", "1"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, input="", text=True)
    assert "the venue told us to wait for another 9" in done.stderr


async def test_two_workspaces_of_one_process_share_too(tmp_path: Path) -> None:
    one, other = budget(tmp_path), budget(tmp_path)
    held = await one.reserve((("fixed", 4.0),), call())
    assert other.usage()["fixed"][0] == 4
    held.end(sent=False)
    assert other.usage()["fixed"][0] == 0


async def test_the_file_is_closed_with_its_last_user(tmp_path: Path) -> None:
    pools = [MeterPool(tmp_path) for _ in range(2)]
    budgets = [Budget(pool, "x", "live", "key", SPECS) for pool in pools]
    await pools[0].close()
    await budgets[1].reserve((("fixed", 1.0),), call())
    await pools[1].close()
    assert meter_file._files == {}


async def test_a_window_of_the_venues_clock_outlives_a_restart_and_the_rest_counts_as_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = MeterPool(tmp_path)
    own = Budget(pool, "x", "live", "key", SPECS)
    for name in ("fixed", "sliding", "decaying"):
        (await own.reserve(((name, 3.0),), call())).end()
        await own.reserve(((name, 2.0),), call())
    await pool.close()
    monkeypatch.setattr(meter_file, "_boot", lambda earlier: 7.0)
    used = budget(tmp_path).usage()
    assert [round(used[name][0], 1) for name in ("fixed", "sliding", "decaying")] == [5, 5, 5]


async def test_more_processes_than_places_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Other(tmp_path, short=1)
    try:
        monkeypatch.setattr(SharedFile, "_try_slot", lambda self, slot: False)
        with pytest.raises(ConfigError, match="128 processes share the budget"):
            budget(tmp_path)
    finally:
        other.end()


async def test_a_busy_file_does_not_hold_up_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = budget(tmp_path)
    monkeypatch.setattr(SharedFile, "lock", lambda self: False)
    began = runtime.monotonic()
    waiting = runtime.spawn(own.reserve((("short", 1.0),), call()), name="waiting")
    await runtime.sleep(0.01)
    assert not waiting.done()
    assert runtime.monotonic() - began < 0.1
    monkeypatch.undo()
    await waiting


async def test_files_of_local_venues_that_are_gone_are_deleted(tmp_path: Path) -> None:
    def of(instance: str) -> Budget:
        return Budget(MeterPool(tmp_path), "x", "local", "key", SPECS, instance=instance)

    old = of("one")
    of("two")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-local-one.meters", "x-local-two.meters"]
    await old._turnstile.close()
    of("three")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-local-three.meters", "x-local-two.meters"]


async def test_a_file_that_another_process_uses_is_kept(tmp_path: Path) -> None:
    other = Other(tmp_path, short=1)
    remove_unused(tmp_path, "*.meters", tmp_path / "mine")
    assert len(list(tmp_path.iterdir())) == 1
    other.end()
    remove_unused(tmp_path, "*.meters", tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


async def test_only_its_user_may_read_the_file(tmp_path: Path) -> None:
    budget(tmp_path / "budget")
    assert (tmp_path / "budget").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "budget" / "x-live.meters").stat().st_mode & 0o777 == 0o600


def test_a_simulation_shares_with_nobody(tmp_path: Path) -> None:
    async def main() -> bool:
        return isinstance(budget(tmp_path)._store, FileStore)

    assert runtime.simulate(main, seed=1) is False
    assert list(tmp_path.iterdir()) == []
