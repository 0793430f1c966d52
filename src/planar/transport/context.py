"""What one call of a user is made of: its deadline, its priority and every request that it sent.

The context travels in a `ContextVar` from the facade through CCXT's code down to the socket, so that nothing in between
has to know it. Whoever catches an error finds here what was sent and what became of it.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Awaitable, Callable, Generator
from contextvars import ContextVar
from typing import TypeAlias

import planar.runtime as runtime
from planar.errors import Outcome, RequestTimeout


class Effect(enum.Enum):
    """What a request does at the venue. An unlisted request that is no GET is a WRITE."""

    READ = "read"
    WRITE = "write"


class Priority(enum.IntEnum):
    """Who goes first when the budget is short; the lower goes first."""

    CANCEL = 0
    ORDER = 1
    ACCOUNT = 2
    MARKET = 3
    BACKFILL = 4


class RequestRecord:
    """One HTTP request of a call: where it went, and what is known about it.

    Attributes:
        sent_ms: UTC milliseconds at which it was begun.
        began_s: the same in monotonic seconds.
        took_ms: until its answer was read or it failed; None while it is under way.
    """

    __slots__ = ("began_s", "effect", "host", "http_status", "method", "outcome", "path", "sent_ms", "took_ms")

    def __init__(self, method: str, host: str, path: str, effect: Effect, sent_ms: int) -> None:
        self.method = method
        self.host = host
        self.path = path
        self.effect = effect
        self.sent_ms = sent_ms
        self.outcome: Outcome | None = None
        self.http_status: int | None = None
        self.began_s = 0.0
        self.took_ms: float | None = None

    def __repr__(self) -> str:
        outcome = self.outcome.value if self.outcome else "under way"
        return f"<{self.effect.value} {self.method} {self.host}{self.path} {self.http_status or ''} {outcome}>"


_owner: ContextVar[str] = ContextVar("planar_owner", default="")


@contextlib.contextmanager
def acting_for(owner: str) -> Generator[None]:
    """Calls within the block, and in the tasks started in it, are made for `owner`: a strategy, a user, a job.

    Where the budget is short, the owners of calls of one priority take turns, however many calls each of them makes.
    """
    token = _owner.set(owner)
    try:
        yield
    finally:
        _owner.reset(token)


_least: ContextVar[Priority] = ContextVar("planar_least", default=Priority.CANCEL)


@contextlib.contextmanager
def at_most(priority: Priority) -> Generator[None]:
    """Calls within the block, and in the tasks started in it, are no more urgent than this; cancels stay what they are."""
    token = _least.set(priority)
    try:
        yield
    finally:
        _least.reset(token)


_urgent: ContextVar[bool] = ContextVar("planar_urgent", default=False)


@contextlib.contextmanager
def urgent() -> Generator[None]:
    """Calls within the block, and in the tasks started in it, go before all others, as cancels do: an emergency stop."""
    token = _urgent.set(True)
    try:
        yield
    finally:
        _urgent.reset(token)


OnSend: TypeAlias = Callable[[], Awaitable[None] | None]
"""Called before bytes leave; what it gives back, if anything, is awaited before they do."""


class CallContext:
    """One call, from the user down to the socket.

    Attributes:
        deadline: monotonic seconds (`runtime.monotonic()`) at which the call ends, whatever it is doing.
        on_send: called immediately before the first byte of each WRITE leaves, and what it gives back is awaited then; if
            either raises, nothing is sent. The order path journals here.
        reading: every request of this call only reads, whatever its HTTP method.
        journaled: the call was written to the order journal first, so its WRITEs may pass.
        next_effect: effect of the request that is about to be sent; handed from `fetch2` to `fetch`.
        reader: reads the bytes of a good answer; what it gives None for is read as JSON, and judged.
        owner: for whom the call is made; owners of one priority take turns where the budget is short (`acting_for`).
        requests: all requests in the order of sending.
    """

    __slots__ = (
        "deadline",
        "journaled",
        "name",
        "next_effect",
        "on_send",
        "owner",
        "priority",
        "reader",
        "reading",
        "requests",
        "timeout_ms",
    )

    def __init__(
        self,
        name: str,
        timeout_ms: int,
        priority: Priority,
        *,
        reading: bool = False,
        journaled: bool = False,
        on_send: OnSend | None = None,
        reader: Callable[[bytes], object] | None = None,
    ) -> None:
        self.name = name
        self.priority = Priority.CANCEL if _urgent.get() or priority is Priority.CANCEL else max(priority, _least.get())
        self.timeout_ms = timeout_ms
        self.deadline = runtime.monotonic() + timeout_ms / 1000
        self.on_send = on_send
        self.reader = reader
        self.reading = reading
        self.journaled = journaled
        self.owner = _owner.get()
        self.next_effect: Effect | None = None
        self.requests: list[RequestRecord] = []

    def remaining_s(self) -> float:
        """Seconds left. Raises RequestTimeout (NOT_SENT) if none are."""
        left = self.deadline - runtime.monotonic()
        if left <= 0:
            raise RequestTimeout(
                f"{self.name} ran out of its {self.timeout_ms} ms before the request was sent", outcome=Outcome.NOT_SENT
            )
        return left

    def outcome(self) -> Outcome:
        """What is known about the call: the worst that is known about its WRITEs, NOT_SENT if it had none."""
        writes = [request for request in self.requests if request.effect is Effect.WRITE]
        if not writes:
            return Outcome.NOT_SENT
        return writes[-1].outcome or Outcome.UNKNOWN


_current: ContextVar[CallContext | None] = ContextVar("planar_call", default=None)

DEFAULT_TIMEOUT_MS = 10_000


def current_call() -> CallContext:
    """The call under way; a fresh default one outside of any (CCXT's own background requests)."""
    call = _current.get()
    return call if call is not None else CallContext("background request", DEFAULT_TIMEOUT_MS, Priority.MARKET)


class _Calling:
    """A block of `calling`; each call of a user has one, and a generator would take several times as long."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: CallContext) -> None:
        self._context = context

    def __enter__(self) -> CallContext:
        self._token = _current.set(self._context)
        return self._context

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def calling(context: CallContext) -> contextlib.AbstractContextManager[CallContext]:
    """Make `context` the call under way for the block, and for the tasks started in it."""
    return _Calling(context)
