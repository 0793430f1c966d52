"""A front that lists 3,000 made-up markets and answers a ticker, on a Unix socket; for the start-up figures."""

from __future__ import annotations

import random
import string
import sys
from typing import Any

import orjson
from aiohttp import web

COUNT = 3_000


def symbol(base: str, quote: str) -> dict[str, Any]:
    """One entry of Binance's exchangeInfo."""
    return {
        "symbol": base + quote,
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
            {"filterType": "ICEBERG_PARTS", "limit": 10},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.0", "maxQty": "114.27", "stepSize": "0.0"},
            {"filterType": "NOTIONAL", "minNotional": "5.0", "applyMinToMarket": True, "maxNotional": "9000000.0"},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN", *(f"TRD_GRP_{number:03}" for number in range(4, 26))]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def exchange_info() -> bytes:
    """BTC/USDT, and made-up ones."""
    draw = random.Random(7)
    names = {"BTC"} | {"".join(draw.choices(string.ascii_uppercase, k=5)) for _ in range(COUNT - 1)}
    return orjson.dumps(
        {"rateLimits": [], "exchangeFilters": [], "symbols": [symbol(n, "USDT") for n in sorted(names)]}
    )


TICKER = orjson.dumps(
    {
        "symbol": "BTCUSDT",
        **dict.fromkeys(("lastPrice", "bidPrice", "askPrice", "openPrice", "highPrice", "lowPrice"), "60000.00"),
        **dict.fromkeys(("volume", "quoteVolume", "bidQty", "askQty", "priceChange", "priceChangePercent"), "1.0"),
        "openTime": 1,
        "closeTime": 1_700_000_000_000,
    }
)


def application() -> web.Application:
    """The front."""
    markets = exchange_info()

    async def answer(request: web.Request) -> web.Response:
        body = TICKER if "ticker" in request.path else markets if "/api/v3/" in request.path else b'{"symbols": []}'
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


if __name__ == "__main__":
    web.run_app(application(), path=sys.argv[1], print=lambda *_: print("ready", flush=True))
