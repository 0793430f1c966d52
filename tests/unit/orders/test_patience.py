"""Questions that a budget holds back are put again when it has room, and for no longer than their time."""

from __future__ import annotations

import pytest

import planar.runtime as runtime
from planar.errors import NetworkError, Outcome, RateLimitExceeded
from planar.orders.patience import HELD_BACK_S, asked


def held_back(wait_s: float | None, outcome: Outcome = Outcome.NOT_SENT) -> RateLimitExceeded:
    return RateLimitExceeded("the limit is used up", outcome=outcome, retry_after_s=wait_s)


def play(errors: list[Exception]) -> tuple[int, float]:
    """How often it was asked, and how long that took."""

    async def main() -> tuple[int, float]:
        began_s, times = runtime.monotonic(), 0

        async def question() -> int:
            nonlocal times
            times += 1
            if errors:
                raise errors.pop(0)
            return times

        return await asked(question), runtime.monotonic() - began_s

    return runtime.simulate(main, seed=1)


def test_it_is_asked_again_when_there_is_room() -> None:
    assert play([held_back(3.0), held_back(4.0)]) == (3, pytest.approx(7.0))


@pytest.mark.parametrize(
    "error",
    [
        held_back(HELD_BACK_S + 1),
        held_back(None),
        held_back(3.0, Outcome.REFUSED),
        NetworkError("no", outcome=Outcome.NOT_SENT),
    ],
)
def test_nothing_else_is_waited_for(error: Exception) -> None:
    with pytest.raises(type(error)):
        play([error])


def test_the_waits_together_have_an_end() -> None:
    with pytest.raises(RateLimitExceeded):
        play([held_back(20.0) for _ in range(10)])
