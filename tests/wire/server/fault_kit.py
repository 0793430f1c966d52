"""A local Binance and a local Kraken behind one Unix socket, and raw clients of each, for the tests of the faults.

The clients send what a program would send with nothing but aiohttp: whatever they see was on the wire.
"""

from __future__ import annotations

import abc
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

import planar.runtime as runtime
from planar.venue.client import VenueControl
from planar.venue.faults import Fault, FaultRule
from planar.venue.registry import VenueRecord
from planar.venue.server import VenueServer
from planar.venue.wire import LedgerQuery, VenueAccount, Wire, binance, kraken

ANSWER_S = 5.0
BROKEN = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)

Json = Any


class Refused(Exception):
    """The exchange said no: `code` is its own word."""

    def __init__(self, code: object, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class Trader(abc.ABC):
    """One account at one exchange, over REST."""

    id: str
    order_path: str
    fill_frame: str
    balance_frame: str

    def __init__(self, session: aiohttp.ClientSession, account: VenueAccount) -> None:
        self.session = session
        self.account = account

    @abc.abstractmethod
    async def call(self, method: str, path: str, params: dict[str, str]) -> Json:
        """A signed request; its result. Raises Refused."""

    @abc.abstractmethod
    async def place(
        self, side: str, amount: str, price: str | None = None, *, client_id: str | None = None, **more: str
    ) -> str:
        """Place an order for BTC/USDT; its id."""

    @abc.abstractmethod
    async def order(self, order_id: str) -> Json:
        """Ask about an order."""

    @abc.abstractmethod
    async def open_ids(self) -> list[str]:
        """Ids of the open orders."""

    @abc.abstractmethod
    async def cancel(self, order_id: str) -> Json:
        """Cancel an order."""

    @abc.abstractmethod
    async def held(self, asset: str) -> float:
        """What the account has of an asset in all."""

    @abc.abstractmethod
    async def fills(self) -> list[str]:
        """Ids of the orders that the newest executions belong to."""

    @abc.abstractmethod
    async def symbols(self) -> dict[str, Json]:
        """The listed markets by the exchange's id."""

    @abc.abstractmethod
    @contextlib.asynccontextmanager
    def stream(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """The account's private stream, subscribed to orders and balances."""
        yield NotImplemented


class BinanceTrader(Trader):
    id = "binance"
    order_path = "/api/v3/order"
    fill_frame = '*"executionReport"*"x":"TRADE"*'
    balance_frame = '*"outboundAccountPosition"*'
    host = "http://api.binance.com"

    async def call(self, method: str, path: str, params: dict[str, str]) -> Json:
        query = urlencode(params | {"timestamp": str(runtime.wall_ms())})
        signature = hmac.new(self.account.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        return await self.public(method, f"{path}?{query}&signature={signature}")

    async def public(self, method: str, target: str) -> Json:
        headers = {"X-MBX-APIKEY": self.account.apiKey}
        async with self.session.request(method, self.host + target, headers=headers) as response:
            body = await response.json(content_type=None)
            if response.status != 200:
                raise Refused(body["code"], response.status)
            return body

    async def place(
        self, side: str, amount: str, price: str | None = None, *, client_id: str | None = None, **more: str
    ) -> str:
        params = {"symbol": "BTCUSDT", "side": side.upper(), "type": "MARKET", "quantity": amount}
        if price is not None:
            params |= {"type": "LIMIT", "timeInForce": "GTC", "price": price}
        if client_id is not None:
            params["newClientOrderId"] = client_id
        return str((await self.call("POST", "/api/v3/order", params | more))["orderId"])

    async def order(self, order_id: str) -> Json:
        return await self.call("GET", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": order_id})

    async def open_ids(self) -> list[str]:
        return [str(row["orderId"]) for row in await self.call("GET", "/api/v3/openOrders", {"symbol": "BTCUSDT"})]

    async def cancel(self, order_id: str) -> Json:
        return await self.call("DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": order_id})

    async def held(self, asset: str) -> float:
        rows = (await self.call("GET", "/api/v3/account", {}))["balances"]
        return sum(float(row["free"]) + float(row["locked"]) for row in rows if row["asset"] == asset)

    async def fills(self) -> list[str]:
        return [str(row["orderId"]) for row in await self.call("GET", "/api/v3/myTrades", {"symbol": "BTCUSDT"})]

    async def symbols(self) -> dict[str, Json]:
        return {row["symbol"]: row for row in (await self.public("GET", "/api/v3/exchangeInfo"))["symbols"]}

    async def listen_key(self) -> str:
        return (await self.public("POST", "/api/v3/userDataStream"))["listenKey"]

    @contextlib.asynccontextmanager
    async def stream(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.session.ws_connect(f"http://stream.binance.com/ws/{await self.listen_key()}") as socket:
            yield socket


class KrakenTrader(Trader):
    nonce = 0
    id = "kraken"
    order_path = "/0/private/AddOrder"
    fill_frame = '*"executions"*"update"*"exec_type":"trade"*'
    balance_frame = '*"balances"*"update"*'

    async def call(self, method: str, path: str, params: dict[str, str]) -> Json:
        type(self).nonce = max(self.nonce + 1, runtime.wall_ms() * 1000)
        nonce = params.get("nonce") or str(self.nonce)
        body = urlencode({"nonce": nonce} | params)
        digest = hashlib.sha256((nonce + body).encode()).digest()
        secret = base64.b64decode(self.account.secret)
        signature = base64.b64encode(hmac.new(secret, path.encode() + digest, hashlib.sha512).digest()).decode()
        headers = {
            "API-Key": self.account.apiKey,
            "API-Sign": signature,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        url = f"http://api.kraken.com{path}"
        async with self.session.request(method, url, data=body, headers=headers) as response:
            return _result(await response.json(content_type=None), response.status)

    async def public(self, name: str) -> Json:
        async with self.session.get(f"http://api.kraken.com/0/public/{name}") as response:
            return _result(await response.json(content_type=None), response.status)

    async def private(self, name: str, params: dict[str, str]) -> Json:
        return await self.call("POST", f"/0/private/{name}", params)

    async def place(
        self, side: str, amount: str, price: str | None = None, *, client_id: str | None = None, **more: str
    ) -> str:
        params = {"pair": "XBTUSDT", "type": side, "ordertype": "market", "volume": amount}
        if price is not None:
            params |= {"ordertype": "limit", "price": price}
        if client_id is not None:
            params["cl_ord_id"] = client_id
        return (await self.private("AddOrder", params | more))["txid"][0]

    async def order(self, order_id: str) -> Json:
        return (await self.private("QueryOrders", {"txid": order_id}))[order_id]

    async def open_ids(self) -> list[str]:
        return list((await self.private("OpenOrders", {}))["open"])

    async def cancel(self, order_id: str) -> Json:
        return await self.private("CancelOrder", {"txid": order_id})

    async def held(self, asset: str) -> float:
        found = await self.private("Balance", {})
        return float(found.get({"BTC": "XXBT"}.get(asset, asset), "0"))

    async def fills(self) -> list[str]:
        return [row["ordertxid"] for row in (await self.private("TradesHistory", {}))["trades"].values()]

    async def symbols(self) -> dict[str, Json]:
        return await self.public("AssetPairs")

    async def token(self) -> str:
        return (await self.private("GetWebSocketsToken", {}))["token"]

    @contextlib.asynccontextmanager
    async def stream(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        token = await self.token()
        async with self.session.ws_connect("http://ws-auth.kraken.com/v2") as socket:
            for channel in ("executions", "balances"):
                params = {"channel": channel, "token": token, "snap_orders": False, "snap_trades": False}
                await socket.send_json({"method": "subscribe", "params": params})
                await heard(socket, lambda frame, channel=channel: frame.get("result", {}).get("channel") == channel)
            yield socket


def _result(body: Json, status: int) -> Json:
    if body["error"]:
        raise Refused(body["error"][0], status)
    return body["result"]


async def heard(socket: aiohttp.ClientWebSocketResponse, wanted: Any, within_s: float = ANSWER_S) -> Json:
    """The next frame that is wanted; what comes before is passed over."""
    while True:
        frame = json.loads(await socket.receive_str(timeout=within_s))
        if wanted(frame):
            return frame


def is_trade(frame: dict[str, Any]) -> bool:
    """Whether a frame of either exchange tells of an execution."""
    rows = frame.get("data")
    return frame.get("x") == "TRADE" or (isinstance(rows, list) and rows[0].get("exec_type") == "trade")


def is_balance(frame: dict[str, Any]) -> bool:
    """Whether one tells of balances."""
    return frame.get("e") == "outboundAccountPosition" or (
        frame.get("channel") == "balances" and frame["type"] == "update"
    )


TRADERS: dict[str, type[Trader]] = {"binance": BinanceTrader, "kraken": KrakenTrader}


class Houses:
    """Both exchanges, their server, and how to make clients."""

    def __init__(
        self, server: VenueServer, wires: dict[str, Wire], record: VenueRecord, session: aiohttp.ClientSession
    ) -> None:
        self.server = server
        self.wires = wires
        self.record = record
        self.session = session
        self.control = VenueControl(record)
        self.accounts: dict[str, list[VenueAccount]] = {}

    def trader(self, venue: str, number: int = 0) -> Trader:
        """A client of the account of this number."""
        return TRADERS[venue](self.session, self.accounts[venue][number])

    def inject(self, fault: Fault, **rule: Any) -> None:
        """Add a rule."""
        self.server.faults.add(FaultRule(fault=fault, **rule))

    def orders(self, venue: str, client_id: str) -> list[dict[str, Any]]:
        """What the ledger knows of a client id."""
        return self.wires[venue].ledger(LedgerQuery(kind="orders", client_id=client_id))["orders"]


@contextlib.asynccontextmanager
async def open_houses(path: Path) -> AsyncIterator[Houses]:
    """Run both exchanges, their markets frozen. Inside the seeded loop `path` need not exist."""
    wires: list[Any] = [binance.create(1, False), kraken.create(1, False)]
    server = VenueServer(wires)
    record = await server.start(unix_path=str(path / "houses.sock"))
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path / "houses.sock"))) as session:
        houses = Houses(server, {wire.id: wire for wire in wires}, record, session)
        for account in await houses.control.accounts():
            houses.accounts.setdefault(account.exchange, []).append(account)
        async with houses.control:
            await houses.control.market("freeze")
            yield houses
    await server.stop()
