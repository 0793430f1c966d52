"""Whatever happens to the file, a journal is equal up to a named point or is refused; it never says something else.

`PLANAR_INJECTIONS` sets how many damages are tried (200).
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from journal_kit import filled_journal, opened

from planar.errors import JournalError
from planar.orders.events import AnyEvent
from planar.orders.journal import Journal
from planar.orders.journal_check import check_journal

INJECTIONS = int(os.environ.get("PLANAR_INJECTIONS", "200"))
SEED = int(os.environ.get("PLANAR_SEED", "20261123"))


def read(path: Path) -> list[AnyEvent] | None:
    """All events as the writer would find them; None where it is refused."""
    journal = Journal(path)
    try:
        journal.open()
        return list(journal.events())
    except JournalError as error:
        assert str(path) in error.message or path.name in error.message
        assert error.hint
        return None
    finally:
        journal.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[AnyEvent]]:
    """A directory with a closed journal, `closed.db`, and one whose process died, `killed.db`, with its log."""
    home = tmp_path_factory.mktemp("whole")
    journal = filled_journal(home / "closed.db", 40)
    events = list(journal.events())
    for name in ("", "-wal", "-shm"):  # as they lie on the disk when the process dies
        shutil.copy(f"{home / 'closed.db'}{name}", f"{home / 'killed.db'}{name}")
    journal.close()
    assert (home / "killed.db-wal").stat().st_size > 0
    assert read(home / "killed.db") == events
    journal = filled_journal(home / "again.db", 40)
    for name in ("", "-wal", "-shm"):
        shutil.copy(f"{home / 'again.db'}{name}", f"{home / 'killed.db'}{name}")
    events = list(journal.events())
    journal.close()
    return home, events


def _damage(target: Path, chance: random.Random) -> str:
    data = bytearray(target.read_bytes())
    kind = chance.choice(["flip", "cut", "zeros", "garbage"])
    if kind == "flip":
        for _ in range(chance.choice([1, 1, 3])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del data[chance.randrange(len(data)) :]
    else:
        start = chance.randrange(len(data))
        size = min(chance.choice([16, 512, 4096]), len(data) - start)
        data[start : start + size] = bytes(size) if kind == "zeros" else chance.randbytes(size)
    target.write_bytes(bytes(data))
    return kind


def test_damage_gives_equal_content_up_to_a_point_or_a_refusal(
    whole: tuple[Path, list[AnyEvent]], tmp_path: Path
) -> None:
    home, killed_events = whole
    closed_events = read(home / "closed.db")
    assert closed_events is not None
    counts = {"whole": 0, "shorter": 0, "refused": 0}
    for number in range(INJECTIONS):
        chance = random.Random(f"{SEED} {number}")
        path = tmp_path / f"{number}.db"
        killed = chance.random() < 0.6
        name, events = ("killed.db", killed_events) if killed else ("closed.db", closed_events)
        shutil.copy(home / name, path)
        target = path
        if killed:
            shutil.copy(home / f"{name}-wal", f"{path}-wal")
            target = Path(f"{path}-wal") if chance.random() < 0.8 else path
        kind = _damage(target, chance)
        found = read(path)
        told = f"PLANAR_SEED={SEED}, injection {number}: {kind} in {target.name}"
        if found is None:
            counts["refused"] += 1
            if path.exists() and path.stat().st_size:
                check_journal(path)  # it can always be looked at
        else:
            assert found == events[: len(found)], told
            assert killed or len(found) == len(events), f"{told}: the end is lost and nobody says so"
            counts["whole" if len(found) == len(events) else "shorter"] += 1
        for left in tmp_path.glob(f"{number}.db*"):
            left.unlink()
    assert counts["refused"] > 0, counts
    assert counts["shorter"] > 0, counts


def test_an_exchanged_row_a_lost_row_and_a_lost_end_are_noticed(tmp_path: Path) -> None:
    changes = {
        "UPDATE events SET client_id = 'other' WHERE seq = 3": "row 3 .* is damaged",
        "UPDATE events SET seq = 900 WHERE seq = 3": "row 3 .* is missing|row 900 .* is damaged",
        "DELETE FROM events WHERE seq = 5": "row 5 .* is missing",
        "DELETE FROM events WHERE seq >= 60": "its end is lost",
        "UPDATE meta SET value = 'zzzzzzzz' WHERE key = 'id'": "first page is damaged",
        "DELETE FROM meta WHERE key = 'version'": "is no journal of Planar",
        "DROP TABLE events": "is no journal of Planar",
    }
    for number, (statement, told) in enumerate(changes.items()):
        path = tmp_path / f"{number}.db"
        filled_journal(path, 20).close()
        database = sqlite3.connect(path)
        database.execute(statement)
        database.commit()
        database.close()
        journal = Journal(path)
        with pytest.raises(JournalError, match=told):
            journal.open()
            list(journal.events())
        journal.close()
        assert check_journal(path).faults, statement


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    path.touch()
    for read_only in (False, True):
        with pytest.raises(JournalError, match="0 bytes") as caught:
            Journal(path).open(read_only=read_only)
        assert "backup" in (caught.value.hint or "")
    assert [fault.kind for fault in check_journal(path).faults] == ["file"]


def test_a_journal_that_was_begun_and_not_finished_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "j.db.new").write_bytes(b"half")
    journal = opened(tmp_path / "j.db")
    assert list(journal.events()) == []
    journal.close()
    assert not (tmp_path / "j.db.new").exists()


def test_a_log_without_its_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j.db-wal").write_bytes(b"x" * 100)
    with pytest.raises(JournalError, match="write-ahead log is still there"):
        Journal(tmp_path / "j.db").open()


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(b"not a database at all " * 100)
    with pytest.raises(JournalError, match="not a database"):
        Journal(path).open()
    assert check_journal(path).faults[0].kind == "file"


def test_the_check_names_the_rows_and_reads_on_behind_them(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    filled_journal(path, 20).close()
    database = sqlite3.connect(path)
    database.execute("UPDATE events SET body = replace(body, '50000', '60000') WHERE seq = 1")
    database.execute("DELETE FROM events WHERE seq IN (10, 11)")
    database.commit()
    database.close()
    report = check_journal(path)
    told = {(fault.kind, fault.row) for fault in report.faults}
    assert {("row", 1), ("missing", 10)} <= told
    assert any("rows 10 to 11" in fault.text for fault in report.faults)
    assert any(fault.kind == "order" and "intent" in fault.text for fault in report.faults)
    assert any("backup" in line for line in report.advice)
    assert report.rows == 90 - 2


def test_the_check_of_a_whole_journal_finds_nothing_also_beside_its_writer(tmp_path: Path) -> None:
    journal = filled_journal(tmp_path / "j.db", 20)
    report = check_journal(tmp_path / "j.db")
    assert (report.faults, report.advice) == ((), ())
    assert (report.rows, report.orders, report.unfinished) == (90, 20, 5)
    journal.close()
    assert check_journal(tmp_path / "j.db").faults == ()
