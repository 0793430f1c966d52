"""The Kraken wire: the local exchange behind Kraken's hosts, protocols and rules. See `planar.venue.wire.Wire`."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

import planar.runtime as runtime
from planar.venue.activity import Activity
from planar.venue.engine.enums import MarketStatus
from planar.venue.engine.events import Event, FiltersChange, MarketStatusChange, SystemStatusChange
from planar.venue.engine.world import World
from planar.venue.steering.bench import Bench
from planar.venue.wire import LedgerQuery, VenueAccount
from planar.venue.wire.kraken import control, rest
from planar.venue.wire.kraken.desk import Desk
from planar.venue.wire.kraken.executions import PrivateFeed
from planar.venue.wire.kraken.feed import MarketFeed
from planar.venue.wire.kraken.methods import Methods
from planar.venue.wire.kraken.public import PAIR_STATUSES, SYSTEM_STATUSES
from planar.venue.wire.kraken.settings import Settings
from planar.venue.wire.kraken.socket import Connection, Connections

REST_HOST: Final = "api.kraken.com"
PUBLIC_HOST: Final = "ws.kraken.com"
PRIVATE_HOST: Final = "ws-auth.kraken.com"
_SOCKET_PATH: Final = "/v2"
_TICK_MS: Final = 100


class KrakenWire:
    """One local Kraken.

    Attributes:
        id: "kraken".
        hosts: the real host names served.
        world: engine and market model.
        desk: what its doors share.
        witness: what happened here.
    """

    def __init__(self, world: World, settings: Settings, *, seed: int, activity: bool) -> None:
        self.id = "kraken"
        self.hosts = (REST_HOST, PUBLIC_HOST, PRIVATE_HOST)
        self.world = world
        world.exchange.subscribe(self._on_event)
        self.desk = Desk(world.exchange, settings, seed)
        self.witness = self.desk.witness
        self._private = PrivateFeed(self.desk)
        self._market = MarketFeed(self.desk)
        self._methods = Methods(self.desk, self._market, self._private)
        self._connections = Connections()
        self._activity = Activity(world.exchange) if activity else None
        self._clock: asyncio.Task[None] | None = None

    def default_host(self, path: str) -> str | None:
        """The real host meant by a path; None if there is none."""
        if path.startswith(("/0/public/", "/0/private/")):
            return REST_HOST
        return PUBLIC_HOST if path == _SOCKET_PATH else None

    async def start(self) -> None:
        """Let the market move."""
        self._clock = runtime.spawn(self._run(), name="kraken-clock")

    async def stop(self) -> None:
        """Stop the market and close the WebSockets."""
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)
        self.world.model.end_recording()
        await self._connections.shut_down()

    async def _run(self) -> None:
        """Ten times a second: the market, the accounts' own activity, orders that end by date, the channels."""
        while True:
            now_ms = runtime.wall_ms()
            self.world.model.step(now_ms)
            if self._activity is not None:
                self._activity.tick(now_ms, heard=bool(self._connections))
            self.desk.tick(now_ms)
            self._market.tick()
            await runtime.sleep((_TICK_MS - runtime.wall_ms() % _TICK_MS) / 1000)

    async def handle(self, host: str, path: str, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, a WebSocket upgrade or not."""
        if host == REST_HOST:
            return await rest.respond(self.desk, path, request)
        if path.rstrip("/") != _SOCKET_PATH:
            return web.Response(status=404, text="Not Found")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=400, text="Bad Request")
        system = SYSTEM_STATUSES[self.world.exchange.conditions.system]
        connection = Connection(self.desk.settings, self._methods.on_text, private=host == PRIVATE_HOST, system=system)
        return await self._connections.run(connection, request)

    def account_of(self, request: web.BaseRequest) -> str | None:
        """Whose key the request carries in its header."""
        return self.desk.keys.account_of(request.headers.get(rest.KEY_HEADER))

    def accounts(self) -> list[VenueAccount]:
        """Credentials of the seeded accounts."""
        return self.desk.keys.accounts()

    def ledger(self, query: LedgerQuery) -> dict[str, Any]:
        """Answer from the ledger."""
        return control.ledger(self.desk, query)

    def bench(self) -> Bench:
        """What the commands of the control API work on."""
        return Bench(
            venue=self.id,
            exchange=self.world.exchange,
            model=self.world.model,
            keys=self.desk.keys,
            market_states={word: status for status, word in PAIR_STATUSES.items()},
            system_states={word: status for status, word in SYSTEM_STATUSES.items()},
            expire_tokens=self._expire_tokens,
        )

    def _expire_tokens(self, account: str) -> int:
        return self.desk.keys.expire_tokens(account) + self._connections.forget(account)

    def _on_event(self, event: Event) -> None:
        """The names follow what is listed; every connection hears of the exchange's state."""
        if isinstance(event, FiltersChange):
            self.desk.names.refresh(event.spec)
        elif isinstance(event, MarketStatusChange) and event.status is MarketStatus.DELISTED:
            self.desk.names.drop(event.symbol)
        elif isinstance(event, SystemStatusChange):
            self._connections.tell_status(SYSTEM_STATUSES[event.status])
