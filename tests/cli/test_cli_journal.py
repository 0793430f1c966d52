"""`planar journal`: found, shown, checked, exported and compacted, without an exchange."""

from __future__ import annotations

import csv
import io
import shutil
import sqlite3
from pathlib import Path

import pytest
from cli_kit import Home

from planar.cli import exits
from planar.orders.journal import Journal

OLD = Path(__file__).parents[1] / "unit" / "orders" / "fixtures" / "journal-v1.db"


@pytest.fixture
def journal(home: Home) -> Path:
    path = home.path / "state" / "journal" / "live" / "binance-abc.db"
    path.parent.mkdir(parents=True)
    shutil.copy(OLD, path)
    return path


def damage(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("UPDATE events SET body = replace(body, '50000.50', '60000.50') WHERE seq = 6")
    database.commit()
    database.close()


def test_journals_are_listed_with_who_writes_them(home: Home, journal: Path) -> None:
    (found,) = home.run("journal", "list", "--json").json
    assert (found["path"], found["id"], found["last_row"]) == (str(journal), "nljsq2vo", 21)
    assert (found["writer"], found["trouble"]) == (None, None)
    writer = Journal(journal)
    writer.open()
    assert "process" in home.run("journal", "list", "--json").json[0]["writer"]
    assert len(home.run("journal", "show", "--json").json["events"]) == 21  # a reader beside it
    assert "being written by process" in home.run("journal", "compact", "--yes").err
    writer.close()
    journal.write_bytes(b"")
    assert "0 bytes" in home.run("journal", "list", "--json").json[0]["trouble"]


@pytest.mark.parametrize("name", ["101", "wish one", "plnljsq2vo000001aaaa"])
def test_one_order_is_shown_by_any_of_its_names(home: Home, journal: Path, name: str) -> None:
    shown = home.run("journal", "show", "--order", name, "--json").json["events"]
    assert [event["kind"] for event in shown] == ["intent", "sending", "acked", "seen", "seen", "fill"]
    assert shown[5]["price"] == "50000.50"
    assert "plnljsq2vo000001aaaa" in home.run("journal", "show", "--order", name).out


def test_the_last_events_and_those_since_a_time(home: Home, journal: Path) -> None:
    assert [event["row"] for event in home.run("journal", "show", "--limit", "2", "--json").json["events"]] == [20, 21]
    since = home.run("journal", "show", "--since", "2023-11-14T22:13:26", "--json").json["events"]
    assert [event["row"] for event in since] == [9, 10, 18, 19, 20, 21]
    assert home.run("journal", "show", "--since", "1d", "--json").json["events"] == []
    wrong = home.run("journal", "show", "--since", "yesterday")
    assert (wrong.code, "is no time" in wrong.err) == (exits.USAGE, True)


def test_a_whole_journal_is_told_so_and_a_damaged_one_by_rows_and_exit_code(home: Home, journal: Path) -> None:
    ran = home.run("journal", "verify")
    assert ran.code == exits.OK
    assert "21 events of 6 orders, 1 unfinished" in ran.out
    assert "nothing is wrong" in ran.out
    damage(journal)
    ran = home.run("journal", "verify")
    assert ran.code == exits.REFUSED
    assert "row 6 is not what was written" in ran.out
    assert "backup" in ran.out
    ran = home.run("journal", "verify", "--json")
    assert ran.code == exits.REFUSED
    assert [(fault["kind"], fault["row"]) for fault in ran.json["faults"]] == [("row", 6)]


def test_all_events_are_exported_and_the_damaged_row_is_named(home: Home, journal: Path) -> None:
    lines = home.run("journal", "export").lines
    assert [line["row"] for line in lines] == list(range(1, 22))
    rows = list(csv.DictReader(io.StringIO(home.run("journal", "export", "--format", "csv").out)))
    assert len(rows) == 21
    assert rows[0]["params"] == '{"selfTradePreventionMode":"EXPIRE_TAKER"}'
    assert [rows[5][name] for name in ("kind", "trade_id", "price", "amount")] == ["fill", "9001", "50000.50", "0.10"]
    damage(journal)
    ran = home.run("journal", "export")
    assert ran.code == exits.REFUSED
    assert "row 6 of the journal" in ran.err


def test_compaction_asks_and_tells_what_it_did(home: Home, journal: Path) -> None:
    ran = home.run("journal", "compact")
    assert (ran.code, "--yes" in ran.err) == (exits.USAGE, True)
    done = home.run("journal", "compact", "--yes", "--json").json
    assert (done["orders"], done["rows_before"], done["rows_after"]) == (1, 21, 17)
    assert home.run("journal", "verify").code == exits.OK
    assert len(home.run("journal", "show", "--order", "101", "--json").json["events"]) == 2


def test_which_journal_is_asked_for_where_there_are_several(home: Home, journal: Path) -> None:
    shutil.copy(journal, journal.with_name("kraken-def.db"))
    ran = home.run("journal", "verify")
    assert ran.code == exits.USAGE
    assert "there are 2 journals" in ran.err
    assert home.run("journal", "verify", "--exchange", "kraken").code == exits.OK
    assert home.run("journal", "verify", "--file", str(journal)).code == exits.OK
    none = home.run("journal", "verify", "--environment", "sandbox")
    assert (none.code, "there is no such journal" in none.err) == (exits.USAGE, True)
