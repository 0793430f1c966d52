"""A WebSocket connection as the exchange keeps it: pings, lifetime, limits, and a queue of its own.

Whoever has something to send puts it in the queue and goes on; one task a connection writes. A reader that does not
keep up fills its queue and loses the connection, without a word, and nobody else waits for it.
"""

from __future__ import annotations

import abc
import asyncio
from typing import Final

from aiohttp import WSMsgType, web

import planar.runtime as runtime
from planar.venue.websocket import VenueWebSocket
from planar.venue.wire.binance.desk import Desk

POLICY_VIOLATION: Final = 1008
GOING_AWAY: Final = 1001
CLOSE_WAIT_S: Final = 1.0
"""How long a client may take to answer a close frame."""


class Socket(abc.ABC):
    """One connection.

    Attributes:
        desk: what all connections share.
        address: where the client is.
        unit: time unit of its events.
    """

    def __init__(self, desk: Desk, address: str, unit: int) -> None:
        self.desk = desk
        self.address = address
        self.unit = unit
        settings = desk.settings
        self._ws = VenueWebSocket(autoping=False, compress=False, timeout=CLOSE_WAIT_S)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(settings.queue_frames)
        self._pings: dict[bytes, float] = {}
        self._transport: asyncio.Transport | None = None

    @abc.abstractmethod
    async def on_text(self, text: str) -> None:
        """A text frame came."""

    @abc.abstractmethod
    def on_open(self) -> None:
        """The connection stands."""

    @abc.abstractmethod
    def on_close(self) -> None:
        """The connection is over; called once."""

    def on_frame(self) -> bool:
        """A frame of any kind came; False if it is one too many."""
        return True

    def send(self, frame: bytes) -> None:
        """Put a text frame in the queue; cuts the connection if the queue is full."""
        try:
            self._queue.put_nowait(frame)
        except asyncio.QueueFull:
            self.abort()

    def belongs_to(self, account: str) -> None:
        """The connection is known to serve this account; fault rules choose by it."""
        self._ws.account = account

    def abort(self) -> None:
        """Break the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self, code: int, reason: str) -> None:
        """Close it at once, in order."""
        await self._ws.close(code=code, message=reason.encode())

    async def finish(self, code: int, reason: str) -> None:
        """Close it when what is queued has been sent; break it if the client does not read."""
        try:
            async with asyncio.timeout(CLOSE_WAIT_S):
                while not self._queue.empty():
                    await self._ws.send_frame(self._queue.get_nowait(), WSMsgType.TEXT)
                await self.close(code, reason)
        except (TimeoutError, ConnectionError):
            self.abort()

    @abc.abstractmethod
    def farewell(self) -> bytes:
        """What the exchange says before it shuts down."""

    async def shut_down(self) -> None:
        """The server is going away: what is queued and a farewell are still sent."""
        self.send(self.farewell())
        await self.finish(GOING_AWAY, "Server shutdown")

    async def serve(self, request: web.BaseRequest) -> web.WebSocketResponse:
        """Run the connection until it is over."""
        await self._ws.prepare(request)
        transport = request.transport
        self._transport = transport if isinstance(transport, asyncio.Transport) else None
        self.on_open()
        tasks = [
            runtime.spawn(self._write(), name="binance-ws-write"),
            runtime.spawn(self._keep(), name="binance-ws-keep"),
        ]
        try:
            await self._read()
        finally:
            self.on_close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return self._ws

    async def _read(self) -> None:
        while True:
            message = await self._ws.receive()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR):
                return
            if not self.on_frame():
                await self.close(POLICY_VIOLATION, "Too many requests")
                return
            if message.type is WSMsgType.TEXT:
                await self.on_text(message.data)
            elif message.type is WSMsgType.PING:
                await self._ws.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self._on_pong(bytes(message.data))

    def _on_pong(self, data: bytes) -> None:
        """A pong counts if it carries what a ping carried; it answers the earlier pings too."""
        if data in self._pings:
            for ping in list(self._pings):
                del self._pings[ping]
                if ping == data:
                    return

    async def _write(self) -> None:
        try:
            while True:
                frame = await self._queue.get()
                await self._ws.send_frame(frame, WSMsgType.TEXT)
        except ConnectionError:  # the client left; reading sees it too
            self.abort()

    async def _keep(self) -> None:
        """Ping, and end the connection when its time has come."""
        settings = self.desk.settings
        ends_s = runtime.monotonic() + settings.connection_s
        try:
            while True:
                await runtime.sleep(min(settings.ping_s, max(0.0, ends_s - runtime.monotonic())))
                now_s = runtime.monotonic()
                if now_s >= ends_s:
                    await self.close(GOING_AWAY, "Connection lifetime reached")
                    return
                if any(now_s - sent_s >= settings.pong_s for sent_s in self._pings.values()):
                    await self.close(POLICY_VIOLATION, "Pong timeout")
                    return
                data = str(runtime.wall_ms()).encode()
                self._pings[data] = now_s
                await self._ws.ping(data)
        except ConnectionError:
            self.abort()


class Sockets:
    """The open connections, so that the exchange can end them."""

    def __init__(self) -> None:
        self._open: dict[Socket, None] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._open)

    async def run(self, socket: Socket, request: web.BaseRequest) -> web.WebSocketResponse:
        """Serve a connection."""
        self._open[socket] = None
        try:
            return await socket.serve(request)
        finally:
            del self._open[socket]

    async def shut_down(self) -> None:
        """End all connections."""
        await asyncio.gather(*(socket.shut_down() for socket in list(self._open)))
