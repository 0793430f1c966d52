"""How a host does: latencies and counts of the last minutes, in a few hundred numbers."""

from __future__ import annotations

import math
from typing import Final

import msgspec

import planar.runtime as runtime
from planar.errors import Outcome
from planar.transport.breaker import Breaker
from planar.transport.context import RequestRecord

SLICE_S: Final = 300.0
"""Latencies and rates are those of the last one to two slices."""
ENOUGH: Final = 20
"""So many answers say what is usual."""
_PER_OCTAVE: Final = 4
_LEAST_MS: Final = 0.1
_BUCKETS: Final = 80  # up to 100 s


class Histogram:
    """Latencies in buckets that grow by a fifth each: a percentile is right to 10 %, from 0.1 ms to 80 s."""

    __slots__ = ("buckets", "count", "total_ms")

    def __init__(self) -> None:
        self.buckets = [0] * _BUCKETS
        self.count = 0
        self.total_ms = 0.0

    def add(self, ms: float) -> None:
        """Count one."""
        at = int(math.log2(ms / _LEAST_MS) * _PER_OCTAVE) + 1 if ms > _LEAST_MS else 0
        self.buckets[min(at, _BUCKETS - 1)] += 1
        self.count += 1
        self.total_ms += ms


def edge_ms(bucket: float) -> float:
    """The latency at which a bucket ends."""
    return _LEAST_MS * 2 ** (bucket / _PER_OCTAVE)


def percentile_ms(part: float, *histograms: Histogram) -> float | None:
    """The latency that `part` of all stayed below: the middle of its bucket; None if there is none."""
    count = sum(one.count for one in histograms)
    if not count:
        return None
    left = part * count
    for bucket in range(_BUCKETS):
        left -= sum(one.buckets[bucket] for one in histograms)
        if left <= 0:
            return edge_ms(bucket - 0.5)
    return edge_ms(_BUCKETS - 1.5)


class HostHealth(msgspec.Struct, frozen=True):
    """How one host does.

    Attributes:
        host: its name.
        breaker: "closed", "open" or "half_open".
        requests: ended in the last five to ten minutes.
        failures: of those, without an answer of the venue: nothing came, HTTP 5xx, no JSON.
        refusals: of those, with the venue's definite no.
        p50_ms, p90_ms, p99_ms: latency of those that were answered; None without any.
        last_success_ms: UTC milliseconds of the last good answer; None if there was none.
        last_failure: what failed last; None if nothing did.
    """

    host: str
    breaker: str
    requests: int
    failures: int
    refusals: int
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    last_success_ms: int | None
    last_failure: str | None

    @property
    def error_rate(self) -> float:
        """Failures among the requests; 0 without any."""
        return self.failures / self.requests if self.requests else 0.0


class _Counts:
    __slots__ = ("failures", "latency", "refusals", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.failures = 0
        self.refusals = 0
        self.latency = Histogram()


class HostWatch:
    """What is kept of one host.

    Attributes:
        breaker: whether requests may leave.
        totals: since the start: outcome -> requests.
        latency: since the start.
    """

    __slots__ = (
        "_earlier",
        "_now",
        "_slice_ends",
        "breaker",
        "host",
        "last_failure",
        "last_ok_ms",
        "latency",
        "totals",
    )

    def __init__(self, host: str) -> None:
        self.host = host
        self.breaker = Breaker()
        self.totals: dict[str, int] = {}
        self.latency = Histogram()
        self.last_ok_ms: int | None = None
        self.last_failure: str | None = None
        self._earlier, self._now = _Counts(), _Counts()
        self._slice_ends = 0.0

    def count(self, record: RequestRecord, now: float) -> None:
        """Count a request that has ended."""
        if now >= self._slice_ends:
            self._turn(now)
        counts, outcome = self._now, record.outcome
        counts.requests += 1
        word = "unknown" if outcome is None else outcome.value
        self.totals[word] = self.totals.get(word, 0) + 1
        if record.http_status is not None and record.took_ms is not None:
            counts.latency.add(record.took_ms)
            self.latency.add(record.took_ms)
        if outcome is Outcome.OK:
            self.last_ok_ms = record.sent_ms
        elif outcome is Outcome.REFUSED and (record.http_status or 0) < 500:
            counts.refusals += 1
        else:
            counts.failures += 1

    def _turn(self, now: float) -> None:
        """Begin a new slice; what is older than the one before it is forgotten."""
        self._earlier = self._now if now < self._slice_ends + SLICE_S else _Counts()
        self._now, self._slice_ends = _Counts(), now + SLICE_S

    def usual_ms(self) -> float | None:
        """The median latency of the last minutes; None before `ENOUGH` answers."""
        both = self._earlier.latency, self._now.latency
        return percentile_ms(0.5, *both) if sum(one.count for one in both) >= ENOUGH else None

    def health(self) -> HostHealth:
        """How it does now."""
        now = runtime.monotonic()
        if now >= self._slice_ends:
            self._turn(now)
        both = (self._earlier, self._now)
        p50_ms, p90_ms, p99_ms = (percentile_ms(part, *(one.latency for one in both)) for part in (0.5, 0.9, 0.99))
        return HostHealth(
            host=self.host,
            breaker=self.breaker.state.value,
            requests=sum(one.requests for one in both),
            failures=sum(one.failures for one in both),
            refusals=sum(one.refusals for one in both),
            p50_ms=p50_ms,
            p90_ms=p90_ms,
            p99_ms=p99_ms,
            last_success_ms=self.last_ok_ms,
            last_failure=self.last_failure,
        )
