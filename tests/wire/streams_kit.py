"""What the tests of the streams share: a local exchange in the test's own loop, a meddler before it, and the truth.

The meddler is a server on a Unix socket that passes every request and frame on to the venue, and plays with what it is
told to play with: it drops, alters and inserts frames, cuts connections, falls silent, answers in the venue's place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

import aiohttp
from aiohttp import web

from planar.adapters.base import OrderRequest
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.models import Amount, Order, OrderBook
from planar.streams import StreamHub, StreamRules
from planar.transport.dialer import Dialer
from planar.transport.pool import MeterPool
from planar.venue.engine.enums import Side
from planar.venue.engine.events import BookChange, Event, TradePrint
from planar.venue.server import VenueServer
from planar.venue.wire import kraken
from planar.venue.wire.binance import BinanceWire, create
from planar.venue.wire.kraken import KrakenWire
from planar.venue.wire.kraken.settings import TierLimits

SYMBOL = "BTC/USDT"
LocalWire: TypeAlias = BinanceWire | KrakenWire
W = TypeVar("W", BinanceWire, KrakenWire)
QUICK = StreamRules(check_ms=20, backoff_s=0.02, backoff_max_s=0.1, connect_s=5.0)


async def until(condition: Callable[[], object], within_s: float = 5.0) -> None:
    """Wait until it holds; TimeoutError if it does not in time."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


class Meddler:
    """Stands between client and venue.

    Attributes:
        alter: called with (url, frame) of each frame from the venue; gives the frames that the client gets instead.
        sent: (url, frame) of each frame from the client, in order.
        sockets: open connections of the client by url.
        silent: nothing of the venue reaches the client any more, pongs included; the connections stay open.
        refuse: answer for HTTP requests whose path is in it.
    """

    def __init__(self, upstream: str) -> None:
        self.alter: Callable[[str, str], Sequence[str | bytes]] = lambda url, frame: [frame]
        self.sent: list[tuple[str, str]] = []
        self.sockets: dict[str, list[web.WebSocketResponse]] = {}
        self.requests: list[str] = []
        self.silent = False
        self.refuse: dict[str, tuple[int, str]] = {}
        self._upstream = upstream
        self._upstreams: list[tuple[str, aiohttp.ClientWebSocketResponse]] = []
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None

    async def start(self, path: str) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._upstream))
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        await web.UnixSite(self._runner, path).start()

    async def stop(self) -> None:
        await self.cut()
        assert self._runner is not None
        assert self._session is not None
        await self._session.close()
        await self._runner.cleanup()

    async def cut(self) -> None:
        """Break every connection of the client, without a goodbye."""
        for sockets in list(self.sockets.values()):
            for socket in list(sockets):
                transport = socket._req.transport if socket._req is not None else None
                if transport is not None:
                    transport.abort()

    async def push(self, frame: str, part: str = "") -> None:
        """Send a frame of our own to the connections whose url holds `part`."""
        for url, sockets in self.sockets.items():
            for socket in sockets if part in url else ():
                await socket.send_str(frame)

    async def say(self, frame: str, part: str) -> None:
        """Send a frame to the venue, as if the client had, over the connections whose url holds `part`."""
        for url, venue in self._upstreams:
            if part in url:
                await venue.send_str(frame)

    @property
    def open(self) -> int:
        return sum(len(sockets) for sockets in self.sockets.values())

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        if request.path in self.refuse:
            status, text = self.refuse[request.path]
            return web.Response(status=status, text=text)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        assert self._session is not None
        url = f"http://{request.host}{request.path_qs}"
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name not in ("Host", "Content-Length")}
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.startswith(("X-", "Content-Type"))}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def _socket(self, request: web.BaseRequest) -> web.StreamResponse:
        url = f"{request.host}{request.path_qs}"
        client = web.WebSocketResponse(autoping=False)
        await client.prepare(request)
        self.sockets.setdefault(url, []).append(client)
        assert self._session is not None
        try:
            async with self._session.ws_connect(f"http://{url}", autoping=False) as venue:
                self._upstreams.append((url, venue))
                down = asyncio.create_task(self._down(url, venue, client))
                async for message in client:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        self.sent.append((url, message.data))
                        await venue.send_str(message.data)
                    elif message.type is aiohttp.WSMsgType.PING and not self.silent:
                        await client.pong(message.data)
                down.cancel()
                await asyncio.wait([down])
                self._upstreams.remove((url, venue))
        finally:
            self.sockets[url].remove(client)
        return client

    async def _down(self, url: str, venue: aiohttp.ClientWebSocketResponse, client: web.WebSocketResponse) -> None:
        async for message in venue:
            if message.type is aiohttp.WSMsgType.PING:
                await venue.pong(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT and not self.silent:
                for frame in self.alter(url, message.data):
                    await self._pass(client, frame)
        await client.close()

    @staticmethod
    async def _pass(client: web.WebSocketResponse, frame: str | bytes) -> None:
        """Text as text, bytes as binary; bytes of a class of their own go past the protocol."""
        if isinstance(frame, str):
            await client.send_str(frame)
        elif type(frame) is bytes:
            await client.send_bytes(frame)
        else:
            transport = client._req.transport if client._req is not None else None
            if transport is not None:
                transport.write(bytes(frame))


class Truth:
    """What the venue's engine really did: trades, and the best levels at each sequence number."""

    def __init__(self, wire: LocalWire, symbol: str = SYMBOL) -> None:
        self.trade_ids: list[str] = []
        self.tops: dict[int, tuple[list[tuple[float, float]], list[tuple[float, float]]]] = {}
        self.symbol = symbol
        self._sides: dict[Side, dict[float, float]] = {Side.BUY: {}, Side.SELL: {}}
        self.stop = wire.world.exchange.subscribe(self._event)

    def begin(self, snapshot: OrderBook) -> None:
        """Start from a whole book that was just fetched by REST; nothing changed since."""
        self._sides[Side.BUY] = dict(snapshot.bids)
        self._sides[Side.SELL] = dict(snapshot.asks)

    def _event(self, event: Event) -> None:
        if isinstance(event, TradePrint) and event.trade.symbol == self.symbol:
            self.trade_ids.append(str(event.trade.id))
        elif isinstance(event, BookChange) and event.symbol == self.symbol:
            side = self._sides[event.side]
            if event.amount:
                side[float(event.price)] = float(event.amount)
            else:
                side.pop(float(event.price), None)
            bids, asks = self._sides[Side.BUY], self._sides[Side.SELL]
            self.tops[event.update_id] = (
                [(price, bids[price]) for price in sorted(bids, reverse=True)[:5]],
                [(price, asks[price]) for price in sorted(asks)[:5]],
            )


class Local(Generic[W]):
    """A client of a local exchange, through the meddler."""

    def __init__(self, wire: W, server: VenueServer, meddler: Meddler, adapter: CcxtAdapter) -> None:
        self.wire = wire
        self.server = server
        self.meddler = meddler
        self.adapter = adapter
        self.orders: list[Order] = []
        self.hubs: list[StreamHub] = []
        self.hub = self.new_hub(QUICK)

    def new_hub(self, rules: StreamRules) -> StreamHub:
        self.hubs.append(StreamHub(self.adapter, on_order=self.orders.append, rules=rules))
        return self.hubs[-1]

    async def buy(self, client_id: str, amount: str = "0.01", price: str | None = None) -> Order:
        """Send an order by REST."""
        request = OrderRequest(
            client_id=client_id,
            symbol=SYMBOL,
            side="buy",
            type="market" if price is None else "limit",
            amount=Amount(amount),
            price=Amount(price) if price is not None else None,
        )
        return await self.adapter.submit(request, timeout_ms=5_000, on_send=lambda: None)


def local_binance(
    directory: Path, sockets: Path | None = None, limit_s: float | None = 20.0, **options: object
) -> contextlib.AbstractAsyncContextManager[Local[BinanceWire]]:
    """A local Binance; see `local_client`."""
    return local_client(create(1, False), directory, sockets, limit_s, **options)


def local_kraken(directory: Path) -> contextlib.AbstractAsyncContextManager[Local[KrakenWire]]:
    """A local Kraken without limits, for a client that does not pace itself; see `local_client`."""
    free = TierLimits(calls=1e9, calls_decay=1, orders=1e9, orders_decay=1, open_orders=1_000)
    wire = kraken.create(seed=1, activity=False, settings=kraken.Settings(own_limits=free))
    return local_client(wire, directory, pacing=False)


@contextlib.asynccontextmanager
async def local_client(
    wire: W,
    directory: Path,
    sockets: Path | None = None,
    limit_s: float | None = 20.0,
    *,
    pacing: bool = True,
    **options: object,
) -> AsyncIterator[Local[W]]:
    """The whole of it: venue, meddler, adapter, hub. At the end everything must be closed, and nothing left.

    `directory` holds the cache of markets, and the sockets unless these are elsewhere (in memory, under the seeded loop).
    """
    sockets = sockets or directory
    server = VenueServer([wire])
    await server.start(unix_path=str(sockets / "venue.sock"))
    meddler = Meddler(str(sockets / "venue.sock"))
    await meddler.start(str(sockets / "meddler.sock"))
    dialer, account = Dialer(), wire.accounts()[0]
    adapter = open_adapter(
        OpeningRequest(
            exchange=wire.id,
            environment="local",
            credentials={"apiKey": account.apiKey, "secret": account.secret},
            fingerprint="test",
            timeout_ms=5_000,
            futures=False,
            pacing=pacing,
            unix_socket=str(sockets / "meddler.sock"),
            ccxt=options,
        ),
        dialer,
        MeterPool(),
        MarketCache(directory / "markets"),
    )
    await adapter.load_markets(timeout_ms=5_000)
    local = Local(wire, server, meddler, adapter)
    try:
        async with asyncio.timeout(limit_s):
            yield local
    finally:
        for hub in local.hubs:
            await hub.close()
        await adapter.close()
        await dialer.close()
        await meddler.stop()
        await server.stop()
