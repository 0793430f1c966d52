"""Markets as a large exchange lists them: a made-up exchangeInfo, read by CCXT's own unmodified parser."""

from __future__ import annotations

import random
import string
from typing import Any

from planar.adapters import lazy_ccxt

QUOTES = ("USDT", "USDC", "FDUSD", "BTC", "ETH", "BNB", "TRY", "EUR")
BASES = ("BTC", "ETH", "BNB", "SOL", "XRP", "DOGE", "ADA", "LINK", "1000SATS", "USDC")

SPOT_ORDER_TYPES = [
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
]


def spot_symbol(base: str, quote: str, status: str = "TRADING") -> dict[str, Any]:
    """One entry of the spot exchangeInfo."""
    return {
        "symbol": base + quote,
        "status": status,
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(SPOT_ORDER_TYPES),
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": True,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": "0.01000000",
                "maxPrice": "1000000.00000000",
                "tickSize": "0.01000000",
            },
            {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
            {"filterType": "ICEBERG_PARTS", "limit": 10},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "114.27", "stepSize": "0.00000000"},
            {
                "filterType": "TRAILING_DELTA",
                "minTrailingAboveDelta": 10,
                "maxTrailingAboveDelta": 2000,
                "minTrailingBelowDelta": 10,
                "maxTrailingBelowDelta": 2000,
            },
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": "5",
                "bidMultiplierDown": "0.2",
                "askMultiplierUp": "5",
                "askMultiplierDown": "0.2",
                "avgPriceMins": 5,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": "5.00000000",
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        ],
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN", *(f"TRD_GRP_{number:03}" for number in range(4, 26))]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"],
    }


PERPETUAL_MS, JUNE_MS, SEPTEMBER_MS = 4133404800000, 1782460800000, 1790323200000


def contract_symbol(
    base: str, quote: str, margin: str, name: str, kind: str = "PERPETUAL", delivery_ms: int = PERPETUAL_MS
) -> dict[str, Any]:
    """One entry of a futures exchangeInfo."""
    return {
        "symbol": name,
        "pair": base + quote,
        "contractType": kind,
        "deliveryDate": delivery_ms,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "contractStatus": "TRADING",
        "contractSize": 100,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": base,
        "quoteAsset": quote,
        "marginAsset": margin,
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": "100"},
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.05", "multiplierDown": "0.95", "multiplierDecimal": "4"},
        ],
        "OrderType": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }


def exchange_info(count: int) -> list[dict[str, Any]]:
    """`count` entries, of which about one in six is a swap; the well-known pairs among them, one halted."""
    draw = random.Random(7)
    bases = list(BASES)
    while len(bases) * len(QUOTES) < count:
        bases.append("".join(draw.choices(string.ascii_uppercase, k=draw.randint(3, 6))))
    bases = list(dict.fromkeys(bases))
    rows = [
        contract_symbol("BTC", "USD", "BTC", "BTCUSD_PERP"),
        contract_symbol("BTC", "USDT", "USDT", "BTCUSDT_260626", "CURRENT_QUARTER", JUNE_MS),
        contract_symbol("BTC", "USDT", "USDT", "BTCUSDT_260925", "NEXT_QUARTER", SEPTEMBER_MS),
        contract_symbol("PERP", "USDT", "USDT", "PERPUSDT"),  # a swap without a spot market
    ]
    rows += [contract_symbol(base, "USDT", "USDT", f"{base}USDT") for base in bases[: count // 6]]
    pairs = [(base, quote) for base in bases for quote in QUOTES if base != quote]
    rows += [
        spot_symbol(base, quote, "BREAK" if (base, quote) == ("ADA", "TRY") else "TRADING") for base, quote in pairs
    ]
    return rows[:count]


def binance(count: int = 0, **config: Any) -> Any:
    """An unmodified asynchronous `ccxt.binance` that knows `count` markets, or none."""
    lazy_ccxt.install()
    from ccxt.async_support.binance import binance as kind

    exchange: Any = kind(config)
    if count:
        load(exchange, count)
    return exchange


def load(exchange: Any, count: int) -> None:
    """What `load_markets` does with the exchange's answer."""
    load_rows(exchange, exchange_info(count))


def load_rows(exchange: Any, rows: list[dict[str, Any]]) -> None:
    """The same for entries of an exchangeInfo."""
    exchange.options.update(crossMarginPairsData=[], isolatedMarginPairsData=[])  # as fetch_markets begins
    exchange.set_markets([exchange.parse_market(row) for row in rows])
