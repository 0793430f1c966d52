"""The WebSocket API: the endpoints of REST as methods, sessions, and user data in the same connection.

Source: web-socket-api.md. Signatures are over the parameters in alphabetical order, each as it stands in the request.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import orjson

import planar.runtime as runtime
from planar.venue import clock
from planar.venue.wire.binance import dispatch, errors, security, stream_json
from planar.venue.wire.binance.desk import Desk, Endpoint
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.keys import ApiKey, Right
from planar.venue.wire.binance.params import Params
from planar.venue.wire.binance.payload import Payload
from planar.venue.wire.binance.routes import WEBSOCKET
from planar.venue.wire.binance.socket import POLICY_VIOLATION, Socket
from planar.venue.wire.binance.time_units import convert
from planar.venue.wire.binance.ws_session import SESSION_METHODS, Session

PATHS: Final = ("/ws-api/v3", "/ws-api/v3/")
CONNECTION_WEIGHT: Final = 2
UNSIGNED: Final = ("signature",)


_DECODER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class WsApiSocket(Socket):
    """One connection to the WebSocket API."""

    def __init__(self, desk: Desk, address: str, unit: int, *, return_rate_limits: bool) -> None:
        super().__init__(desk, address, unit)
        self._return_rate_limits = return_rate_limits
        self._session = Session(self, return_rate_limits=return_rate_limits)

    def on_open(self) -> None:
        """Remember when the connection began."""
        self._session.connected_ms = runtime.wall_ms()

    def on_close(self) -> None:
        """End the subscriptions. Requests under way are still carried out, as on the exchange."""
        self._session.end_all()

    def farewell(self) -> bytes:
        """`serverShutdown`."""
        return orjson.dumps({"event": stream_json.shutdown(runtime.wall_ms())(self.unit)})

    def deliver(self, account: str, payload: Payload) -> None:
        """Send an account event."""
        self._session.deliver(account, payload)

    def expire(self, account: str, listen_key: str | None) -> None:
        """End the subscription to an account, which is on no listen key."""
        if listen_key is None:
            self._session.expire(account)

    async def on_text(self, text: str) -> None:
        """Take a request; those that are slow do not hold up the next."""
        if self.desk.settings.engine_delay_ms:
            runtime.spawn(self._answer(text), name="binance-ws-api-request")
        else:
            await self._answer(text)

    async def _answer(self, text: str) -> None:
        request_id, show = b"null", self._return_rate_limits
        account: str | None = None
        try:
            frame = _read_frame(text)
            request_id = bytes(frame.get("id", msgspec.Raw(b"null")))
            method = _read_method(frame)
            values, payload = _read_params(frame)
            self.desk.witness.asked(values, method=method, account=self._account_of(values))
            show = _shown(values.pop("returnRateLimits", None), default=show)
            endpoint = SESSION_METHODS.get(method) or WEBSOCKET.get(method)
            if endpoint is None:
                raise errors.bad_json(f"Unknown method '{method}' in JSON request.")
            account = self._account_of(values) if endpoint.counts_orders else None
            body = await self._carry_out(endpoint, method, values, payload)
            answer: dict[str, Any] = {"status": 200, "result": convert(body, self.unit)}
            self.desk.witness.answered(200)
        except ApiError as error:
            answer = {"status": error.status, "error": _error_body(error)}
            self.desk.witness.refused(error.message, code=str(error.api_code), status=error.status)
        if show:
            answer["rateLimits"] = self._rate_limits(account)
        self.send(b'{"id":%b,%b' % (request_id, orjson.dumps(answer)[1:]))
        if answer["status"] == 418:
            await self.finish(POLICY_VIOLATION, "IP banned")

    async def _carry_out(self, endpoint: Endpoint, method: str, values: dict[str, str], payload: bytes) -> Any:
        params = Params(values)
        dispatch.charge(self.desk, endpoint, params, self.address)
        key = params.raw("apiKey")
        if method in SESSION_METHODS:
            return self._session.carry_out(method, endpoint, params, key, payload)
        logged_on = self._session.key
        if key is None and logged_on is not None and endpoint.right is not Right.NONE:
            return await self._in_session(endpoint, params, logged_on)
        if key is None and endpoint.right is not Right.NONE:
            raise errors.missing("apiKey")
        answer, account = await dispatch.answer(self.desk, endpoint, params, self.address, key, payload)
        if account is not None:
            self.belongs_to(account)
        return answer

    def _account_of(self, values: dict[str, str]) -> str | None:
        """Whose order counts an answer shows."""
        if "apiKey" in values or self._session.key is None:
            return self.desk.keys.account_of(values.get("apiKey"))
        return self._session.key.account

    async def _in_session(self, endpoint: Endpoint, params: Params, key: ApiKey) -> Any:
        """A request without key and signature, in an authenticated session."""
        security.check_right(key, endpoint)
        stamp = security.read_stamp(params)
        stamp.check_arrival(security.now_us())
        return await dispatch.carry_out(self.desk, endpoint, params, self.address, key, stamp)

    def _rate_limits(self, account: str | None) -> list[dict[str, Any]]:
        now_ms = runtime.wall_ms()
        orders = self.desk.orders.used(account, now_ms) if account is not None else []
        return orders + self.desk.addresses.used(self.address, now_ms)


def _read_frame(text: str) -> dict[str, msgspec.Raw]:
    try:
        return _DECODER.decode(text.encode())
    except msgspec.DecodeError as error:
        raise errors.bad_json("Invalid JSON Request") from error


def _read_method(frame: dict[str, msgspec.Raw]) -> str:
    try:
        method = msgspec.json.decode(frame["method"], type=str)
    except (KeyError, msgspec.ValidationError) as error:
        raise errors.bad_json("Invalid 'method' in JSON request; expected a string.") from error
    return method.removeprefix("v3/")


def _read_params(frame: dict[str, msgspec.Raw]) -> tuple[dict[str, str], bytes]:
    """The parameters as text, and what their signature is over. A null counts as not sent."""
    try:
        raw = _DECODER.decode(frame.get("params", b"{}"))
    except msgspec.ValidationError as error:
        raise errors.bad_json("Invalid 'params' in JSON request; expected an object.") from error
    values = {name: _as_text(value) for name, value in raw.items() if bytes(value) != b"null"}
    payload = "&".join(f"{name}={values[name]}" for name in sorted(values) if name not in UNSIGNED)
    return values, payload.encode()


def _as_text(value: msgspec.Raw) -> str:
    """A value as it stands in a query string: strings without quotes, arrays without blanks, numbers as written."""
    text = bytes(value).decode()
    if text.startswith('"'):
        return msgspec.json.decode(text, type=str)
    return msgspec.json.encode(msgspec.json.decode(text)).decode() if text.startswith("[") else text


def _shown(value: str | None, *, default: bool) -> bool:
    return default if value is None else value == "true"


def _error_body(error: ApiError) -> dict[str, Any]:
    body = error.body()
    if error.retry_at_ms is not None:
        body["data"] = {
            **(error.data or {}),
            "serverTime": clock.wall_ms(),
            "retryAfter": error.retry_at_ms,
        }
    return body
