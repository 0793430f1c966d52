"""Host names to addresses, also while the name servers are down.

The connector keeps an answer for `TTL_S` and then asks here. When asking fails or takes too long, the last good answer
is given for up to `GOOD_FOR_S`: an exchange moves its addresses far more rarely than a resolver fails. The log says when
that begins and when it ends; `Names.stale` tells which names it concerns.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Final

import msgspec
from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

import planar.runtime as runtime

log = logging.getLogger("planar.transport")

TTL_S: Final = 60
"""How long the connector uses an answer before it asks again."""
GOOD_FOR_S: Final = 3_600.0
"""How long the last good answer is used while no newer one can be had."""
PATIENCE_S: Final = 2.0
"""How long asking may take where there is an earlier answer."""


class _Known(msgspec.Struct):
    addresses: list[ResolveResult]
    at: float
    stale: bool = False


class Names(AbstractResolver):
    """Resolves names for all connectors of a Dialer."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        """
        Args:
            resolver: who is asked; None is the operating system.
        """
        self._resolver = resolver
        self._known: dict[tuple[str, int, int], _Known] = {}

    @property
    def stale(self) -> tuple[str, ...]:
        """The names whose last answer is used since no newer one can be had."""
        return tuple(dict.fromkeys(host for (host, _, _), known in self._known.items() if known.stale))

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            OSError: they cannot be had, and there is no earlier answer that is young enough.
        """
        if self._resolver is None:
            self._resolver = ThreadedResolver()
        key = (host, port, int(family))
        known = self._known.get(key)
        usable = known is not None and runtime.monotonic() - known.at <= GOOD_FOR_S
        try:
            async with asyncio.timeout(PATIENCE_S if usable else None):
                found = await self._resolver.resolve(host, port, family)
            if not found:
                raise OSError(f"{host} has no address")
        except OSError as error:  # a timeout is one
            if known is None or not usable:
                raise
            if not known.stale:
                known.stale = True
                what = str(error) or "no answer in time"
                age_s = runtime.monotonic() - known.at
                log.warning("%s cannot be resolved (%s): its addresses of %.0f s ago are used", host, what, age_s)
            return known.addresses
        if known is not None and known.stale:
            log.warning("%s can be resolved again", host)
        self._known[key] = _Known(found, runtime.monotonic())
        return found

    async def close(self) -> None:
        """Ask nobody any more."""
        if self._resolver is not None:
            await self._resolver.close()
