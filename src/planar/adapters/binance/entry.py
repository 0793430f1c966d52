"""Order entry over the WebSocket API (documentation: WebSocket API, Request format, Request security, Trading requests).

Each request has the parameters of its REST endpoint, and is signed on its own, with whatever kind of key; a session
(`session.logon`) is for Ed25519 keys only, and saves nothing but the signature. CCXT's own frames are not used: they
carry its unified words along with Binance's (-1104), and a window of CCXT's in the place of the request's, which would
leave an order acceptable after it was proven absent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, cast

import orjson

from planar.adapters.socket_entry import Asked, SocketEntry
from planar.transport.http import Answer

METHODS = {
    ("private", "POST", "order"): "order.place",
    ("private", "DELETE", "order"): "order.cancel",
    ("private", "POST", "order/cancelReplace"): "order.cancelReplace",
    ("private", "PUT", "order/amend/keepPriority"): "order.amend.keepPriority",
    ("private", "DELETE", "openOrders"): "openOrders.cancelAll",
    ("private", "POST", "orderList/oco"): "orderList.place.oco",
    ("private", "POST", "orderList/oto"): "orderList.place.oto",
    ("private", "POST", "orderList/otoco"): "orderList.place.otoco",
    ("private", "POST", "orderList/opo"): "orderList.place.opo",
    ("private", "POST", "orderList/opoco"): "orderList.place.opoco",
    ("private", "DELETE", "orderList"): "orderList.cancel",
}

INTEGERS = frozenset({"orderId", "cancelOrderId", "orderListId", "recvWindow", "trailingDelta"})
"""Parameters that CCXT has as text, and Binance as a number."""

HEADERS = {
    ("REQUEST_WEIGHT", "MINUTE", 1): "X-MBX-USED-WEIGHT-1M",
    ("ORDERS", "SECOND", 10): "X-MBX-ORDER-COUNT-10S",
    ("ORDERS", "DAY", 1): "X-MBX-ORDER-COUNT-1D",
}
"""A counter of `rateLimits` -> the header of REST that tells the same."""


def url(api: Mapping[str, Any]) -> str:
    """Of spot."""
    return api["ws"]["ws-api"]["spot"]


def frame(exchange: Any, asked: Asked) -> str | None:
    """A signed request; None if a parameter is no plain value."""
    params: dict[str, Any] = {"apiKey": exchange.apiKey, "timestamp": exchange.nonce()}
    for name, value in asked.params.items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            return None
        params[name] = int(value) if name in INTEGERS and str(value).isdecimal() else value
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    params["signature"] = _signature(exchange, payload)
    return orjson.dumps({"id": str(asked.id), "method": asked.method, "params": params}).decode()


def _signature(exchange: Any, payload: str) -> str:
    """By the kind of the key, as CCXT knows it."""
    secret: str = exchange.secret
    if "PRIVATE KEY" not in secret:
        return exchange.hmac(payload.encode(), secret.encode(), hashlib.sha256)
    if len(secret) > 120:
        return exchange.rsa(payload, secret, "sha256")
    return exchange.eddsa(payload.encode(), secret, "ed25519")


def whose(told: Mapping[str, Any]) -> str | None:
    """Answers have a status; an answer without id is to a request that could not be read."""
    if "status" not in told:
        return None
    request_id = told.get("id")
    if not isinstance(request_id, str):
        raise ValueError("an answer without id")
    return request_id


def leaving(told: Mapping[str, Any]) -> bool:
    """`serverShutdown`: the connection will be closed, and a new one should be opened."""
    event: Any = told.get("event")
    return isinstance(event, dict) and cast("dict[str, Any]", event).get("e") == "serverShutdown"


def answer(told: Mapping[str, Any]) -> Answer:
    """Status and body are those of REST; the counters and the time to wait become its headers."""
    status: Any = told["status"]
    if type(status) is not int:
        raise TypeError("status")
    good = 200 <= status < 300
    body: Any = told["result"] if good else told["error"]
    headers: dict[str, str] = {}
    for row in told.get("rateLimits") or ():
        name = HEADERS.get((row.get("rateLimitType"), row.get("interval"), row.get("intervalNum")))
        if name is not None:
            headers[name] = str(row.get("count"))
    data: Any = None if good else body.get("data")
    if isinstance(data, dict) and {"serverTime", "retryAfter"} <= data.keys():
        waits_ms = cast("dict[str, int]", data)
        headers["Retry-After"] = str(max(0, -(-(waits_ms["retryAfter"] - waits_ms["serverTime"]) // 1000)))
    return Answer(status, "", headers, orjson.dumps(body))


ENTRY = SocketEntry(
    url=url,
    methods=METHODS,
    frame=frame,
    whose=whose,
    answer=answer,
    leaving=leaving,
    renew_s=23.5 * 3600,  # a connection is closed after 24 hours
    costs=(("weight", 2.0),),
    source="Binance spot WebSocket API, General API information, Request format, Trading requests",
)
