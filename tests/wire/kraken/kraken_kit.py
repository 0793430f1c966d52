"""What the tests of the Kraken wire share: a running local Kraken, raw and CCXT clients, signatures."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import urlencode

import aiohttp

from planar.venue.registry import VenueRecord
from planar.venue.server import VenueServer
from planar.venue.wire import VenueAccount
from planar.venue.wire.kraken import KrakenWire, Settings, create

REST = "https://api.kraken.com"
PUBLIC = "wss://ws.kraken.com/v2"
PRIVATE = "wss://ws-auth.kraken.com/v2"
PAIR = "XBTUSDT"
SYMBOL = "BTC/USDT"
FREE = Settings(call_limits=False)


def sign(path: str, nonce: str, body: str, secret: str) -> str:
    """API-Sign."""
    digest = hashlib.sha256((nonce + body).encode()).digest()
    return base64.b64encode(
        hmac.new(base64.b64decode(secret), path.encode() + digest, hashlib.sha512).digest()
    ).decode()


class LocalKraken:
    """A local Kraken with its doors open."""

    def __init__(
        self, wire: KrakenWire, server: VenueServer, record: VenueRecord, session: aiohttp.ClientSession
    ) -> None:
        self.wire = wire
        self.server = server
        self.record = record
        self.session = session
        self.exchange = wire.world.exchange
        self._nonces = count(1)

    def freeze(self) -> None:
        """Let nobody but the test move the market."""
        self.wire.world.model.frozen = True

    def account(self, name: str = "alice") -> VenueAccount:
        return next(account for account in self.wire.accounts() if account.account == name)

    def price(self, factor: str, symbol: str = SYMBOL) -> str:
        """The last price times a factor, on the tick."""
        tick = self.exchange.symbols[symbol].tick
        last = self.exchange.last_price(symbol)
        assert last is not None
        return str(last * Decimal(factor) // tick * tick)

    async def public(self, method: str, **params: Any) -> Any:
        """The whole envelope of a public answer."""
        async with self.session.get(f"{REST}/0/public/{method}?{urlencode(params)}") as response:
            assert response.status == 200
            return await response.json()

    async def private(self, method: str, /, account: str | VenueAccount = "alice", **params: Any) -> Any:
        """The whole envelope of a signed answer."""
        who = self.account(account) if isinstance(account, str) else account
        nonce = str(params.pop("nonce", None) or next(self._nonces))
        path = f"/0/private/{method}"
        body = urlencode({"nonce": nonce, **params})
        headers = {"API-Key": who.apiKey, "API-Sign": sign(path, nonce, body, who.secret)}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return await self.post(path, body, headers)

    async def private_json(self, method: str, params: dict[str, Any], account: str = "alice") -> Any:
        """The same with a JSON body."""
        who = self.account(account)
        nonce = str(next(self._nonces))
        path = f"/0/private/{method}"
        body = json.dumps({"nonce": nonce, **params})
        headers = {"API-Key": who.apiKey, "API-Sign": sign(path, nonce, body, who.secret)}
        return await self.post(path, body, headers | {"Content-Type": "application/json"})

    async def post(self, path: str, body: str, headers: dict[str, str]) -> Any:
        async with self.session.post(REST + path, data=body, headers=headers) as response:
            assert response.status == 200
            return await response.json()

    async def order(self, account: str = "alice", **params: Any) -> Any:
        """AddOrder; a limit purchase of 0.001 BTC far below the market unless told otherwise."""
        given = {"pair": PAIR, "type": "buy", "ordertype": "limit", "volume": "0.001", "price": self.price("0.8")}
        return await self.private("AddOrder", account, **{**given, **params})

    async def placed(self, account: str = "alice", **params: Any) -> str:
        """The id of an order that must be accepted."""
        answer = await self.order(account, **params)
        assert answer["error"] == [], answer
        return answer["result"]["txid"][0]

    async def query(self, txid: str, account: str = "alice") -> Any:
        """One order."""
        return (await self.private("QueryOrders", account, txid=txid, trades=True))["result"][txid]

    async def token(self, account: str = "alice") -> str:
        return (await self.private("GetWebSocketsToken", account))["result"]["token"]

    def ws(self, url: str) -> Any:
        return self.session.ws_connect(url)

    @asynccontextmanager
    async def ccxt(self, kind: Any, account: str = "alice", **config: Any) -> AsyncIterator[Any]:
        """An unmodified asynchronous CCXT exchange that comes through the Unix socket."""
        assert self.record.socket is not None
        connector = aiohttp.UnixConnector(self.record.socket)
        async with aiohttp.ClientSession(connector=connector) as session:
            keys = {"apiKey": self.account(account).apiKey, "secret": self.account(account).secret}
            exchange = kind({"session": session, "enableRateLimit": False, **keys, **config})
            try:
                yield exchange
            finally:
                await exchange.close()


@asynccontextmanager
async def local_kraken(
    socket: str, *, seed: int = 7, activity: bool = False, settings: Settings | None = None
) -> AsyncIterator[LocalKraken]:
    """Run a local Kraken on a Unix socket."""
    wire = create(seed=seed, activity=activity, settings=settings)
    server = VenueServer([wire])
    record = await server.start(unix_path=socket)
    try:
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket)) as session:
            yield LocalKraken(wire, server, record, session)
    finally:
        await server.stop()


async def next_frame(ws: Any, channel: str | None = None) -> Any:
    """The next frame, exact numbers as Decimal; with a channel the next of it."""
    while True:
        message = await asyncio.wait_for(ws.receive(), 5)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(f"{message.type.name} {message.data!r}")
        frame = json.loads(message.data, parse_float=Decimal)
        if channel is None or frame.get("channel") == channel:
            return frame


async def ask(ws: Any, method: str, request_id: int = 1, **params: Any) -> Any:
    """Send a request and wait for its answer; frames in between are passed over."""
    await ws.send_str(json.dumps({"method": method, "params": params, "req_id": request_id}))
    while True:
        frame = await next_frame(ws)
        if frame.get("req_id") == request_id:
            return frame
