"""What does not fit a struct is told with field, value and what is wanted."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest

from planar.venue.misfits import misfit


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    lag_ms: Annotated[int, msgspec.Meta(ge=1, le=60_000)]
    share: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    fault: Inner
    venue: str | None = None
    rows: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"fault": {"lag_ms": -5}}, "fault.lag_ms = -5: it must be a whole number, at least 1"),
        ({"fault": {"lag_ms": 70_000}}, "fault.lag_ms = 70000: it must be a whole number, at most 60000"),
        ({"fault": {"lag_ms": "x"}}, "fault.lag_ms = 'x': it must be a whole number"),
        ({"fault": {"lag_ms": 1, "share": 0.0}}, "fault.share = 0: it must be a number, more than 0"),
        ({"fault": {}}, "fault.lag_ms is missing"),
        ({"fault": {"lag_ms": 1, "lag": 1}}, "fault.lag is no field here"),
        ({}, "fault is missing"),
        ({"fault": {"lag_ms": 1}, "venue": 3}, "venue = 3: it must be a text"),
        ([], "it must be object"),
    ],
)
def test_field_value_and_wish_are_named(values: Any, told: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(values, Outer)
    assert misfit(caught.value, values) == told


def test_a_place_in_a_list_shows_the_whole() -> None:
    values = {"fault": {"lag_ms": 1}, "rows": [1, "x"]}
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(values, Outer)
    assert misfit(caught.value, values).startswith("rows[1] = {")
