"""A WebSocket connection as Kraken keeps it: status at the start, heartbeats in silence, and a queue of its own.

Whoever has something to send puts it in the queue and goes on; one task a connection writes. A reader that does not
keep up fills its queue and loses the connection, and nobody else waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import orjson
from aiohttp import WSMsgType, web

import planar.runtime as runtime
from planar.venue.websocket import VenueWebSocket
from planar.venue.wire.kraken.settings import Settings

GOING_AWAY: Final = 1001
_CLOSE_WAIT_S: Final = 1.0
_HEARTBEAT: Final = b'{"channel":"heartbeat"}'
_CHECKS_PER_HEARTBEAT: Final = 4


def encode(frame: Any) -> bytes:
    """A frame as JSON."""
    return orjson.dumps(frame)


class Connection:
    """One connection; what its frames mean is up to `on_text`.

    Attributes:
        private: whether it came by ws-auth.
        channels: what it is subscribed to, with the function that ends it.
        tokens: tokens that it has used, with their accounts; they stay good for its life, unless they
            are ended on purpose.
    """

    def __init__(
        self, settings: Settings, on_text: Callable[[Connection, str], None], *, private: bool, system: str
    ) -> None:
        """`system`: the state of the exchange as the connection opens."""
        self.private = private
        self._system = system
        self._id = runtime.current().random.getrandbits(63)
        self.channels: dict[tuple[Any, ...], Callable[[], None]] = {}
        self.tokens: dict[str, str] = {}
        self._settings = settings
        self._on_text = on_text
        self._ws = VenueWebSocket(autoping=True, compress=False, timeout=_CLOSE_WAIT_S)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(settings.queue_frames)
        self._transport: asyncio.Transport | None = None
        self._sent_s = runtime.monotonic()
        self._heard_s = runtime.monotonic()

    def send(self, frame: bytes) -> None:
        """Put a text frame in the queue; cuts the connection if the queue is full."""
        self._sent_s = runtime.monotonic()
        try:
            self._queue.put_nowait(frame)
        except asyncio.QueueFull:
            self._abort()

    def belongs_to(self, token: str, account: str) -> None:
        """A token has been used here; fault rules choose by its account from now on."""
        self.tokens[token] = account
        self._ws.account = account

    def tell_status(self, system: str) -> None:
        """Say what state the exchange is in; `system` is Kraken's word for it."""
        row = {"version": "2.0.10", "system": system, "api_version": "v2", "connection_id": self._id}
        self.send(encode({"channel": "status", "type": "update", "data": [row]}))

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def serve(self, request: web.BaseRequest) -> web.WebSocketResponse:
        """Run the connection until it is over."""
        await self._ws.prepare(request)
        transport = request.transport
        self._transport = transport if isinstance(transport, asyncio.Transport) else None
        self.tell_status(self._system)
        tasks = [
            runtime.spawn(self._write(), name="kraken-ws-write"),
            runtime.spawn(self._keep(), name="kraken-ws-keep"),
        ]
        try:
            await self._read()
        finally:
            for leave in list(self.channels.values()):
                leave()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return self._ws

    async def shut_down(self) -> None:
        """The server is going away."""
        try:
            async with asyncio.timeout(_CLOSE_WAIT_S):
                await self._ws.close(code=GOING_AWAY)
        except (TimeoutError, ConnectionError):
            self._abort()

    async def _read(self) -> None:
        while True:
            message = await self._ws.receive()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR):
                return
            self._heard_s = runtime.monotonic()
            if message.type is WSMsgType.TEXT:
                self._on_text(self, message.data)

    async def _write(self) -> None:
        try:
            while True:
                await self._ws.send_frame(await self._queue.get(), WSMsgType.TEXT)
        except ConnectionError:  # the client left; reading sees it too
            self._abort()

    async def _keep(self) -> None:
        """Heartbeats while subscribed; the end when neither side has anything to say."""
        settings = self._settings
        while True:
            await runtime.sleep(settings.heartbeat_s / _CHECKS_PER_HEARTBEAT)
            now_s = runtime.monotonic()
            if self.channels and now_s - self._sent_s >= settings.heartbeat_s:
                self.send(_HEARTBEAT)
            if not self.channels and now_s - self._heard_s >= settings.connection_s:
                await self._ws.close(code=GOING_AWAY)
                return


class Connections:
    """The open connections, so that the exchange can end them."""

    def __init__(self) -> None:
        self._open: dict[Connection, None] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._open)

    async def run(self, connection: Connection, request: web.BaseRequest) -> web.WebSocketResponse:
        """Serve a connection."""
        self._open[connection] = None
        try:
            return await connection.serve(request)
        finally:
            del self._open[connection]

    def tell_status(self, system: str) -> None:
        """The exchange is in another state."""
        for connection in list(self._open):
            connection.tell_status(system)

    def forget(self, account: str) -> int:
        """Tokens of an account that connections have used are good no more; how many they were."""
        ended = 0
        for connection in self._open:
            gone = [token for token, owner in connection.tokens.items() if owner == account]
            for token in gone:
                del connection.tokens[token]
            ended += len(gone)
        return ended

    async def shut_down(self) -> None:
        """End all connections."""
        await asyncio.gather(*(connection.shut_down() for connection in list(self._open)))
