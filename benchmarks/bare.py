"""Bare clients, as fast as a client in Python gets: they count WebSocket frames and send requests made beforehand.

They are in nobody's way: what they measure is the venue.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Sequence


class FrameCounter(asyncio.Protocol):
    """A WebSocket connection that subscribes and counts the data frames that come; it looks at nothing in them.

    Attributes:
        frames: data frames so far.
        opened: set when the upgrade was answered.
        over: set when the connection has ended.
    """

    def __init__(self, host: str, path: str, subscribe: Sequence[bytes] = ()) -> None:
        self.frames = 0
        self.opened = asyncio.Event()
        self.over = asyncio.Event()
        self._head = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        self._subscribe = subscribe
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._head)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self.over.set()

    def data_received(self, data: bytes) -> None:
        """Count the whole frames."""
        data = self._data + data
        if not self.opened.is_set():
            head, found, data = data.partition(b"\r\n\r\n")
            if not found or not head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(f"no WebSocket: {head[:200]!r}")
            self.opened.set()
            assert self._transport is not None
            for message in self._subscribe:
                self._transport.write(masked(message))
        self._data = data[self._count(data) :]

    async def close(self) -> None:
        """Leave, and wait for the end."""
        if self._transport is not None:
            self._transport.abort()
        await self.over.wait()

    def _count(self, data: bytes) -> int:
        """Count the frames that have come in whole; how many bytes they are."""
        at, end = 0, len(data)
        while end - at >= 2:
            length = data[at + 1] & 0x7F
            begins = at + 2
            if length == 126:
                if end - at < 4:
                    break
                length, begins = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                if end - at < 10:
                    break
                length, begins = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if begins + length > end:
                break
            if data[at] & 0x0F < 8:
                self.frames += 1
            at = begins + length
        return at


def masked(message: bytes) -> bytes:
    """A text frame of a client."""
    size = len(message)
    head = b"\x81" + (bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size))
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(message))


class Sender(asyncio.Protocol):
    """A keep-alive connection that sends requests one after the other, each when the one before was answered.

    Attributes:
        done: the number of answers, when all have come.
        refused: the first answer that was not as expected.
    """

    def __init__(self, requests: Sequence[bytes], expected: bytes) -> None:
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.refused: bytes | None = None
        self._requests = iter(requests)
        self._expected = expected
        self._answers = 0
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the venue closed the connection"))

    def _next(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(self._answers)
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take an answer, when the whole of it is here."""
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        if self._expected not in body and self.refused is None:
            self.refused = body
        self._answers += 1
        self._data = b""
        self._next()
