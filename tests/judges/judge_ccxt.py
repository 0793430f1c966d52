"""CCXT, unmodified: `ccxt`, `ccxt.async_support` and `ccxt.pro`, through the proxy, told of it as users are."""

from __future__ import annotations

import asyncio
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
    check_shipped(checks, "ccxt", [name for name in sys.modules if name.startswith("ccxt")])


if __name__ == "__main__":
    asyncio.run(judge(Checks(), Venue(read_task())))
