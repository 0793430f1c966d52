"""From a request to its answer: limits, security, the way to the matching engine, the handler. Common to all doors."""

from __future__ import annotations

import contextlib
from typing import Any, Final

import planar.runtime as runtime
from planar.venue.engine import past
from planar.venue.engine.enums import SystemStatus
from planar.venue.wire.binance import errors, security
from planar.venue.wire.binance.desk import Call, Desk, Endpoint
from planar.venue.wire.binance.keys import ApiKey, Right
from planar.venue.wire.binance.params import Params

COMMANDS: Final = (Right.TRADE, Right.WITHDRAW)
"""What changes something, and never reads what is no longer true."""


def charge(desk: Desk, endpoint: Endpoint, params: Params, address: str) -> None:
    """Count the request against its address.

    Raises:
        ApiError: 429 or 418; 503 during maintenance.
    """
    if desk.exchange.conditions.system is SystemStatus.MAINTENANCE and not endpoint.always:
        raise errors.closed_for_maintenance()
    limits = desk.sapi_addresses if endpoint.sapi else desk.addresses
    limits.charge(address, endpoint.weigh(params), runtime.wall_ms())


async def answer(
    desk: Desk,
    endpoint: Endpoint,
    params: Params,
    address: str,
    key: str | None,
    payload: bytes,
) -> tuple[Any, str | None]:
    """Check and carry out a request whose credentials came with it; its answer, and the account that asked.

    Args:
        key: the API key sent, if any.
        payload: what a signature would be over.

    Raises:
        ApiError: the request is refused.
    """
    if endpoint.right is Right.NONE:
        return endpoint.handler(desk, Call(params, address)), None
    if not endpoint.signed:
        found = desk.keys.find(key, address)
        security.check_right(found, endpoint)
        return endpoint.handler(desk, Call(params, address, found)), found.account
    found, stamp = security.authorize(desk, endpoint, params, key, payload, address)
    return await carry_out(desk, endpoint, params, address, found, stamp), found.account


async def carry_out(
    desk: Desk, endpoint: Endpoint, params: Params, address: str, key: ApiKey, stamp: security.Stamp
) -> Any:
    """A signed request that has been accepted, on its way to the matching engine, where its age is checked once more.

    Raises:
        ApiError: the request is refused.
    """
    if desk.settings.engine_delay_ms:
        await runtime.sleep(desk.settings.engine_delay_ms / 1000)
    stamp.check_age(security.now_us())
    with past.present() if endpoint.right in COMMANDS else contextlib.nullcontext():
        return endpoint.handler(desk, Call(params, address, key))
