"""Local exchanges without request limits, for figures of what the venue itself can do."""

from __future__ import annotations

from planar.venue.wire import Wire
from planar.venue.wire import binance as binance_wire
from planar.venue.wire import kraken as kraken_wire
from planar.venue.wire.kraken.settings import TierLimits

FREE = 1_000_000_000


def binance(*, seed: int, activity: bool) -> Wire:
    """A local Binance whose meters nobody fills."""
    settings = binance_wire.Settings(
        weight_per_minute=FREE, requests_per_5m=FREE, connections_per_5m=FREE, orders_per_10s=FREE, orders_per_day=FREE
    )
    return binance_wire.create(seed, activity, settings)


class _NoLimits(kraken_wire.Settings, frozen=True):
    @property
    def limits(self) -> TierLimits:
        return TierLimits(FREE, FREE, FREE, FREE, FREE)


def kraken(*, seed: int, activity: bool) -> Wire:
    """A local Kraken whose counters nobody fills."""
    return kraken_wire.create(seed, activity, _NoLimits(call_limits=False))
