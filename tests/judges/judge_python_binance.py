"""python-binance: REST (synchronous and not), WebSocket API, streams and its own depth cache, all with the real URLs.

It knows no certificate and no proxy for WebSockets but those of the environment (HTTPS_PROXY, SSL_CERT_FILE); its
synchronous client is told of them by `requests_params`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from binance import AsyncClient, BinanceSocketManager, Client, DepthCacheManager
from binance.exceptions import BinanceAPIException

from judges.kit import Checks, Venue, begin, check_shipped, exact, now_ms
from judges.market import Ladder, ladder
from judges.raw_data import BOOK_LEVELS, MARKET, STREAMS, Heard, agreed, event_of, judge_rest, judge_streams, until
from judges.raw_door import TableDoor
from judges.raw_life import SYMBOL, Life
from judges.raw_user import Account, judge_account
from judges.words import ledger_balances

DATA = {
    "ping": "ping",
    "time": "get_server_time",
    "exchangeInfo": "get_exchange_info",
    "depth": "get_order_book",
    "trades": "get_recent_trades",
    "historicalTrades": "get_historical_trades",
    "aggTrades": "get_aggregate_trades",
    "klines": "get_klines",
    "avgPrice": "get_avg_price",
    "ticker/24hr": "get_ticker",
    "ticker/price": "get_symbol_ticker",
    "ticker/bookTicker": "get_orderbook_ticker",
}
REST = {
    **DATA,
    "new": "create_order",
    "test": "create_test_order",
    "cancel": "cancel_order",
    "cancel_all": "cancel_all_open_orders",
    "replace": "cancel_replace_order",
    "get": "get_order",
    "open": "get_open_orders",
    "all": "get_all_orders",
    "fills": "get_my_trades",
    "account": "get_account",
}
SOCKET = {
    "new": "ws_create_order",
    "test": "ws_create_test_order",
    "cancel": "ws_cancel_order",
    "cancel_all": "ws_cancel_all_open_orders",
    "replace": "ws_cancel_and_replace_order",
    "get": "ws_get_order",
    "open": "ws_get_open_orders",
    "all": "ws_get_all_orders",
    "fills": "ws_get_my_trades",
    "account": "ws_get_account",
    "ping": "ws_ping",
    "time": "ws_get_time",
    "exchangeInfo": "ws_get_exchange_info",
    "depth": "ws_get_order_book",
    "trades": "ws_get_recent_trades",
    "historicalTrades": "ws_get_historical_trades",
    "aggTrades": "ws_get_aggregate_trades",
    "klines": "ws_get_klines",
    "avgPrice": "ws_get_avg_price",
    "ticker/24hr": "ws_get_ticker",
    "ticker/price": "ws_get_symbol_ticker",
    "ticker/bookTicker": "ws_get_orderbook_ticker",
}
PARTNERS = ("alice", "bob")


def door(client: Any, names: dict[str, str]) -> TableDoor:
    """One of the library's clients."""
    return TableDoor(client, names, lambda error: error.code if isinstance(error, BinanceAPIException) else None)


@asynccontextmanager
async def clients(venue: Venue, **options: Any) -> AsyncIterator[list[AsyncClient]]:
    """Asynchronous clients of both accounts, told by the environment where to go and whom to trust."""
    made = [
        await AsyncClient.create(
            venue.keys[name]["apiKey"], venue.keys[name]["secret"], session_params={"trust_env": True}, **options
        )
        for name in PARTNERS
    ]
    try:
        yield made
    finally:
        await asyncio.gather(*(client.close_connection() for client in made))  # each waits for its reader, up to 10 s


async def collect(socket: Any, take: Any) -> None:
    """Read a socket of the library until canceled."""
    while True:
        take(await socket.recv())


@asynccontextmanager
async def reading(socket: Any, take: Any) -> AsyncIterator[None]:
    """A socket of the library, opened and read in the background."""
    async with socket as opened:
        task = asyncio.create_task(collect(opened, take))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def judge_asynchronous(checks: Checks, venue: Venue) -> None:
    """Orders by both doors while the user socket (by the WebSocket API) listens, and market data."""
    async with clients(venue) as (alice, bob):
        since_ms, heard = now_ms(), Account()
        async with reading(BinanceSocketManager(alice).user_socket(), heard.events.append):
            with checks.part("orders by REST, asynchronous"):
                await Life(checks, venue, door(alice, REST), door(bob, REST), *PARTNERS).run()
            with checks.part("orders by the WebSocket API"):
                await Life(checks, venue, door(alice, SOCKET), door(bob, SOCKET), *PARTNERS).run()
            with checks.part("user data"):
                await judge_account(checks, venue, heard, "alice", since_ms)
        with checks.part("market data by REST, asynchronous"):
            await judge_rest(checks, door(alice, REST).ask)
        with checks.part("market data by the WebSocket API"):
            await judge_rest(checks, door(alice, SOCKET).ask)


async def judge_streams_and_cache(checks: Checks, venue: Venue) -> None:
    """Streams, and the book that the library itself keeps from them."""
    async with clients(venue) as (alice, _):
        heard, manager = Heard(), BinanceSocketManager(alice, max_queue_size=10_000)

        def take(message: dict[str, Any]) -> None:
            found = event_of(message)
            if found is not None:
                heard.take(*found)

        cache = DepthCacheManager(alice, MARKET, limit=BOOK_LEVELS, ws_interval=100, conv_type=Decimal)
        names = [f"{MARKET.lower()}@{name}" for name in STREAMS]
        venue.resume()
        async with cache, reading(manager.multiplex_socket(names), take):
            keeper = asyncio.create_task(collect(cache, lambda _: None))
            with checks.part("streams"):
                await judge_streams(checks, venue, door(alice, REST).ask, heard)
            with checks.part("the library's depth cache"):
                await judge_cache(checks, alice, cache)
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            venue.resume()  # the library closes a socket when its next message comes
        venue.freeze()


async def judge_cache(checks: Checks, client: AsyncClient, manager: DepthCacheManager) -> None:
    """The cache is the book; the market stands still."""

    async def book() -> Ladder:
        shown = ladder(await client.get_order_book(symbol=MARKET, limit=BOOK_LEVELS))
        return Ladder(0, shown.bids, shown.asks)

    def kept() -> Ladder:
        cache = manager.get_depth_cache()
        return Ladder(0, *(tuple((p, a) for p, a in side) for side in (cache.get_bids(), cache.get_asks())))

    said, expected = await agreed(checks, kept, book)
    checks.same("the book", said, expected)


async def judge_ed25519(checks: Checks, venue: Venue) -> None:
    """Orders signed with an Ed25519 key."""
    more = venue.keys["alice"]["more"]
    client = Client(
        more["ed25519.apiKey"],
        private_key=more["ed25519.secret"],
        requests_params={"proxies": {"https": venue.proxy}, "verify": venue.ca},
    )
    order = client.create_order(symbol=MARKET, side="BUY", type="MARKET", quantity="0.001")
    checks.same("an order", order["status"], "FILLED")
    said = {row["asset"]: (exact(row["free"]), exact(row["locked"])) for row in client.get_account()["balances"]}
    checks.same("balances", {a: b for a, b in said.items() if any(b)}, ledger_balances(venue.balances("alice")))


async def judge_microseconds(checks: Checks, venue: Venue) -> None:
    """Times of trades in microseconds: REST, WebSocket API and streams show the same trade."""
    async with clients(venue, time_unit="MICROSECOND") as (alice, _):
        streamed: list[Any] = []
        async with reading(BinanceSocketManager(alice).trade_socket(MARKET), streamed.append):
            order = await alice.create_order(symbol=MARKET, side="BUY", type="MARKET", quantity="0.001")
            await until(lambda: bool(streamed))
            trade = (await alice.get_my_trades(symbol=MARKET, orderId=order["orderId"]))[0]
            by_socket = (await alice.ws_get_my_trades(symbol=MARKET, orderId=order["orderId"]))[0]
            venue.resume()  # the library closes a socket when its next message comes
    venue.freeze()
    row = venue.order("alice", SYMBOL, str(order["orderId"]))
    checks.same("REST", trade["time"] // 1000, row["updated_ms"])
    checks.same("WebSocket API", by_socket, trade)
    checks.same("stream", (streamed[0]["t"], streamed[0]["T"]), (trade["id"], trade["time"]))


async def judge(checks: Checks, venue: Venue) -> None:
    """All doors of the library."""
    venue.freeze()
    with checks.part("orders by REST, synchronous"):
        told = {"proxies": {"https": venue.proxy}, "verify": venue.ca}
        pair = [
            Client(venue.keys[name]["apiKey"], venue.keys[name]["secret"], requests_params=told) for name in PARTNERS
        ]
        await Life(checks, venue, door(pair[0], REST), door(pair[1], REST), *PARTNERS).run()
    with checks.part("market data by REST, synchronous"):
        await judge_rest(checks, door(pair[0], REST).ask)
    with checks.part("an Ed25519 key"):
        await judge_ed25519(checks, venue)
    await judge_asynchronous(checks, venue)
    await judge_streams_and_cache(checks, venue)
    with checks.part("microseconds"):
        await judge_microseconds(checks, venue)
    with checks.part("the client itself"):
        check_shipped(checks, "python-binance", [name for name in sys.modules if name.startswith("binance")])


if __name__ == "__main__":
    asyncio.run(judge(*begin()[:2]))
