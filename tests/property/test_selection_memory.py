"""Selection does not flap: whatever exchanges do, and however often they are looked at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from planar.multi.selection import Candidate, Memory

NAMES = ("first", "second", "third")
BACK_S = 10.0
LOOKS = st.lists(
    st.tuples(st.floats(0.01, 30.0), st.tuples(st.booleans(), st.booleans(), st.booleans())), min_size=1, max_size=60
)


def candidates(fits: tuple[bool, ...]) -> list[Candidate]:
    pairs = zip(NAMES, fits, strict=True)
    return [Candidate(name, fit, float(at) if fit else None, "") for at, (name, fit) in enumerate(pairs)]


@given(LOOKS)
def test_a_working_exchange_is_left_only_for_one_that_has_not_failed_for_the_time(
    looks: list[tuple[float, tuple[bool, ...]]],
) -> None:
    memory, now_s, failed_s = Memory(BACK_S), 0.0, dict.fromkeys(NAMES, float("-inf"))
    for passed_s, fits in looks:
        now_s += passed_s
        before, working = memory.chosen, dict(zip(NAMES, fits, strict=True))
        failed_s.update((name, now_s) for name, fit in working.items() if not fit)
        found = memory.settle(candidates(fits), now_s)
        if not any(fits):
            assert found is None
            assert memory.chosen == before
            continue
        assert found is not None
        assert working[found.exchange], "one that fails is never used"
        assert memory.chosen == found.exchange
        if before is not None and working[before] and found.exchange != before:
            assert now_s - failed_s[found.exchange] >= BACK_S, "it came back too early"
        rested = [name for name in NAMES if now_s - failed_s[name] >= BACK_S]
        if rested and before is not None:
            assert NAMES.index(found.exchange) <= NAMES.index(rested[0]), "who works for the time is preferred in order"


@given(st.lists(st.booleans(), min_size=20, max_size=200), st.floats(0.05, 2.0))
def test_a_primary_that_comes_and_goes_changes_nothing_more_often_than_the_time_allows(
    up: list[bool], every_s: float
) -> None:
    memory, changes, now_s = Memory(BACK_S), 0, 0.0
    for works in up:
        now_s += every_s
        before = memory.chosen
        memory.settle(candidates((works, True, True)), now_s)
        changes += before is not None and memory.chosen != before
    assert changes <= 2 + 2 * now_s / BACK_S


def test_who_failed_is_looked_at_again_after_half_of_the_time() -> None:
    memory = Memory(BACK_S)
    memory.settle(candidates((False, True, True)), 100.0)
    assert not memory.may_return(["first"], 104.9)
    assert memory.may_return(["first"], 105.0)
    assert memory.may_return(["third"], 100.0)
