"""For how long a venue said to stay away."""

from __future__ import annotations

from email.utils import formatdate

import pytest

import planar.runtime as runtime
from planar.transport.stops import LONGEST_STOP_S, stop_s


@pytest.mark.parametrize(
    ("headers", "text", "expected_s"),
    [
        ({"Retry-After": "7"}, "", 7.0),
        ({"Retry-After": "1.5"}, "banned until 9999999999999", 1.5),
        ({"Retry-After": "0"}, "", 0.0),
        ({"Retry-After": "-3"}, "", 30.0),
        ({"Retry-After": "nan"}, "", 30.0),
        ({"Retry-After": "inf"}, "", 30.0),
        ({"Retry-After": "1e9"}, "", 30.0),
        ({"Retry-After": "\u00b2"}, "", 30.0),
        ({"Retry-After": "\u0663"}, "", 30.0),
        ({"Retry-After": "9" * 400}, "", 30.0),
        ({"Retry-After": "999999999"}, "", LONGEST_STOP_S),
        ({"Retry-After": "9999999999999"}, "", LONGEST_STOP_S),
        ({"Retry-After": "Wed, 21 Oct 9999 07:28:00 GMT"}, "", LONGEST_STOP_S),
        ({"Retry-After": "Mon, 01 Jan 0001 00:00:00 +2359"}, "", 0.0),
        ({"Retry-After": "Tue, 14 Nov 99999 22:20:00 GMT"}, "", 30.0),
        ({}, "banned until 9999-99-99T99:99:99", 30.0),
        ({}, "banned until 9999999999999", LONGEST_STOP_S),
        ({"Retry-After": "soon"}, "", 30.0),
        ({}, "Too many requests", 30.0),
        ({}, "until 12345678901", 30.0),
    ],
)
def test_what_the_answer_says(headers: dict[str, str], text: str, expected_s: float) -> None:
    assert stop_s(headers, text, 30.0) == expected_s


@pytest.mark.parametrize("form", ["date", "ms", "s", "iso"])
def test_a_moment_is_as_far_away_as_it_is(form: str) -> None:
    until_s = runtime.wall_ns() / 1e9 + 90
    headers, text = {}, ""
    if form == "date":
        headers = {"Retry-After": formatdate(until_s, usegmt=True)}
    elif form == "iso":
        from datetime import UTC, datetime

        text = f"rate limited until {datetime.fromtimestamp(until_s, UTC).isoformat(timespec='milliseconds')}"
    else:
        text = f"Way too many requests; IP(1.2.3.4) banned until {until_s * (1000 if form == 'ms' else 1):.0f}. Use streams"
    assert stop_s(headers, text, 30.0) == pytest.approx(90, abs=1.5)


def test_a_moment_that_is_over_holds_nothing_back() -> None:
    assert stop_s({}, "banned until 1573023493000", 30.0) == 0.0
