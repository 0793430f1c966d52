"""Connections to the streams (`/ws`, `/stream`): subscriptions by URL and by message, market data and listen keys.

Source: web-socket-streams.md. Refusals come as `{"error": {"code", "msg"}, "id"}`.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast
from urllib.parse import unquote

import msgspec
import orjson

import planar.runtime as runtime
from planar.venue.wire.binance import stream_json
from planar.venue.wire.binance.desk import Desk
from planar.venue.wire.binance.feed import MarketFeed
from planar.venue.wire.binance.payload import Payload
from planar.venue.wire.binance.socket import Socket
from planar.venue.wire.binance.stream_names import is_legal
from planar.venue.wire.binance.user_data import listen_key_expired
from planar.venue.witness import MeterRow

METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_LEGAL_ID: Final = re.compile(r"[A-Za-z0-9-]{1,36}\Z")
_POSITION: Final = re.compile(r"\(byte (\d+)\)")
ID_MAX: Final = 2**63


class RequestError(Exception):
    """A message that is no valid request."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class StreamSocket(Socket):
    """One connection to the streams."""

    def __init__(
        self, desk: Desk, feed: MarketFeed, address: str, unit: int, names: list[str], *, combined: bool, private: bool
    ) -> None:
        """`names`: streams named in the URL. `private`: whether listen keys work here."""
        super().__init__(desk, address, unit)
        self._feed = feed
        self._initial = names
        self._combined = combined
        self._private = private
        self._names: dict[str, None] = {}
        self._accounts: dict[str, str] = {}
        """Listen key by account."""
        self._second = 0
        self._frames = 0

    def on_open(self) -> None:
        """Subscribe to what the URL names."""
        self._subscribe(self._initial[: self.desk.settings.streams_per_connection])

    def on_close(self) -> None:
        """Forget all subscriptions."""
        self._unsubscribe(list(self._names))

    def on_frame(self) -> bool:
        """Count the frames of each second."""
        second = int(runtime.monotonic())
        if second != self._second:
            self._second, self._frames = second, 0
        self._frames += 1
        most = self.desk.settings.messages_per_s
        if self._frames > most:
            self.desk.witness.exceeded(self._frames_row(most), "closed, 1008")
        return self._frames <= most

    def _frames_row(self, most: int) -> MeterRow:
        return MeterRow(
            id=f"MESSAGES 1S {self.address}",
            meter="MESSAGES 1S",
            scope="connection",
            subject=self.address,
            used=self._frames,
            limit=most,
            window_ms=1000,
            ts_ms=runtime.wall_ms(),
        )

    def farewell(self) -> bytes:
        """`serverShutdown`."""
        payload = Payload(stream_json.SHUTDOWN_STREAM, stream_json.shutdown(runtime.wall_ms()))
        return payload.combined(self.unit) if self._combined else payload.raw(self.unit)

    def receive(self, payload: Payload) -> None:
        """Send a market event."""
        self.send(payload.combined(self.unit) if self._combined else payload.raw(self.unit))

    def deliver(self, account: str, payload: Payload) -> None:
        """Send an account event, as long as the listen key lives."""
        key = self._accounts[account]
        if self.desk.listen_keys.account_of(key) != account:
            self.expire(account, key)
            return
        self._tell(key, payload.raw(self.unit))

    def expire(self, account: str, listen_key: str | None) -> None:
        """The listen key has run out: the last event says so."""
        key = self._accounts[account]
        if listen_key not in (None, key):
            return
        self._unsubscribe([key])
        self._tell(key, orjson.dumps(listen_key_expired(key, self.unit)))

    def _tell(self, key: str, event: bytes) -> None:
        self.send(b'{"stream":"%b","data":%b}' % (key.encode(), event) if self._combined else event)

    async def on_text(self, text: str) -> None:
        """Answer a request."""
        request_id: Any = None
        try:
            request = _decode(text)
            request_id = _request_id(request)
            self.desk.witness.asked({}, method=str(request.get("method", "")))
            answer: dict[str, Any] = {"result": self._carry_out(request, text), "id": request_id}
            self.desk.witness.answered()
        except RequestError as error:
            self.desk.witness.refused(str(error), code=str(error.code))
            answer = {"error": {"code": error.code, "msg": str(error)}}
            if request_id is not None:
                answer["id"] = request_id
        self.send(orjson.dumps(answer))

    def _carry_out(self, request: dict[str, Any], text: str) -> Any:
        if "method" not in request:
            raise RequestError(2, f"Invalid request: missing field `method` at line 1 column {len(text)}")
        method = request["method"]
        params: Any = request.get("params", [])
        if method == "SUBSCRIBE":
            self._subscribe(_stream_names(params))
        elif method == "UNSUBSCRIBE":
            self._unsubscribe(_stream_names(params))
        elif method == "LIST_SUBSCRIPTIONS":
            return list(self._names)
        elif method == "SET_PROPERTY":
            self._set_property(params)
        elif method == "GET_PROPERTY":
            _property(params, 1)
            return self._combined
        else:
            known = ", ".join(f"`{word}`" for word in METHODS)
            column = text.find(str(method)) + len(str(method)) + 1
            raise RequestError(
                2, f"Invalid request: unknown variant `{method}`, expected one of {known} at line 1 column {column}"
            )
        return None

    def _subscribe(self, names: list[str]) -> None:
        added = [name for name in dict.fromkeys(names) if name not in self._names]
        if len(self._names) + len(added) > self.desk.settings.streams_per_connection:
            raise RequestError(2, "Invalid request: too many streams")
        for name in added:
            self._names[name] = None
            account = self.desk.listen_keys.account_of(name) if self._private else None
            if account is not None:
                self._accounts[account] = name
                self.belongs_to(account)
                self.desk.users.subscribe(account, self)
            else:
                self._feed.listen(name, self)

    def _unsubscribe(self, names: list[str]) -> None:
        for name in names:
            if self._names.pop(name, _ABSENT) is _ABSENT:
                continue
            accounts = [account for account, key in self._accounts.items() if key == name]
            for account in accounts:
                del self._accounts[account]
                self.desk.users.unsubscribe(account, self)
            self._feed.leave(name, self)

    def _set_property(self, params: Any) -> None:
        _property(params, 2)
        if len(params) < 2 or not isinstance(params[1], bool):
            raise RequestError(1, "Invalid value type: expected Boolean")
        self._combined = params[1]


_ABSENT: Final = object()


def is_stream_path(path: str) -> bool:
    """Whether streams are served there."""
    return path in ("/ws", "/stream", "/stream/") or path.startswith("/ws/")


def names_of(path: str, query: str) -> list[str]:
    """The streams that a URL names: `/ws/a/b` or `/stream?streams=a/b`. A plus sign is one (`@+08:00`)."""
    listed = path.removeprefix("/ws")
    if path.startswith("/stream"):
        found = [pair.removeprefix("streams=") for pair in query.split("&") if pair.startswith("streams=")]
        listed = "/".join(found)
    return [name for name in unquote(listed).split("/") if name]


def _decode(text: str) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(text.encode())
    except msgspec.DecodeError as error:
        place = _POSITION.search(str(error))
        column = int(place[1]) + 1 if place else len(text)
        raise RequestError(3, f"Invalid JSON: expected value at line 1 column {column}") from error
    if not isinstance(request, dict):
        raise RequestError(2, "Invalid request: expected an object")
    return cast("dict[str, Any]", request)


def _request_id(request: dict[str, Any]) -> Any:
    request_id = request.get("id")
    whole = isinstance(request_id, int) and not isinstance(request_id, bool) and -ID_MAX <= request_id < ID_MAX
    word = isinstance(request_id, str) and _LEGAL_ID.match(request_id) is not None
    if "id" not in request or not (whole or word or request_id is None):
        raise RequestError(2, "Invalid request: request ID must be an unsigned integer")
    return request_id


def _stream_names(params: Any) -> list[str]:
    names: list[str] = []
    for name in cast("list[Any]", params) if isinstance(params, list) else [None]:
        if not isinstance(name, str) or not is_legal(name):
            raise RequestError(2, "Invalid request: invalid stream")
        names.append(name)
    return names


def _property(params: Any, most: int) -> None:
    """Check the property named by SET_PROPERTY and GET_PROPERTY."""
    values = cast("list[Any]", params) if isinstance(params, list) else []
    if not values or not isinstance(values[0], str):
        raise RequestError(2, "Invalid request: property name must be a string")
    if len(values) > most:
        raise RequestError(2, "Invalid request: too many parameters")
    if values[0] != "combined":
        raise RequestError(0, "Unknown property")
