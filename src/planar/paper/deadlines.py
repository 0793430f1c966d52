"""Deadlines of a paper account: its answers come from this machine, and are late all the same when their time is over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from planar.errors import Outcome, RequestTimeout


@contextlib.asynccontextmanager
async def within(timeout_ms: int, what: str, exchange: str) -> AsyncGenerator[None]:
    """The block in its time; a block that changes something does so without waiting, as its last step.

    Raises:
        RequestTimeout: (NOT_SENT) it was not done.
    """
    over = RequestTimeout(f"{what} was not done within {timeout_ms} ms", exchange=exchange, outcome=Outcome.NOT_SENT)
    if timeout_ms <= 0:
        raise over
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            yield
    except TimeoutError as error:
        raise over from error
