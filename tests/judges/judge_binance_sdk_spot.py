"""binance-sdk-spot, Binance's typed SDK: REST, WebSocket API, streams; and its models, which our answers must fit."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

import requests
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import Error
from binance_sdk_spot.rest_api.models import AvgPriceResponse
from binance_sdk_spot.spot import Spot
from pydantic import BaseModel

from judges import sdk_orders
from judges.kit import Checks, Venue, begin, check_shipped, now_ms
from judges.raw_data import MARKET, STREAMS, Heard, judge_rest, judge_streams
from judges.raw_door import TableDoor
from judges.raw_life import Life
from judges.raw_user import Account, judge_account
from judges.sdk_exceptions import NO_ENVELOPE
from judges.sdk_models import Models
from judges.sdk_orders import Further

PARTNERS = ("alice", "bob")
DATA = {
    "ping": "ping",
    "time": "time",
    "exchangeInfo": "exchange_info",
    "depth": "depth",
    "klines": "klines",
    "avgPrice": "avg_price",
    "ticker/24hr": "ticker24hr",
    "ticker/price": "ticker_price",
}
REST = {
    **DATA,
    "trades": "get_trades",
    "historicalTrades": "historical_trades",
    "aggTrades": "agg_trades",
    "ticker/bookTicker": "ticker_book_ticker",
    "new": "new_order",
    "test": "order_test",
    "cancel": "delete_order",
    "cancel_all": "delete_open_orders",
    "replace": "order_cancel_replace",
    "get": "get_order",
    "open": "get_open_orders",
    "all": "all_orders",
    "fills": "my_trades",
    "account": "get_account",
}
SOCKET = {
    **DATA,
    "trades": "trades_recent",
    "historicalTrades": "trades_historical",
    "aggTrades": "trades_aggregate",
    "ticker/bookTicker": "ticker_book",
    "new": "order_place",
    "test": "order_test",
    "cancel": "order_cancel",
    "cancel_all": "open_orders_cancel_all",
    "replace": "order_cancel_replace",
    "get": "order_status",
    "open": "open_orders_status",
    "all": "all_orders",
    "fills": "my_trades",
    "account": "account_status",
}
TEST: dict[str, Any] = {
    "symbol": MARKET,
    "side": "BUY",
    "type": "MARKET",
    "quantity": "0.001",
    "computeCommissionRates": True,
}
FURTHER: tuple[tuple[str, dict[str, Any]], ...] = (
    ("account_commission", {"symbol": MARKET}),
    ("rate_limit_order", {}),
    ("my_prevented_matches", {"symbol": MARKET, "prevented_match_id": 1}),
    ("ticker", {"symbol": MARKET, "window_size": "1h"}),
    ("ticker_trading_day", {"symbol": MARKET}),
    ("ui_klines", {"symbol": MARKET, "interval": "1m"}),
    ("ticker24hr", {"symbol": MARKET, "type": "MINI"}),
    ("ticker24hr", {"symbols": [MARKET, "ETHUSDT"]}),
    ("ticker_price", {}),
    ("ticker_book_ticker", {}),
    ("order_test", TEST),
)
"""What the lives and the market's judge do not ask."""


class RefusedError(Exception):
    """An error answer of the WebSocket API, which the SDK hands on as a value."""

    def __init__(self, error: Any) -> None:
        super().__init__(str(error))
        self.code = error["code"]


class Tap:
    """What came over the SDK's connections, as it was sent.

    Attributes:
        last: the newest message.
    """

    def __init__(self) -> None:
        self.last: Any = None

    def on_rest(self, session: requests.Session) -> None:
        """Listen to a session of REST."""
        session.hooks["response"].append(lambda response, **_: self._take(response.text))

    def on_sockets(self, connections: Iterable[Any]) -> None:
        """Listen to WebSocket connections."""
        for connection in connections:
            self._on_socket(connection.websocket)

    def _on_socket(self, socket: Any) -> None:
        receive = socket.receive

        async def heard(*args: Any, **kwargs: Any) -> Any:
            message = await receive(*args, **kwargs)
            if isinstance(message.data, str):
                self._take(message.data)
            return message

        socket.receive = heard

    def _take(self, text: str) -> None:
        self.last = json.loads(text) if text else None


class Calls:
    """One of the SDK's APIs with Binance's own parameter names; answers as they were sent, after the models saw them."""

    def __init__(self, api: Any, models: Models, tap: Tap) -> None:
        self._api, self._models, self._tap = api, models, tap

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda **params: self._call(getattr(self._api, name), params)

    async def _call(self, method: Callable[..., Any], params: dict[str, Any]) -> Any:
        answer = method(**{_snake(name): value for name, value in params.items()})
        by_socket = asyncio.iscoroutine(answer)
        data = (await answer if by_socket else answer).data()
        raw = self._tap.last
        if isinstance(data, dict) and "error" in data:
            raise RefusedError(data["error"])
        for one in data if isinstance(data, list) else [data]:
            if isinstance(one, BaseModel):
                bare = by_socket and type(one).__name__ in NO_ENVELOPE
                self._models.compare(raw["result"] if bare else raw, type(one))
                break
        return raw["result"] if by_socket else raw


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), name)


def _code(error: Exception) -> int | None:
    if isinstance(error, RefusedError):
        return error.code
    return error.status_code if isinstance(error, Error) else None  # type: ignore[attr-defined]


class Complaints(logging.Handler):
    """What the SDK says of answers that its models do not take."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if "parse" in text or "did not match" in text:
            self.said.append(text[:400])


def spot(venue: Venue, account: str) -> Spot:
    """The SDK for one account."""
    keys, ws = venue.keys[account], venue.base.replace("http", "ws")
    return Spot(
        config_rest_api=ConfigurationRestAPI(
            api_key=keys["apiKey"], api_secret=keys["secret"], base_path=venue.base, timeout=10_000
        ),
        config_ws_api=ConfigurationWebSocketAPI(
            api_key=keys["apiKey"], api_secret=keys["secret"], stream_url=f"{ws}/ws-api/v3"
        ),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=f"{ws}/stream"),
    )


def rest_calls(client: Spot, models: Models) -> Calls:
    """REST, with the bodies of its answers."""
    tap = Tap()
    tap.on_rest(client.rest_api._session)
    return Calls(client.rest_api, models, tap)


async def judge_socket(checks: Checks, venue: Venue, models: Models, clients: list[Spot]) -> None:
    """Orders by the WebSocket API while its user data stream listens; and market data."""
    taps = [Tap() for _ in clients]
    for client, tap in zip(clients, taps, strict=True):
        await client.websocket_api.create_connection()
        tap.on_sockets(client.websocket_api.connections)
    heard, since_ms = Account(), now_ms()
    subscribed = await clients[0].websocket_api.user_data_stream_subscribe_signature()

    def take(event: Any) -> None:
        raw = taps[0].last["event"]
        models.compare(raw, type(event.actual_instance))
        heard.events.append(raw)

    subscribed.stream.on("message", take)
    calls = [Calls(client.websocket_api, models, tap) for client, tap in zip(clients, taps, strict=True)]
    doors = [TableDoor(one, SOCKET, _code) for one in calls]
    await Life(checks, venue, doors[0], doors[1], *PARTNERS).run()
    await Further(checks, venue, doors[0], calls[0], sdk_orders.SOCKET, PARTNERS[0]).run()
    await judge_account(checks, venue, heard, PARTNERS[0], since_ms)
    await judge_rest(checks, doors[0].ask)
    await calls[0].order_test(**TEST)
    for client in clients:
        await client.websocket_api.close_connection()


async def judge_market_streams(checks: Checks, venue: Venue, models: Models, client: Spot, ask: Any) -> None:
    """The market's streams."""
    heard = Heard()
    streams = client.websocket_streams
    await streams.create_connection()
    tap = Tap()
    tap.on_sockets(streams.connections)
    names = {
        "trade": streams.trade(symbol=MARKET.lower()),
        "aggTrade": streams.agg_trade(symbol=MARKET.lower()),
        "depth@100ms": streams.diff_book_depth(symbol=MARKET.lower(), update_speed="100ms"),
        "depth20@100ms": streams.partial_book_depth(symbol=MARKET.lower(), levels="20", update_speed="100ms"),
        "bookTicker": streams.book_ticker(symbol=MARKET.lower()),
        "kline_1m": streams.kline(symbol=MARKET.lower(), interval="1m"),
        "miniTicker": streams.mini_ticker(symbol=MARKET.lower()),
        "ticker": streams.ticker(symbol=MARKET.lower()),
    }
    assert set(names) == set(STREAMS)

    def also(event: Any) -> None:
        models.compare(tap.last["data"], type(event[0] if isinstance(event, list) else event))

    for name, opening in names.items():
        handle = await opening

        def take(event: Any, name: str = name) -> None:
            raw = tap.last["data"]
            models.compare(raw, type(event))
            heard.take(f"{MARKET.lower()}@{name}", raw)

        handle.on("message", take)
    for opening in (
        streams.avg_price(symbol=MARKET.lower()),
        streams.all_mini_ticker(),
        streams.rolling_window_ticker(symbol=MARKET.lower(), window_size="1h"),
        streams.all_market_rolling_window_ticker(window_size="1h"),
        streams.kline_offset(symbol=MARKET.lower(), interval="1m"),
    ):
        handle = await opening
        handle.on("message", also)
    venue.resume()
    try:
        await judge_streams(checks, venue, ask, heard)
    finally:
        venue.freeze()
        await streams.close_connection()


async def judge(checks: Checks, venue: Venue) -> None:
    """All doors of the SDK."""
    venue.freeze()
    complaints, models = Complaints(), Models()
    logging.getLogger().addHandler(complaints)
    clients = [spot(venue, name) for name in PARTNERS]
    calls = [rest_calls(client, models) for client in clients]
    doors = [TableDoor(one, REST, _code) for one in calls]
    with checks.part("orders by REST"):
        await Life(checks, venue, doors[0], doors[1], *PARTNERS).run()
        await Further(checks, venue, doors[0], calls[0], sdk_orders.REST, PARTNERS[0]).run()
    with checks.part("market data by REST"):
        await judge_rest(checks, doors[0].ask)
        for name, params in FURTHER:
            await getattr(calls[0], name)(**params)
    with checks.part("orders, user data and market data by the WebSocket API"):
        await judge_socket(checks, venue, models, clients)
    with checks.part("streams"):
        await judge_market_streams(checks, venue, models, clients[0], doors[0].ask)
    with checks.part("the models"):
        unknown, missing = models.unexplained()
        checks.note(f"{len(models.compared)} models, {sum(models.compared.values())} comparisons")
        checks.same("fields that the models do not know", unknown, [])
        checks.same("fields of the models that were not sent", missing, [])
        checks.same("exceptions that nothing needed", models.idle(), [])
        checks.same("complaints of the SDK", complaints.said, [])
        probe = Models()
        probe.compare({"mins": 5, "price": "1", "madeUp": 1}, AvgPriceResponse)
        found = (["AvgPriceResponse.madeUp"], ["AvgPriceResponse.closeTime"])
        checks.same("a field too many and one too few would be found", probe.unexplained(), found)
    with checks.part("the client itself"):
        check_shipped(checks, "binance-sdk-spot", [name for name in sys.modules if name.startswith("binance_sdk")])


if __name__ == "__main__":
    asyncio.run(judge(*begin()[:2]))
