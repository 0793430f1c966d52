"""Lost answers, a silent venue, reads that lag: shares of `benchmarks.safety.unknown`, judged by the venue's ledger."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from benchmarks.safety import unknown
from benchmarks.safety.simulated import PLACES

import planar.runtime as runtime
from planar.adapters.profile import load_profile
from planar.models import Order, OrderState
from planar.venue.faults import DropRequest


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", PLACES)
def test_each_lost_answer_ends_in_the_ledgers_state_in_time(name: str, tmp_path: Path) -> None:
    found = unknown.lost_answers(name, tmp_path, 5, 40)
    print(unknown.told(found))
    assert found.wrong == []
    assert found.orders == 40
    assert found.there > 20 < 20 + found.absent


@pytest.mark.parametrize("name", PLACES)
def test_a_silent_venue_is_never_guessed_about(name: str, tmp_path: Path) -> None:
    found = unknown.silence(name, tmp_path, 3)
    print(unknown.told(found))
    assert found.wrong == []
    assert (found.orders, found.there) == (1, 1)
    (alarmed_s,) = found.alarmed_s
    assert alarmed_s <= 10


@pytest.mark.parametrize(("name", "lag_ms"), [(name, lag) for name in PLACES for lag in unknown.LAGS_MS[name]])
def test_reads_that_lag_prove_nothing_false_or_are_taken_back_with_an_alarm(
    name: str, lag_ms: int, tmp_path: Path
) -> None:
    found = unknown.lag(name, tmp_path, 4, lag_ms)
    print(unknown.told(found))
    assert found.wrong == []
    assert (found.orders, found.there) == (1, 1)
    assert found.corrected == (lag_ms > load_profile(name).expiry.settle_ms)


def test_many_that_never_arrived_share_the_questions_of_their_proof(tmp_path: Path) -> None:
    """Ten orders by themselves would ask a hundred times and more, at one question in three seconds."""
    asked: list[str] = []

    async def play(trial: unknown.Trial) -> None:
        book, ask = trial.stage.server.faults, trial.stage.server.faults.fault_for

        def note(subject, content: bytes = b""):
            if subject.part == "request" and ("rders" in subject.path or "rades" in subject.path):
                asked.append(subject.path)
            return ask(subject, content)

        book.fault_for = note
        trial.meets(DropRequest(), method="POST", path=trial.path, count=10)
        results = await asyncio.gather(*(unknown._place(trial) for _ in range(10)))
        for client_id, _ in results:
            assert trial.exchange.orders[client_id].state is OrderState.NEVER_ACCEPTED
        assert max(took_s for _, took_s in results) <= unknown.LIMIT_S["kraken"]
        await runtime.sleep(1)

    unknown.played("kraken", tmp_path, 6, play)
    assert len(asked) <= 40, asked


def test_an_id_that_was_misread_does_not_keep_others_unknown(tmp_path: Path) -> None:
    """The lists never show an order of that id; they show it by the client id."""

    async def play(trial: unknown.Trial) -> None:
        adapter = trial.exchange._adapter
        submit = adapter.submit

        async def misread(request: Any, **options: Any) -> Order:
            return msgspec.structs.replace(await submit(request, **options), id="999999999")

        trial.meets(DropRequest(), method="POST", path=trial.path)
        absent = asyncio.create_task(unknown._place(trial))
        await runtime.sleep(1)
        adapter.submit = misread  # type: ignore[method-assign]
        await unknown._place(trial)
        client_id, took_s = await absent
        assert trial.exchange.orders[client_id].state is OrderState.NEVER_ACCEPTED
        assert took_s < 10  # and not when somebody happens to look the other one up

    unknown.played("binance", tmp_path, 2, play)


def test_a_judge_that_is_shown_a_wrong_state_says_so(tmp_path: Path) -> None:
    async def play(trial: unknown.Trial) -> None:
        client_id, _ = await unknown._place(trial)
        trial.is_there = lambda name: False
        trial.judge(client_id)

    found = unknown.played("binance", tmp_path, 1, play)
    assert len(found.wrong) == 1
