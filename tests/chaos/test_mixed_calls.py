"""A short run of mixed calls under mixed faults; the long one is `make chaos-calls`. What its judge can see, and that it
sees it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.mixed import census, table
from benchmarks.mixed.calls import Untrue
from benchmarks.mixed.judge import End, Judge

from planar.errors import BadRequest, BadResponse, ExchangeNotAvailable, Outcome, PlanarError, RequestTimeout
from planar.transport.context import Effect, RequestRecord
from planar.venue.faults import Firing, Subject

ROOT = Path(__file__).resolve().parents[2]
SEED = os.environ.get("PLANAR_CHAOS_SEED", "7")
PATH = "/api/v3/depth"


@pytest.mark.slow
def test_every_call_ends_in_time_and_well_or_as_a_fault_explains() -> None:
    command = [sys.executable, "-m", "benchmarks.mixed", "--calls", "400", "--seed", SEED, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    print(f"seed {SEED}: {done.stdout}\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    assert found["violations"] == []
    assert found["calls"] == 400
    assert sum(found["injected"].values()) > 5
    assert found["orders"] > 10


def firing(rule: str, ts_ms: int = 1_000, path: str = PATH) -> Firing:
    subject = Subject(venue="binance", method="GET", host="h", path=path, account=None, upgrade=False)
    return Firing(number=1, rule=f"{rule}/0", kind="any", ts_ms=ts_ms, subject=subject)


def ended(error: BaseException | None, name: str = "book", timeout_ms: int = 1_500) -> End:
    return End(1, "binance", name, 950, 1_050, timeout_ms, False, error)


def sent(error: PlanarError) -> PlanarError:
    error.requests = (RequestRecord("GET", "h", PATH, Effect.READ, 960),)
    return error


@pytest.mark.parametrize(
    ("fired", "error", "well"),
    [
        (None, None, True),
        (None, sent(BadResponse("no answer")), False),
        (firing("empty_200"), sent(BadResponse("no answer")), True),
        (firing("empty_200"), sent(ExchangeNotAvailable("gone")), False),
        (firing("empty_200"), sent(BadRequest("no")), False),
        (firing("empty_200", ts_ms=5_000), sent(BadResponse("no answer")), False),
        (firing("empty_200", path="/api/v3/time"), sent(BadResponse("no answer")), False),
        (firing("drop_request"), sent(ExchangeNotAvailable("gone")), True),
        (firing("drop_request"), KeyError("bids"), False),
        (None, sent(RequestTimeout("late")), False),
        (None, RequestTimeout("late", outcome=Outcome.NOT_SENT), False),
        (firing("hang_answer"), sent(RequestTimeout("late")), True),
        (firing("garbled"), Untrue("price"), True),
        (firing("delay_answer"), Untrue("price"), False),
        (None, Untrue("it never ended"), False),
    ],
)
def test_the_judge_knows_which_error_a_fault_explains(
    fired: Firing | None, error: BaseException | None, well: bool
) -> None:
    judge = Judge()
    judge.hear([fired] if fired else [])
    judge.end(ended(error))
    assert (judge.violations == []) == well


def test_a_fault_of_each_kind_is_drawn_and_the_same_seed_draws_the_same() -> None:
    drawn = [rule for chunk in range(200) for rule in table.draw(7, chunk)]
    assert {(rule.id or "").partition("/")[0] for rule in drawn} == set(table.ALL)
    assert table.draw(7, 3) == table.draw(7, 3) != table.draw(8, 3)


async def test_a_task_and_a_file_that_are_left_over_are_seen(tmp_path: Path) -> None:
    before = census.take()
    assert census.more(before, census.take()) == []
    task = asyncio.create_task(asyncio.sleep(60), name="leak")
    with (tmp_path / "leak").open("w"):
        found = census.more(before, census.take())
    assert found == ["task left over: leak", f"file left over: {tmp_path / 'leak'}"]
    task.cancel()
    await asyncio.wait([task])
    assert census.more(before, census.take()) == []


def test_growth_is_that_of_the_second_half() -> None:
    steady = [(n * 1_000, 100.0 + min(n, 10) * 5) for n in range(20)]
    growing = [(n * 1_000, 100.0 + n) for n in range(20)]
    assert census.slope(steady) == pytest.approx(0)
    assert census.slope(growing) == pytest.approx(10)
