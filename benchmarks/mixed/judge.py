"""Whether the end of a call is one that it may have: true, or of a class that a fault which met it explains."""

from __future__ import annotations

from collections import Counter, deque

import msgspec

from benchmarks.mixed.calls import WRITES, Untrue
from benchmarks.mixed.table import ALL, FRAMES
from planar.errors import (
    ExchangeNotAvailable,
    OrderNotFound,
    OrderUnknown,
    Outcome,
    PlanarError,
    RateLimitExceeded,
    RequestTimeout,
)
from planar.venue.faults import Firing

HASTY_MS = 500
"""A call with less time than this may run out of it on a busy machine, without a fault."""
NEAR_MS = 100
AFTER_MS = 10_000
"""So long a ban and an open breaker, of a second each, and the calls that waited for them, may be felt."""


class End(msgspec.Struct, frozen=True):
    """How a call ended. Times are UTC milliseconds; `paths` those of the requests that it made."""

    number: int
    venue: str
    name: str
    began_ms: int
    ended_ms: int
    timeout_ms: int
    canceled: bool
    error: BaseException | None


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

    def hear(self, firings: list[Firing]) -> None:
        """What the venue injected since it was last asked."""
        for firing in firings:
            if firing.number > self._last:
                self._last = firing.number
                self.injected[firing.rule.partition("/")[0]] += 1
                self._recent.append(firing)

    def forget(self, before_ms: int) -> None:
        """Keep only what can still concern a call."""
        while self._recent and self._recent[0].ts_ms < before_ms:
            self._recent.popleft()

    def end(self, end: End) -> None:
        """Judge one call."""
        outcome = "canceled" if end.canceled else "ok" if end.error is None else type(end.error).__name__
        self.table[end.name, outcome] += 1
        if end.error is not None and not end.canceled and not self._explained(end, end.error):
            self.violations.append(f"call {end.number} ({end.venue} {end.name}, {end.timeout_ms} ms): {end.error!r}")

    def _hits(self, end: End, after_ms: int = NEAR_MS) -> list[Firing]:
        began, ended = end.began_ms - after_ms, end.ended_ms + NEAR_MS
        return [one for one in self._recent if one.subject.venue == end.venue and began <= one.ts_ms <= ended]

    def _explained(self, end: End, error: BaseException) -> bool:
        if isinstance(error, Untrue):
            # bits that were flipped in a number leave a good answer with a wrong number
            return any(ALL[one.rule.partition("/")[0]].lies for one in self._hits(end))
        if not isinstance(error, PlanarError):
            return False
        if end.name == "stream":
            return bool(self._hits(end, AFTER_MS))
        if error.outcome is Outcome.NOT_SENT:
            return self._kept_back(end, error)
        if isinstance(error, OrderNotFound) and end.name == "cancel":
            return True  # it had traded, or another call took it back: the ledger's judgement follows
        late = error.__cause__ if isinstance(error, OrderUnknown) else error
        if type(late) is RequestTimeout and (end.timeout_ms < HASTY_MS or error.outcome is Outcome.OK):
            return True
        paths = {request.path.partition("?")[0] for request in error.requests}
        hits = [one for one in self._hits(end) if one.subject.path in paths or not one.subject.path]
        writes = end.name in WRITES
        allowed = {kind for one in hits for kind in ALL[_kind(one)].allowed(writes=writes)}
        # one call that is tried again may meet two faults, and what the second left of its time is too little
        return type(error) in allowed or (type(error) is RequestTimeout and bool(hits))

    def _kept_back(self, end: End, error: PlanarError) -> bool:
        """Nothing was sent: it had no time left, or the host was known to be in trouble."""
        felt = {_kind(one) for one in self._hits(end, AFTER_MS)}
        if type(error) is RequestTimeout:
            return end.timeout_ms < HASTY_MS or bool(felt)
        if isinstance(error, RateLimitExceeded):
            return bool(felt & {"429", "418"})
        return isinstance(error, ExchangeNotAvailable) and bool(felt - {"429", "418", *FRAMES})


def _kind(firing: Firing) -> str:
    return firing.rule.partition("/")[0]
