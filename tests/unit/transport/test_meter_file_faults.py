"""The file of the meters damaged, cut off, deleted, on a full disk: nobody is unlimited, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from math import inf, nan
from pathlib import Path

import pytest

import planar.runtime as runtime
from planar.errors import RateLimitExceeded
from planar.transport import meter_file, shared_file
from planar.transport.budget import Budget
from planar.transport.context import CallContext, Priority
from planar.transport.meter_file import SharedFile
from planar.transport.meters import MeterSpec
from planar.transport.pool import MeterPool
from planar.transport.shared_file import FileStore
from planar.transport.store import STRANGERS

LIMIT = 10.0
SPECS = (
    MeterSpec("fixed", LIMIT, 1_000, "fixed", cancels=False),
    MeterSpec("sliding", LIMIT, 1_000, cancels=False),
    MeterSpec("decaying", LIMIT, kind="decaying", decay_per_s=LIMIT, cancels=False),
)
KINDS = [spec.name for spec in SPECS]


def call(timeout_ms: int = 10_000) -> CallContext:
    return CallContext("call", timeout_ms, Priority.MARKET)


def budget(directory: Path) -> Budget:
    return Budget(MeterPool(directory), "x", "local", "key", SPECS)


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    for file in list(meter_file._files.values()):
        file.users = 1
        file.close()


async def let_through(own: Budget, meter: str) -> float:
    """How many go within 0.4 s, each answered at once; and one more must not wait for longer than 5 s."""
    taken, until = 0.0, runtime.monotonic() + 0.4
    with contextlib.suppress(RateLimitExceeded):
        while (left_s := until - runtime.monotonic()) > 0.001:
            held = await own.reserve(((meter, 1.0),), call(int(left_s * 1000)))
            held.end()
            taken += 1
    held = await own.reserve(((meter, 1.0),), call(5_000))
    held.end()
    return taken


def written(directory: Path) -> Path:
    """A file that meters have been kept in, closed."""

    async def use() -> None:
        pool = MeterPool(directory)
        own = Budget(pool, "x", "local", "key", SPECS)
        for meter in KINDS:
            (await own.reserve(((meter, 1.0),), call())).end()
        await pool.close()

    asyncio.run(use())
    return directory / "x-local.meters"


def cells_of(path: Path, meter: str) -> int:
    """Where the cells of a meter begin, in bytes."""
    digest = meter_file.hashlib.blake2b(f"{meter}/{meter}/".encode(), digest_size=16).digest()
    data = path.read_bytes()
    at = data.index(digest)
    _, first, _ = meter_file._ENTRY.unpack_from(data, at)
    return (int(first) + 1) * 8


def patched(path: Path, at: int, *values: float) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(struct.pack(f"={len(values)}d", *values))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "noise": lambda path: path.write_bytes(bytes(range(256)) * 400),
    "header of noise": lambda path: patched(path, 8, nan, inf),
    "too many entries": lambda path: patched(path, 8, 1e9),
    "entries that point nowhere": lambda path: patched(path, 64 + 16, -5.0),
    "another version": lambda path: patched(path, 0, 99.0),
    "cut off": lambda path: os.truncate(path, 1000),
    "empty": lambda path: os.truncate(path, 0),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_begun_anew_and_full(damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path)
    DAMAGE[damage](path)

    async def scene() -> None:
        own = budget(tmp_path)
        used = {name: used for name, (used, _) in own.usage().items()}
        if damage == "empty":  # nobody can tell it from a new one
            assert used["sliding"] == 0
        else:
            assert min(used.values()) > LIMIT * 0.9
            assert "begun anew" in caplog.text
        for meter in KINDS:
            assert await let_through(own, meter) <= 2 * LIMIT

    asyncio.run(scene())


@pytest.mark.parametrize("value", [nan, inf, -1e9, 1e300])
@pytest.mark.parametrize("meter", KINDS)
def test_cells_of_noise_let_nobody_through_and_hold_nobody_back(
    meter: str, value: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path)
    patched(path, cells_of(path, meter), value, value, value)

    async def scene() -> None:
        own = budget(tmp_path)
        assert "is damaged: it begins full" in caplog.text
        assert await let_through(own, meter) <= 2 * LIMIT

    asyncio.run(scene())


async def test_damage_while_in_use_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_file, "LOOK_AFTER_S", 0.05)
    own = budget(tmp_path)
    for meter in KINDS:
        patched(tmp_path / "x-local.meters", cells_of(tmp_path / "x-local.meters", meter), nan, nan, nan)
    await runtime.sleep(0.1)
    for meter in KINDS:
        assert await let_through(own, meter) <= 2 * LIMIT


async def test_a_file_that_is_cut_off_while_in_use_ends_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = budget(tmp_path)
    held = await one.reserve((("sliding", 5.0),), call())
    os.truncate(tmp_path / "x-local.meters", 0)
    began = runtime.monotonic()
    await one.reserve((("sliding", 5.0),), call())
    assert runtime.monotonic() - began >= 0.9
    assert "cut off while in use" in caplog.text
    held.end()
    assert await let_through(one, "fixed") <= 2 * LIMIT


async def test_a_file_that_is_deleted_while_in_use_is_made_again_with_what_was_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_file, "LOOK_AFTER_S", 0.0)
    specs = [MeterSpec("m", LIMIT, 60_000, kind, cancels=False) for kind in ("fixed", "sliding")]
    for spec in specs:
        pools = [MeterPool(tmp_path / spec.kind) for _ in range(2)]
        own, other = (Budget(pool, "x", "local", "key", (spec,)) for pool in pools)
        (await own.reserve((("m", 3.0),), call())).end()
        held = await own.reserve((("m", 2.0),), call())
        own.stop(1.0)
        (tmp_path / spec.kind / "x-local.meters").unlink()
        assert own.usage()["m"][0] == 5
        assert other.usage()["m"][0] == 5
        assert 0.5 < other.stopped_s() <= 1.0
        late = Budget(MeterPool(tmp_path / spec.kind), "x", "local", "key", (spec,))
        assert late.usage()["m"][0] == 5
        held.end(sent=False)
        assert late.usage()["m"][0] == 3
        for pool in pools:
            await pool.close()


async def test_the_first_who_sees_that_the_file_was_deleted_takes_all_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else some would count in the old file and some in the new one, each up to the limit."""
    spec = MeterSpec("m", LIMIT, 60_000, cancels=False)
    pools = [MeterPool(tmp_path) for _ in range(2)]
    own, other = (Budget(pool, "x", "local", "key", (spec,)) for pool in pools)
    (tmp_path / "x-local.meters").unlink()
    monkeypatch.setattr(shared_file, "LOOK_AFTER_S", 0.0)
    (await own.reserve((("m", 3.0),), call())).end()
    monkeypatch.setattr(shared_file, "LOOK_AFTER_S", 1e9)
    (await other.reserve((("m", 2.0),), call())).end()
    assert (own.usage()["m"][0], other.usage()["m"][0]) == (5, 5)
    for pool in pools:
        await pool.close()


@contextlib.contextmanager
def no_more_than(size: int) -> Generator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


async def alone_with_a_part(own: Budget, caplog: pytest.LogCaptureFixture) -> None:
    assert "[budget] shared = false" in caplog.text
    assert own.usage()["sliding"][1] == LIMIT / STRANGERS
    for meter in KINDS:
        assert await let_through(own, meter) <= 2 * LIMIT / STRANGERS


async def test_where_no_file_can_be_written_it_is_a_small_part(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "budget").write_text("no directory")
    await alone_with_a_part(budget(tmp_path / "budget"), caplog)


async def test_on_a_full_disk_it_is_a_small_part(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with no_more_than(1_000):
        own = budget(tmp_path)
    await alone_with_a_part(own, caplog)


async def test_a_limit_that_finds_no_place_is_kept_to_a_small_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    own = budget(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    assert await let_through(own, "fixed") > LIMIT / STRANGERS
    late = own._store.meter(SPECS[1], "sliding/part", "key")
    assert "No space left on device" in caplog.text
    assert late.limit == LIMIT / STRANGERS


async def test_a_holder_of_the_lock_that_stands_still_holds_up_nobody_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared_file, "STUCK_S", 0.3)
    own = budget(tmp_path)
    held = await own.reserve((("sliding", 1.0),), call())
    code = (
        "import fcntl, sys; from planar.transport import meter_file as m; f = open(sys.argv[1], 'r+b');"
        "fcntl.lockf(f, fcntl.LOCK_EX, 1, m._LOCK_AT); print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "x-local.meters")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert await asyncio.to_thread(other.stdout.readline) == "locked\n"
        held.end()  # it comes back, though the lock is kept for ever: the event loop goes on
        (await own.reserve((("fixed", 1.0),), call())).end()
        await alone_with_a_part(own, caplog)
        other.communicate()
    assert isinstance(own._store, FileStore)
    assert own._store.alone


async def test_a_file_of_another_version_that_is_in_use_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "x-local.meters"
    code = (
        "import sys; from pathlib import Path; from planar.transport.meter_file import SharedFile;"
        "f = SharedFile(Path(sys.argv[1])); f.cells[0] = 99.0; print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert await asyncio.to_thread(other.stdout.readline) == "open\n"
        own = budget(tmp_path)
        assert "another version" in caplog.text
        await alone_with_a_part(own, caplog)
        other.communicate()


def test_a_child_of_a_process_that_has_the_file_open_has_a_place_of_its_own(tmp_path: Path) -> None:
    file = meter_file.open_file(tmp_path / "x.meters")
    code = """
import os, sys
from pathlib import Path
from planar.transport import meter_file
path = Path(sys.argv[1])
first = meter_file.open_file(path)
child = os.fork()
if not child:
    again = meter_file.open_file(path)
    os._exit(0 if again is not first and again.slot != first.slot and first._is_held(first.slot) else 1)
status = os.waitpid(child, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status) or not first.slot)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.meters")], timeout=20, check=False)
    assert done.returncode == 0
    file.close()


@pytest.mark.parametrize("step_s", [-3_600.0, 3_600.0])
def test_a_clock_that_is_set_holds_nobody_back(step_s: float) -> None:
    """In virtual time: the meters of the machine's own clock, before any venue was asked for its."""

    async def scene() -> float:
        own = Budget(MeterPool(), "x", "live", "key", SPECS)
        for _ in range(2):
            (await own.reserve((("fixed", 10.0),), call())).end()
        wall_ns = runtime.wall_ns
        runtime.wall_ns = lambda: wall_ns() + int(step_s * 1e9)  # type: ignore[assignment]
        try:
            before = runtime.monotonic()
            taken = 0.0
            while runtime.monotonic() - before < 10:
                (await own.reserve((("fixed", 1.0),), call(60_000))).end()
                taken += 1
                assert taken <= 10 * (runtime.monotonic() - before + 2)
            return taken
        finally:
            runtime.wall_ns = wall_ns  # type: ignore[assignment]

    assert runtime.simulate(scene, seed=1) >= 35


def test_only_one_file_is_kept_where_two_open_it_at_once(tmp_path: Path) -> None:
    one = meter_file.open_file(tmp_path / "x.meters")
    (tmp_path / "x.meters").unlink()
    other = meter_file.open_file(tmp_path / "x.meters")
    assert isinstance(other, SharedFile)
    assert other is not one
    one.close()
    assert meter_file.open_file(tmp_path / "x.meters") is other
