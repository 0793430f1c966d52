"""binance-connector, Binance's own older library: REST, streams, WebSocket API. Entrances: base_url, and its `proxies`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from binance.error import ClientError
from binance.spot import Spot
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient

from judges.kit import Checks, Venue, begin, check_shipped, exact, now_ms
from judges.raw_data import MARKET, STREAMS, Ask, Heard, event_of, judge_rest, judge_streams, until
from judges.raw_door import TableDoor
from judges.raw_life import SYMBOL, Life
from judges.raw_user import Account, judge_account

ANSWER_S = 10.0

REST = {
    "new": "new_order",
    "test": "new_order_test",
    "cancel": "cancel_order",
    "cancel_all": "cancel_open_orders",
    "replace": "cancel_and_replace",
    "get": "get_order",
    "open": "get_open_orders",
    "all": "get_orders",
    "fills": "my_trades",
    "account": "account",
    "ping": "ping",
    "time": "time",
    "exchangeInfo": "exchange_info",
    "depth": "depth",
    "trades": "trades",
    "historicalTrades": "historical_trades",
    "aggTrades": "agg_trades",
    "klines": "klines",
    "avgPrice": "avg_price",
    "ticker/24hr": "ticker_24hr",
    "ticker/price": "ticker_price",
    "ticker/bookTicker": "book_ticker",
}

SOCKET = {
    "account": "account",
    "new": "new_order",
    "test": "new_order_test",
    "cancel": "cancel_order",
    "cancel_all": "cancel_open_orders",
    "replace": "cancel_replace_order",
    "get": "get_order",
    "open": "get_open_orders",
    "all": "order_history",
    "fills": "my_trades",
    "depth": "order_book",
}


def rest_door(client: Spot) -> TableDoor:
    """The library's REST client."""
    return TableDoor(client, REST, lambda error: error.error_code if isinstance(error, ClientError) else None)


class RefusedError(Exception):
    """An error answer of the WebSocket API, which the library hands on as it is."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.code = error["code"]


class Calls:
    """Calls over the library's client of the WebSocket API, which only sends: answers come to a callback, by id."""

    def __init__(self, url: str, keys: dict[str, Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._number = 0
        self._client = SpotWebsocketAPIClient(
            stream_url=url, api_key=keys["apiKey"], api_secret=keys["secret"], on_message=self._on_message
        )

    def close(self) -> None:
        """End the connection."""
        self._client.stop()

    def _on_message(self, _: Any, text: str) -> None:
        answer = json.loads(text)
        self._loop.call_soon_threadsafe(self._settle, answer)

    def _settle(self, answer: dict[str, Any]) -> None:
        self._waiting.pop(answer["id"]).set_result(answer)

    async def _call(self, method: Callable[..., Any], **params: Any) -> Any:
        self._number += 1
        request = f"judge-{self._number}"
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[request] = answer
        method(id=request, **params)
        async with asyncio.timeout(ANSWER_S):
            found = await answer
        if found["status"] != 200:
            raise RefusedError(found["error"])
        return found["result"]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda **params: self._call(getattr(self._client, name), **params)


def socket_door(client: Calls) -> TableDoor:
    """The library's client of the WebSocket API."""
    return TableDoor(client, SOCKET, lambda error: error.code if isinstance(error, RefusedError) else None)


def judge_wallet(checks: Checks, venue: Venue, client: Spot, account: str) -> None:
    """Deposits, withdrawals, assets and fees."""
    came = sorted(exact(row["amount"]) for row in client.deposit_history())
    checks.same("deposit_history", came, sorted(exact(row["amount"]) for row in venue.transfers(account, "deposit")))
    went = sorted(exact(row["amount"]) + exact(row["transactionFee"]) for row in client.withdraw_history())
    checks.same(
        "withdraw_history", went, sorted(-exact(row["amount"]) for row in venue.transfers(account, "withdrawal"))
    )
    held = venue.balances(account)
    for coin in client.coin_info():
        row = held.get(coin["coin"], {"free": "0", "locked": "0"})
        checks.same("coin_info", (coin["free"], coin["locked"]), (row["free"], row["locked"]))
    fee = client.trade_fee(symbol=MARKET)[0]
    checks.same("trade_fee", (fee["makerCommission"], fee["takerCommission"]), ("0.001", "0.001"))
    rates = client.query_commission_rates(MARKET)["standardCommission"]
    checks.same(
        "query_commission_rates", (exact(rates["maker"]), exact(rates["taker"])), (exact("0.001"), exact("0.001"))
    )
    checks.same("system_status", client.system_status()["status"], 0)
    address = client.deposit_address(coin="BTC")
    checks.true("deposit_address", address["coin"] == "BTC" and len(address["address"]) > 20, address)


class Streams:
    """The library's streams. Messages come on its thread and are handed to the loop's."""

    def __init__(self, take: Callable[[dict[str, Any]], None], **options: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._take = take
        self.errors: list[str] = []
        self._client = SpotWebsocketStreamClient(
            on_message=self._on_message, on_error=lambda _, error: self.errors.append(repr(error)), **options
        )
        self.subscribe = self._client.subscribe
        self.user_data = self._client.user_data

    def _on_message(self, _: Any, text: str) -> None:
        self._loop.call_soon_threadsafe(self._take, json.loads(text))

    def close(self) -> None:
        """End the connection and its thread."""
        self._client.stop()


async def listen(checks: Checks, venue: Venue, ask: Ask, options: dict[str, Any]) -> None:
    """All streams of one market, in one combined connection."""
    heard = Heard()

    def take(message: dict[str, Any]) -> None:
        found = event_of(message)
        if found is not None:
            heard.take(*found)

    streams = Streams(take, is_combined=True, **options)
    venue.resume()
    try:
        streams.subscribe([f"{MARKET.lower()}@{name}" for name in STREAMS])
        await judge_streams(checks, venue, ask, heard)
    finally:
        venue.freeze()
        streams.close()
    checks.same("errors of the connection", streams.errors, [])


async def judge(checks: Checks, venue: Venue) -> None:
    """All doors of the library."""
    venue.freeze()
    alice, bob = (
        Spot(api_key=venue.keys[name]["apiKey"], api_secret=venue.keys[name]["secret"], base_url=venue.base)
        for name in ("alice", "bob")
    )
    ws_base = venue.base.replace("http", "ws")
    with checks.part("user data by listen key, orders by REST"):
        since_ms, heard = now_ms(), Account()
        key = alice.new_listen_key()["listenKey"]
        answers: list[Any] = []
        streams = Streams(lambda m: (heard.events if "e" in m else answers).append(m), stream_url=ws_base)
        streams.user_data(listen_key=key)
        await until(lambda: bool(answers))
        await Life(checks, venue, rest_door(alice), rest_door(bob), "alice", "bob").run()
        await judge_account(checks, venue, heard, "alice", since_ms)
        checks.same("renew_listen_key", alice.renew_listen_key(key), {})
        checks.same("close_listen_key", alice.close_listen_key(key), {})
        streams.close()
    with checks.part("orders by the WebSocket API"):
        calls = [Calls(f"{ws_base}/ws-api/v3", venue.keys[name]) for name in ("alice", "bob")]
        await Life(checks, venue, socket_door(calls[0]), socket_door(calls[1]), "alice", "bob").run()
        for one in calls:
            one.close()
    with checks.part("market data by REST"):
        await judge_rest(checks, rest_door(alice).ask)
        judge_wallet(checks, venue, alice, "alice")
    with checks.part("streams by base URL"):
        await listen(checks, venue, rest_door(alice).ask, {"stream_url": ws_base})
    with checks.part("everything through the proxy, with the real URLs"):
        proxies = {"https": venue.proxy}
        keys = venue.keys["alice"]["more"]
        real = Spot(api_key=keys["ed25519.apiKey"], private_key=keys["ed25519.secret"], proxies=proxies)
        checks.same("base_url", real.base_url, "https://api.binance.com")
        order = real.new_order(symbol=MARKET, side="BUY", type="MARKET", quantity="0.001")
        checks.same("an order signed with Ed25519", order["status"], "FILLED")
        await judge_rest(checks, rest_door(real).ask)
        await listen(checks, venue, rest_door(real).ask, {"proxies": proxies})
    with checks.part("microseconds"):
        keys = venue.keys["alice"]
        precise = Spot(api_key=keys["apiKey"], api_secret=keys["secret"], base_url=venue.base, time_unit="microsecond")
        order = precise.new_order(symbol=MARKET, side="BUY", type="MARKET", quantity="0.001")
        row = venue.order("alice", SYMBOL, str(order["orderId"]))
        checks.same("an order's time", order["transactTime"] // 1000, row["updated_ms"])
        trade = precise.my_trades(MARKET, orderId=order["orderId"])[0]
        checks.same("a trade's time", trade["time"] // 1000, row["updated_ms"])
    with checks.part("the client itself"):
        check_shipped(checks, "binance-connector", [name for name in sys.modules if name.startswith("binance")])


if __name__ == "__main__":
    asyncio.run(judge(*begin()[:2]))
