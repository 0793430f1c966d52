"""What the meters know of a venue's clock: windows that begin on it are kept by it."""

from __future__ import annotations

import planar.runtime as runtime
from planar.transport.clock import VenueClock


class VenueTime:
    """A venue's clock beside `runtime.monotonic()`: this machine's until it was measured, then what was measured."""

    __slots__ = ("_ahead_s", "_error_s", "_measured", "_until_s")

    def __init__(self, error_s: float) -> None:
        """
        Args:
            error_s: how wrong this machine's clock may be.
        """
        self._error_s = error_s
        self._measured: VenueClock | None = None
        self._ahead_s = 0.0
        self._until_s = 0.0

    def follow(self, clock: VenueClock) -> None:
        """Take the time from `clock` as soon as that has asked the venue."""
        self._measured = clock

    def ahead_s(self) -> float:
        """Seconds to add to `runtime.monotonic()` for the venue's time (Unix epoch).

        Looked up anew each second: the system's clock may be set.
        """
        now = runtime.monotonic()
        if self._measured is not None and self._measured.asked_s > 0:
            return self._measured.wall_ns() / 1e9 - now
        if now >= self._until_s:
            self._ahead_s = runtime.wall_ns() / 1e9 - now
            self._until_s = now + 1.0
        return self._ahead_s

    def error_s(self) -> float:
        """How wrong that may be."""
        known = self._measured.health().uncertainty_ms if self._measured is not None else None
        return self._error_s if known is None else known / 1000
