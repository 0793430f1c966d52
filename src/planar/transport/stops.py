"""For how long a venue said to stay away: `Retry-After`, or a moment that its text names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import planar.runtime as runtime

_UNTIL = re.compile(r"\b(?:until|before|after)\D{0,20}(\d{13}|\d{10})(?!\d)")
"""A Unix time in milliseconds or seconds, as in "IP banned until 1573023493000"."""
_UNTIL_ISO = re.compile(r"\b(?:until|before|after)\D{0,20}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|\+00:00)?")


def stop_s(headers: Mapping[str, str], text: str, otherwise_s: float) -> float:
    """Seconds to stay away, as the answer says; `otherwise_s` if it does not.

    Args:
        headers: of the answer.
        text: of the answer.
    """
    said = headers.get("Retry-After", "").strip()
    try:
        return max(float(said), 0.0)
    except ValueError:
        pass
    until_s = _until_s(said, text)
    return otherwise_s if until_s is None else max(until_s - runtime.wall_ns() / 1e9, 0.0)


def _until_s(said: str, text: str) -> float | None:
    """The moment that a header or text names, as Unix time."""
    try:
        return parsedate_to_datetime(said).timestamp()
    except ValueError:
        pass
    if (found := _UNTIL.search(text)) is not None:
        return float(found[1]) / (1000 if len(found[1]) == 13 else 1)
    if (found := _UNTIL_ISO.search(text)) is not None:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
    return None
