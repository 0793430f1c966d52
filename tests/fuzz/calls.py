"""The calls that random answers are tried on: every principal read, and orders, over `Exchange` and its adapter.

Orders go through the adapter, where outcomes are decided: what the order path makes of an outcome is proven elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from planar.adapters.base import OrderRef, OrderRequest
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.exchange_ids import exchange_ids
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.config import load
from planar.exchange import Exchange
from planar.models import Amount
from planar.orders import OrderManager
from planar.streams import StreamHub
from planar.transport.alarms import Alarms
from planar.transport.dialer import Dialer
from planar.transport.pool import MeterPool

SYMBOL = "BTC/USDT"
OTHER = "ETH/USDT"
CLIENT_IDS = {"kraken": "plfuzzfuzz00000100"}
"""Where client ids are short; `LONG_ID` elsewhere."""
LONG_ID = "plfuzzfuzz0000010000"
ORDER_IDS = {
    "binance": "1000",
    "kraken": "OAAAAA-BBBBB-CCCCCC",
    "okx": "312269865356374016",
    "bitstamp": "1453282316578816",
}
TIMEOUT_MS = 2_000
NOTHING: Mapping[str, Any] = {}
VENUES = ("binance", "kraken", "okx", "bitstamp")
"""Two with a package of tables, two without."""


class Bench(msgspec.Struct):
    """What a call is made with."""

    venue: str
    exchange: Exchange
    adapter: CcxtAdapter
    order_id: str

    @property
    def client_id(self) -> str:
        """Of all orders."""
        return CLIENT_IDS.get(self.venue, LONG_ID)


Call = Callable[[Bench], Awaitable[Any]]


def order_request(kind: str, bench: Bench) -> OrderRequest:
    """An order of one kind: limit, market, stop, or one that replaces."""
    return OrderRequest(
        bench.client_id,
        SYMBOL,
        "buy",
        "market" if kind == "market" else "limit",
        amount=Amount("0.01"),
        price=None if kind == "market" else Amount(20_000),
        stop_price=Amount(21_000) if kind == "stop" else None,
        replaces=bench.order_id if kind == "replace" else None,
    )


def _submit(kind: str) -> Call:
    async def submit(bench: Bench) -> Any:
        request = order_request(kind, bench)
        return await bench.adapter.submit(request, timeout_ms=TIMEOUT_MS, on_send=lambda: None)

    return submit


def _cancel(by: str) -> Call:
    async def cancel(bench: Bench) -> Any:
        id_only, client_only = OrderRef(SYMBOL, order_id=bench.order_id), OrderRef(SYMBOL, client_id=bench.client_id)
        return await bench.adapter.cancel(id_only if by == "id" else client_only, {}, timeout_ms=TIMEOUT_MS)

    return cancel


READS: dict[str, Call] = {
    "load_markets": lambda b: b.exchange.load_markets(reload=True),
    "fetch_time": lambda b: b.exchange.fetch_time(timeout_ms=TIMEOUT_MS),
    "fetch_ticker": lambda b: b.exchange.fetch_ticker(SYMBOL, timeout_ms=TIMEOUT_MS),
    "fetch_tickers": lambda b: b.exchange.fetch_tickers([SYMBOL, OTHER], timeout_ms=TIMEOUT_MS),
    "fetch_order_book": lambda b: b.exchange.fetch_order_book(SYMBOL, timeout_ms=TIMEOUT_MS),
    "fetch_trades": lambda b: b.exchange.fetch_trades(SYMBOL, timeout_ms=TIMEOUT_MS),
    "fetch_ohlcv": lambda b: b.exchange.fetch_ohlcv(SYMBOL, "1m", None, 10, timeout_ms=TIMEOUT_MS),
    "fetch_balance": lambda b: b.exchange.fetch_balance(timeout_ms=TIMEOUT_MS),
    "fetch_key_rights": lambda b: b.exchange.fetch_key_rights(timeout_ms=TIMEOUT_MS),
    "fetch_my_trades": lambda b: b.exchange.fetch_my_trades(SYMBOL, timeout_ms=TIMEOUT_MS),
    "fetch_order": lambda b: b.exchange.fetch_order(b.order_id, SYMBOL, timeout_ms=TIMEOUT_MS),
    "fetch_order by client id": lambda b: b.exchange.fetch_order(b.client_id, SYMBOL, timeout_ms=TIMEOUT_MS),
    "fetch_open_orders": lambda b: b.exchange.fetch_open_orders(SYMBOL, timeout_ms=TIMEOUT_MS),
    "fetch_orders": lambda b: b.exchange.fetch_orders(SYMBOL, timeout_ms=TIMEOUT_MS),
}
WRITES: dict[str, Call] = {
    "create limit": _submit("limit"),
    "create market": _submit("market"),
    "create stop": _submit("stop"),
    "replace": _submit("replace"),
    "cancel": _cancel("id"),
    "cancel by client id": _cancel("client id"),
}
CALLS = {**READS, **WRITES}
HEAVY = ("load_markets",)
"""Calls that take many times as long as others, and are made as seldom."""

WRITE_PATHS = {
    "binance": ("POST /api/v3/order", "DELETE /api/v3/order", "POST /api/v3/order/cancelReplace"),
    "kraken": tuple(f"POST /0/private/{name}" for name in ("AddOrder", "CancelOrder", "EditOrder", "AmendOrder")),
    "okx": tuple(
        f"POST /api/v5/trade/{name}" for name in ("batch-orders", "order", "cancel-order", "order-algo", "amend-order")
    ),
    "bitstamp": tuple(
        f"POST /api/v2/{name}/" for name in ("buy/btcusdt", "buy/market/btcusdt", "cancel_order", "replace_order")
    ),
}
"""Requests that change something at the venue."""


def exchange_on(venue: str, dialer: Dialer, directory: Path, keys: Mapping[str, str], pool: MeterPool) -> Bench:
    """An exchange whose requests the dialer answers."""
    configuration = load(None, None, known_ids=exchange_ids())
    request = OpeningRequest(
        exchange=venue,
        environment="local",
        credentials=keys,
        fingerprint="fuzz",
        timeout_ms=TIMEOUT_MS,
        futures=False,
        unix_socket="/scripted",
        ccxt={"options": {"fetchMarkets": {"types": ["spot"]}, "maxRetriesOnFailure": 3}},
    )
    adapter = open_adapter(request, dialer, pool, MarketCache(directory, max_age_ms=0))

    def orders() -> OrderManager:
        return OrderManager(adapter, directory / "journal.db", TIMEOUT_MS, Alarms([]), "")

    exchange = Exchange(
        adapter,
        configuration.with_options(venue, {"environment": "local", "timeout": TIMEOUT_MS}),
        configuration,
        account="",
        authenticated=True,
        make_orders=orders,
        hub=StreamHub(adapter),
    )
    return Bench(venue, exchange, adapter, ORDER_IDS[venue])
