"""The REST door. Every answer is HTTP 200 with {"error": [...], "result": ...}; refusals carry no result."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from email.utils import formatdate
from typing import Any, Final, cast
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from planar.venue import clock
from planar.venue.engine import past
from planar.venue.engine.enums import SystemStatus
from planar.venue.wire.kraken import errors
from planar.venue.wire.kraken.desk import Call, Desk
from planar.venue.wire.kraken.errors import ApiError
from planar.venue.wire.kraken.keys import Right
from planar.venue.wire.kraken.params import Params
from planar.venue.wire.kraken.routes import PRIVATE, PUBLIC

KEY_HEADER: Final = "API-Key"
SIGN_HEADER: Final = "API-Sign"
_METHODS: Final = ("GET", "POST")


async def respond(desk: Desk, path: str, request: web.BaseRequest) -> web.Response:
    """Answer a REST request."""
    body = await request.read()
    answer: dict[str, Any]
    try:
        result = _public(desk, path, request, body) if path in PUBLIC else _private(desk, path, request, body)
        answer = {"error": [], "result": result}
    except ApiError as error:
        answer = {"error": [error.text]}
        desk.witness.refused(error.text)
    headers = {"Content-Type": "application/json", "Date": formatdate(clock.wall_ms() / 1000, usegmt=True)}
    return web.Response(body=orjson.dumps(answer), headers=headers)


def _public(desk: Desk, path: str, request: web.BaseRequest, body: bytes) -> Any:
    if request.method not in _METHODS:
        raise ApiError(errors.UNKNOWN_METHOD)
    query = dict(parse_qsl(request.raw_path.partition("?")[2], keep_blank_values=True))
    params = {**query, **_read(request, body)}
    desk.witness.asked(params)
    return PUBLIC[path].handler(desk, Call(params, ""))


def _private(desk: Desk, path: str, request: web.BaseRequest, body: bytes) -> Any:
    """Key, signature, nonce, right, call counter: in this order."""
    endpoint = PRIVATE.get(path)
    if endpoint is None or request.method != "POST":
        raise ApiError(errors.UNKNOWN_METHOD)
    if desk.exchange.conditions.system is SystemStatus.MAINTENANCE:
        raise ApiError(errors.UNAVAILABLE)
    key = desk.keys.find(request.headers.get(KEY_HEADER))
    params = _read(request, body)
    desk.witness.asked(params)
    key.check(path, body, params.get("nonce", ""), request.headers.get(SIGN_HEADER))
    if (endpoint.right is not None and endpoint.right not in key.rights) or not key.allowed_from(request.remote):
        raise ApiError(errors.PERMISSION)
    if endpoint.cost and desk.settings.call_limits:
        desk.calls.charge(endpoint.cost, key.key)
    with past.present() if endpoint.right is Right.TRADE else contextlib.nullcontext():
        return endpoint.handler(desk, Call(params, key.account, key))


def _read(request: web.BaseRequest, body: bytes) -> Params:
    """The body's parameters, from JSON or a form."""
    try:
        text = body.decode()
        if request.content_type != "application/json":
            return dict(parse_qsl(text, keep_blank_values=True))
        found: Any = json.loads(text, parse_float=Decimal) if text else {}
    except (ValueError, RecursionError) as error:
        raise ApiError(errors.ARGUMENTS) from error
    if not isinstance(found, dict):
        raise ApiError(errors.ARGUMENTS)
    return cast("dict[str, Any]", found)
