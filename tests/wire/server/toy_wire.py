"""A tiny exchange for the tests of the venue's server: it counts orders, tells what it saw, echoes WebSocket text."""

from __future__ import annotations

from typing import Any

import aiohttp
from aiohttp import web

from planar.errors import BadRequest
from planar.venue import clock
from planar.venue.websocket import VenueWebSocket
from planar.venue.wire import ControlAction, LedgerQuery, VenueAccount

API = "api.toy.test"
STREAM = "stream.toy.test"


class ToyWire:
    id = "toy"
    hosts = (API, STREAM)

    def __init__(self, seed: int, activity: bool) -> None:
        self.seed = seed
        self.activity = activity
        self.orders: list[str] = []
        self.running = False
        self.sockets: list[web.WebSocketResponse] = []
        self.frozen = False
        self.clock_ms = 0
        self.free = {"alice": {"USDT": "1000"}}

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
        if path == "/api/order":
            self.orders.append((await request.read()).decode())
            return web.json_response({"orderId": len(self.orders), "padding": "x" * 100})
        if path == "/api/orders":
            return web.json_response(self.orders)
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
        return {query.kind: self.free}

    async def control(self, action: ControlAction, body: dict[str, Any]) -> dict[str, Any]:
        if action == "set_balance":
            self.free[body["account"]][body["asset"]] = body["free"]
            return self.free[body["account"]]
        if action == "step":
            if not self.frozen:
                raise BadRequest("the market is not frozen", hint="freeze it first")
            self.clock_ms += body["ms"]
        else:
            self.frozen = action == "freeze"
        return {"frozen": self.frozen, "clock_ms": self.clock_ms}


def create(seed: int, activity: bool) -> ToyWire:
    return ToyWire(seed, activity)
