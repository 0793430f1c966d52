"""A short run of the safety benchmark: kill -9 and swallowed answers, judged by the venue's ledger. Seeds are printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.safety.wishes import Belief, judge

ROOT = Path(__file__).resolve().parents[2]
SEED = int(os.environ.get("PLANAR_CHAOS_SEED", "7"))
WRONG = ("lost", "doubled", "unknown", "misreported", "strangers")


EXCHANGES = ("binance", "kraken")


def run(*options: str) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "benchmarks.safety", "--seed", str(SEED), "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    print(f"seed {SEED}: {done.stdout}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["rows"]


@pytest.mark.slow
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_no_order_is_lost_or_doubled_when_the_process_dies(exchange: str) -> None:
    (row,) = run("--exchange", exchange, "--kills", "6", "--swallowed", "0")
    assert row["faults"] == 6
    assert row["wishes"] == row["orders"]
    assert [row[name] for name in WRONG] == [0] * len(WRONG)


@pytest.mark.slow
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_no_order_is_lost_or_doubled_when_answers_are_swallowed(exchange: str) -> None:
    (row,) = run("--exchange", exchange, "--kills", "0", "--swallowed", "15")
    assert row["wishes"] == row["orders"] == 15
    assert [row[name] for name in WRONG] == [0] * len(WRONG)


def order(amount: str, order_id: int, status: str = "filled", filled: str | None = None) -> dict[str, object]:
    return {"amount": amount, "id": order_id, "status": status, "filled": filled or amount}


@pytest.mark.parametrize(
    ("beliefs", "orders", "wrong"),
    [
        ([Belief("1", "7", "filled", "1")], [order("1", 7)], {}),
        ([Belief("1", "7", "filled", "1")], [], {"lost": 1}),
        ([Belief("1", None, "rejected", "0")], [], {}),
        ([Belief("1", None, "rejected", "0")], [order("1", 7)], {"misreported": 1, "strangers": 1}),
        ([Belief("1", "7", "filled", "1")], [order("1", 7), order("1", 8)], {"doubled": 1, "strangers": 1}),
        ([Belief("1", None, None, None)], [order("1", 7)], {"unknown": 1, "strangers": 1}),
        ([Belief("1", "7", "open", "0")], [order("1", 7)], {"misreported": 1}),
        ([Belief("1", "7", "filled", "0.5")], [order("1", 7)], {"misreported": 1}),
        ([], [order("1", 7)], {}),
    ],
)
def test_the_judge_sees_each_kind_of_wrong(
    beliefs: list[Belief], orders: list[dict[str, object]], wrong: dict[str, int]
) -> None:
    verdict = judge(beliefs, orders)
    assert {name: getattr(verdict, name) for name in WRONG if getattr(verdict, name)} == wrong
