"""The local Binance of these runs: the real one, but for limits that thousands of restarts a minute would meet."""

from __future__ import annotations

from planar.venue.wire.binance import BinanceWire, Settings, create

UNMETERED = Settings(
    weight_per_minute=100_000_000,
    sapi_weight_per_minute=100_000_000,
    requests_per_5m=100_000_000,
    connections_per_5m=100_000_000,
    orders_per_10s=1_000_000,
    orders_per_day=100_000_000,
)


def unmetered(seed: int, activity: bool) -> BinanceWire:
    """A factory for `--venues benchmarks.safety.venue:unmetered`."""
    return create(seed, activity, UNMETERED)
