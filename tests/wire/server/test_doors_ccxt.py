"""The proxy door with CCXT's own HTTP and WebSocket clients, with settings and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt
import ccxt.pro
from toy_wire import API, STREAM
from venue_kit import Venue

ORDER = f"https://{API}/api/order"


class Listener(ccxt.pro.Exchange):
    """The base class of CCXT's streaming exchanges; every message answers the one subscription."""

    def describe(self) -> Any:
        return self.deep_extend(super().describe(), {"id": "listener", "pro": True})

    def handle_message(self, client: Any, message: Any) -> None:
        client.resolve(message, "all")


async def test_asynchronous(venue: Venue) -> None:
    exchange = Listener({"httpsProxy": venue.base, "wssProxy": venue.base, "cafile": venue.record.ca})
    try:
        assert (await exchange.fetch(ORDER, "POST", {}, "a=1"))["orderId"] == 1
        message = await exchange.watch(f"wss://{STREAM}:9443/ws/a", "all", {"op": "subscribe"}, "sub")
        assert message == "hello /ws/a"
        assert await exchange.watch(f"wss://{STREAM}:9443/ws/a", "all") == 'echo {"op":"subscribe"}'
    finally:
        await exchange.close()
    assert venue.wire.orders == ["a=1"]


async def test_synchronous(venue: Venue) -> None:
    def run() -> Any:
        # CCXT hands requests `verify and validateServerSsl`: of two true values the second, here the path of the CA
        exchange = ccxt.Exchange({"httpsProxy": venue.base, "validateServerSsl": venue.record.ca})
        return exchange.fetch(ORDER, "POST", {}, "a=1")

    assert (await asyncio.to_thread(run))["orderId"] == 1
    assert venue.wire.orders == ["a=1"]
