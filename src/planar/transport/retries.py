"""Whether a request that failed is sent again, and when.

Asked by the seam after a READ failed. Cancels are tried again by the order path, which knows what "unknown order" means
after that; no other WRITE ever is. Each host has a bucket of retries, so that an outage does not multiply the load; a
pause grows with each failure and is jittered, so that clients which failed together do not come back together. The
budget's meters are waited for anew with each try.
"""

from __future__ import annotations

from typing import Final

import planar.runtime as runtime
from planar.errors import InvalidNonce, OnMaintenance, Outcome, PlanarError, RateLimitExceeded
from planar.transport.context import CallContext

TRIES: Final = 3
"""Times that one request is sent at most."""
BUCKET: Final = 10.0
"""Retries that a host's bucket holds."""
REFILL_PER_S: Final = 1.0
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0

_ONCE: Final = (InvalidNonce, OnMaintenance)
"""Sent again for reasons of their own (the clock), or of no use to send again soon."""


class Retries:
    """The retries of one exchange in one environment, by host."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}  # host -> (tokens, monotonic seconds)

    def pause_s(self, error: PlanarError, tries: int, call: CallContext) -> float | None:
        """Seconds to wait before the next try, which is then paid for; None: there is none.

        Args:
            error: why the last try failed; `error.requests` is empty if it never began, and then nothing is gained.
            tries: times that it was tried.
        """
        if not error.retryable or not error.requests or isinstance(error, _ONCE) or tries >= TRIES:
            return None
        asked_s = error.retry_after_s
        if isinstance(error, RateLimitExceeded) and (asked_s is None or error.outcome is Outcome.NOT_SENT):
            return None
        longest_s = min(FIRST_PAUSE_S * 2 ** (tries - 1), LONGEST_PAUSE_S)
        pause_s = (asked_s or 0.0) + longest_s * runtime.current().random.uniform(0.5, 1.0)
        now = runtime.monotonic()
        if now + pause_s >= call.deadline or not self._pay(error.requests[-1].host, now):
            return None
        return pause_s

    def _pay(self, host: str, now: float) -> bool:
        tokens, at = self._buckets.get(host, (BUCKET, now))
        tokens = min(BUCKET, tokens + (now - at) * REFILL_PER_S)
        paid = tokens >= 1
        self._buckets[host] = (tokens - paid, now)
        return paid
