"""CCXT, unmodified, on Kraken: `ccxt`, `ccxt.async_support` and `ccxt.pro`, through the proxy, told of it as users are."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt
import ccxt.async_support
import ccxt.pro

from judges.ccxt_basics import Basics
from judges.ccxt_kraken import BY_REST, BY_SOCKET, KRAKEN, KrakenLife
from judges.ccxt_kraken_streams import KrakenStreams
from judges.ccxt_venues import PARTNERS, SECOND, VENUES
from judges.ccxt_words import Client, made_by
from judges.kit import Checks, Venue, begin, check_shipped

NOT_HERE = {
    "createdepositaddress": "the addresses of an account are there",
    "fetchcurrenciesws": "in the list of every exchange, a method of none",
    "fetchpositions": "of margin",
    "transfer": "to a futures wallet, which an account has not here",
    "watchtradesforsymbols": "the same subscription as watchTrades",
}
NO_METHODS = {"margin", "privateapi", "publicapi", "spot", "ws"}


class Judge:
    """The parts of the judgement. Every part can be run alone on a venue of its own."""

    def __init__(self, checks: Checks, venue: Venue) -> None:
        self._checks, self._venue = checks, venue
        self.called: set[str] = set()

    @asynccontextmanager
    async def _clients(self, module: Any, partners: tuple[str, ...] = PARTNERS) -> AsyncIterator[list[Client]]:
        lines = self._venue.lines["ccxt-py-sync" if module is ccxt else "ccxt-py"]
        if module is ccxt.async_support:
            lines = lines.replace("ccxt.pro.", "ccxt.")  # they say that they are for both
        root = ccxt if module is ccxt.pro else module
        made = [Client(made_by(lines, root), name, self._venue.keys[name], self.called) for name in partners]
        for client in made:
            for name, value in VENUES["kraken"].settings.items():
                setattr(client.exchange, name, value)
        try:
            yield made
        finally:
            for client in made:
                await client.close()

    async def orders(self, module: Any, partners: tuple[str, ...] = PARTNERS) -> None:
        """Every kind of order by REST, and the money."""
        async with self._clients(module, partners) as (own, other):
            life = KrakenLife(self._checks, self._venue, own, other, KRAKEN, BY_REST)
            await life.run()
            await life.money()

    async def data(self, module: Any) -> None:
        """Markets by REST."""
        async with self._clients(module) as (alice, _):
            await Basics(self._checks, self._venue, alice).rest()

    async def private(self, partners: tuple[str, ...] = PARTNERS) -> None:
        """Every kind of order by WebSocket, while the private streams listen."""
        async with self._clients(ccxt.pro, partners) as (own, other):
            streams = KrakenStreams(self._checks, self._venue, own)
            await streams.start()
            await KrakenLife(self._checks, self._venue, own, other, KRAKEN, BY_SOCKET).run()
            await streams.judge()

    async def public(self) -> None:
        """The public streams."""
        async with self._clients(ccxt.pro) as (alice, _):
            await Basics(self._checks, self._venue, alice).streams()

    def coverage(self) -> None:
        """Every method that CCXT says the exchange has was called, but for those that do not concern it here."""
        has = {name.lower() for name, value in ccxt.pro.kraken().has.items() if value} - NO_METHODS
        done = {name.replace("_", "") for name in self.called}
        self._checks.same("methods that nobody judged", sorted(has - done - set(NOT_HERE)), [])
        self._checks.same("methods that were judged although they are not here", sorted(done & set(NOT_HERE)), [])


async def run(checks: Checks, venue: Venue) -> None:
    """All parts, one after the other."""
    venue.freeze()
    judge = Judge(checks, venue)
    with checks.part("data by REST, synchronous"):
        await judge.data(ccxt)
    with checks.part("orders by REST, synchronous"):
        await judge.orders(ccxt)
    with checks.part("data by REST, asynchronous"):
        await judge.data(ccxt.async_support)
    with checks.part("orders by REST, asynchronous"):
        await judge.orders(ccxt.async_support, SECOND)
    with checks.part("orders by WebSocket, and the private streams"):
        await judge.private(PARTNERS)
    with checks.part("the public streams"):
        await judge.public()
    with checks.part("what was judged"):
        judge.coverage()
        check_shipped(checks, "ccxt", [name for name in sys.modules if name.startswith("ccxt")])


if __name__ == "__main__":
    asyncio.run(run(*begin()[:2]))
