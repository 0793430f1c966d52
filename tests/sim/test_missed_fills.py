"""Frames of fills that a healthy stream never brought: found by the timed reconciliation, all of them, in time."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.safety.missed_fills import missed_fills


def test_one_seed_gives_the_same_history_twice(tmp_path: Path) -> None:
    runs = [tmp_path / "a", tmp_path / "b"]
    for run in runs:
        run.mkdir()
    first, second = (missed_fills(run, "binance", drops=20, seed=5) for run in runs)
    assert first == second


@pytest.mark.parametrize("exchange", ["binance", "kraken"])
def test_each_dropped_fill_is_found_within_30_s(tmp_path: Path, exchange: str) -> None:
    report = missed_fills(tmp_path, exchange, drops=50, seed=3)
    assert len(report.found_s) >= 50
    assert (report.missed, report.wrong) == (0, 0), report
    assert (report.gaps == 0) == (exchange == "binance"), "Kraken numbers its frames, and its stream notices the gaps"
    assert bool(report.told) == (exchange == "binance"), "what a stream brings after all is not missed"
