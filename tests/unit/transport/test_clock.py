"""The venue's clock: bounds from round trips, drift, a system clock that is set."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import planar.runtime as runtime
from planar.runtime.system import SystemRuntime
from planar.transport.clock import REFRESH_S, VenueClock


def test_before_the_first_answer_it_is_the_system_clock() -> None:
    clock = VenueClock()
    assert abs(clock.wall_ms() - runtime.wall_ms()) <= 5
    assert clock.due
    assert clock.health().offset_ms is None


@given(
    st.integers(-86_400_000, 86_400_000),
    st.lists(st.tuples(st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0, 100)), min_size=1, max_size=10),
)
def test_the_true_time_is_always_within_the_bounds(skew_ms: int, trips: list[tuple[float, float, float]]) -> None:
    """Whatever the two ways of a round trip take, and a drift that a bad quartz has."""
    clock, now, drift = VenueClock(), runtime.monotonic() - 2_000, 1.0001
    base_ns = runtime.wall_ns() - runtime.monotonic_ns() + skew_ms * 1_000_000
    for there_s, back_s, pause_s in trips:
        told_ns = int((now + there_s) * drift * 1e9) + base_ns
        clock.sample(told_ns // 1_000_000, now, now + there_s + back_s)
        at = now + there_s + back_s
        true_ns = int(at * drift * 1e9) + base_ns
        known = clock._base_ns + int(at * 1e9)  # type: ignore[operator]
        assert abs(known - true_ns) <= (clock._high_ns - clock._low_ns) / 2 + 200_000
        now += pause_s + there_s + back_s


def test_short_round_trips_make_it_exact() -> None:
    clock = VenueClock()
    for number in range(20):
        sent = runtime.monotonic() + number * 0.0137
        told_ms = (runtime.wall_ns() + 3_000_000_000 + int((sent + 0.001 - runtime.monotonic()) * 1e9)) // 1_000_000
        clock.sample(told_ms, sent, sent + 0.002)
    health = clock.health()
    assert health.uncertainty_ms is not None
    assert health.offset_ms is not None
    assert health.uncertainty_ms < 2
    assert health.offset_ms == pytest.approx(3_000, abs=3)
    assert clock.off_ms() == pytest.approx(3_000, abs=3)
    assert not clock.due


def test_a_venue_that_tells_whole_seconds_is_bounded_by_several_answers() -> None:
    clock, began = VenueClock(), 1_000_000.25
    for number in range(40):
        true_s = began + number * 0.13
        clock.sample(int(true_s) * 1000, number * 0.13, number * 0.13 + 0.004)
    assert (clock._high_ns - clock._low_ns) / 1e6 < 150


def test_a_system_clock_that_is_set_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    jump_s = 0
    monkeypatch.setattr(SystemRuntime, "wall_ns", lambda self: time.time_ns() + jump_s * 1_000_000_000)
    clock = VenueClock()
    clock.sample(runtime.wall_ms(), runtime.monotonic(), runtime.monotonic() + 0.001)
    for jump_s in (600, -600):
        assert abs(clock.wall_ms() - time.time_ns() // 1_000_000) < 600
        assert clock.off_ms() == pytest.approx(-jump_s * 1000, abs=600)


def test_when_the_venue_sets_its_clock_the_new_bounds_hold() -> None:
    clock, now = VenueClock(), runtime.monotonic()
    clock.sample(1_000_000_001, now, now + 0.01)
    clock.sample(1_000_900_001, now + 1, now + 1.01)
    assert abs(clock._base_ns + int((now + 1.005) * 1e9) - 1_000_900_001_000_000) < 10_000_000  # type: ignore[operator]


def test_it_is_due_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = VenueClock()
    clock.sample(runtime.wall_ms(), runtime.monotonic(), runtime.monotonic() + 0.001)
    assert not clock.due
    now = runtime.monotonic() + REFRESH_S + 1
    monkeypatch.setattr(SystemRuntime, "monotonic", lambda self: now)
    assert clock.due
    clock.asking = True
    assert not clock.due
