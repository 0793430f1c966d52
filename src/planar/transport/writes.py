"""Requests that change something at the venue: told to whoever keeps a trail of them, or withheld to be looked at.

The seam sends each WRITE through `sent`. What is told is what CCXT was asked to send, before it is signed: neither a key
nor a signature nor a nonce is in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

import msgspec

from planar.errors import Outcome, PlanarError
from planar.transport.context import CallContext

T = TypeVar("T")


class Subject(msgspec.Struct, frozen=True):
    """Which order a request is about; empty texts where it is about none.

    Attributes:
        client_id: the client id that Planar gave the order.
        intent_id: the user's name for the wish.
    """

    client_id: str = ""
    intent_id: str = ""


class VenueRequest(msgspec.Struct, frozen=True):
    """A request to a venue before it is signed.

    Attributes:
        method: HTTP method.
        path: of the endpoint, as CCXT names it.
        params: its parameters.
    """

    method: str
    path: str
    params: Mapping[str, Any]


class WriteAnswer(msgspec.Struct, frozen=True):
    """What became of a WRITE.

    Attributes:
        outcome: what is known.
        http_status: of the answer; None if there was none.
        answer: the body of a good answer.
        error: class and message of what went wrong; "" if nothing did.
        code: the venue's own code.
    """

    outcome: Outcome
    http_status: int | None = None
    answer: Any = None
    error: str = ""
    code: str | None = None


class Trail(Protocol):
    """Whoever is told of WRITEs. It neither waits nor fails."""

    def asked(self, call: str, request: VenueRequest, subject: Subject) -> int:
        """A request is about to be sent, for this call of the user; its number."""
        ...

    def answered(self, number: int, answer: WriteAnswer) -> None:
        """All is known about the request of this number."""
        ...


class Withheld(PlanarError):
    """The request that would have been sent; it stayed here.

    Attributes:
        request: None where it is no HTTP request.
    """

    default_outcome = Outcome.NOT_SENT

    def __init__(self, request: VenueRequest | None = None) -> None:
        super().__init__("the request was to be looked at, and was not sent")
        self.request = request


_NOBODY = Subject()
_subject: ContextVar[Subject] = ContextVar("planar_subject", default=_NOBODY)
_noted: ContextVar[list[VenueRequest] | None] = ContextVar("planar_noted", default=None)
_withheld: ContextVar[bool] = ContextVar("planar_withheld", default=False)


@contextlib.contextmanager
def concerning(client_id: str, intent_id: str = "") -> Generator[None]:
    """Requests within the block, and in the tasks started in it, are about this order."""
    token = _subject.set(Subject(client_id, intent_id))
    try:
        yield
    finally:
        _subject.reset(token)


@contextlib.contextmanager
def withholding() -> Generator[None]:
    """WRITEs within the block are not sent: each raises `Withheld`."""
    token = _withheld.set(True)
    try:
        yield
    finally:
        _withheld.reset(token)


@contextlib.contextmanager
def noting() -> Generator[list[VenueRequest]]:
    """READs within the block are noted, in the order in which they were asked for."""
    found: list[VenueRequest] = []
    token = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(token)


def note(method: str, path: str, params: Callable[[], Mapping[str, Any]]) -> None:
    """A READ, for whoever notes them."""
    found = _noted.get()
    if found is not None:
        found.append(VenueRequest(method, path, params()))


async def sent(trail: Trail | None, call: CallContext, request: VenueRequest, send: Callable[[], Awaitable[T]]) -> T:
    """Send a WRITE, and tell the trail of it.

    Raises:
        Withheld: the block that this is in withholds WRITEs.
        PlanarError: as `send` does.
    """
    if _withheld.get():
        raise Withheld(request)
    if trail is None:
        return await send()
    number = trail.asked(call.name, request, _subject.get())
    made = len(call.requests)
    try:
        answer = await send()
    except PlanarError as error:
        outcome = error.outcome or Outcome.UNKNOWN
        text = f"{type(error).__name__}: {error.message}"
        trail.answered(number, WriteAnswer(outcome, error.http_status, error=text, code=error.code))
        raise
    except BaseException as error:
        outcome = Outcome.UNKNOWN if len(call.requests) > made else Outcome.NOT_SENT
        trail.answered(number, WriteAnswer(outcome, error=f"{type(error).__name__}: {error}"))
        raise
    status = call.requests[-1].http_status if len(call.requests) > made else None
    trail.answered(number, WriteAnswer(Outcome.OK, status, answer))
    return answer
