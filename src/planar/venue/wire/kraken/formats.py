"""How Kraken writes numbers and times, in REST answers (strings) and on the WebSocket (JSON numbers, RFC 3339)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import orjson

PLACES: Final = 8
"""Decimal places of amounts and of values in quote: the engine's resolution, so that nothing is rounded away."""
ZERO: Final = Decimal(0)


def fixed(value: Decimal, places: int = PLACES) -> str:
    """A number with a fixed count of decimal places, never in scientific notation."""
    return f"{value:.{places}f}"


def plain(value: Decimal) -> str:
    """Shortest decimal form."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: Decimal, places: int = PLACES) -> orjson.Fragment:
    """A JSON number with its trailing zeros, as the WebSocket sends it."""
    return orjson.Fragment(f"{value:.{places}f}")


def places_of(step: Decimal) -> int:
    """Decimal places of a tick or a lot."""
    text = plain(step)
    return len(text.partition(".")[2])


def quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """An average; zero where there is nothing to divide by."""
    return numerator / denominator if denominator else ZERO


def seconds(ts_ms: int) -> float:
    """Unix seconds with a fraction, as REST gives the times of orders and trades."""
    return ts_ms / 1000


def rfc3339(ts_ms: int) -> str:
    """A time of the WebSocket, with microseconds: 2023-09-25T07:49:37.708000Z."""
    moment = datetime.fromtimestamp(ts_ms / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ts_ms % 1000:03d}000Z"


def rfc3339_seconds(ts_ms: int) -> str:
    """A time in whole seconds: 2023-07-06T18:52:00Z."""
    return f"{datetime.fromtimestamp(ts_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
