"""Seeded chance and exact numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planar.venue.engine.noise import Stream
from planar.venue.engine.units import rate_of, require_units, to_decimal, to_units


def test_a_key_decides_the_numbers_for_ever():
    assert [Stream(1, "a").word() for _ in range(2)] == [Stream(1, "a").word()] * 2
    draws = Stream(7, "BTC/USDT", 60_000)
    assert [draws.word() for _ in range(3)] == [1311328177, 189403352, 1034229950]
    assert Stream(1, 11).word() != Stream(11, 1).word()


def test_a_stream_does_not_repeat_itself():
    draws = Stream(1, "long")
    words = [draws.word() for _ in range(2_000)]
    assert len(set(words)) > 1_990


def test_draws_are_spread_as_they_should_be():
    draws = Stream(5, "spread")
    n = 20_000
    uniform = [draws.uniform() for _ in range(n)]
    gauss = [draws.gauss() for _ in range(n)]
    counts = [draws.count(2.5) for _ in range(n)]
    assert 0 <= min(uniform) < max(uniform) < 1
    assert abs(sum(uniform) / n - 0.5) < 0.01
    assert abs(sum(gauss) / n) < 0.03
    assert abs(sum(x * x for x in gauss) / n - 1) < 0.05
    assert abs(sum(draws.exponential(4.0) for _ in range(n)) / n - 4) < 0.15
    assert abs(sum(counts) / n - 2.5) < 0.06
    assert draws.count(0) == 0
    assert {draws.below(3) for _ in range(100)} == {0, 1, 2}
    assert {draws.between(4, 6) for _ in range(100)} == {4, 5, 6}
    assert len(draws.text(30)) == 30
    assert set(draws.text(50, "ab")) == {"a", "b"}


def test_units_are_exact_or_refused():
    assert to_units(Decimal("1.23456789")) == 123456789
    assert to_units(Decimal("1.234567891")) is None
    assert to_units(Decimal("1.5000000000000")) == 150000000
    assert to_units(Decimal("NaN")) is to_units(Decimal("Infinity")) is None
    assert str(to_decimal(123456789)) == "1.23456789"
    assert to_decimal(10**27) == 10**19
    with pytest.raises(ValueError, match="tick"):
        require_units(Decimal("1e-9"), "tick")


def test_a_rate_is_rounded_half_up():
    assert rate_of(1_000, 100_000) == 1
    assert rate_of(500, 100_000) == 1
    assert rate_of(499, 100_000) == 0
