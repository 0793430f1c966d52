"""How late an exchange's answers and frames leave it. Shaped by steering commands; the server asks it."""

from __future__ import annotations

import msgspec

from planar.venue.engine.noise import Stream


class LatencyShape(msgspec.Struct, frozen=True):
    """Latency of one exchange.

    Attributes:
        latency_ms: mean delay.
        jitter_ms: how much more or less it may be, evenly; at most `latency_ms`.
    """

    latency_ms: float = 0.0
    jitter_ms: float = 0.0


class Latency:
    """Draws the delay of each answer and frame, the same for a seed.

    Attributes:
        shape: what is asked for; no delay at first.
    """

    def __init__(self, seed: str) -> None:
        self.shape = LatencyShape()
        self._draws = Stream(seed, "latency")

    def draw_s(self) -> float:
        """The next delay, in seconds; 0 where there is none."""
        shape = self.shape
        if not shape.latency_ms:
            return 0.0
        return (shape.latency_ms + shape.jitter_ms * (2 * self._draws.uniform() - 1)) / 1000
