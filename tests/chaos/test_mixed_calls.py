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
from benchmarks.mixed import census, garbled, table
from benchmarks.mixed.calls import Untrue
from benchmarks.mixed.judge import End, Judge
from benchmarks.mixed.machine import Machine

from planar.errors import BadRequest, BadResponse, ExchangeNotAvailable, Outcome, PlanarError, RequestTimeout
from planar.transport.context import Effect, RequestRecord
from planar.venue.checker import Finding
from planar.venue.faults import Firing, Subject
from planar.venue.faults.rules import Damage

ROOT = Path(__file__).resolve().parents[2]
SEED = os.environ.get("PLANAR_CHAOS_SEED", "7")
PATH = "/api/v3/depth"


@pytest.mark.slow
def test_every_call_ends_in_time_and_well_or_as_a_fault_explains() -> None:
    command = [sys.executable, "-m", "benchmarks.mixed", "--calls", "300", "--seed", SEED, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    print(f"seed {SEED}: {done.stdout}\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    assert found["violations"] == []
    assert found["calls"] == 300
    assert sum(found["injected"].values()) > 5
    assert found["orders"] > 10


def firing(rule: str, ts_ms: int = 1_000, path: str = PATH) -> Firing:
    subject = Subject(venue="binance", method="GET", host="h", path=path, account=None, upgrade=False)
    return Firing(number=1, rule=f"{rule}/0", kind="any", ts_ms=ts_ms, subject=subject)


def ended(error: BaseException | None, name: str = "book", timeout_ms: int = 1_500, kept_ms: float = 0.0) -> End:
    return End(1, "binance", name, 950, 1_050, timeout_ms, False, error, kept_ms)


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


def test_an_order_that_is_there_and_was_not_handed_over_is_seen() -> None:
    judge = Judge()
    judge.hear([firing("hang_answer")])
    judge.end(ended(RequestTimeout("late", outcome=Outcome.OK), "create"))
    judge.end(ended(RequestTimeout("late", outcome=Outcome.OK), "cancel"))  # confirmed, and then nothing could be asked
    assert len(judge.violations) == 1


@pytest.mark.parametrize(("kept_ms", "timeout_ms", "well"), [(0, 400, True), (0, 1_500, False), (600, 1_500, True)])
def test_a_call_that_could_not_run_may_be_late(kept_ms: float, timeout_ms: int, well: bool) -> None:
    judge = Judge()
    judge.end(ended(sent(RequestTimeout("late")), timeout_ms=timeout_ms, kept_ms=kept_ms))
    assert (judge.violations == []) == well


def found(client_id: str, detail: str, problem: str = "misreported") -> Finding:
    return Finding(problem=problem, client_id=client_id, symbol="BTC/USDT", detail=detail)  # type: ignore[arg-type]


def test_only_an_order_next_to_a_damaged_byte_is_excused(tmp_path: Path) -> None:
    damages = garbled.Damages(tmp_path / "damage.jsonl")
    assert damages.near({"a": {"a"}}) == set()
    damages.add([Damage(before='{"id": "OGSHKU", "filled": "0.4"}', after='{"id": "OGSHKT", "filled": "0.4"}')])
    near = damages.near({"a": {"pl-a", "OGSHKU"}, "b": {"pl-b", "OGSHKT"}, "c": {"pl-c", "OGSHKS"}})
    assert near == {"a", "b"}
    absent = found("a", "the client never asked for it", "phantom")
    doubled = found("a", "asked for 1, the venue has 2", "doubled")
    other = found("c", "the client believes filled 0.5, it is 0.4")
    assert garbled.excused([absent, doubled, other], near) == [absent]


async def test_the_machine_is_asked_how_long_it_kept_a_process_from_running() -> None:
    with Machine(os.getpid()) as machine:
        before = machine.kept()
        assert before.client_s == pytest.approx(before.exchange_s, abs=1)
        kept = machine.kept().since(before)
    assert 0 <= kept.client_s < 60


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
