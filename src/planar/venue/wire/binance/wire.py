"""The Binance wire: the local exchange behind Binance's hosts, protocols and rules. See `planar.venue.wire.Wire`."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

import planar.runtime as runtime
from planar.venue.activity import Activity
from planar.venue.engine.enums import SystemStatus
from planar.venue.engine.events import Event, SystemStatusChange
from planar.venue.engine.world import World
from planar.venue.steering.bench import Bench
from planar.venue.wire import LedgerQuery, VenueAccount
from planar.venue.wire.binance import control, hosts, rest
from planar.venue.wire.binance.desk import Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.feed import TICK_MS, MarketFeed
from planar.venue.wire.binance.formats import MARKET_STATUSES, SYSTEM_STATUSES
from planar.venue.wire.binance.keys import Right
from planar.venue.wire.binance.params import split
from planar.venue.wire.binance.routes import REST
from planar.venue.wire.binance.settings import Settings
from planar.venue.wire.binance.socket import Socket, Sockets
from planar.venue.wire.binance.streams import StreamSocket, is_stream_path, names_of
from planar.venue.wire.binance.time_units import read_unit
from planar.venue.wire.binance.ws_api import CONNECTION_WEIGHT, WsApiSocket
from planar.venue.wire.binance.ws_api import PATHS as WS_API_PATHS


class BinanceWire:
    """One local Binance.

    Attributes:
        id: "binance".
        hosts: the real host names served.
        world: engine and market model.
        desk: what its doors share.
        witness: what happened here.
    """

    def __init__(self, world: World, settings: Settings, *, seed: int, activity: bool) -> None:
        self.id = "binance"
        self.hosts = hosts.ALL
        self.world = world
        self.desk = Desk(world.exchange, settings, seed)
        self.witness = self.desk.witness
        self._feed = MarketFeed(self.desk)
        self._sockets = Sockets()
        self._activity = Activity(world.exchange) if activity else None
        self._clock: asyncio.Task[None] | None = None
        self._farewell: asyncio.Task[None] | None = None
        world.exchange.subscribe(self._on_event)

    def default_host(self, path: str) -> str | None:
        """The real host meant by a path; None if there is none."""
        return hosts.default_host(path)

    async def start(self) -> None:
        """Let the market move."""
        self._clock = runtime.spawn(self._run(), name="binance-clock")

    async def stop(self) -> None:
        """Stop the market and close the WebSockets, with the exchange's own farewell."""
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)
        self.world.model.end_recording()
        if self._farewell is not None:
            await self._farewell
        await self._sockets.shut_down()

    async def _run(self) -> None:
        """Ten times a second: the market, the accounts' own activity, the streams."""
        while True:
            now_ms = runtime.wall_ms()
            self.world.model.step(now_ms)
            if self._activity is not None:
                self._activity.tick(now_ms, heard=bool(self._sockets))
            self.desk.tick(now_ms)
            self._feed.tick()
            await runtime.sleep((TICK_MS - runtime.wall_ms() % TICK_MS) / 1000)

    def _on_event(self, event: Event) -> None:
        """Maintenance ends the connections."""
        if isinstance(event, SystemStatusChange) and event.status is SystemStatus.MAINTENANCE:
            self._farewell = runtime.spawn(self._sockets.shut_down(), name="binance-maintenance")

    async def handle(self, host: str, path: str, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, a WebSocket upgrade or not."""
        streams = host in hosts.STREAM_HOSTS and is_stream_path(path)
        if streams or (host == hosts.WS_API_HOST and path in WS_API_PATHS):
            if request.headers.get("Upgrade", "").lower() != "websocket":
                return rest.refuse_plain(None)
            try:
                socket = self._stream(host, path, request) if streams else self._ws_api(request)
            except ApiError as error:
                return rest.refuse_plain(error)
            return await self._connect(socket, request)
        if host == hosts.DATA_REST_HOST and _is_private(path, request):
            return rest.no_such_path()
        if not hosts.serves(host, path):
            return rest.no_such_path()
        return await rest.respond(self.desk, path, request)

    def account_of(self, request: web.BaseRequest) -> str | None:
        """Whose key the request carries in its header."""
        return self.desk.keys.account_of(request.headers.get(rest.KEY_HEADER))

    def accounts(self) -> list[VenueAccount]:
        """Credentials of the seeded accounts."""
        return self.desk.keys.accounts()

    def ledger(self, query: LedgerQuery) -> dict[str, Any]:
        """Answer from the ledger."""
        return control.ledger(self.world.exchange, query)

    def bench(self) -> Bench:
        """What the commands of the control API work on."""
        return Bench(
            venue=self.id,
            exchange=self.world.exchange,
            model=self.world.model,
            keys=self.desk.keys,
            market_states={word: status for status, word in MARKET_STATUSES.items()},
            system_states={word: status for status, word in SYSTEM_STATUSES.items()},
            expire_tokens=self.desk.expire_tokens,
        )

    async def _connect(self, socket: Socket, request: web.BaseRequest) -> web.StreamResponse:
        """Serve a connection, if the address may open another, and not during maintenance."""
        if self.world.exchange.conditions.system is SystemStatus.MAINTENANCE:
            return web.Response(status=503, text="Service Unavailable")
        now_ms = runtime.wall_ms()
        meter = self.desk.connections
        opened = meter.add(socket.address, 1, now_ms)
        self.witness.charged(meter.name, 1)
        if opened > meter.rule.limit:
            row = meter.row(socket.address, opened, now_ms)
            self.witness.exceeded(row, "429", until_ms=row.resets_ms)
            wait_s = -(-(meter.resets_ms(now_ms) - now_ms) // 1000)
            return web.Response(status=429, headers={"Retry-After": str(wait_s)})
        return await self._sockets.run(socket, request)

    def _stream(self, host: str, path: str, request: web.BaseRequest) -> StreamSocket:
        query = rest.query_of(request)
        return StreamSocket(
            self.desk,
            self._feed,
            rest.address_of(request),
            read_unit(split(query).get("timeUnit")),
            names_of(path, query),
            combined=path.startswith("/stream"),
            private=host == hosts.STREAM_HOST,
        )

    def _ws_api(self, request: web.BaseRequest) -> WsApiSocket:
        query = split(rest.query_of(request))
        address = rest.address_of(request)
        self.desk.addresses.weight.add(address, CONNECTION_WEIGHT, runtime.wall_ms())
        self.witness.charged(self.desk.addresses.weight.name, CONNECTION_WEIGHT)
        shown = query.get("returnRateLimits", "true") != "false"
        return WsApiSocket(self.desk, address, read_unit(query.get("timeUnit")), return_rate_limits=shown)


def _is_private(path: str, request: web.BaseRequest) -> bool:
    endpoint = REST.get((request.method, path))
    return endpoint is not None and endpoint.right is not Right.NONE
