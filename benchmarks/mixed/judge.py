"""Whether the end of a call is one that it may have: true, or of a class that a fault which met it explains."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

import msgspec

from benchmarks.mixed.calls import WRITES, Untrue
from benchmarks.mixed.table import ALL, FRAMES
from planar.errors import (
    ExchangeNotAvailable,
    InvalidNonce,
    OrderNotFound,
    OrderUnknown,
    Outcome,
    PlanarError,
    RateLimitExceeded,
    RequestTimeout,
)
from planar.transport.context import RequestRecord
from planar.venue.faults import Firing
from planar.venue.faults.rules import Damage

HASTY_MS = 500
"""A call with less time than this may run out of it on a busy machine, without a fault."""
PRESSING = 0.25
"""A call that could not run for so much of its time may run out of it, or be overtaken, without a fault."""
NEAR_MS = 100
AFTER_MS = 10_000
"""So long a ban and an open breaker, of a second each, and the calls that waited for them, may be felt."""


class End(msgspec.Struct, frozen=True):
    """How a call ended. Times are UTC milliseconds; `kept_ms`: how long client and exchange could not run meanwhile."""

    number: int
    venue: str
    name: str
    began_ms: int
    ended_ms: int
    timeout_ms: int
    canceled: bool
    error: BaseException | None
    kept_ms: float = 0.0


class Judge:
    """Sorts the ends of calls.

    Attributes:
        table: (call, outcome) -> how many.
        injected: kind of fault -> how many times it hit.
        violations: what is wrong, one line each.
    """

    def __init__(self) -> None:
        self.table: Counter[tuple[str, str]] = Counter()
        self.injected: Counter[str] = Counter()
        self.violations: list[str] = []
        self._recent: deque[Firing] = deque()
        self._last = 0

    def hear(self, firings: list[Firing]) -> list[Damage]:
        """What the venue injected since it was last asked; what it damaged."""
        damages: list[Damage] = []
        for firing in firings:
            if firing.number > self._last:
                self._last = firing.number
                self.injected[_kind(firing)] += 1
                damages += firing.damage
                self._recent.append(msgspec.structs.replace(firing, damage=()))
        return damages

    def forget(self, before_ms: int) -> None:
        """Keep only what can still concern a call."""
        while self._recent and self._recent[0].ts_ms < before_ms:
            self._recent.popleft()

    def end(self, end: End) -> None:
        """Judge one call."""
        outcome = "canceled" if end.canceled else "ok" if end.error is None else type(end.error).__name__
        self.table[end.name, outcome] += 1
        if end.error is not None and not end.canceled and not self._explained(end, end.error):
            told = getattr(end.error, "requests", ())
            self.violations.append(
                f"call {end.number} ({end.venue} {end.name}, {end.timeout_ms} ms, kept from running {end.kept_ms:.0f} ms):"
                f" {end.error!r} after {[(one.path, round(one.took_ms or 0), str(one.outcome)) for one in told]}"
            )

    def _hits(self, end: End, after_ms: int = NEAR_MS) -> list[Firing]:
        began, ended = end.began_ms - after_ms, end.ended_ms + NEAR_MS
        return [one for one in self._recent if one.subject.venue == end.venue and began <= one.ts_ms <= ended]

    def _explained(self, end: End, error: BaseException) -> bool:
        if isinstance(error, Untrue):
            # bits that were flipped in a number leave a good answer with a wrong number
            return any(ALL[_kind(one)].lies for one in self._hits(end))
        if not isinstance(error, PlanarError):
            return False
        if end.name == "stream":
            return bool(self._hits(end, AFTER_MS))
        if end.name == "create" and error.outcome is Outcome.OK:
            return False  # there is an order, and whoever asked for it was not given it
        if error.outcome is Outcome.NOT_SENT:
            return self._kept_back(end, error)
        if isinstance(error, OrderNotFound) and end.name == "cancel":
            return True  # it had traded, or another call took it back: the ledger's judgement follows
        if end.name == "cancel" and error.outcome in (Outcome.OK, Outcome.UNKNOWN) and self._kept_back(end, error):
            return True  # it was confirmed, or may have been carried out, and nothing more could be asked
        late = error.__cause__ if isinstance(error, OrderUnknown) else error
        if isinstance(late, RequestTimeout | InvalidNonce) and self._pressed(end):
            return True
        hits = [one for one in self._hits(end) if _met(one, error.requests)]
        # a socket that once failed goes on failing; whoever sends after another waits for what that one met
        hits += [one for one in self._hits(end, AFTER_MS) if _kind(one) in FRAMES and _met(one, error.requests)]
        if type(late) is RequestTimeout and _waited(end, error.requests):
            hits += self._hits(end)
        writes = end.name in WRITES
        allowed = {kind for one in hits for kind in ALL[_kind(one)].allowed(writes=writes)}
        # one call that is tried again may meet two faults, and what the second left of its time is too little
        return type(error) in allowed or (type(error) is RequestTimeout and bool(hits))

    def _pressed(self, end: End) -> bool:
        """It had little time, or the machine took much of what it had."""
        return end.timeout_ms - end.kept_ms < HASTY_MS or end.kept_ms > end.timeout_ms * PRESSING

    def _kept_back(self, end: End, error: PlanarError) -> bool:
        """Nothing was sent: it had no time left, or the host was known to be in trouble."""
        felt = {_kind(one) for one in self._hits(end, AFTER_MS)}
        if type(error) is RequestTimeout:
            return self._pressed(end) or bool(felt)  # by the call, or by what is usual of the host
        if isinstance(error, RateLimitExceeded):
            return bool(felt & {"429", "418"})
        return isinstance(error, ExchangeNotAvailable) and bool(felt - {"429", "418", *FRAMES})


def _met(firing: Firing, requests: Sequence[RequestRecord]) -> bool:
    """Whether a fault hit one of the requests; what goes over a socket is recorded as the socket's path, `#` and a name."""
    subject = firing.subject
    if not subject.path:
        return True
    for request in requests:
        path, _, over_socket = request.path.partition("?")[0].partition("#")
        if subject.path == path and (not over_socket or subject.host == request.host):
            return True
    return False


def _waited(end: End, requests: Sequence[RequestRecord]) -> bool:
    """Whether most of its time was over before its last request left: signed requests of a key go one after the other."""
    return bool(requests) and (requests[-1].took_ms or 0.0) < end.timeout_ms / 2


def _kind(firing: Firing) -> str:
    return firing.rule.partition("/")[0]
