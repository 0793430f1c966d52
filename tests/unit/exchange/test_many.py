"""Many things one by one: each has its result or its error, nobody waits for a bad one, nothing stays behind."""

from __future__ import annotations

import asyncio

import pytest

from planar.errors import BadSymbol, NetworkError, Outcome, RateLimitExceeded, RequestTimeout
from planar.exchange.answers import Rows, Table
from planar.exchange.many import LANES, each


async def test_each_item_has_a_result_or_an_error_in_the_order_asked() -> None:
    told: list[tuple[int, int]] = []
    most = now = 0

    async def one(name: str, left_ms: int | None) -> int:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        if name == "bad":
            raise BadSymbol("no such market")
        return len(name)

    names = ["a", "bad", "ccc", "a", *(f"x{n}" for n in range(20))]
    found, errors = await each("test", names, one, progress=lambda done, total: told.append((done, total)))
    assert list(found) == [name for name in dict.fromkeys(names) if name != "bad"]
    assert list(errors) == ["bad"]
    assert told == [(n, 23) for n in range(1, 24)]
    assert most == LANES


async def test_when_all_fail_the_first_error_is_raised() -> None:
    async def one(name: str, left_ms: int | None) -> int:
        raise NetworkError(name)

    with pytest.raises(NetworkError, match="a"):
        await each("test", ["a", "b"], one)
    assert await each("test", [], one) == ({}, {})


async def test_what_the_budget_holds_back_is_asked_for_again_when_there_is_room() -> None:
    asked: list[str] = []

    async def one(name: str, left_ms: int | None) -> int:
        asked.append(name)
        if asked.count(name) < 3:
            raise RateLimitExceeded("full", outcome=Outcome.NOT_SENT, retry_after_s=0.01)
        return 1

    assert await each("test", ["a", "b"], one) == ({"a": 1, "b": 1}, {})
    assert sorted(asked) == ["a"] * 3 + ["b"] * 3

    async def refused(name: str, left_ms: int | None) -> int:
        raise RateLimitExceeded("429", outcome=Outcome.REFUSED, retry_after_s=0.01)

    with pytest.raises(RateLimitExceeded, match="429"):
        await each("test", ["a"], refused)


async def test_one_deadline_for_all() -> None:
    async def one(name: str, left_ms: int | None) -> int:
        assert left_ms is not None
        assert left_ms <= 30
        await asyncio.sleep(0.02)
        return 1

    names = [str(number) for number in range(40)]
    found, errors = await each("test", names, one, timeout_ms=30)
    assert 0 < len(found) < 40
    assert len(found) + len(errors) == 40
    assert {type(error) for error in errors.values()} == {RequestTimeout}
    assert {error.outcome for error in errors.values()} == {Outcome.NOT_SENT}


async def test_who_leaves_takes_his_lanes_along() -> None:
    async def one(name: str, left_ms: int | None) -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(each("lost", ["a", "b"], one))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [one for one in asyncio.all_tasks() if one.get_name().startswith("lost")] == []


def test_answers_show_as_tables_and_escape_what_is_in_them() -> None:
    table = Table({"<b>": 1}, "composed", {"X": BadSymbol("<i>")})
    assert "&lt;b&gt;" in table._repr_html_()
    assert "&lt;i&gt;" in table._repr_html_()
    rows = Rows(range(30))
    assert "and 10 more" in rows._repr_html_()
    assert rows == list(range(30))
