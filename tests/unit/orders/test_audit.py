"""The audit trail: whole lines, no secrets, nothing lost silently, no waiting."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from planar.errors import Outcome
from planar.orders import audit
from planar.orders.audit import AuditTrail, clean, day_of, files, read_lines
from planar.transport.writes import Subject, VenueRequest, WriteAnswer

REQUEST = VenueRequest("POST", "order", {"symbol": "BTCUSDT", "quantity": "1"})
SECRET = 'sEcReT"/+key'


def lines(directory: Path) -> list[audit.AuditLine | None]:
    return [line for path in files(directory) for _, line in read_lines(path)]


def test_a_request_and_its_answer_are_two_lines(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path, "binance-x")
    number = trail.asked("create_order", REQUEST, Subject("pl1", "wish"))
    trail.answered(number, WriteAnswer(Outcome.REFUSED, 400, error="InvalidOrder: no", code="-1013"))
    trail.close()
    asked, answered = lines(tmp_path)
    assert asked is not None
    assert answered is not None
    assert (asked.client_id, asked.intent_id, asked.params, asked.process) == (
        "pl1",
        "wish",
        REQUEST.params,
        os.getpid(),
    )
    assert (answered.number, answered.outcome, answered.http_status, answered.code) == (number, "refused", 400, "-1013")
    assert [path.name for path in files(tmp_path, day_of(asked.ts_ms))] == [f"binance-x-{day_of(asked.ts_ms)}.jsonl"]
    assert files(tmp_path, "2020-01-31") == []


def test_no_secret_reaches_a_file(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path, "x", secrets=(SECRET,))
    params = {"signature": "abcdef", "nested": [{"apiKey": "abcdef", "note": f"has {SECRET} inside"}], "price": "5"}
    number = trail.asked("c", VenueRequest("POST", "order", params), Subject())
    trail.answered(
        number, WriteAnswer(Outcome.OK, 200, {"listenKey": "abcdef", "key": SECRET}, error=f"signature=abcdef {SECRET}")
    )
    trail.close()
    text = files(tmp_path)[0].read_text()
    assert "abcdef" not in text
    assert "sEcReT" not in text
    assert all(line is not None for line in lines(tmp_path))
    assert clean({"token": 5, "side": "buy"}) == {"token": "***", "side": "buy"}


def test_a_long_answer_is_cut_and_says_so(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path, "x")
    trail.answered(1, WriteAnswer(Outcome.OK, 200, ["row"] * 50_000))
    trail.close()
    (line,) = lines(tmp_path)
    assert line is not None
    assert line.answer.endswith("... (cut)")
    assert files(tmp_path)[0].stat().st_size < 2 * audit.LONGEST


def test_a_full_disk_is_told_counted_and_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, str]] = []
    happened = threading.Event()

    def lost(count: int, why: str) -> None:
        told.append((count, why))
        happened.set()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    trail = AuditTrail(tmp_path, "x", on_lost=lost)
    with monkeypatch.context() as patched:
        patched.setattr(audit.os, "write", full)
        trail.asked("c", REQUEST, Subject())
        assert happened.wait(5)
    assert told == [(1, "OSError: [Errno 28] No space left on device")]
    trail.asked("c", REQUEST, Subject())
    trail.close()
    gap, line = lines(tmp_path)
    assert gap is not None
    assert line is not None
    assert (gap.event, gap.lost, line.event) == ("lost", 1, "asked")


def test_what_a_slow_disk_cannot_take_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "QUEUE", 2)
    written, go = os.write, threading.Event()
    monkeypatch.setattr(audit.os, "write", lambda *args: go.wait(5) and written(*args))
    trail = AuditTrail(tmp_path, "x")
    for _ in range(8):
        trail.asked("c", REQUEST, Subject())
    go.set()
    trail.close()
    found = lines(tmp_path)
    lost = sum(line.lost for line in found if line is not None)
    assert lost + sum(line is not None and line.event == "asked" for line in found) == 8
    assert lost >= 5


def test_a_line_that_a_crash_cut_does_not_hide_the_others(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path, "x")
    trail.asked("c", REQUEST, Subject())
    trail.close()
    path = files(tmp_path)[0]
    path.write_text('{"ts_ms":1,"proc\n' + path.read_text())
    first, second = lines(tmp_path)
    assert first is None
    assert second is not None
