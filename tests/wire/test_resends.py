"""Nothing below the order path sends a WRITE twice, whatever CCXT's options say and however its connection ends; a READ
is sent again by Planar's own count alone."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from outcome_kit import BINANCE_ORDER, BINANCE_SYMBOL, GOOD, KEYS, SYMBOL

from planar.adapters.base import OrderRef, OrderRequest
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.errors import NotSupported, Outcome, PlanarError
from planar.models import Amount
from planar.transport.context import CallContext, Priority, calling
from planar.transport.dialer import Dialer, Route
from planar.transport.guard import HostRules
from planar.transport.pool import MeterPool
from planar.transport.retries import TRIES

RETRYING = {
    "maxRetriesOnFailure": 5,
    "maxRetriesOnFailureDelay": 1,
    "fetchOrderBook": {"maxRetriesOnFailure": 5},
    "createOrder": {"maxRetriesOnFailure": 5},
    "cancelOrder": {"maxRetriesOnFailure": 5},
    "maxRetries": 5,
    "retries": 5,
}
"""Every option by which CCXT sends again."""
CLIENT_ID = "plabc"
IN_PARAMS = {"maxRetriesOnFailure": 5, "maxRetriesOnFailureDelay": 1}
ENDS = ("fin", "reset")
RESET = struct.pack("ii", 1, 0)


class Server:
    """Answers each request on a thread of its own, so that it can end a connection while the client's loop is busy.

    Attributes:
        requests: what came, by method and path.
        drop: how connections end after a request was read, in the place of its answer; "" answers.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.drop = ""
        self._closed = False
        self._open: list[tuple[socket.socket, threading.Thread]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._closed:
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._open.append((connection, thread))
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        held = b""
        try:
            while True:
                while b"\r\n\r\n" not in held:
                    more = connection.recv(65_536)
                    if not more:
                        return
                    held += more
                head, _, held = held.partition(b"\r\n\r\n")
                lines = head.decode().split("\r\n")
                length = next((int(one.split(":")[1]) for one in lines if one.lower().startswith("content-length")), 0)
                while len(held) < length:
                    held += connection.recv(65_536)
                held = held[length:]
                name = " ".join(lines[0].split(" ")[:2]).partition("?")[0]
                if not self._answer(connection, name):
                    return
        except OSError:
            return
        finally:
            self._ended(connection)

    def _answer(self, connection: socket.socket, name: str) -> bool:
        if name.endswith("/time"):  # the clock's question, and what keeps a connection warm
            body: Any = {"serverTime": time.time_ns() // 1_000_000}
        elif name.endswith("exchangeInfo"):
            body = {"symbols": [BINANCE_SYMBOL], "rateLimits": [], "exchangeFilters": []}
        else:
            self.requests.append(name)
            if self.drop:
                if self.drop == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                return False
            body = GOOD["binance"].get(name, BINANCE_ORDER)
            if name == "POST /api/v3/order":
                body = {**body, "clientOrderId": CLIENT_ID}
            elif name.startswith("PUT "):
                body = {"amendedOrder": {**body, "qty": body["origQty"]}}
        data = json.dumps(body).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        return True

    def end_idle(self, how: str) -> None:
        """End all connections now, from this side: when it returns, the client's kernel knows."""
        for connection, thread in self._open:
            if how == "fin":
                connection.shutdown(socket.SHUT_WR)
                continue
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            with contextlib.suppress(OSError):  # the client ended it first
                connection.shutdown(socket.SHUT_RD)  # wakes its thread, which closes it
            thread.join()

    def _ended(self, connection: socket.socket) -> None:
        self._open = [one for one in self._open if one[0] is not connection]
        connection.close()

    def close(self) -> None:
        """Nothing more."""
        self._closed = True
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._acceptor.join()
        self._listener.close()
        self.end_idle("reset")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@contextlib.asynccontextmanager
async def opened(server: Server, directory: Path) -> AsyncIterator[CcxtAdapter]:
    """CCXT's Binance with every retry option set, at the server; its connection has been used, and is kept."""
    dialer = Dialer()
    request = OpeningRequest(
        exchange="binance",
        environment="live",
        credentials=KEYS,
        fingerprint="f",
        timeout_ms=2_000,
        allow_unjournaled=True,
        ccxt={"options": RETRYING, "maxRetriesOnFailure": 5, "has": {"fetchCurrencies": False}},
    )
    adapter = open_adapter(request, dialer, MeterPool(), MarketCache(directory))
    exchange: Any = adapter.exchange
    for section, path in {"public": "api/v3", "private": "api/v3", "sapi": "sapi/v1"}.items():
        exchange.urls["api"][section] = f"http://127.0.0.1:{server.port}/{path}"
    exchange.options["fetchMarkets"] = {"types": ["spot"]}
    rules = HostRules(hosts=("127.0.0.1",), ports=(server.port,), plain=True)
    exchange.planar.session = dialer.session(Route(exchange="binance", environment="live", rules=rules))
    try:
        await adapter.load_markets(timeout_ms=2_000)
        yield adapter
    finally:
        await adapter.close()
        await dialer.close()


async def submit(adapter: CcxtAdapter) -> Any:
    """In its params such an option is refused: it would not reach the exchange."""
    order = OrderRequest(CLIENT_ID, SYMBOL, "buy", "limit", amount=Amount("0.01"), price=Amount(20_000))
    with pytest.raises(NotSupported, match="maxRetriesOnFailure"):
        refused = msgspec.structs.replace(order, params=dict(IN_PARAMS))
        await adapter.submit(refused, timeout_ms=2_000, on_send=lambda: None)
    return await adapter.submit(order, timeout_ms=2_000, on_send=lambda: None)


async def cancel(adapter: CcxtAdapter) -> Any:
    return await adapter.cancel(OrderRef(SYMBOL, order_id="17"), dict(IN_PARAMS), timeout_ms=2_000)


async def put(adapter: CcxtAdapter) -> Any:
    """A WRITE with PUT: no unified method has one at Binance, so it goes by CCXT's own way for any endpoint."""
    with calling(CallContext("put", 2_000, Priority.ORDER, journaled=True)):
        exchange: Any = adapter.exchange
        return await exchange.fetch2("order/amend/keepPriority", ["private"], "PUT", {"orderId": 17, **IN_PARAMS})


async def read(adapter: CcxtAdapter) -> Any:
    return await adapter.fetch_order_book(SYMBOL, None, dict(IN_PARAMS), timeout_ms=2_000)


WRITES: dict[str, Callable[[CcxtAdapter], Awaitable[Any]]] = {"POST": submit, "PUT": put, "DELETE": cancel}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("method", WRITES)
async def test_a_write_whose_connection_ends_after_it_is_sent_once(
    method: str, how: str, server: Server, tmp_path: Path
) -> None:
    async with opened(server, tmp_path) as adapter:
        server.drop = how
        with pytest.raises(PlanarError) as caught:
            await WRITES[method](adapter)
    assert caught.value.outcome is Outcome.UNKNOWN, repr(caught.value)
    assert [name.split()[0] for name in server.requests] == [method]


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("method", WRITES)
async def test_a_write_whose_kept_connection_has_ended_is_sent_once(
    method: str, how: str, server: Server, tmp_path: Path
) -> None:
    """The end has reached this machine, but not its event loop: the WRITE goes over a new connection."""
    async with opened(server, tmp_path) as adapter:
        server.end_idle(how)
        await WRITES[method](adapter)
    assert [name.split()[0] for name in server.requests] == [method]


@pytest.mark.parametrize("how", ENDS)
async def test_a_read_is_sent_again_by_one_count_alone(how: str, server: Server, tmp_path: Path) -> None:
    async with opened(server, tmp_path) as adapter:
        server.drop = how
        with pytest.raises(PlanarError):
            await read(adapter)
    assert server.requests == ["GET /api/v3/depth"] * TRIES


@pytest.mark.parametrize("how", ENDS)
async def test_a_read_whose_kept_connection_has_ended_is_answered(how: str, server: Server, tmp_path: Path) -> None:
    async with opened(server, tmp_path) as adapter:
        server.end_idle(how)
        book: Any = await read(adapter)
    assert book.bids
    # the venue may have read what came after it said that it would write no more
    assert server.requests in (["GET /api/v3/depth"], ["GET /api/v3/depth"] * 2)
