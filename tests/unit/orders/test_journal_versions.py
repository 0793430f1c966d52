"""Old files become new ones, equal in what they say; newer ones are left alone."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from planar.errors import JournalError
from planar.models import OrderState
from planar.orders import journal_schema
from planar.orders.journal import Journal
from planar.orders.journal_check import check_journal
from planar.orders.store import OrderStore

OLD = Path(__file__).parent / "fixtures" / "journal-v1.db"
"""Written by the first version: 21 events of six orders."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "j.db"
    shutil.copy(OLD, path)
    return path


def test_a_journal_of_version_1_is_migrated_and_says_the_same(old: Path) -> None:
    before = Journal(old)
    before.open(read_only=True)
    assert before.version == 1
    events, name = list(before.events()), before.id
    before.close()
    assert (len(events), name) == (21, "nljsq2vo")

    after = Journal(old)
    after.open()
    assert after.version == journal_schema.VERSION
    assert after.id == name
    assert list(after.events()) == events
    assert after.next_number() == 7
    store = OrderStore(after)
    store.replay()
    ends = [store.state(client_id) for client_id in store.names()]
    assert ends == [
        OrderState.FILLED,
        OrderState.NEVER_ACCEPTED,
        OrderState.REJECTED,
        OrderState.REJECTED,
        OrderState.CANCELED,
        OrderState.OPEN,
    ]
    after.close()
    assert check_journal(old).faults == ()


def test_a_copy_of_the_old_file_stays_beside_it(old: Path) -> None:
    journal = Journal(old)
    journal.open()
    journal.close()
    copy = old.with_name("j.db.v1")
    assert copy.stat().st_mode & 0o077 == 0
    kept = Journal(copy)
    kept.open(read_only=True)
    assert kept.version == 1
    assert len(list(kept.events())) == 21
    kept.close()


def test_a_damaged_old_file_is_refused_and_stays_as_it_was(old: Path) -> None:
    database = sqlite3.connect(old)
    database.execute("UPDATE events SET body = replace(body, '50000.50', '50000.60') WHERE seq = 1")
    database.commit()
    database.close()
    was = old.read_bytes()
    with pytest.raises(JournalError, match="row 1 .* is damaged"):
        Journal(old).open()
    database = sqlite3.connect(old)
    assert dict(database.execute("SELECT key, value FROM meta"))["version"] == "1"
    database.close()
    assert old.read_bytes()[100:] == was[100:]


def test_a_migration_that_fails_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(database: sqlite3.Connection, path: Path, meta: journal_schema.Meta) -> journal_schema.Meta:
        database.execute("DELETE FROM events")
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(journal_schema, "MIGRATIONS", {1: fails})
        with pytest.raises(JournalError, match="disk is full"):
            Journal(old).open()
    journal = Journal(old)
    journal.open()
    assert len(list(journal.events())) == 21
    journal.close()


def test_a_newer_version_is_refused_with_a_remedy(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.open()
    journal.close()
    database = sqlite3.connect(tmp_path / "j.db")
    database.execute("UPDATE meta SET value = '99' WHERE key = 'version'")
    database.commit()
    database.close()
    for read_only in (False, True):
        with pytest.raises(JournalError, match="version 99") as caught:
            Journal(tmp_path / "j.db").open(read_only=read_only)
        assert caught.value.hint is not None
        assert "newer Planar" in caught.value.hint


def test_an_event_of_a_newer_planar_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.open()
    body = b'{"kind":"teleported","client_id":"a","wall_ms":1}'
    row = (1, "a", body, journal_schema.check_row(1, b"a", body))
    journal.connection().execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)
    journal._seq = 1
    with pytest.raises(JournalError, match=r"row 1 .* does not know.*teleported"):
        list(journal.events())
    journal.close()
    assert [fault.kind for fault in check_journal(tmp_path / "j.db").faults] == ["event"]
