"""A program runs for weeks, and markets change meanwhile: steps, least amounts, what is listed, what has halted.

`MarketKeeper` loads them again in the background: when they are old, and soon after the exchange refused an order that
they allowed. What cannot be loaded stays as it was, with a warning, and is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import planar.runtime as runtime
from planar.errors import BadSymbol, InvalidOrder, MarketClosed, PlanarError
from planar.models import Market
from planar.transport.account_log import account_log, fresh_context, logging_for

log = account_log("planar.markets")

FIRST_S = 60.0
"""Markets that are old at the start are left alone for so long: a program that ends soon asks for nothing."""
GAP_S = 60.0
"""Between two loads that nobody asked for, at the least."""
TOLD = 10
"""So many markets a line names."""

Markets = Mapping[str, Market]


class MarketKeeper:
    """The markets of one exchange, kept new.

    Args:
        label: of the exchange and its account.
        load: asks the exchange for its markets, and has them used.
        every_ms: how old they may become; 0: they are never loaded by themselves.
    """

    def __init__(self, label: str, load: Callable[[], Awaitable[Markets]], every_ms: int) -> None:
        self._label = label
        self._load = load
        self._every_s = every_ms / 1000
        self._markets: Markets = {}
        self._loaded_s = 0.0
        self._age_s = 0.0
        self._doubt = ""
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def loaded(self, markets: Markets, age_ms: int) -> None:
        """The markets are these now, and were fetched so long ago; from now on they are kept."""
        before, self._markets = self._markets, markets
        self._loaded_s, self._doubt = runtime.monotonic(), ""
        self._age_s = 0.0 if before else age_ms / 1000  # offline even what is asked for anew is old
        if before:
            with logging_for(self._label):
                _tell(before, markets)
        if self._task is not None:
            self._news.set()
        elif self._every_s:
            with logging_for(self._label):
                self._task = fresh_context().run(runtime.spawn, self._keep(), name=f"{self._label}: keep markets")

    def refused(self, error: PlanarError) -> None:
        """The exchange refused an order that the markets allowed: if that may be since they changed, they are loaded."""
        if type(error) is InvalidOrder or isinstance(error, BadSymbol | MarketClosed):
            self._doubt = f"an order was refused: {error.message}"
            self._news.set()

    async def close(self) -> None:
        """Let the markets be."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    # -- keeping ---------------------------------------------------------------------------------------------------
    async def _keep(self) -> None:
        failed_s = float("-inf")
        while True:
            due_s = self._due_s(failed_s)
            self._news.clear()
            try:
                async with asyncio.timeout(max(0.0, due_s - runtime.monotonic())):
                    await self._news.wait()
                continue
            except TimeoutError:
                pass
            log.info("the markets are loaded again: %s", self._doubt or "they are old")
            try:
                await self._load()
            except PlanarError as error:
                failed_s = runtime.monotonic()
                log.warning("the markets could not be loaded again, and stay as they were: %s", error)

    def _due_s(self, failed_s: float) -> float:
        """When the next load is due, by `runtime.monotonic()`."""
        old_s = self._loaded_s + max(min(FIRST_S, self._every_s), self._every_s - self._age_s)
        wanted_s = self._loaded_s + GAP_S if self._doubt else old_s
        return max(min(wanted_s, old_s), failed_s + GAP_S)


def _tell(before: Markets, after: Markets) -> None:
    """Which markets came and went."""
    for word, symbols in (("new", after.keys() - before.keys()), ("gone", before.keys() - after.keys())):
        if symbols:
            log.info("%d markets are %s: %s", len(symbols), word, _named(sorted(symbols)))


def _named(symbols: Sequence[str]) -> str:
    more = len(symbols) - TOLD
    return ", ".join(symbols[:TOLD]) + (f" and {more} more" if more > 0 else "")
