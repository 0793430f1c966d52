"""Any id of CCXT under Planar, with markets that nobody had to send and a wire that answers what a script says."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.fuzz.wire import Delivery, Request, ScriptedDialer

from planar.adapters import lazy_ccxt
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.exchange_ids import exchange_ids
from planar.adapters.market_cache import MarketCache
from planar.adapters.opening import OpeningRequest, open_adapter
from planar.config import load
from planar.exchange import Exchange
from planar.models import Market
from planar.models import from_ccxt as convert
from planar.orders import OrderManager
from planar.streams import StreamHub
from planar.transport.alarms import Alarms
from planar.transport.dialer import Dialer
from planar.transport.pool import MeterPool

lazy_ccxt.install()

TIMEOUT_MS = 2_000
SIGNIFICANT_DIGITS = 3
SPOT, SWAP, OPTION = "BTC/USDT", "BTC/USDT:USDT", "BTC/USDT:USDT-301227-50000-C"
ORDER_TYPES = (
    *("LIMIT", "LIMIT_MAKER", "MARKET", "STOP", "STOP_MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT"),
    *("TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"),
)
"""What Binance and its like tell of a market, and CCXT asks before an order leaves."""
CREDENTIALS = {
    **dict.fromkeys(("apiKey", "password", "uid", "login", "twofa", "token", "accountId"), "12345"),
    "secret": base64.b64encode(b"a secret of thirty-two characters").decode(),
    "privateKey": "0x" + "1" * 63 + "7",
    "walletAddress": "0x" + "a" * 40,
}


def structures(mode: int) -> list[dict[str, Any]]:
    """A spot market, a perpetual and an option, in CCXT's structure, with steps or digits by its `precisionMode`."""
    digits = mode == SIGNIFICANT_DIGITS
    common = {
        "base": "BTC",
        "quote": "USDT",
        "baseId": "BTC",
        "quoteId": "USDT",
        "active": True,
        "info": {"orderTypes": list(ORDER_TYPES)},
        "precision": {"amount": 8, "price": 7} if digits else {"amount": 1e-6, "price": 1e-2},
        "limits": {"amount": {"min": 1e-6, "max": 9000.0}, "price": {}, "cost": {"min": 1.0}, "leverage": {}},
        "maker": 0.001,
        "taker": 0.002,
    }
    derived = {
        "settle": "USDT",
        "settleId": "USDT",
        "contract": True,
        "linear": True,
        "inverse": False,
        "contractSize": 1.0,
    }
    flags = dict.fromkeys(("spot", "margin", "swap", "future", "option", "contract", "linear", "inverse"), False)
    option = {
        "expiry": 1_924_646_400_000,
        "expiryDatetime": "2030-12-27T08:00:00.000Z",
        "strike": 50000.0,
        "optionType": "call",
    }
    return [
        {**flags, **common, "id": "BTCUSDT", "symbol": SPOT, "type": "spot", "spot": True, "contract": False},
        {**flags, **common, **derived, "id": "BTCUSDTPERP", "symbol": SWAP, "type": "swap", "swap": True},
        {
            **flags,
            **common,
            **derived,
            **option,
            "id": "BTC301227C",
            "symbol": OPTION,
            "type": "option",
            "option": True,
        },
    ]


class Recorder:
    """The script of all connections: it notes each request and answers what `answer` holds now."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer = Delivery([], "close")

    def __call__(self, request: Request) -> Delivery:
        self.requests.append(request)
        return self.answer

    def begin(self, answer: Delivery) -> None:
        """The next call begins."""
        self.requests.clear()
        self.answer = answer


def delivery(status: int, body: bytes, kind: str = "application/json", cut: int | None = None) -> Delivery:
    """An answer; `cut` bytes of its body are missing."""
    head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    sent = body if cut is None else body[:-cut]
    return Delivery([(0.0, head + sent)], "close" if cut else "", status, body)


ANSWERS: Mapping[str, Callable[[], Delivery]] = {
    "503": lambda: delivery(503, b"upstream connect error", "text/plain"),
    "HTML": lambda: delivery(200, b"<!DOCTYPE html><html><body>Just a moment...</body></html>", "text/html"),
    "{}": lambda: delivery(200, b"{}"),
    "[]": lambda: delivery(200, b"[]"),
    "truncated": lambda: delivery(200, b'{"code":0,"result":{"list":[{"symbol":"BTCUSDT","last', cut=4),
    "an error": lambda: delivery(
        400,
        b'{"code":-1121,"msg":"Invalid symbol.","error":["EQuery:Unknown asset pair"],"retCode":10001,"success":false}',
    ),
}
"""What the recorder answers with."""


class Bench:
    """One id, opened."""

    def __init__(self, exchange_id: str, dialer: Dialer, directory: Path, unix_socket: str = "/scripted") -> None:
        configuration = load(None, None, known_ids=exchange_ids())
        opening = OpeningRequest(
            exchange=exchange_id,
            environment="local",
            credentials=CREDENTIALS,
            fingerprint="matrix",
            timeout_ms=TIMEOUT_MS,
            pacing=False,
            unix_socket=unix_socket,
        )
        self.id = exchange_id
        adapter = self.adapter = open_adapter(opening, dialer, MeterPool(), MarketCache(directory, max_age_ms=0))
        self.exchange = Exchange(
            adapter,
            configuration.with_options(exchange_id, {"environment": "local", "timeout": TIMEOUT_MS}),
            configuration,
            account="",
            authenticated=True,
            make_orders=lambda: OrderManager(adapter, directory / f"{exchange_id}.db", TIMEOUT_MS, Alarms([]), ""),
            hub=StreamHub(adapter),
        )
        self.list_markets()

    def list_markets(self) -> None:
        """Give CCXT and Planar the markets, as if they had been loaded."""
        ccxt: Any = self.adapter.exchange
        mode = int(ccxt.precisionMode)
        ccxt.set_markets([ccxt.safe_market_structure(one) for one in structures(mode)])
        made: list[Market] = [
            convert.market(one, exchange=self.id, precision_mode=mode) for one in ccxt.markets.values()
        ]
        self.exchange._markets = {one.symbol: one for one in made}
        self.adapter.market_of = self.exchange._markets.get  # type: ignore[method-assign]

    async def close(self) -> None:
        """Close what was opened."""
        await self.exchange.close()


def known_ids(only: Sequence[str] | None = None) -> list[str]:
    """All ids of the installed CCXT, or those."""
    return sorted(exchange_ids() if only is None else only)


def open_bench(exchange_id: str, recorder: Recorder, directory: Path) -> tuple[Bench, ScriptedDialer]:
    """The id with a recorder below it."""
    dialer = ScriptedDialer(recorder)
    return Bench(exchange_id, dialer, directory), dialer


__all__ = ["ANSWERS", "Bench", "CcxtAdapter", "Recorder", "delivery", "known_ids", "open_bench"]
