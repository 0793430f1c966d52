"""The breaker of one host: when nothing comes through any more, requests fail at once instead of one timeout each.

    closed --(FAILURES in a row, over SPAN_S)--> open --(pause)--> half open: one request goes as a probe
       ^                                           ^                  |
       +------------- any answer ------------------+--- no answer: a longer pause

Cancels and questions about orders are let through always: what they may bring is worth a timeout. Any answer of the
host closes the breaker, so after an outage everything goes on by itself.
"""

from __future__ import annotations

import enum

import planar.runtime as runtime

FAILURES = 5
SPAN_S = 1.0
"""Failures that come together are one event: a breaker opens only if they go on for so long."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
PROBE_S = 10.0
"""A probe whose end nobody told counts as failed after so long."""


class BreakerState(enum.Enum):
    """What a breaker does with a request."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """See the module."""

    __slots__ = ("_failures", "_first_at", "_pause_s", "_probe_at", "_until", "since_ms", "state")

    def __init__(self) -> None:
        self.state = BreakerState.CLOSED
        self.since_ms: int | None = None
        self._failures = 0
        self._first_at = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._probe_at = 0.0
        self._until = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until a request may be tried; 0 lets this one through, as the probe if the breaker was open."""
        if self.state is BreakerState.CLOSED:
            return 0.0
        if self.state is BreakerState.OPEN and now < self._until:
            return self._until - now
        if self.state is BreakerState.HALF_OPEN and now - self._probe_at < PROBE_S:
            return min(self._pause_s, PROBE_S - (now - self._probe_at))
        self.state, self._probe_at = BreakerState.HALF_OPEN, now
        return 0.0

    def abandon_probe(self, now: float) -> None:
        """The request ended without telling anything about the host; if it was the probe, the next one is."""
        if self.state is BreakerState.HALF_OPEN:
            self.state, self._until = BreakerState.OPEN, now

    def succeeded(self) -> bool:
        """The host answered; True if that closed the breaker."""
        self._failures = 0
        if self.state is BreakerState.CLOSED:
            return False
        self.state, self.since_ms, self._pause_s = BreakerState.CLOSED, None, FIRST_PAUSE_S
        return True

    def failed(self, now: float) -> bool:
        """No answer came; True if that opened the breaker."""
        self._failures += 1
        if self._failures == 1:
            self._first_at = now
        if self.state is BreakerState.HALF_OPEN:
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        elif self.state is BreakerState.OPEN or self._failures < FAILURES or now - self._first_at < SPAN_S:
            return False
        opened = self.state is BreakerState.CLOSED
        self.state = BreakerState.OPEN
        self._until = now + self._pause_s * runtime.current().random.uniform(0.8, 1.2)
        if opened:
            self.since_ms = runtime.wall_ms()
        return opened
