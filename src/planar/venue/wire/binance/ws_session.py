"""The session of a WebSocket-API connection: log-on with an Ed25519 key, and subscriptions to user data.

Source: web-socket-api.md, "Authentication requests" and "User Data Stream requests".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import planar.runtime as runtime
from planar.venue import clock
from planar.venue.wire.binance import security, user_data
from planar.venue.wire.binance.desk import Call, Desk, Endpoint
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.keys import ApiKey, Right
from planar.venue.wire.binance.params import Params
from planar.venue.wire.binance.payload import Payload

if TYPE_CHECKING:
    from planar.venue.wire.binance.ws_api import WsApiSocket


class _Subscription(msgspec.Struct, frozen=True):
    id: int
    account: str
    by_log_on: bool


class Session:
    """State of one connection.

    Attributes:
        key: the key logged on with, if any.
        connected_ms: when the connection began.
    """

    def __init__(self, socket: WsApiSocket, *, return_rate_limits: bool) -> None:
        self._socket = socket
        self._return_rate_limits = return_rate_limits
        self.key: ApiKey | None = None
        self.connected_ms = 0
        self._authorized_ms: int | None = None
        self._subscriptions: dict[str, _Subscription] = {}
        """By account: one each."""
        self._next_id = 0

    def carry_out(self, method: str, endpoint: Endpoint, params: Params, key: str | None, payload: bytes) -> Any:
        """One of SESSION_METHODS.

        Raises:
            ApiError: it is refused.
        """
        desk = self._socket.desk
        if method == "session.logon":
            return self._log_on(desk, endpoint, params, key, payload)
        if method == "userDataStream.subscribe.signature":
            found, _ = security.authorize(desk, endpoint, params, key, payload, self._socket.address)
            params.end()
            return self._subscribe(found.account, by_log_on=False)
        if method == "userDataStream.unsubscribe":
            number = params.integer("subscriptionId")
            params.end()
            return self._unsubscribe(number)
        params.end()
        if method == "session.status":
            return self._status()
        if method == "session.logout":
            return self._log_out()
        if method == "session.subscriptions":
            return [{"subscriptionId": one.id} for one in self._subscriptions.values()]
        if self.key is None:
            raise ApiError(-1002, "You are not authorized to execute this request.", status=401)
        return self._subscribe(self.key.account, by_log_on=True)

    def _log_on(self, desk: Desk, endpoint: Endpoint, params: Params, key: str | None, payload: bytes) -> Any:
        found, _ = security.authorize(desk, endpoint, params, key, payload, self._socket.address)
        params.end()
        if not isinstance(found.verifier, Ed25519PublicKey):
            kind = "HMAC_SHA256" if isinstance(found.verifier, bytes) else "RSA"
            raise ApiError(-4056, f"{kind} API key is not supported.")
        self.key = found
        self._socket.belongs_to(found.account)
        self._authorized_ms = runtime.wall_ms()
        return self._status()

    def _log_out(self) -> Any:
        self.key = None
        self._authorized_ms = None
        for one in [one for one in self._subscriptions.values() if one.by_log_on]:
            self._end(one)
        return self._status()

    def _status(self) -> dict[str, Any]:
        return {
            "apiKey": self.key.key if self.key else None,
            "authorizedSince": self._authorized_ms,
            "connectedSince": self.connected_ms,
            "returnRateLimits": self._return_rate_limits,
            "serverTime": clock.wall_ms(),
            "userDataStream": any(one.by_log_on for one in self._subscriptions.values()),
        }

    def _subscribe(self, account: str, *, by_log_on: bool) -> Any:
        if account in self._subscriptions:
            raise ApiError(-2035, "User Data Stream subscription already active.")
        one = _Subscription(self._next_id, account, by_log_on)
        self._next_id += 1
        self._subscriptions[account] = one
        self._socket.belongs_to(account)
        self._socket.desk.users.subscribe(account, self._socket)
        return {"subscriptionId": one.id}

    def _unsubscribe(self, number: int | None) -> Any:
        ending = [one for one in self._subscriptions.values() if number in (None, one.id)]
        if not ending:
            raise ApiError(-2036, "User Data Stream subscription not active.")
        for one in ending:
            self._end(one)
        return {}

    def expire(self, account: str) -> None:
        """End the subscription to an account, and say so."""
        self._end(self._subscriptions[account])

    def end_all(self) -> None:
        """End every subscription, in silence."""
        for one in list(self._subscriptions.values()):
            self._drop(one)

    def _end(self, one: _Subscription) -> None:
        self._drop(one)
        self._send(one, orjson.dumps(user_data.terminated(self._socket.unit)))

    def _drop(self, one: _Subscription) -> None:
        del self._subscriptions[one.account]
        self._socket.desk.users.unsubscribe(one.account, self._socket)

    def deliver(self, account: str, payload: Payload) -> None:
        """Send an account event in the envelope of its subscription."""
        self._send(self._subscriptions[account], payload.raw(self._socket.unit))

    def _send(self, one: _Subscription, event: bytes) -> None:
        self._socket.send(b'{"subscriptionId":%d,"event":%b}' % (one.id, event))


def _not_an_endpoint(desk: Desk, call: Call) -> Any:
    """Session methods are carried out by the session."""
    raise NotImplementedError


def _method(right: Right = Right.NONE, *, signed: bool = False) -> Endpoint:
    return Endpoint(_not_an_endpoint, 2, right, signed=signed)


SESSION_METHODS: Final[dict[str, Endpoint]] = {
    "session.logon": _method(Right.USER_DATA, signed=True),
    "session.status": _method(),
    "session.logout": _method(),
    "session.subscriptions": _method(),
    "userDataStream.subscribe": _method(),
    "userDataStream.subscribe.signature": _method(Right.USER_DATA, signed=True),
    "userDataStream.unsubscribe": _method(),
}
