"""The breaker of a host: when it opens, who may go, how it closes."""

from __future__ import annotations

import pytest

from planar.transport.breaker import FAILURES, LONGEST_PAUSE_S, SPAN_S, Breaker, BreakerState


def opened() -> Breaker:
    breaker = Breaker()
    for number in range(FAILURES):
        breaker.failed(number * SPAN_S)
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_failures_that_come_together_are_one_event() -> None:
    breaker = Breaker()
    assert not any(breaker.failed(10.0 + number / 100) for number in range(50))
    assert breaker.state is BreakerState.CLOSED
    assert breaker.failed(10.0 + SPAN_S)
    assert breaker.state is BreakerState.OPEN


def test_an_answer_in_between_starts_the_count_anew() -> None:
    breaker = Breaker()
    for number in range(20):
        assert not breaker.failed(float(number))
        if number % (FAILURES - 1) == FAILURES - 2:
            assert not breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED


def test_one_probe_goes_and_its_answer_closes_it() -> None:
    breaker = opened()
    now = (FAILURES - 1) * SPAN_S
    wait_s = breaker.wait_s(now)
    assert 0.3 < wait_s < 0.7
    assert breaker.wait_s(now + wait_s) == 0
    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.wait_s(now + wait_s) > 0
    assert breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.wait_s(now + wait_s) == 0
    assert breaker.since_ms is None


def test_each_probe_that_fails_makes_the_pause_longer() -> None:
    breaker, now, pauses = opened(), (FAILURES - 1) * SPAN_S, list[float]()
    for _ in range(8):
        pauses.append(breaker.wait_s(now))
        now += pauses[-1]
        assert breaker.wait_s(now) == 0
        assert not breaker.failed(now)
    assert pauses[0] < 1
    assert max(pauses) <= LONGEST_PAUSE_S * 1.2
    assert pauses[-1] >= LONGEST_PAUSE_S * 0.8


@pytest.mark.parametrize("told", [True, False])
def test_a_probe_that_ends_without_an_answer_passes_on(told: bool) -> None:
    breaker, now = opened(), 100.0
    assert breaker.wait_s(now) == 0
    if told:
        breaker.abandon_probe(now)
    else:
        now += 11
    assert breaker.wait_s(now) == 0
