"""What a fault does to a request and its answer.

Faults whose kind ends in `_request` act before the exchange hears of the request, those in `_answer` after it has
handled it. A WebSocket upgrade has no answer in that sense: only `_request` faults, a shifted clock and stale reads
meet it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, ClassVar, Self

import msgspec
from aiohttp import web

import planar.runtime as runtime
from planar.venue import clock
from planar.venue.connection import DATED, VenueRequest
from planar.venue.engine import past

DelayMs = Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]
HttpStatus = Annotated[int, msgspec.Meta(ge=200, le=599)]
HeaderText = Annotated[str, msgspec.Meta(pattern=r"\A[^\r\n\0]+\Z")]

DAMAGE = web.RequestKey("damage", tuple[bytes, bytes])
"""Where a request holds (what its answer was, what it has become), once a fault has changed bytes of it."""

Answer = Callable[[], Awaitable[web.StreamResponse]]
"""Lets the exchange handle the request, and gives its answer, not yet sent."""


class RequestFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What a rule does. `kind` names it in JSON."""

    meets_upgrades: ClassVar[bool] = True
    """False: a WebSocket upgrade never meets it."""
    part: ClassVar[str] = "request"

    def aged(self, age_ms: int) -> Self:
        """The fault as it is when its rule is `age_ms` old."""
        return self

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Do it. The response given is sent if the connection still stands."""
        raise NotImplementedError


class DropRequest(RequestFault, frozen=True, tag="drop_request"):
    """The connection breaks before the exchange hears of the request."""

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Break the connection."""
        return _drop(request)


class DelayRequest(RequestFault, frozen=True, tag="delay_request"):
    """The exchange hears of the request `delay_ms` later, even if the client has left by then."""

    delay_ms: DelayMs

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Wait, then handle."""
        await runtime.sleep(self.delay_ms / 1000)
        return await answer()


class HangRequest(RequestFault, frozen=True, tag="hang_request"):
    """The exchange never hears of the request; the connection stays open until the client leaves."""

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Wait for the client to leave."""
        return await _hang(request)


class RefuseRequest(RequestFault, frozen=True, tag="refuse_request"):
    """Something in front of the exchange (a proxy, a load balancer) answers in its place.

    Attributes:
        status: HTTP status of the answer.
        body: its text.
        headers: its headers, such as Retry-After; Content-Type is HTML unless it is given.
    """

    status: HttpStatus
    body: str
    headers: dict[HeaderText, HeaderText] = {}

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Answer in the exchange's place."""
        return _substitute(self.status, self.body, self.headers)


class DropAnswer(RequestFault, frozen=True, tag="drop_answer"):
    """The exchange handles the request; the connection breaks instead of an answer."""

    meets_upgrades = False

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, then break the connection."""
        await answer()
        return _drop(request)


class DelayAnswer(RequestFault, frozen=True, tag="delay_answer"):
    """The exchange handles the request at once; its answer comes `delay_ms` later."""

    meets_upgrades = False
    delay_ms: DelayMs

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, wait, answer."""
        response = await answer()
        await runtime.sleep(self.delay_ms / 1000)
        return response


class HangAnswer(RequestFault, frozen=True, tag="hang_answer"):
    """The exchange handles the request; no answer ever comes, and the connection stays open until the client leaves."""

    meets_upgrades = False

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, then wait for the client to leave."""
        await answer()
        return await _hang(request)


class CutAnswer(RequestFault, frozen=True, tag="cut_answer"):
    """The exchange handles the request; status, headers and a part of the body arrive, then the connection ends.

    Attributes:
        keep_bytes: how much of the body arrives; at least its last byte is always missing.
    """

    meets_upgrades = False
    keep_bytes: Annotated[int, msgspec.Meta(ge=0)]

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, then send a part of the answer and end the connection."""
        response = await answer()
        body = response.body if isinstance(response, web.Response) else None
        if not isinstance(body, bytes) or not body:
            return _drop(request)
        part = web.StreamResponse(status=response.status, reason=response.reason, headers=response.headers)
        part.content_length = len(body)
        await part.prepare(request)
        await part.write(body[: min(self.keep_bytes, len(body) - 1)])
        request.connection.force_close()  # what was written still goes out
        return part


class ReplaceAnswer(RequestFault, frozen=True, tag="replace_answer"):
    """The exchange handles the request; the client gets another answer than the exchange's.

    Attributes:
        status: HTTP status of the answer.
        body: its text; empty, HTML, half of a JSON document ...
        headers: its headers; Content-Type is HTML unless it is given.
    """

    meets_upgrades = False
    status: HttpStatus
    body: str
    headers: dict[HeaderText, HeaderText] = {}

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, then answer otherwise."""
        await answer()
        return _substitute(self.status, self.body, self.headers)


class GarbleAnswer(RequestFault, frozen=True, tag="garble_answer"):
    """The exchange handles the request; its answer comes whole with some bytes changed. Status and headers stay.

    Attributes:
        flips: how many bytes have their lowest bit flipped; which ones follows from the answer.
    """

    meets_upgrades = False
    flips: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 3

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle, then damage the answer."""
        response = await answer()
        if isinstance(response, web.Response) and isinstance(response.body, bytes) and response.body:
            right, wrong = response.body, self._damaged(response.body)
            response.body = wrong
            request[DAMAGE] = right, wrong
        return response

    def _damaged(self, right: bytes) -> bytes:
        body = bytearray(right)
        digest = hashlib.blake2b(right, digest_size=8).digest()
        first, step = int.from_bytes(digest, "big"), max(1, len(body) // self.flips)
        for number in range(min(self.flips, len(body))):
            body[(first + number * step) % len(body)] ^= 1
        return bytes(body)


class ShiftClock(RequestFault, frozen=True, tag="shift_clock"):
    """The venue's clock is wrong: the time it tells, and the time against which it checks a request's, shift together.

    The engine's own times (of orders, trades, candles) stay. It goes together with another fault on the same request.

    Attributes:
        skew_ms: how much the clock is ahead (negative: behind) when the rule is added.
        drift_ppm: by how much it runs fast (negative: slow) from then on, in millionths.
    """

    part = "clock"
    skew_ms: Annotated[int, msgspec.Meta(ge=-86_400_000, le=86_400_000)] = 0
    drift_ppm: Annotated[int, msgspec.Meta(ge=-900_000, le=900_000)] = 0

    def aged(self, age_ms: int) -> Self:
        """The skew that has come together by now."""
        return msgspec.structs.replace(self, skew_ms=self.skew_ms + age_ms * self.drift_ppm // 1_000_000)

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle by the shifted clock; a WebSocket connection lives by it, and it drifts on."""
        with clock.shifted(self.skew_ms, self.drift_ppm):
            response = await answer()
            request[DATED] = clock.wall_ms()
            return response


class StaleRead(RequestFault, frozen=True, tag="stale_read"):
    """What the request reads of the account's orders, fills and balances is as it was `lag_ms` ago.

    Only reads are stale: what places, cancels or changes an order sees the truth, and so does its answer. It goes
    together with another fault on the same request. A WebSocket connection reads so as long as it lives.

    Attributes:
        lag_ms: age of what is read.
    """

    part = "reads"
    lag_ms: Annotated[int, msgspec.Meta(ge=1, le=past.KEPT_MS)]

    async def play(self, request: VenueRequest, answer: Answer) -> web.StreamResponse:
        """Handle with old data."""
        with past.lagging(self.lag_ms):
            return await answer()


def _drop(request: VenueRequest) -> web.Response:
    request.connection.abort()
    return web.Response()  # goes nowhere: aiohttp wants one


async def _hang(request: VenueRequest) -> web.Response:
    await request.connection.gone.wait()
    return web.Response()  # as above


def _substitute(status: int, body: str, headers: dict[str, str]) -> web.Response:
    response = web.Response(status=status, body=body.encode(), headers=headers)
    response.headers.setdefault("Content-Type", "text/html; charset=utf-8")
    return response
