"""A front that speaks for Binance and Kraken, answers one path as it is told to and all others well, and the facade
on top of it: Exchange, CCXT, seam and socket as in daily use."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from planar.adapters.exchange_ids import exchange_ids
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.config import load
from planar.exchange import Exchange
from planar.orders import OrderManager
from planar.streams import StreamHub
from planar.transport.alarms import Alarms
from planar.transport.dialer import Dialer
from planar.transport.pool import MeterPool

SYMBOL = "BTC/USDT"
KEY = "AbCd" + "k" * 56 + "WxYz"
SECRET = "c2VjcmV0" * 11
KEYS = {"apiKey": KEY, "secret": SECRET}
DROP, RAW, HANG = -1, -2, -3
HTML = "<html><body>Bad Gateway</body></html>"

BINANCE_SYMBOL: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
    "isSpotTradingAllowed": True,
    "cancelReplaceAllowed": True,
    "permissions": ["SPOT"],
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
    ],
}
BINANCE_ORDER: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "orderId": 17,
    "clientOrderId": "x",
    "price": "20000.00",
    "origQty": "0.01",
    "executedQty": "0.00",
    "cummulativeQuoteQty": "0.00",
    "status": "NEW",
    "timeInForce": "GTC",
    "type": "LIMIT",
    "side": "BUY",
    "time": 1_700_000_000_000,
    "updateTime": 1_700_000_000_000,
}
BINANCE_TICKER: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "lastPrice": "20000.00",
    "bidPrice": "19999.00",
    "askPrice": "20001.00",
    "closeTime": 1_700_000_000_000,
}
KRAKEN_PAIR: dict[str, Any] = {
    "altname": "XBTUSDT",
    "wsname": "XBT/USDT",
    "aclass_base": "currency",
    "base": "XXBT",
    "aclass_quote": "currency",
    "quote": "USDT",
    "lot": "unit",
    "cost_decimals": 5,
    "pair_decimals": 1,
    "lot_decimals": 8,
    "lot_multiplier": 1,
    "leverage_buy": [],
    "leverage_sell": [],
    "fees": [[0, 0.4]],
    "fees_maker": [[0, 0.25]],
    "ordermin": "0.00005",
    "costmin": "0.5",
    "tick_size": "0.1",
    "status": "online",
}
KRAKEN_ORDER: dict[str, Any] = {
    "status": "open",
    "opentm": 1_700_000_000.0,
    "vol": "0.01",
    "vol_exec": "0",
    "cost": "0",
    "fee": "0",
    "price": "0",
    "cl_ord_id": "x",
    "descr": {"pair": "XBTUSDT", "type": "buy", "ordertype": "limit", "price": "20000", "price2": "0"},
}


def _coin(name: str) -> dict[str, Any]:
    return {"aclass": "currency", "altname": name, "decimals": 10, "display_decimals": 5, "status": "enabled"}


def kraken(result: Any) -> dict[str, Any]:
    """Kraken's envelope."""
    return {"error": [], "result": result}


GOOD: Mapping[str, Mapping[str, Any]] = {
    "binance": {
        "GET /api/v3/exchangeInfo": {"symbols": [BINANCE_SYMBOL], "rateLimits": [], "exchangeFilters": []},
        "GET /api/v3/ticker/24hr": BINANCE_TICKER,
        "GET /api/v3/depth": {"lastUpdateId": 1, "bids": [["1", "2"]], "asks": [["3", "4"]]},
        "GET /api/v3/klines": [[1_700_000_000_000, "1", "2", "1", "2", "3", 1_700_000_059_999, "4", 5, "1", "1", "0"]],
        "GET /api/v3/aggTrades": [
            {"a": 1, "p": "1", "q": "2", "f": 1, "l": 1, "T": 1_700_000_000_000, "m": True, "M": True}
        ],
        "GET /api/v3/account": {"balances": [{"asset": "BTC", "free": "1", "locked": "0"}], "updateTime": 1},
        "GET /api/v3/order": BINANCE_ORDER,
        "GET /api/v3/openOrders": [],
        "GET /api/v3/allOrders": [],
        "GET /api/v3/myTrades": [],
        "POST /api/v3/order": BINANCE_ORDER,
        "DELETE /api/v3/order": {**BINANCE_ORDER, "status": "CANCELED", "origClientOrderId": "x"},
    },
    "kraken": {
        "GET /0/public/Assets": kraken({"XXBT": _coin("XBT"), "USDT": _coin("USDT")}),
        "GET /0/public/AssetPairs": kraken({"XBTUSDT": KRAKEN_PAIR}),
        "GET /0/public/Ticker": kraken(
            {
                "XBTUSDT": {
                    "a": ["3", "1", "1"],
                    "b": ["1", "1", "1"],
                    "c": ["2", "1"],
                    **{name: ["1", "1"] for name in ("v", "p", "t", "l", "h")},
                    "o": "1",
                }
            }
        ),
        "GET /0/public/Depth": kraken({"XBTUSDT": {"bids": [["1", "2", 3]], "asks": [["3", "4", 5]]}}),
        "GET /0/public/OHLC": kraken({"XBTUSDT": [[1_700_000_000, "1", "2", "1", "2", "1", "3", 4]], "last": 1}),
        "GET /0/public/Trades": kraken(
            {"XBTUSDT": [["1", "2", 1_700_000_000.1, "b", "l", "", 7]], "last": "1700000000100000000"}
        ),
        "POST /0/private/BalanceEx": kraken({"XXBT": {"balance": "1", "hold_trade": "0"}}),
        "POST /0/private/QueryOrders": kraken({"OAAAAA-BBBBB-CCCCCC": KRAKEN_ORDER}),
        "POST /0/private/OpenOrders": kraken({"open": {}}),
        "POST /0/private/ClosedOrders": kraken({"closed": {}, "count": 0}),
        "POST /0/private/TradesHistory": kraken({"trades": {}, "count": 0}),
        "POST /0/private/AddOrder": kraken(
            {"txid": ["OAAAAA-BBBBB-CCCCCC"], "descr": {"order": "buy 0.01 XBTUSDT @ limit 20000.0"}}
        ),
        "POST /0/private/CancelOrder": kraken({"count": 1}),
    },
}
UNKNOWN_ORDER = {
    "binance": (400, '{"code":-2013,"msg":"Order does not exist."}'),
    "kraken": (200, '{"error":["EOrder:Unknown order"]}'),
}


async def _broken(request: web.BaseRequest, way: int, raw: bytes) -> web.StreamResponse:
    assert request.transport is not None
    if way == DROP:
        request.transport.abort()
    elif way == RAW:
        request.transport.write(raw)
        request.transport.close()
    else:
        await asyncio.sleep(5)
    return web.Response()


class Front:
    """Answers `at` ("POST /api/v3/order") with `told`, what else it knows well, and nothing else; counts.

    Attributes:
        told: (status, body, headers), or in place of a status DROP: the connection breaks, RAW: the body alone is
            written as it is and the connection closed, HANG: nothing comes.
        requests: what came, without listings of markets.
        listings: how often the markets were asked for.
    """

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.at = ""
        self.told: tuple[int, str | bytes, Mapping[str, str]] = (200, "{}", {})
        self.requests: list[str] = []
        self.listings = 0

    def tell(self, at: str, body: str | bytes | Any, status: int = 200, **headers: str) -> None:
        """Answer `at` so from now on, and count anew."""
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        self.at, self.told, self.requests = at, (status, text, headers), []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        name = f"{request.method} {request.path}"
        if "Asset" in name or "exchangeInfo" in name:
            self.listings += 1
        else:
            self.requests.append(name)
        if name == self.at:
            status, body, headers = self.told
            raw = body.encode() if isinstance(body, str) else body
            if status < 0:
                return await _broken(request, status, raw)
            asked = {**request.query, **await request.post()}
            raw = raw.replace(b'"x"', f'"{asked.get("newClientOrderId", "x")}"'.encode())
            kind = "text/html" if raw.startswith(b"<") else "application/json"
            return web.Response(status=status, body=raw, headers={"Content-Type": kind, **headers})
        good = GOOD[self.venue].get(name)
        if good is not None:
            return web.json_response(good)
        status, text = UNKNOWN_ORDER[self.venue]
        return web.Response(status=status, text=text, content_type="application/json")

    def asked(self, at: str | None = None) -> int:
        """How often a path was asked for."""
        return self.requests.count(self.at if at is None else at)


Opener = Callable[..., contextlib.AbstractAsyncContextManager[Exchange]]


def exchange_opener(venue: str, path: str, directory: Path) -> Opener:
    """What opens exchanges upon a socket; each has budgets and a journal of its own."""
    configuration, opened = load(None, None, known_ids=exchange_ids()), 0

    @contextlib.asynccontextmanager
    async def opener(*, pacing: bool = True, credentials: Mapping[str, str] = KEYS) -> AsyncIterator[Exchange]:
        nonlocal opened
        opened += 1
        number, dialer = opened, Dialer()
        request = OpeningRequest(
            exchange=venue,
            environment="local",
            credentials=credentials,
            fingerprint=f"f{number}",
            pacing=pacing,
            timeout_ms=2_000,
            futures=False,
            unix_socket=path,
        )
        adapter = open_adapter(request, dialer, MeterPool(), MarketCache(directory / "cache"))
        settings = configuration.with_options(venue, {"environment": "local", "timeout": 2_000})
        exchange = Exchange(
            adapter,
            settings,
            configuration,
            account="",
            authenticated=True,
            make_orders=lambda: OrderManager(adapter, directory / f"journal-{number}.db", 2_000, Alarms([]), ""),
            hub=StreamHub(adapter),
        )
        try:
            await exchange.load_markets()
            yield exchange
        finally:
            await exchange.close()
            await dialer.close()

    return opener


@contextlib.asynccontextmanager
async def open_front(venue: str, directory: Path) -> AsyncIterator[tuple[Front, Opener]]:
    """A front, and what opens an exchange upon it."""
    front, path = Front(venue), str(directory / "front.sock")
    runner = web.ServerRunner(web.Server(front.answer))
    await runner.setup()
    await web.UnixSite(runner, path).start()
    try:
        yield front, exchange_opener(venue, path, directory)
    finally:
        await runner.cleanup()
