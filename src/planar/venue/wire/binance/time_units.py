"""Milliseconds or microseconds: what a client may ask its times to be in (header X-MBX-TIME-UNIT, URL `timeUnit`)."""

from __future__ import annotations

from typing import Any, Final, cast

from planar.venue.wire.binance.errors import ApiError

MILLISECONDS: Final = 1
MICROSECONDS: Final = 1000
"""Time units, as the factor on milliseconds."""

HEADER: Final = "X-MBX-TIME-UNIT"
_WORDS: Final = {
    "MICROSECOND": MICROSECONDS,
    "microsecond": MICROSECONDS,
    "MILLISECOND": MILLISECONDS,
    "millisecond": MILLISECONDS,
}
_TIME_FIELDS: Final = frozenset(
    {
        "serverTime",
        "transactTime",
        "time",
        "updateTime",
        "workingTime",
        "openTime",
        "closeTime",
        "T",
        "authorizedSince",
        "connectedSince",
    }
)
_KLINE_LENGTH: Final = 12
_KLINE_CLOSE: Final = 6


def read_unit(word: str | None) -> int:
    """The unit asked for.

    Raises:
        ApiError: -1194, no such unit.
    """
    if word is None:
        return MILLISECONDS
    if word not in _WORDS:
        raise ApiError(-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
    return _WORDS[word]


def convert(answer: Any, unit: int) -> Any:
    """An answer with its times in the unit asked for."""
    return answer if unit == MILLISECONDS else _in_microseconds(answer)


def _in_microseconds(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: _field(name, item) for name, item in fields.items()}
    if not isinstance(value, list):
        return value
    items = cast("list[Any]", value)
    if len(items) == _KLINE_LENGTH and isinstance(items[0], int):
        opened, closed = items[0] * MICROSECONDS, (items[_KLINE_CLOSE] + 1) * MICROSECONDS - 1
        return [opened, *items[1:_KLINE_CLOSE], closed, *items[_KLINE_CLOSE + 1 :]]
    return [_in_microseconds(item) for item in items]


def _field(name: str, value: Any) -> Any:
    if name in _TIME_FIELDS and isinstance(value, int):
        return value * MICROSECONDS if value > 0 else value  # -1 stands for none
    return _in_microseconds(value)
