"""Asking for many things one by one: a few at a time, inside the budget, with progress, an error per item.

Used where an exchange has no request for several at once (`planar.exchange.composing`), and by batch methods.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias, TypeVar

import planar.runtime as runtime
from planar.errors import Outcome, PlanarError, RateLimitExceeded, RequestTimeout
from planar.transport.account_log import account_log

T = TypeVar("T")
log = account_log("planar")

LANES: Final = 4
"""Items under way at once: enough to hide the network's latency; the budget decides how fast they go."""
TELL_S: Final = 5.0
"""Who waits longer than this reads how far it is."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (done, of how many) after each item."""


async def each(
    what: str,
    names: Sequence[str],
    one: Callable[[str, int | None], Awaitable[T]],
    *,
    timeout_ms: int | None = None,
    progress: Progress | None = None,
) -> tuple[dict[str, T], dict[str, PlanarError]]:
    """`one(name, milliseconds it may take)` for each name; (results, errors), in the order of the names.

    What the budget holds back waits for its turn: for as long as it takes, or until the deadline of all. A log line tells
    every few seconds how far a long one is, unless `progress` is given.

    Args:
        timeout_ms: of all together; None: each has what a call has by the settings.

    Raises:
        PlanarError: every item failed; that of the first.
    """
    results: dict[str, T] = {}
    errors: dict[str, PlanarError] = {}
    waiting = iter(dict.fromkeys(names))
    total, told_s = len(set(names)), runtime.monotonic()
    due_s = None if timeout_ms is None else told_s + timeout_ms / 1000

    def tell() -> None:
        nonlocal told_s
        done = len(results) + len(errors)
        if progress is not None:
            progress(done, total)
        elif runtime.monotonic() - told_s >= TELL_S:
            told_s = runtime.monotonic()
            log.info("%s: %d of %d", what, done, total)

    async def lane() -> None:
        for name in waiting:
            try:
                results[name] = await _in_turn(what, name, one, due_s)
            except PlanarError as error:
                errors[name] = error
            tell()

    lanes = [runtime.spawn(lane(), name=f"{what}, lane {number}") for number in range(min(LANES, total))]
    try:
        await asyncio.gather(*lanes)
    finally:
        for task in lanes:
            task.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
    if errors and not results:
        raise errors[next(name for name in names if name in errors)]
    order = dict.fromkeys(names)
    return (
        {name: results[name] for name in order if name in results},
        {name: errors[name] for name in order if name in errors},
    )


async def _in_turn(what: str, name: str, one: Callable[[str, int | None], Awaitable[T]], due_s: float | None) -> T:
    """One item, asked for again when the budget has room."""
    while True:
        left_ms = None
        if due_s is not None:
            left_ms = int((due_s - runtime.monotonic()) * 1000)
            if left_ms <= 0:
                raise RequestTimeout(
                    f"{what}: {name} was not asked for before the deadline",
                    outcome=Outcome.NOT_SENT,
                    hint="a longer timeout_ms",
                )
        try:
            return await one(name, left_ms)
        except RateLimitExceeded as error:
            wait_s = error.retry_after_s
            if error.outcome is not Outcome.NOT_SENT or wait_s is None or due_s is not None:
                raise
        log.info("%s: the budget has room for %s in %.0f s", what, name, wait_s)
        await runtime.sleep(wait_s)
