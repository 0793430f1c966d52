"""A few lives of `benchmarks.safety.seeds`, twice each, in processes that hash differently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.safety import seeds

ROOT = Path(__file__).resolve().parents[2]


def test_lives_under_faults_are_right_and_twice_the_same_bytes() -> None:
    command = [sys.executable, "-m", "benchmarks.safety.seeds", "--seeds", "4", "--first", "11"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seeds 11 to 14, each lived twice: 0 wrong" in done.stdout


def test_a_seed_is_replayed_with_the_log_that_was_compared() -> None:
    log, outcome = seeds.lived(12)
    assert outcome.wrong == ()
    assert {"journal", "ledger", "fault"} <= {line.split()[0] for line in log.splitlines()}
    command = [sys.executable, "-m", "benchmarks.safety.seeds", "--replay", "12"]
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=True)
    assert again.stdout == log


def test_a_difference_is_told_with_the_command_that_replays_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = seeds.Outcome(7, "a", ())
    monkeypatch.setattr(
        seeds, "pairs", lambda first, count: iter([(one, seeds.Outcome(7, "b", ("an order is lost",)))])
    )
    assert seeds.run(7, 1) == 1
    told = capsys.readouterr().out
    assert "an order is lost" in told
    assert "its two logs differ" in told
    assert "python -m benchmarks.safety.seeds --replay 7" in told


def test_another_seed_is_another_life() -> None:
    assert json.dumps(seeds.lived(2)[0]) != json.dumps(seeds.lived(4)[0])


def test_a_slow_counter_does_not_hold_a_reconciliation_up_for_ever() -> None:
    """In this life each pass of the last reconciliation once used up the room that its second question waited for."""
    assert seeds.lived(515)[1].wrong == ()
