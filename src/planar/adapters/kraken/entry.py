"""Order entry over the WebSocket v2 (documentation: Spot WebSocket v2, Add Order, Amend Order, Cancel Order).

The parameters of REST, in the socket's words; what has none there, or means something else, goes by REST. CCXT's own
frames are not used: one that buys for a cost puts the cost where the socket takes an amount.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

import msgspec
import orjson

from planar.adapters.socket_entry import Asked, SocketEntry, TokenRule
from planar.models.base import iso8601
from planar.transport.http import Answer

ADD, AMEND, CANCEL = "add_order", "amend_order", "cancel_order"

METHODS = {
    ("private", "POST", "AddOrder"): ADD,
    ("private", "POST", "AmendOrder"): AMEND,
    ("private", "POST", "CancelOrder"): CANCEL,
}

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII).fullmatch
_ORDER_ID = re.compile(r"O[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}", re.ASCII).fullmatch

LIMITS = frozenset({"limit", "iceberg"})
STOPS = frozenset({"stop-loss", "take-profit"})
STOP_LIMITS = frozenset({"stop-loss-limit", "take-profit-limit"})
FLAGS: Mapping[str, tuple[str, Any]] = {
    "post": ("post_only", True),
    "fcib": ("fee_preference", "base"),
    "fciq": ("fee_preference", "quote"),
}
"""`oflags` -> the socket's field; `viqc` is a field of its own for the amount."""


class _Unsaid(Exception):
    """The socket has no word for it."""


def url(api: Mapping[str, Any]) -> str:
    """Of the private WebSocket v2."""
    return api["ws"]["privateV2"]


def frame(exchange: Any, asked: Asked) -> str | None:
    """A request with its token; numbers are written as they are, to the last digit."""
    say = {ADD: _add, AMEND: _amend, CANCEL: _cancel}[asked.method]
    try:
        params = say(exchange, dict(asked.params))
    except _Unsaid:
        return None
    sent = {"method": asked.method, "params": {**params, "token": asked.token}, "req_id": asked.id}
    return _ENCODER.encode(sent).decode()


def _add(exchange: Any, given: dict[str, Any]) -> dict[str, Any]:
    kind, flags = str(given.pop("ordertype", "")), str(given.pop("oflags", "") or "")
    said: dict[str, Any] = {
        "order_type": kind,
        "side": given.pop("type"),
        "symbol": _symbol(exchange, given.pop("pair", None)),
    }
    words = [word for word in flags.split(",") if word]
    said["cash_order_qty" if "viqc" in words else "order_qty"] = _number(given.pop("volume"))
    if "viqc" in words and (kind != "market" or said["side"] != "buy"):
        raise _Unsaid
    for word in words:
        if word != "viqc":
            name, value = FLAGS[word] if word in FLAGS else _unsaid()
            said[name] = value
    said |= _prices(kind, given)
    lived = given.pop("timeinforce", None)
    if lived is not None:
        said["time_in_force"] = str(lived).lower()
    ends = given.pop("expiretm", None)
    if ends is not None:
        said["expire_time"] = iso8601(int(_number(ends) * 1000))
    for name, own in (("stptype", "stp_type"), ("displayvol", "display_qty"), ("userref", "order_userref")):
        value = given.pop(name, None)
        if value is not None:
            said[own] = str(value).replace("-", "_") if name == "stptype" else _number(value)
    return said | _common(given)


def _prices(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """What `price` and `price2` are called depends on the kind of the order."""
    if kind in LIMITS:
        return {"limit_price": _number(given.pop("price"))}
    if kind == "market":
        return {}
    if kind not in STOPS | STOP_LIMITS:
        raise _Unsaid
    reference = given.pop("trigger", None) or "last"
    said: dict[str, Any] = {"triggers": {"reference": reference, "price": _number(given.pop("price"))}}
    if kind in STOP_LIMITS:
        said["limit_price"] = _number(given.pop("price2"))
    return said


def _amend(_exchange: Any, given: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if "txid" in given:
        said["order_id"] = given.pop("txid")
    for name in ("order_qty", "limit_price", "trigger_price", "display_qty"):
        if given.get(name) is not None:
            said[name] = _number(given[name])
        given.pop(name, None)
    post_only = given.pop("post_only", None)
    if post_only is not None:
        said["post_only"] = str(post_only).lower() == "true"
    return said | _common(given)


def _cancel(_exchange: Any, given: dict[str, Any]) -> dict[str, Any]:
    """By one name; `txid` may be a `userref` too, which the socket has a field of its own for."""
    said: dict[str, Any] = {}
    order_id, client_id = given.pop("txid", None), given.pop("cl_ord_id", None)
    if client_id is not None:
        said["cl_ord_id"] = [client_id]
    elif isinstance(order_id, str) and _ORDER_ID(order_id):
        said["order_id"] = [order_id]
    else:
        raise _Unsaid
    return said | _common(given)


def _common(given: dict[str, Any]) -> dict[str, Any]:
    """What REST and socket call alike; nothing else may be left."""
    said = {name: given.pop(name) for name in ("cl_ord_id", "deadline") if given.get(name) is not None}
    if given:
        raise _Unsaid
    return said


def _number(value: Any) -> Decimal:
    """A plain number as REST writes it; a distance or a percentage is none."""
    if not _NUMBER(str(value)):
        raise _Unsaid
    return Decimal(str(value))


def _symbol(exchange: Any, pair: Any) -> str:
    """The socket calls markets by their unified symbols."""
    known = cast("dict[Any, list[dict[str, Any]]]", exchange.markets_by_id or {})
    if pair not in known:
        raise _Unsaid
    return known[pair][0]["symbol"]


def _unsaid() -> tuple[str, Any]:
    raise _Unsaid


def whose(told: Mapping[str, Any]) -> str | None:
    """Answers have `success`; an answer without id is to a request that could not be read."""
    if "success" not in told:
        return None
    request_id = told.get("req_id")
    if type(request_id) is not int:
        raise ValueError("an answer without id")
    return str(request_id)


def leaving(told: Mapping[str, Any]) -> bool:
    """Kraken closes without a word."""
    return False


def answer(told: Mapping[str, Any]) -> Answer:
    """The body of REST, whose errors come with status 200, too."""
    if told["success"] is not True:
        error = told["error"]
        if not isinstance(error, str) or told["success"] is not False:
            raise TypeError("error")
        return _answer({"error": [error]})
    result: Any = told["result"]
    if not isinstance(result, dict):
        raise TypeError("result")
    shown = cast("dict[str, Any]", result)
    match told.get("method"):
        case "add_order":
            return _answer({"error": [], "result": {"txid": [shown["order_id"]]}})
        case "amend_order":
            return _answer({"error": [], "result": {"amend_id": shown["amend_id"]}})
        case "cancel_order":
            if not shown.keys() & {"order_id", "cl_ord_id"}:
                raise KeyError("order_id")
            return _answer({"error": [], "result": {"count": 1}})
        case _:
            raise ValueError("method")


def _answer(body: Mapping[str, Any]) -> Answer:
    return Answer(200, "", {}, orjson.dumps(body))


def _token(told: Mapping[str, Any]) -> str:
    return told["result"]["token"]


ENTRY = SocketEntry(
    url=url,
    methods=METHODS,
    frame=frame,
    whose=whose,
    answer=answer,
    leaving=leaving,
    ping='{"method":"ping"}',  # a connection without subscription is closed after a minute without a word
    token=TokenRule(
        method="private_post_getwebsocketstoken",
        read=_token,
        renew_s=600.0,
        life_s=840.0,  # 15 minutes, less a margin
        refusals=frozenset({"ESession:Invalid session"}),
    ),
    source="Kraken Spot WebSocket v2, Add Order, Amend Order, Cancel Order, Ping; REST, Get Websockets Token",
)
