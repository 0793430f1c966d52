"""CCXT, unmodified: `ccxt`, `ccxt.async_support` and `ccxt.pro`, through the proxy, told of it as users are."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt
import ccxt.async_support
import ccxt.pro

from judges.ccxt_binance import BINANCE, BY_REST, BY_SOCKET, BinanceLife
from judges.ccxt_data import Data
from judges.ccxt_streams import PrivateStreams, PublicStreams
from judges.ccxt_words import Client, made_by
from judges.kit import Checks, Venue, begin, check_shipped
from judges.raw_data import LIVE_S

PARTNERS = ("alice", "bob")

DERIVATIVES = re.compile(
    "margin|borrow|repay|leverage|position|funding|liquidation|greeks|option|settlement|interest|longshort|adl"
    "|mark(price|ohlcv)|indexohlcv|premium|convert"
)
"""Names of what concerns derivatives, loans and conversion: the local exchange is a spot market."""
NOT_HERE = {
    "cancelorders": "of swaps",
    "createorders": "not of spot markets",
    "createreduceonlyorder": "of derivatives",
    "editorders": "of derivatives",
    "fetchcurrenciesws": "in the list of every exchange, a method of none",
    "fetchledger": "of derivatives",
    "fetchledgerentry": "of derivatives",
    "fetchopenorder": "not of spot markets",
    "fetchorderbookws": "of swaps",
    "fetchtickerws": "of swaps",
    "transfer": "an account has one wallet here",
    "watchordersforsymbols": "CCXT has not written it",
}
NO_METHODS = {"future", "margin", "option", "privateapi", "publicapi", "sandbox", "spot", "swap", "ws"}


class Judge:
    """The parts of the judgement. Every part can be run alone on a venue of its own.

    Attributes:
        called: CCXT's methods that were used.
    """

    def __init__(self, checks: Checks, venue: Venue, *, paced: bool = True) -> None:
        """`paced`: leave CCXT's own limiter on, as it is by default."""
        self._checks, self._venue, self._paced = checks, venue, paced
        self.called: set[str] = set()

    @asynccontextmanager
    async def _clients(self, module: Any) -> AsyncIterator[list[Client]]:
        """Both accounts' objects of one of CCXT's modules."""
        lines = self._venue.lines["ccxt-py-sync" if module is ccxt else "ccxt-py"]
        if module is ccxt.async_support:
            lines = lines.replace("ccxt.pro.", "ccxt.")  # they say that they are for both
        root = ccxt if module is ccxt.pro else module
        made = [Client(made_by(lines, root), name, self._venue.keys[name], self.called) for name in PARTNERS]
        for client in made:
            client.exchange.enableRateLimit = self._paced
        try:
            yield made
        finally:
            for client in made:
                await client.close()

    async def orders(self, module: Any) -> None:
        """Every kind of order by REST."""
        async with self._clients(module) as (alice, bob):
            await BinanceLife(self._checks, self._venue, alice, bob, BINANCE, BY_REST).run()

    async def data(self, module: Any) -> None:
        """Markets, money and history by REST."""
        async with self._clients(module) as (alice, _):
            await Data(self._checks, self._venue, alice).run()

    async def ed25519(self) -> None:
        """Orders signed with an Ed25519 key, by both doors."""
        keys = self._venue.keys["alice"]["more"]
        async with self._clients(ccxt.pro) as (alice, bob):
            alice.exchange.apiKey, alice.exchange.secret = keys["ed25519.apiKey"], keys["ed25519.secret"]
            life = BinanceLife(self._checks, self._venue, alice, bob, BINANCE, BY_REST)
            await life.place("Ed25519", "market", "buy", 0.002)
            socket = BinanceLife(self._checks, self._venue, alice, bob, BINANCE, BY_SOCKET)
            await socket.place("Ed25519 by the WebSocket API", "market", "sell", 0.002)

    async def private(self) -> None:
        """Every kind of order by the WebSocket API, while the private streams listen."""
        async with self._clients(ccxt.pro) as (alice, bob):
            streams = PrivateStreams(self._checks, self._venue, alice)
            await streams.start()
            await BinanceLife(self._checks, self._venue, alice, bob, BINANCE, BY_SOCKET).run()
            await streams.judge()

    async def public(self) -> None:
        """The public streams."""
        async with self._clients(ccxt.pro) as (alice, _):
            await PublicStreams(self._checks, self._venue, alice, LIVE_S if self._paced else LIVE_S / 3).run()

    def coverage(self) -> None:
        """Every method that CCXT says the exchange has was called, but for those that do not concern it here."""
        has = {name.lower() for name, value in ccxt.pro.binance().has.items() if value} - NO_METHODS
        done = {name.replace("_", "") for name in self.called}
        left = {name for name in has - done if not DERIVATIVES.search(name)}
        self._checks.same("methods that nobody judged", sorted(left - set(NOT_HERE)), [])
        self._checks.same("methods that were judged although they are not here", sorted(done & set(NOT_HERE)), [])


async def run(checks: Checks, venue: Venue) -> None:
    """All parts, one after the other."""
    venue.freeze()
    judge = Judge(checks, venue)
    with checks.part("orders by REST, synchronous"):
        await judge.orders(ccxt)
    with checks.part("data by REST, synchronous"):
        await judge.data(ccxt)
    with checks.part("orders by REST, asynchronous"):
        await judge.orders(ccxt.async_support)
    with checks.part("data by REST, asynchronous"):
        await judge.data(ccxt.async_support)
    with checks.part("an Ed25519 key"):
        await judge.ed25519()
    with checks.part("orders by the WebSocket API, and the private streams"):
        await judge.private()
    with checks.part("the public streams"):
        await judge.public()
    with checks.part("what was judged"):
        judge.coverage()
        check_shipped(checks, "ccxt", [name for name in sys.modules if name.startswith("ccxt")])


if __name__ == "__main__":
    asyncio.run(run(*begin()[:2]))
