"""Callers who are cancelled at every step of a call: a share of `benchmarks.safety.leaving`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from benchmarks.safety import leaving

import planar.runtime as runtime


@pytest.mark.parametrize("exchange", ["binance", "kraken"])
def test_no_order_is_lost_or_doubled_wherever_its_caller_leaves(exchange: str, tmp_path: Path) -> None:
    found = leaving.leaving(tmp_path, exchange, seed=2, stride=11, cold=False)
    assert found.wrong == []
    assert set(found.steps) == set(leaving.CALLS)
    assert found.steps.total() >= 8


def test_on_asyncios_own_loop_and_real_sockets(tmp_path: Path) -> None:
    found = leaving.leaving(tmp_path, "binance", stride=6, real=True)
    assert found.wrong == []
    assert found.steps["first order"] >= 5


def test_a_step_is_a_pass_of_the_loop() -> None:
    async def main() -> list[object]:
        done: list[int] = []

        async def call() -> None:
            for number in range(4):
                await asyncio.sleep(0)
                done.append(number)

        steps, seen = leaving.Steps(), []
        for count in range(1, 7):
            left = await leaving.left_after(steps, count, call())
            seen.append((left, len(done)))
            done.clear()
        steps.end()
        return seen

    assert runtime.simulate(main) == [(True, 0), (True, 0), (True, 1), (True, 2), (True, 3), (False, 4)]
