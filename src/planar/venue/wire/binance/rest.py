"""The REST door: HTTP requests to endpoints, answers and headers as the exchange sends them."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any, Final

import orjson
from aiohttp import web

import planar.runtime as runtime
from planar.venue import clock
from planar.venue.wire.binance import dispatch
from planar.venue.wire.binance.desk import Desk, Endpoint
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.keys import signed_payload
from planar.venue.wire.binance.params import Params
from planar.venue.wire.binance.routes import PATHS, REST
from planar.venue.wire.binance.time_units import HEADER, convert, read_unit

JSON: Final = "application/json;charset=UTF-8"
FORM: Final = "application/x-www-form-urlencoded"
KEY_HEADER: Final = "X-MBX-APIKEY"
LOCAL_ADDRESS: Final = "local"
"""Where a request on the Unix socket comes from."""


async def respond(desk: Desk, path: str, request: web.BaseRequest) -> web.Response:
    """Answer a REST request."""
    endpoint = REST.get((request.method, path))
    if endpoint is None:
        return no_such_path(known=path in PATHS)
    address = address_of(request)
    query = query_of(request)
    body = await request.read()
    account: str | None = None
    try:
        unit = read_unit(request.headers.get(HEADER))
        params = Params.of(query, _form(request, body))
        desk.witness.asked(params.sent)
        dispatch.charge(desk, endpoint, params, address)
        result, account = await dispatch.answer(
            desk,
            endpoint,
            params,
            address,
            request.headers.get(KEY_HEADER),
            signed_payload(query.encode("utf-8", "surrogateescape"), body),
        )
        result = convert(result, unit)
        status, retry_at_ms = 200, None
    except ApiError as error:
        result, status, retry_at_ms = error.body(), error.status, error.retry_at_ms
        desk.witness.refused(error.message, code=str(error.api_code))
    return _json(desk, endpoint, result, status, retry_at_ms, address, account)


def query_of(request: web.BaseRequest) -> str:
    """The query string as it was sent."""
    return request.raw_path.partition("?")[2]


def address_of(request: web.BaseRequest) -> str:
    """Where the request came from; limits count by it."""
    return request.remote or LOCAL_ADDRESS


def _form(request: web.BaseRequest, body: bytes) -> str:
    """Parameters in the body: of a form, and never of a GET (rest-api.md)."""
    if request.method == "GET" or request.content_type not in (FORM, "application/octet-stream"):
        return ""
    return body.decode("utf-8", "replace")


def _json(
    desk: Desk,
    endpoint: Endpoint,
    result: Any,
    status: int,
    retry_at_ms: int | None,
    address: str,
    account: str | None,
) -> web.Response:
    now_ms = runtime.wall_ms()
    headers = {"Content-Type": JSON, "Date": formatdate(clock.wall_ms() / 1000, usegmt=True)}
    if endpoint.sapi:
        meter = desk.sapi_addresses.weight
        headers[f"X-SAPI-USED-IP-WEIGHT-{meter.rule.letters}"] = str(meter.count(address, now_ms))
    else:
        meter = desk.addresses.weight
        used = str(meter.count(address, now_ms))
        headers["X-MBX-USED-WEIGHT"] = used
        headers[f"X-MBX-USED-WEIGHT-{meter.rule.letters}"] = used
    if endpoint.counts_orders and account is not None:
        headers |= desk.orders.headers(account, now_ms)
    if retry_at_ms is not None:
        headers["Retry-After"] = str(-(-(retry_at_ms - now_ms) // 1000))
    return web.Response(body=orjson.dumps(result), status=status, headers=headers)


def refuse_plain(error: ApiError | None) -> web.Response:
    """The answer where only a WebSocket is served, and none (or none with these parameters) was asked for."""
    headers = {"Date": formatdate(clock.wall_ms() / 1000, usegmt=True)}
    if error is None:
        return web.Response(status=400, text="Bad Request", headers=headers)
    return web.Response(status=400, body=orjson.dumps(error.body()), headers={**headers, "Content-Type": JSON})


def no_such_path(*, known: bool = False) -> web.Response:
    """The answer of the exchange's front server, which is no JSON. `known`: the path takes other methods."""
    status, reason = (405, "Not Allowed") if known else (404, "Not Found")
    title = f"{status} {reason}"
    text = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    date = formatdate(clock.wall_ms() / 1000, usegmt=True)
    return web.Response(text=text, status=status, content_type="text/html", headers={"Date": date})
