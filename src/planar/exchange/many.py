"""Asking for many things one by one: a few at a time, inside the budget, with progress, an error per item.

Used where an exchange has no request for several at once (`planar.exchange.composing`), and by batch methods.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias, TypeVar

import planar.runtime as runtime
from planar.errors import PlanarError

T = TypeVar("T")
log = logging.getLogger("planar")

LANES: Final = 4
"""Items under way at once: enough to hide the network's latency, few enough that none waits out its deadline for budget."""
TELL_S: Final = 5.0
"""Who waits longer than this reads how far it is."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (done, of how many) after each item."""


async def each(
    what: str,
    names: Sequence[str],
    one: Callable[[str], Awaitable[T]],
    progress: Progress | None = None,
) -> tuple[dict[str, T], dict[str, PlanarError]]:
    """`one(name)` for each name; (results, errors), in the order of the names.

    A log line tells every few seconds how far a long one is, unless `progress` is given.

    Raises:
        PlanarError: every item failed; that of the first.
    """
    results: dict[str, T] = {}
    errors: dict[str, PlanarError] = {}
    waiting = iter(dict.fromkeys(names))
    total, told_s = len(set(names)), runtime.monotonic()

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
                results[name] = await one(name)
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
