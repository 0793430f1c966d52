"""What a fault does to a WebSocket connection: to a frame that leaves the exchange, or to a message that comes in.

`planar.venue.websocket.VenueWebSocket` is the `Outlet` through which the frames of every wire leave.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, ClassVar, Literal, Protocol, Self

import msgspec

DelayMs = Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]
_ID = re.compile(r'"(?:id|req_id)"\s*:\s*(-?\d+|"[^"\\]*"|null)')


class Frame(msgspec.Struct, frozen=True):
    """A data frame. `text`: whether its opcode is that of text."""

    data: bytes
    text: bool


class Outlet(Protocol):
    """A connection, as faults see it."""

    async def put(self, frame: Frame) -> None:
        """Send a frame, and those that wait for it."""
        ...

    def put_later(self, frame: Frame, delay_ms: int) -> None:
        """Send a frame later; those after it do not wait."""
        ...

    def hold(self, frame: Frame) -> None:
        """Send a frame after the next one."""
        ...

    def silence(self, for_ms: int | None) -> None:
        """Send no data frame for so long; None: no more."""
        ...

    def play_dead(self) -> None:
        """Neither send nor read anything any more, and keep the connection."""
        ...

    def slow_down(self, bytes_per_s: int) -> None:
        """Send no faster than this from now on."""
        ...

    def stop_reading(self) -> None:
        """Take nothing more from the connection; what the client sends backs up."""
        ...

    async def end(self, code: int, reason: str) -> None:
        """Close with this code."""
        ...

    def abort(self) -> None:
        """Break the connection."""
        ...


class SocketFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What a rule does to a frame or a message."""

    meets_upgrades: ClassVar[bool] = True
    part: ClassVar[str] = "frame"

    def aged(self, age_ms: int) -> Self:
        """The same at every age of its rule."""
        return self

    def damaged(self, data: bytes) -> bytes:
        """What a frame holds when this has met it, where that can look like a good one."""
        return data

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Do it, in place of sending the frame, or of hearing the message."""
        raise NotImplementedError


class DropFrame(SocketFault, frozen=True, tag="drop_frame"):
    """The frame never leaves."""

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Do nothing."""


class DoubleFrame(SocketFault, frozen=True, tag="double_frame"):
    """The frame comes twice."""

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Send it twice."""
        await outlet.put(frame)
        await outlet.put(frame)


class DelayFrame(SocketFault, frozen=True, tag="delay_frame"):
    """The frame comes `delay_ms` later; the frames after it do not wait for it."""

    delay_ms: DelayMs

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Send it later."""
        outlet.put_later(frame, self.delay_ms)


class ReorderFrame(SocketFault, frozen=True, tag="reorder_frame"):
    """The frame changes places with the next one of the connection."""

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Keep it until the next has left."""
        outlet.hold(frame)


class CorruptFrame(SocketFault, frozen=True, tag="corrupt_frame"):
    """The frame comes damaged: half of it, or with the lowest bit of one byte flipped.

    Attributes:
        how: "cut" or "flip". The byte that is flipped follows from the frame.
    """

    how: Literal["cut", "flip"] = "cut"

    def damaged(self, data: bytes) -> bytes:
        """See `SocketFault.damaged`."""
        left = bytearray(data)
        if self.how == "cut":
            del left[len(left) // 2 :]
        elif left:
            digest = hashlib.blake2b(data, digest_size=8).digest()
            left[int.from_bytes(digest, "big") % len(left)] ^= 1
        return bytes(left)

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Damage and send it."""
        await outlet.put(Frame(self.damaged(frame.data), frame.text))


class ReplaceFrame(SocketFault, frozen=True, tag="replace_frame"):
    """Another text comes in the frame's place."""

    body: str

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Send the other text."""
        await outlet.put(Frame(self.body.encode(), text=True))


class Silence(SocketFault, frozen=True, tag="silence"):
    """From this frame on no data frame leaves the connection; pings are still answered.

    Attributes:
        for_ms: for how long; None: to its end. What was due meanwhile is lost.
    """

    for_ms: DelayMs | None = None

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Fall silent."""
        outlet.silence(self.for_ms)


class HalfOpen(SocketFault, frozen=True, tag="half_open"):
    """From this frame on nothing leaves the connection, pongs neither, nothing is heard, and nobody closes it."""

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Play dead."""
        outlet.play_dead()


class SlowSocket(SocketFault, frozen=True, tag="slow_socket"):
    """From this frame on the connection sends no faster than `bytes_per_s`."""

    bytes_per_s: Annotated[int, msgspec.Meta(ge=1)]

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Slow down, and send."""
        outlet.slow_down(self.bytes_per_s)
        await outlet.put(frame)


class CloseSocket(SocketFault, frozen=True, tag="close_socket"):
    """Instead of the frame, a close frame comes.

    Attributes:
        code: its code; also one that nobody may send (RFC 6455, 7.4).
        reason: its text.
    """

    code: Annotated[int, msgspec.Meta(ge=0, le=65_535)]
    reason: Annotated[str, msgspec.Meta(max_length=100)] = ""

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Close."""
        await outlet.end(self.code, self.reason)


class ResetSocket(SocketFault, frozen=True, tag="reset_socket"):
    """The connection breaks before the frame leaves, without a close frame."""

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Break it."""
        outlet.abort()


class DropMessage(SocketFault, frozen=True, tag="drop_message"):
    """The exchange never hears of a client's message, such as a subscription or an order."""

    part = "message"

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Do nothing."""


class RefuseMessage(SocketFault, frozen=True, tag="refuse_message"):
    """The exchange never hears of a client's message; the client gets this text, such as a refused subscription.

    Attributes:
        body: the text; `$id` in it stands for the `id` or `req_id` of the message, as JSON.
    """

    part = "message"
    body: str

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Answer in the exchange's place."""
        found = _ID.search(frame.data.decode(errors="replace"))
        text = self.body.replace("$id", found.group(1) if found else "null")
        await outlet.put(Frame(text.encode(), text=True))


class StopReading(SocketFault, frozen=True, tag="stop_reading"):
    """From this message on the exchange reads nothing more from the connection: what the client sends backs up.

    The message itself is not heard. Frames still leave.
    """

    part = "message"

    async def play(self, frame: Frame, outlet: Outlet) -> None:
        """Stop reading."""
        outlet.stop_reading()
