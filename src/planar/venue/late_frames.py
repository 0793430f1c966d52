"""Frames of a WebSocket connection that leave later than they were sent, in order: the shaped latency of an exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import WSMsgType

import planar.runtime as runtime

_MOST: Final = 4_096
"""Frames under way; whoever sends more waits."""


class LateFrames:
    """The frames of one connection that are under way.

    Args:
        send: sends a frame.
        broken: called when that fails because the client left.
    """

    def __init__(self, send: Callable[[bytes, WSMsgType], Awaitable[None]], broken: Callable[[], None]) -> None:
        self._send = send
        self._broken = broken
        self._frames: asyncio.Queue[tuple[float, bytes, WSMsgType]] = asyncio.Queue(_MOST)
        self._carrying: asyncio.Task[None] | None = None

    def empty(self) -> bool:
        """Whether nothing is under way."""
        return self._carrying is None

    async def add(self, delay_s: float, message: bytes, opcode: WSMsgType) -> None:
        """Put a frame under way; one never overtakes another."""
        await self._frames.put((runtime.monotonic() + delay_s, message, opcode))
        if self._carrying is None:
            self._carrying = runtime.spawn(self._carry(), name="venue-late-frames")

    async def arrived(self) -> None:
        """Wait until nothing is under way any more."""
        while self._carrying is not None and self._carrying is not asyncio.current_task():
            await asyncio.wait([self._carrying])

    async def _carry(self) -> None:
        try:
            while not self._frames.empty():
                due_s, message, opcode = self._frames.get_nowait()
                await runtime.sleep(max(0.0, due_s - runtime.monotonic()))
                await self._send(message, opcode)
        except ConnectionError:  # the client left meanwhile
            self._broken()
        finally:
            self._carrying = None
