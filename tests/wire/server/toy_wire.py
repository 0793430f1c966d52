"""A tiny exchange for the tests of the venue's server: it counts orders, tells what it saw, echoes WebSocket text."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any, cast

import aiohttp
from aiohttp import web

from planar.errors import BadRequest
from planar.venue import clock
from planar.venue.bookkeeping import held
from planar.venue.connection import VenueRequest
from planar.venue.engine import listing
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.latency import Latency
from planar.venue.engine.market_model import MarketModel
from planar.venue.steering.bench import Bench
from planar.venue.websocket import VenueWebSocket
from planar.venue.wire import LedgerQuery, VenueAccount
from planar.venue.witness import Witness

API = "api.toy.test"
STREAM = "stream.toy.test"


class ToyModel:
    """A market without prices: it tells how far it was advanced."""

    def __init__(self) -> None:
        self.frozen = False
        self.advanced_ms = 0
        self.latency = Latency("toy")

    def advance(self, duration_ms: int) -> None:
        self.advanced_ms += duration_ms


class ToyKeys:
    """One key for each account, which may do everything that there is."""

    right_names = ("all",)

    def keys_of(self, account: str) -> dict[str, tuple[str, ...]]:
        return {f"key-of-{account}": self.right_names}

    def allow(self, key: str, rights: Collection[str]) -> None:
        raise BadRequest(f"the key {key} cannot be changed")

    def restrict(self, key: str, addresses: Collection[str] | None) -> None:
        raise BadRequest(f"the key {key} cannot be changed")

    def enroll(self, account: str, rights: Collection[str]) -> VenueAccount:
        return VenueAccount(exchange="toy", account=account, apiKey=f"key-of-{account}", secret=f"secret-of-{account}")

    def make(self, account: str, rights: Collection[str]) -> VenueAccount:
        raise BadRequest(f"no further key for {account}")


class ToyWire:
    id = "toy"
    hosts = (API, STREAM)

    def __init__(self, seed: int, activity: bool) -> None:
        self.seed = seed
        self.activity = activity
        self.orders: list[str] = []
        self.running = False
        self.sockets: list[web.WebSocketResponse] = []
        self.witness = Witness(self.id, {"symbol": "symbol"})
        self.model = ToyModel()
        self.exchange = VirtualExchange(listing.symbols()[:1], listing.assets(), seed=seed, clock=clock.wall_ms)
        self.exchange.add_account("alice")
        self.exchange.credit("alice", "USDT", Decimal(1000), "toy")

    def default_host(self, path: str) -> str | None:
        return API if path.startswith("/api/") else STREAM if path.startswith("/ws") else None

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False
        for socket in self.sockets:
            await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)

    async def handle(self, host: str, path: str, request: web.BaseRequest) -> web.StreamResponse:
        if path.startswith("/ws"):
            return await self._stream(path, request)
        self.witness.asked(request.rel_url.query)
        if path == "/api/order":
            self.orders.append((await request.read()).decode())
            return web.json_response({"orderId": len(self.orders), "padding": "x" * 100})
        if path == "/api/orders":
            return web.json_response(self.orders)
        if path == "/api/patient":
            await cast(VenueRequest, request).connection.gone.wait()
            return web.json_response({"too": "late"})
        if path == "/api/crash":
            raise RuntimeError("toy crash")
        seen = {
            "host": host,
            "path": path,
            "query": request.rel_url.raw_query_string,
            "body": (await request.read()).decode(),
            "method": request.method,
            "remote": request.remote,
            "now_ms": clock.wall_ms(),
            "seed": self.seed,
            "activity": self.activity,
        }
        return web.json_response(seen)

    async def _stream(self, path: str, request: web.BaseRequest) -> web.WebSocketResponse:
        socket = VenueWebSocket()
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_str(f"hello {path}")
        async for message in socket:
            await socket.send_str(f"echo {message.data}")
            self.witness.answered()
        return socket

    def account_of(self, request: web.BaseRequest) -> str | None:
        return {"key-of-alice": "alice", "key-of-bob": "bob"}.get(request.headers.get("X-Toy-Key", ""))

    def accounts(self) -> list[VenueAccount]:
        return [VenueAccount(exchange=self.id, account="alice", apiKey="key-of-alice", secret="s1")]

    def ledger(self, query: LedgerQuery) -> dict[str, Any]:
        if query.account not in (None, "alice"):
            raise BadRequest(f"no account '{query.account}'", hint="accounts: alice")
        if query.kind == "orders":
            return {"orders": self.orders[-query.limit :] if query.limit else self.orders}
        return {"balances": {"alice": held(self.exchange, "alice", list(self.exchange.assets))}}

    def bench(self) -> Bench:
        return Bench(
            venue=self.id,
            exchange=self.exchange,
            model=cast("MarketModel", self.model),
            keys=ToyKeys(),
            market_states={},
            system_states={},
            expire_tokens=lambda account: 0,
        )


def create(seed: int, activity: bool) -> ToyWire:
    return ToyWire(seed, activity)
