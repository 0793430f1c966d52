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
from ccxt_data import Data
from ccxt_life import BY_REST, BY_SOCKET, Life
from ccxt_streams import PrivateStreams, PublicStreams
from ccxt_words import Client, made_by
from kit import Checks, Venue, check_shipped, read_task

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


@asynccontextmanager
async def clients(venue: Venue, module: Any, called: set[str]) -> AsyncIterator[list[Client]]:
    """Both accounts' objects of one of CCXT's modules."""
    lines = venue.lines["ccxt-py-sync" if module is ccxt else "ccxt-py"]
    if module is ccxt.async_support:
        lines = lines.replace("ccxt.pro.", "ccxt.")  # the lines say that they are for both
    made = [Client(made_by(lines, module if module is not ccxt.pro else ccxt), name, venue.keys[name], called) for name in PARTNERS]
    try:
        yield made
    finally:
        for client in made:
            await client.close()


def judge_coverage(checks: Checks, called: set[str]) -> None:
    """Every method that CCXT says the exchange has was called, but for those that do not concern it here."""
    has = {name.lower() for name, value in ccxt.pro.binance().has.items() if value} - NO_METHODS
    done = {name.replace("_", "") for name in called}
    left = {name for name in has - done if not DERIVATIVES.search(name)}
    checks.same("methods that nobody judged", sorted(left - set(NOT_HERE)), [])
    checks.same("methods that were judged although they are not here", sorted(done & set(NOT_HERE)), [])


async def judge(checks: Checks, venue: Venue) -> None:
    """All of CCXT's modules."""
    venue.freeze()
    called: set[str] = set()
    with checks.part("orders, synchronous"):
        async with clients(venue, ccxt, called) as (alice, bob):
            await Life(checks, venue, alice, bob, BY_REST).run()
    with checks.part("orders, asynchronous"):
        async with clients(venue, ccxt.async_support, called) as (alice, bob):
            await Life(checks, venue, alice, bob, BY_REST).run()
        async with clients(venue, ccxt.async_support, called) as (alice, _):
            await Data(checks, venue, alice).run()
    with checks.part("orders by the WebSocket API, private streams"):
        async with clients(venue, ccxt.pro, called) as (alice, bob):
            ears = PrivateStreams(checks, venue, alice)
            await ears.start()
            await Life(checks, venue, alice, bob, BY_SOCKET).run()
            await ears.judge()
    with checks.part("public streams"):
        async with clients(venue, ccxt.pro, called) as (alice, _):
            await PublicStreams(checks, venue, alice).run()
    with checks.part("what was not judged"):
        judge_coverage(checks, called)
    check_shipped(checks, "ccxt", [name for name in sys.modules if name.startswith("ccxt")])


if __name__ == "__main__":
    asyncio.run(judge(Checks(), Venue(read_task())))
