"""A short run of many processes on one key, judged by the exchange's own count; the long one is `make chaos-budget`."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.meters.redis_server import find_redis

ROOT = Path(__file__).resolve().parents[2]
SEED = os.environ.get("PLANAR_CHAOS_SEED", "7")
LEAST_USED = 0.95
"""Less than what the long run asks for: the test's machine may be busy."""
CANCEL_MS = 50.0

needs_redis = pytest.mark.skipif(
    find_redis() is None or importlib.util.find_spec("redis") is None,
    reason="no redis-server on this machine (sh scripts/redis.sh gets one), or no package redis",
)


def run(*options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.meters", "--json", "--seed", SEED, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    print(f"seed {SEED}: {done.stdout}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


@pytest.mark.slow
def test_processes_that_are_killed_exceed_nothing_and_block_nobody() -> None:
    found = run("--windows", "4", "--kill")
    assert found["violations"] == {}
    assert found["killed"] == 4
    assert found["used"] >= LEAST_USED
    assert found["cancels"] > 50
    assert found["cancel_p99_ms"] <= CANCEL_MS


@pytest.mark.slow
def test_a_ban_of_one_process_is_a_ban_of_all() -> None:
    found = run("--windows", "4", "--ban")
    assert (found["violations"], found["banned"]) == ({}, 0)
    assert found["used"] >= LEAST_USED


@pytest.mark.slow
@needs_redis
def test_a_redis_that_comes_back_is_shared_again_and_no_limit_is_exceeded() -> None:
    found = run("--windows", "5", "--redis", "--stop-redis", "--start-redis")
    assert found["violations"] == {}
    assert found["cancels"] > 0


@pytest.mark.slow
def test_counters_that_fall_are_used_up_and_never_exceeded_while_processes_are_killed() -> None:
    found = run("--windows", "4", "--exchange", "kraken", "--kill")
    assert found["violations"] == {}
    assert set(found["counters"]) == {"call counter", "transaction counter"}
    assert min(found["counters"].values()) >= LEAST_USED
