"""Who asks, whether the request is signed, and whether it is in time (rest-api.md, "Request Security")."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import msgspec

from planar.venue import clock
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.desk import Desk, Endpoint
from planar.venue.wire.binance.keys import ApiKey
from planar.venue.wire.binance.params import Params, given

RECV_WINDOW_DEFAULT_MS: Final = 5_000
RECV_WINDOW_MAX_MS: Final = 60_000
AHEAD_MAX_US: Final = 1_000_000
MICROSECONDS_FROM: Final = 10**15
"""A timestamp from here on is one in microseconds."""
LEGAL_WINDOW: Final = r"^[0-9]{1,20}(\.[0-9]{1,3})?$"


class Stamp(msgspec.Struct, frozen=True):
    """When a request was made, and for how long it holds; microseconds."""

    timestamp_us: int
    window_us: int

    def check_arrival(self, now_us: int) -> None:
        """On arrival.

        Raises:
            ApiError: -1021, a second or more ahead, or too old.
        """
        if self.timestamp_us >= now_us + AHEAD_MAX_US:
            raise errors.early()
        self.check_age(now_us)

    def check_age(self, now_us: int) -> None:
        """Once more before the matching engine.

        Raises:
            ApiError: -1021, too old.
        """
        if now_us - self.timestamp_us > self.window_us:
            raise errors.late()


def now_us() -> int:
    """The exchange's time in microseconds."""
    return clock.wall_ns() // 1000


def read_stamp(params: Params) -> Stamp:
    """`timestamp` and `recvWindow`.

    Raises:
        ApiError: one is missing, malformed or too great.
    """
    timestamp = given("timestamp", params.integer("timestamp"))
    window = params.raw("recvWindow")
    if window is None:
        window_us = RECV_WINDOW_DEFAULT_MS * 1000
    elif not re.match(LEGAL_WINDOW.replace("$", r"\Z"), window):
        raise errors.illegal_characters("recvWindow", LEGAL_WINDOW)
    else:
        window_us = int(Decimal(window) * 1000)
        if window_us > RECV_WINDOW_MAX_MS * 1000:
            raise errors.too_great("recvWindow", RECV_WINDOW_MAX_MS)
    return Stamp(timestamp if timestamp >= MICROSECONDS_FROM else timestamp * 1000, window_us)


def authorize(
    desk: Desk, endpoint: Endpoint, params: Params, key: str | None, payload: bytes, address: str
) -> tuple[ApiKey, Stamp]:
    """Check a signed request: key, time, signature, right.

    Args:
        key: the API key sent with the request.
        payload: what the signature is over.
        address: where it came from.

    Raises:
        ApiError: in this order, a key of wrong form, a parameter missing, a wrong time, an unknown key, a wrong
            signature, a key without the right.
    """
    if key is None:
        raise errors.bad_key_format()
    signature = params.raw("signature")
    stamp = read_stamp(params)
    given("signature", signature)
    stamp.check_arrival(now_us())
    found = desk.keys.find(key, address)
    found.verify(payload, signature or "")
    check_right(found, endpoint)
    return found, stamp


def check_right(key: ApiKey, endpoint: Endpoint) -> None:
    """Whether the key may do this.

    Raises:
        ApiError: -2015.
    """
    if endpoint.right not in key.rights:
        raise errors.bad_key()
