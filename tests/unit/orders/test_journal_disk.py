"""A disk that is full, closed, lost or slow: nothing is sent that is not journaled, and what happened stays true."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from journal_kit import filled_journal, life, opened

from planar.errors import JournalError, Outcome
from planar.models import OrderState
from planar.orders.events import Acked, Sending
from planar.orders.journal import Journal
from planar.orders.journal_sync import GroupCommit
from planar.orders.store import OrderStore

NOBODY = 65534

FILL = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {kit!r})
from journal_kit import life
from planar.errors import JournalError, Outcome
from planar.models import OrderState
from planar.orders.events import Acked
from planar.orders.journal import Journal
from planar.orders.store import OrderStore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails instead, as on a full disk
journal = Journal(Path(sys.argv[1]))
journal.open()
store = OrderStore(journal)
count = 0
def intend():
    global count
    store.record(*life(f"o{{count}}", 6, 1000)[:2])
    count += 1
for _ in range(20):
    intend()
wal = Path(sys.argv[1] + "-wal")
free = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 8000, free[1]))
for _ in range(100):
    try:
        intend()
    except JournalError as error:
        assert error.outcome is Outcome.NOT_SENT and "free disk space" in error.hint, error
        break
else:
    raise SystemExit("the limit was never met")
refused = count
assert not store.knows(f"o{{refused}}")
store.keep(Acked("o0", 5, order_id="v0"))  # the answer of an order that was on its way
assert store.state("o0") is OrderState.OPEN and store.find("BTC/USDT", "v0") == "o0"
resource.setrlimit(resource.RLIMIT_FSIZE, free)  # space was freed
intend()
assert store.knows(f"o{{refused}}")
journal.close()
again = Journal(Path(sys.argv[1]))
again.open()
both = OrderStore(again)
both.replay()
assert list(both.names()) == list(store.names())
assert both.state("o0") is OrderState.OPEN
assert [both.facts(n) for n in both.names()] == [store.facts(n) for n in both.names()]
print("held", flush=True)
"""


def test_on_a_full_disk_new_orders_are_refused_and_go_again_when_there_is_space(tmp_path: Path) -> None:
    script = tmp_path / "fill.py"
    script.write_text(FILL.format(kit=str(Path(__file__).parent)))
    done = subprocess.run([sys.executable, script, tmp_path / "j.db"], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("held\n", 0), done.stderr


def _as_nobody(work: Callable[[], None]) -> str:
    """What `work` raised in a process that is not root, "" if nothing."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        told = ""
        try:
            if os.getuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            work()
        except JournalError as error:
            told = f"{error.outcome.value if error.outcome else None}: {error}"
        except BaseException as error:
            told = repr(error)
        os.write(writer, told.encode()[:4000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read().decode()
    os.waitpid(child, 0)
    return told


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that everybody reaches; those of pytest are closed to others than their user."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_directory_that_cannot_be_written_is_refused(public: Path) -> None:
    told = _as_nobody(lambda: Journal(public / "sub" / "j.db").open())
    assert told.startswith("not_sent: ")
    assert "cannot be made: Permission denied" in told
    assert "PLANAR_STATE" in told
    told = _as_nobody(lambda: Journal(public / "j.db").open())
    assert "lock" in told
    assert "Permission denied" in told
    assert "writable" in told


def test_a_file_that_cannot_be_written_is_refused_and_can_be_read(public: Path) -> None:
    home = public / "home"
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    filled_journal(home / "j.db", 3).close()
    (home / "j.db").chmod(0o444)
    (home / "j.db.lock").chmod(0o666)
    told = _as_nobody(lambda: Journal(home / "j.db").open())
    assert told.startswith("not_sent: ")
    assert "cannot be opened" in told
    assert "permissions" in told

    def read() -> None:
        journal = Journal(home / "j.db")
        journal.open(read_only=True)
        assert len(list(journal.events())) == 19
        journal.close()

    assert _as_nobody(read) == ""
    home.chmod(0o555)  # as on a disk that is mounted for reading only
    assert _as_nobody(read) == ""


@pytest.mark.parametrize("how", ["deleted", "exchanged"])
def test_a_file_that_goes_away_underneath_is_noticed_before_anything_is_sent(tmp_path: Path, how: str) -> None:
    journal = filled_journal(tmp_path / "j.db", 3)
    aside = (tmp_path / "j.db").rename(tmp_path / "aside.db")
    if how == "exchanged":
        (tmp_path / "j.db").write_bytes(aside.read_bytes())
    with pytest.raises(JournalError, match="deleted or exchanged") as caught:
        journal.append(Sending("a", 1))
    assert caught.value.outcome is Outcome.NOT_SENT
    aside.rename(tmp_path / "j.db")
    journal.append(Sending("a", 1))
    journal.close()


def test_what_happened_is_kept_while_nothing_can_be_written(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.db")
    store = OrderStore(journal)
    store.record(*life("a", 6, 1_000)[:2])
    journal.connection().execute("PRAGMA query_only = 1")
    with pytest.raises(JournalError):
        store.record(*life("b", 6, 1_000))
    assert not store.knows("b")
    store.keep(Acked("a", 5, order_id="7"))
    assert store.state("a") is OrderState.OPEN
    journal.connection().execute("PRAGMA query_only = 0")
    store.record(*life("c", 6, 1_000))
    kinds = [type(event).__name__ for event in journal.events()]
    assert kinds == ["Intent", "Sending", "Acked", "Intent", "Sending", "Unknown"]
    journal.close()


# -- the disk, not only the process ----------------------------------------------------------------------------------
class Disk:
    """A disk whose syncs wait until they are let go."""

    def __init__(self) -> None:
        self.syncs = 0
        self.go = threading.Semaphore(0)
        self.fails = False
        self.threads: set[str] = set()

    def sync(self, name: str) -> None:
        assert self.go.acquire(timeout=10)
        self.syncs += 1
        self.threads.add(threading.current_thread().name)
        if self.fails:
            raise OSError(5, "Input/output error")


async def test_many_that_wait_share_one_sync_and_the_loop_goes_on() -> None:
    disk = Disk()
    group = GroupCommit("x-wal", disk.sync)
    done: list[int] = []

    async def intend(number: int) -> None:
        group.appended()
        await group.wait()
        done.append(number)

    first = asyncio.create_task(intend(0))
    await asyncio.sleep(0)  # its sync has begun
    rest = [asyncio.create_task(intend(number)) for number in range(1, 50)]
    await asyncio.sleep(0)
    assert done == []  # and the loop goes on meanwhile
    disk.go.release()
    await first
    assert done == [0]
    disk.go.release()
    await asyncio.gather(*rest)
    assert disk.syncs == 2
    assert done == list(range(50))
    assert threading.current_thread().name not in disk.threads
    await group.wait()  # nothing new: no sync
    assert disk.syncs == 2


async def test_a_caller_who_leaves_does_not_end_the_sync_of_the_others() -> None:
    disk = Disk()
    group = GroupCommit("x-wal", disk.sync)
    group.appended()
    one, other = asyncio.create_task(group.wait()), asyncio.create_task(group.wait())
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.wait([one])
    disk.go.release()
    await other
    assert disk.syncs == 1


async def test_a_sync_that_failed_is_never_taken_for_one_that_did_not() -> None:
    disk = Disk()
    group = GroupCommit("x-wal", disk.sync)
    disk.fails = True
    disk.go.release()
    group.appended()
    with pytest.raises(JournalError, match="could not be brought to the disk: Input/output error") as caught:
        await group.wait()
    assert caught.value.outcome is Outcome.NOT_SENT
    disk.fails = False
    disk.go.release()
    with pytest.raises(JournalError):
        await group.wait()
    with pytest.raises(JournalError):
        group.check()


async def test_durability_disk_syncs_the_log_of_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db", "disk")
    journal.open()
    synced: list[str] = []
    assert journal._group is not None
    real = journal._group._sync
    journal._group._sync = lambda name: (synced.append(name), real(name))[1]
    for event in life("a", 0, 1):
        journal.append(event)
    waiting = journal.durable()
    assert waiting is not None
    await waiting
    assert synced == [f"{tmp_path / 'j.db'}-wal"]
    journal.close()
    plain = opened(tmp_path / "j.db")
    assert plain.durable() is None
    assert len(list(plain.events())) == len(life("a", 0, 1))
    plain.close()
