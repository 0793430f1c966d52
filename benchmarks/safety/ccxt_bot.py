"""A bot on bare CCXT, written as its users write it: a failed call is tried again, an acknowledged order is noted down.

The venue is reached as Planar reaches it (CCXT's own `session` setting), and CCXT is not changed in any way.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import aiohttp
import ccxt.async_support as ccxt

from benchmarks.safety.wishes import SYMBOL, Belief, Diary, Wish, wish
from planar.transport.local import LocalVenue, account_keys

TRIES = 3


async def _open(venue: LocalVenue, account: str, timeout_ms: int) -> tuple[Any, aiohttp.ClientSession]:
    session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(venue.socket or ""))
    keys = await account_keys(venue, venue.venues[0], account)
    exchange = getattr(ccxt, venue.venues[0])(
        {
            **keys,
            "session": session,
            "timeout": timeout_ms,
            "enableRateLimit": False,
            "has": {"fetchCurrencies": False},
            "options": {"fetchMarkets": {"types": ["spot"]}},
        }
    )
    await exchange.load_markets()
    return exchange, session


async def _create(exchange: Any, wanted: Wish) -> dict[str, Any] | None:
    for _ in range(TRIES):
        try:
            return await exchange.create_order(SYMBOL, "limit", wanted.side, float(wanted.amount), float(wanted.price))
        except ccxt.NetworkError:
            await asyncio.sleep(0.05)
        except ccxt.ExchangeError:
            return None
    return None


async def _fetch(exchange: Any, order_id: str) -> dict[str, Any]:
    for _ in range(TRIES):
        try:
            return await exchange.fetch_order(order_id, SYMBOL)
        except ccxt.NetworkError:
            await asyncio.sleep(0.05)
    return {}


async def live(
    venue: LocalVenue, account: str, diary: Diary, seed: int, prices: tuple[float, float], crash: Callable[[str], None]
) -> None:
    """Trade until killed: the wish without a note is asked for again."""
    exchange, _ = await _open(venue, account, 1_500)
    noted = {line["wish"] for line in diary.lines()}
    number = max(noted, default=-1) + 1
    while True:
        wanted = wish(number, seed, *prices)
        crash("before")
        order = await _create(exchange, wanted)
        crash("after")
        if order is not None:
            diary.write(wish=number, id=order["id"], status=order["status"])
            if wanted.then_cancel and order["status"] == "open":
                with contextlib.suppress(ccxt.BaseError):
                    await exchange.cancel_order(order["id"], SYMBOL)
        number += 1


async def finish(venue: LocalVenue, account: str, diary: Diary, seed: int, prices: tuple[float, float]) -> list[Belief]:
    """What the bot's notes and the venue's answers by their ids amount to."""
    exchange, session = await _open(venue, account, 5_000)
    beliefs: list[Belief] = []
    for line in diary.lines():
        wanted = wish(line["wish"], seed, *prices)
        beliefs.append(_belief(wanted, await _fetch(exchange, line["id"])))
    await exchange.close()
    await session.close()
    return beliefs


def _belief(wanted: Wish, order: dict[str, Any] | None) -> Belief:
    words = {"open": "open", "closed": "filled", "canceled": "canceled", "expired": "expired"}
    if not order or not order.get("id"):
        # CCXT told "failed", or an order without an id: the bot goes on as if there were none
        return Belief(wanted.amount, None, "rejected", "0")
    return Belief(wanted.amount, order["id"], words.get(order["status"], order["status"]), str(order["filled"]))


async def swallow(
    venue: LocalVenue, account: str, seed: int, prices: tuple[float, float], count: int, told: Callable[[int], None]
) -> list[Belief]:
    """Place `count` orders whose answers the venue's faults swallow; ten at a time."""
    exchange, session = await _open(venue, account, 400)
    lanes = asyncio.Semaphore(10)
    done = 0

    async def one(number: int) -> Belief:
        nonlocal done
        wanted = wish(number, seed, *prices, resting=0.1)
        async with lanes:
            order = await _create(exchange, wanted)
            if order and order.get("id"):
                if wanted.then_cancel and order["status"] == "open":
                    with contextlib.suppress(ccxt.BaseError):
                        await exchange.cancel_order(order["id"], SYMBOL)
                order = await _fetch(exchange, order["id"])
        done += 1
        told(done)
        return _belief(wanted, order)

    try:
        return list(await asyncio.gather(*(one(number) for number in range(count))))
    finally:
        await exchange.close()
        await session.close()
