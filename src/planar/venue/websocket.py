"""The WebSocket of every wire: aiohttp's, whose data frames and messages go through the fault rules.

A wire makes a `VenueWebSocket` where it would make a `web.WebSocketResponse`, and sends and receives as with that one;
when it learns whose connection it is, it sets `account`, so that fault rules can choose by account. The server puts a
`FrameBook` under FRAMES in each request to open a connection, and the exchange's latency under LATENCY.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any, Final, cast

from aiohttp import WSMsgType, web
from aiohttp.abc import AbstractStreamWriter

import planar.runtime as runtime
from planar.venue.connection import HttpConnection
from planar.venue.engine.latency import Latency
from planar.venue.faults.frames import Frame
from planar.venue.faults.rules import FrameBook
from planar.venue.late_frames import LateFrames
from planar.venue.witness import Passage, passing

FRAMES: Final = web.RequestKey("planar.frames", FrameBook)
"""Key of the connection's `FrameBook` in its request."""
LATENCY: Final = web.RequestKey("planar.latency", Latency)
"""Key of the exchange's latency in a request to open a connection."""
_DATA: Final = (WSMsgType.TEXT, WSMsgType.BINARY)


class VenueWebSocket(web.WebSocketResponse):
    """One connection; an `Outlet` for the faults."""

    def __init__(self, **options: Any) -> None:
        """`options`: those of `web.WebSocketResponse`."""
        super().__init__(**options)
        self._frames: FrameBook | None = None
        self._latency: Latency | None = None
        self._late = LateFrames(self._send_now, self.abort)
        self._connection: HttpConnection | None = None
        self._held: list[Frame] = []
        self._silent_until_s = -math.inf
        self._dead = False
        self._deaf = False
        self._bytes_per_s: int | None = None
        self._reading: asyncio.Task[Any] | None = None
        self._passage: Passage | None = None
        self._account: str | None = None

    @property
    def account(self) -> str | None:
        """Whose connection it is, for fault rules; None until a wire says so."""
        return self._account

    @account.setter
    def account(self, name: str) -> None:
        self._account = name
        if self._passage is not None:
            self._passage.row.account = name
        if self._frames is not None:
            self._frames.serve(name)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Answer the upgrade."""
        self._frames = request.get(FRAMES)
        self._latency = request.get(LATENCY)
        if self._frames is not None and self._account is not None:
            self._frames.serve(self._account)
        self._connection = cast("HttpConnection", request.protocol)
        writer = await super().prepare(request)
        if self._passage is None:  # aiohttp calls this once more when the connection is over
            self._passage = passing()
            if self._passage is not None:
                self._passage.opened()
        return writer

    async def send_frame(self, message: bytes, opcode: WSMsgType, compress: int | None = None) -> None:
        """Send a data frame, as late as the exchange is, unless a fault will have it otherwise."""
        delay_s = self._latency.draw_s() if self._latency is not None else 0.0
        if delay_s or not self._late.empty():
            await self._late.add(delay_s, message, opcode)
        else:
            await self._send_now(message, opcode)

    async def _send_now(self, message: bytes, opcode: WSMsgType) -> None:
        if self._dead or runtime.monotonic() < self._silent_until_s:
            return
        frame = Frame(message, opcode is WSMsgType.TEXT)
        fault = self._frames.fault_of_frame(message) if self._frames is not None else None
        if fault is None:
            await self.put(frame)
        else:
            await fault.play(frame, self)

    async def send_str(self, data: str, compress: int | None = None) -> None:
        """Send a text frame."""
        await self.send_frame(data.encode(), WSMsgType.TEXT)

    async def send_bytes(self, data: bytes | bytearray | memoryview, compress: int | None = None) -> None:
        """Send a binary frame."""
        await self.send_frame(bytes(data), WSMsgType.BINARY)

    async def ping(self, message: bytes = b"") -> None:
        """Send a ping."""
        if not self._dead:
            await super().ping(message)

    async def pong(self, message: bytes = b"") -> None:
        """Send a pong."""
        if not self._dead:
            await super().pong(message)

    async def receive(self, timeout: float | None = None) -> Any:
        """The next message that no fault takes away."""
        self._reading = asyncio.current_task()
        while True:
            message = await super().receive(timeout)
            if self._dead:
                await self._until_gone()
                return await super().receive(timeout)
            if message.type not in _DATA:
                return message
            passage = self._passage.message() if self._passage is not None else None
            if self._frames is None:
                return message
            data = message.data if isinstance(message.data, bytes) else str(message.data).encode()
            fault = self._frames.fault_of_message(data)
            if fault is None:
                return message
            if passage is not None:
                passage.settle("unheard")
            await fault.play(Frame(data, message.type is WSMsgType.TEXT), self)
            if self._deaf:  # aiohttp stops reading when what it has read is not taken
                await self._until_gone()

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        """Close in order; a connection that plays dead answers no close frame, and is broken by who closes it."""
        if self._dead:
            if asyncio.current_task() is self._reading:
                await self._until_gone()
            self.abort()
        await self._late.arrived()
        if self._passage is not None and self.close_code is None:  # nobody else was first
            self._passage.row.close_code = code
        return await super().close(code=code, message=message, drain=drain)

    async def put(self, frame: Frame) -> None:
        """See `Outlet`, as all below."""
        if self._bytes_per_s is not None:
            await runtime.sleep(len(frame.data) / self._bytes_per_s)
        await super().send_frame(frame.data, WSMsgType.TEXT if frame.text else WSMsgType.BINARY)
        if self._passage is not None:
            self._passage.row.frames += 1
        held, self._held = self._held, []
        for waiting in held:
            await self.put(waiting)

    def put_later(self, frame: Frame, delay_ms: int) -> None:
        runtime.spawn(self._put_later(frame, delay_ms), name="venue-frame-delay")

    async def _put_later(self, frame: Frame, delay_ms: int) -> None:
        await runtime.sleep(delay_ms / 1000)
        if not (self.closed or self._dead):
            try:
                await self.put(frame)
            except ConnectionError:  # the client left meanwhile
                self.abort()

    def hold(self, frame: Frame) -> None:
        self._held.append(frame)

    def silence(self, for_ms: int | None) -> None:
        self._silent_until_s = math.inf if for_ms is None else runtime.monotonic() + for_ms / 1000

    def play_dead(self) -> None:
        self._dead = True

    def slow_down(self, bytes_per_s: int) -> None:
        self._bytes_per_s = bytes_per_s

    def stop_reading(self) -> None:
        self._deaf = True

    async def end(self, code: int, reason: str) -> None:
        await self.close(code=code, message=reason.encode())

    def abort(self) -> None:
        if self._connection is not None:
            self._connection.abort()

    async def _until_gone(self) -> None:
        if self._connection is not None:
            await self._connection.gone.wait()
