"""The venue's time as this machine knows it: the monotonic clock and an offset, found by asking the venue.

Each question to the venue's time endpoint bounds the offset from both sides, since the venue told its time after the
question left and before the answer came. Bounds of several questions are put together, each widened by what clocks may
drift meanwhile. Nothing here reads the system clock once a question was answered, so that somebody who sets it changes
nothing. Until then, and for venues that do not tell their time, it is the system clock.
"""

from __future__ import annotations

import math

import msgspec

import planar.runtime as runtime

REFRESH_S = 60.0
"""How old the last answer may be before the venue is asked again; only while the time is used."""
DRIFT_PPM = 200
"""How fast the two clocks may move apart, in millionths: ten times what a common quartz does."""
OFF_MS = 1_000
"""From this difference on the system clock is called wrong: Binance refuses what is further ahead (documentation: Timing
security)."""

FIRST_MS, LAST_MS = 1_577_836_800_000, 4_102_444_800_000
"""The years from 2020 to 2099: what is told for the time and lies outside of them is none."""


class ClockHealth(msgspec.Struct, frozen=True):
    """How this machine's clock stands to the venue's.

    Attributes:
        offset_ms: the venue's time less the system clock; None before the venue was asked.
        uncertainty_ms: how far off that may be, to either side.
        age_s: how long ago the venue was asked last.
        samples: how often it was asked.
    """

    offset_ms: float | None = None
    uncertainty_ms: float | None = None
    age_s: float | None = None
    samples: int = 0


class VenueClock:
    """The time of one venue in one environment.

    Attributes:
        asking: somebody is asking the venue right now.
    """

    __slots__ = ("_asked_at", "_base_ns", "_high_ns", "_low_ns", "_samples", "asking")

    def __init__(self) -> None:
        self.asking = False
        self._base_ns: int | None = None
        self._low_ns = 0
        self._high_ns = 0
        self._asked_at = 0.0
        self._samples = 0

    def wall_ns(self) -> int:
        """The venue's UTC in nanoseconds, as far as it is known."""
        return runtime.wall_ns() if self._base_ns is None else runtime.monotonic_ns() + self._base_ns

    def wall_ms(self) -> int:
        """The venue's UTC in milliseconds, as far as it is known."""
        return self.wall_ns() // 1_000_000

    @property
    def asked_s(self) -> float:
        """Monotonic seconds at which the venue told its time last; minus infinity if it never did."""
        return self._asked_at if self._base_ns is not None else -math.inf

    @property
    def due(self) -> bool:
        """Whether the venue is to be asked again, and nobody does so yet."""
        if self.asking:
            return False
        return self._base_ns is None or runtime.monotonic() - self._asked_at > REFRESH_S

    def sample(self, told_ms: int, sent_s: float, answered_s: float) -> None:
        """Take in what the venue told.

        Args:
            told_ms: the venue's time; whole seconds are taken for a clock that tells no more.
            sent_s: monotonic seconds at which the question left.
            answered_s: monotonic seconds at which the answer was there.
        """
        told_ns = told_ms * 1_000_000
        finest_ns = 1_000_000_000 if told_ms % 1000 == 0 else 1_000_000
        low_ns = told_ns - int(answered_s * 1e9)
        high_ns = told_ns + finest_ns - int(sent_s * 1e9)
        if self._base_ns is not None:
            drift_ns = int((answered_s - self._asked_at) * DRIFT_PPM * 1000)
            both_low, both_high = max(low_ns, self._low_ns - drift_ns), min(high_ns, self._high_ns + drift_ns)
            # bounds that exclude each other: one of the clocks was set, or the machine slept; the new ones hold
            if both_low <= both_high:
                low_ns, high_ns = both_low, both_high
        self._low_ns, self._high_ns = low_ns, high_ns
        self._base_ns = (low_ns + high_ns) // 2
        self._asked_at = answered_s
        self._samples += 1

    def health(self) -> ClockHealth:
        """What is known now."""
        if self._base_ns is None:
            return ClockHealth()
        age_s = runtime.monotonic() - self._asked_at
        drift_ns = age_s * DRIFT_PPM * 1000
        return ClockHealth(
            offset_ms=(self.wall_ns() - runtime.wall_ns()) / 1e6,
            uncertainty_ms=((self._high_ns - self._low_ns) / 2 + drift_ns) / 1e6,
            age_s=age_s,
            samples=self._samples,
        )

    def off_ms(self) -> float:
        """By how much the system clock is surely wrong, if that is more than `OFF_MS`; else 0."""
        known = self.health()
        if known.offset_ms is None or known.uncertainty_ms is None:
            return 0.0
        return known.offset_ms if abs(known.offset_ms) - known.uncertainty_ms > OFF_MS else 0.0
