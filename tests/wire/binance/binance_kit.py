"""What the tests of the Binance wire share: a running local Binance, raw and CCXT clients, signatures."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp

from planar.venue.registry import VenueRecord
from planar.venue.server import VenueServer
from planar.venue.wire import VenueAccount
from planar.venue.wire.binance import BinanceWire, Settings, create

REST = "https://api.binance.com"
STREAM = "wss://stream.binance.com:9443"
WS_API = "wss://ws-api.binance.com:443/ws-api/v3"
SPOT_ONLY = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchMargins": True}


async def eventually(condition: Callable[[], bool], within_s: float = 5) -> None:
    """Wait until it holds; TimeoutError if it does not in time."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.002)


def sign(payload: str, secret: str) -> str:
    """HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def now_ms() -> int:
    return int(time.time() * 1000)


class Answer:
    """A REST answer."""

    def __init__(self, status: int, headers: Any, text: str) -> None:
        self.status = status
        self.headers = headers
        self.text = text

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> tuple[int, int, str]:
        """Status, code and text."""
        return self.status, self.json["code"], self.json["msg"]


class LocalBinance:
    """A local Binance with its doors open."""

    def __init__(
        self, wire: BinanceWire, server: VenueServer, record: VenueRecord, session: aiohttp.ClientSession
    ) -> None:
        self.wire = wire
        self.server = server
        self.record = record
        self.session = session
        self.exchange = wire.world.exchange

    def freeze(self) -> None:
        """Let nobody but the test move the market."""
        self.wire.world.model.frozen = True

    def account(self, name: str = "alice") -> VenueAccount:
        return next(account for account in self.wire.accounts() if account.account == name)

    async def get(self, path: str, host: str = REST, **params: Any) -> Answer:
        return await self.send("GET", f"{host}{path}" + ("?" + urlencode(params) if params else ""))

    async def send(
        self, method: str, url: str, *, body: str | None = None, key: str | None = None, **headers: str
    ) -> Answer:
        """A request exactly as given."""
        if key is not None:
            headers["X-MBX-APIKEY"] = key
        if body is not None:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        async with self.session.request(method, _verbatim(url), data=body, headers=headers) as response:
            return Answer(response.status, response.headers, await response.text())

    async def signed(self, method: str, path: str, account: str = "alice", **params: Any) -> Answer:
        """A signed request of an account, its parameters in the query."""
        who = self.account(account)
        params.setdefault("timestamp", now_ms())
        query = urlencode(params)
        url = f"{REST}{path}?{query}&signature={sign(query, who.secret)}"
        return await self.send(method, url, key=who.apiKey)

    async def order(self, account: str = "alice", **params: Any) -> Answer:
        """A new order; `symbol` is BTCUSDT unless given."""
        return await self.signed("POST", "/api/v3/order", account, **{"symbol": "BTCUSDT", **params})

    def ws(self, url: str) -> Any:
        """A WebSocket as it is; pings are not answered on their own."""
        return self.session.ws_connect(url, autoping=False)

    def api_params(self, account: str = "alice", **params: Any) -> dict[str, Any]:
        """Parameters of a signed request to the WebSocket API."""
        who = self.account(account)
        params = {"apiKey": who.apiKey, "timestamp": now_ms(), **params}
        payload = "&".join(f"{name}={_text(params[name])}" for name in sorted(params))
        return {**params, "signature": sign(payload, who.secret)}

    @asynccontextmanager
    async def ccxt(self, kind: Any, account: str | None = "alice", **config: Any) -> AsyncIterator[Any]:
        """An unmodified asynchronous CCXT exchange that comes through the Unix socket."""
        assert self.record.socket is not None
        connector = aiohttp.UnixConnector(self.record.socket)
        async with aiohttp.ClientSession(connector=connector) as session:
            keys = {}
            if account is not None:
                keys = {"apiKey": self.account(account).apiKey, "secret": self.account(account).secret}
            exchange = kind({"session": session, "options": SPOT_ONLY, "enableRateLimit": False, **keys, **config})
            try:
                yield exchange
            finally:
                await exchange.close()


def _verbatim(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@asynccontextmanager
async def local_binance(
    socket: str, *, seed: int = 7, activity: bool = False, settings: Settings | None = None
) -> AsyncIterator[LocalBinance]:
    """Run a local Binance on a Unix socket."""
    wire = create(seed=seed, activity=activity, settings=settings)
    server = VenueServer([wire])
    record = await server.start(unix_path=socket)
    try:
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket)) as session:
            yield LocalBinance(wire, server, record, session)
    finally:
        await server.stop()


async def next_json(ws: Any) -> Any:
    """The next text frame, as JSON; pings are answered."""
    while True:
        message = await asyncio.wait_for(ws.receive(), 5)
        if message.type is aiohttp.WSMsgType.PING:
            await ws.pong(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        else:
            raise ConnectionError(f"{message.type.name} {message.data!r} {message.extra!r}")


async def ask(ws: Any, method: str, params: Any = None, request_id: Any = 1) -> Any:
    """Send a request and wait for its answer; events in between are passed over."""
    request: dict[str, Any] = {"id": request_id, "method": method}
    if params is not None:
        request["params"] = params
    await ws.send_str(json.dumps(request))
    while True:
        frame = await next_json(ws)
        if "id" in frame or "error" in frame:
            return frame
