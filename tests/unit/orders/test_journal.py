"""The journal: what is appended is there after a restart, has one writer, and says when it is damaged."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from planar.errors import JournalError, JournalLocked
from planar.models import Amount
from planar.orders.events import Intent, Sending
from planar.orders.journal import Journal


def opened(path: Path) -> Journal:
    journal = Journal(path)
    journal.open()
    return journal


def intent(client_id: str) -> Intent:
    return Intent(client_id, 1, symbol="BTC/USDT", side="buy", type="limit", amount=Amount("0.10"), price=Amount("5e4"))


def test_events_are_there_after_a_restart(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.db")
    journal.append(intent("a"))
    journal.append(Sending("a", 2, expiry_ms=9), intent("b"))
    name = journal.id
    journal.close()

    again = opened(tmp_path / "j.db")
    assert list(again.events()) == [intent("a"), Sending("a", 2, expiry_ms=9), intent("b")]
    assert again.id == name
    assert again.next_number() == 3
    again.close()


def _write_and_die(path: Path) -> None:
    journal = opened(path)
    journal.append(intent("a"))
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_append_survives_kill_9_and_the_lock_does_not(tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_write_and_die, args=(tmp_path / "j.db",))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    journal = opened(tmp_path / "j.db")
    assert [event.client_id for event in journal.events()] == ["a"]
    journal.close()


def test_a_second_writer_is_refused_and_told_by_whom(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.db")
    with pytest.raises(JournalLocked, match=f"process {os.getpid()}"):
        opened(tmp_path / "j.db")
    journal.close()
    opened(tmp_path / "j.db").close()


def test_a_damaged_row_stops_the_journal(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.db")
    journal.append(intent("a"))
    journal.close()
    database = sqlite3.connect(tmp_path / "j.db")
    database.execute("UPDATE events SET body = replace(body, '0.10', '9.10')")
    database.commit()
    database.close()
    again = opened(tmp_path / "j.db")
    with pytest.raises(JournalError, match="row 1 .* is damaged"):
        list(again.events())
    again.close()


def test_a_journal_that_cannot_be_written_refuses(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j.db")
    assert journal._database is not None
    journal._database.execute("PRAGMA query_only = 1")
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append(intent("a"))
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append(intent("a"), intent("b"))
    journal.close()
    with pytest.raises(JournalError, match="is closed"):
        journal.append(intent("a"))


def test_the_files_are_closed_to_others(tmp_path: Path) -> None:
    journal = opened(tmp_path / "sub" / "j.db")
    assert (tmp_path / "sub" / "j.db").stat().st_mode & 0o077 == 0
    journal.close()
