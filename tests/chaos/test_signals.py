"""A short run of `benchmarks.safety.signals`: SIGTERM and SIGINT in the middle of orders, judged by the ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("exchange", ["binance", "kraken"])
def test_a_process_that_is_told_to_end_leaves_nothing_and_loses_nothing(exchange: str) -> None:
    command = [sys.executable, "-m", "benchmarks.safety.signals", "--exchange", exchange, "--lives", "6", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert row["ended"] == 6
    assert row["wishes"] == row["orders"] > 0
