"""For how long a venue said to stay away: `Retry-After`, or a moment that its text names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import planar.runtime as runtime

LONGEST_STOP_S: Final = 3 * 24 * 60 * 60.0
"""The longest that is obeyed: bans of Binance last from two minutes to three days (documentation: IP Limits). Whoever
names a longer time than that means something else by it, or is no venue; this one is asked again after it."""

_UNTIL = re.compile(r"\b(?:until|before|after)\D{0,20}(\d{13}|\d{10})(?!\d)")
"""A Unix time in milliseconds or seconds, as in "IP banned until 1573023493000"."""
_UNTIL_ISO = re.compile(r"\b(?:until|before|after)\D{0,20}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|\+00:00)?")


_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]*)?")
_MOMENT = re.compile(r"[0-9]{13}|[0-9]{10}")


def stop_s(headers: Mapping[str, str], text: str, otherwise_s: float) -> float:
    """Seconds to stay away, as the answer says, at most `LONGEST_STOP_S`; `otherwise_s` if it does not say.

    Args:
        headers: of the answer.
        text: of the answer.
    """
    said = headers.get("Retry-After", "").strip()
    seconds = seconds_of(said)
    if seconds is None and (until_s := _until_s(said, text)) is not None:
        seconds = max(until_s - runtime.wall_ns() / 1e9, 0.0)
    return otherwise_s if seconds is None else min(seconds, LONGEST_STOP_S)


def seconds_of(said: str) -> float | None:
    """The seconds of a `Retry-After`: digits (RFC 9110), perhaps with a fraction. None for anything else: a sign, an
    exponent, digits of other scripts, or so many that nobody can mean them."""
    return float(said) if _SECONDS.fullmatch(said) else None


def _until_s(said: str, text: str) -> float | None:
    """The moment that a header or text names, as Unix time; None if there is none, or no such date."""
    if _MOMENT.fullmatch(said):
        return _unix_s(said)
    try:
        return parsedate_to_datetime(said).timestamp()
    except (ValueError, OverflowError):
        pass
    if (found := _UNTIL.search(text)) is not None:
        return _unix_s(found[1])
    if (found := _UNTIL_ISO.search(text)) is not None:
        try:
            return datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
        except ValueError:
            return None
    return None


def _unix_s(digits: str) -> float:
    return float(digits) / (1000 if len(digits) == 13 else 1)
