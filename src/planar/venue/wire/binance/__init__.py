"""A local Binance spot exchange: REST, streams, WebSocket API and wallet, over the engine of `planar.venue.engine`.

Written from the exchange's own documentation (binance-spot-api-docs). `create` is the factory that the venue server
looks for; `BinanceWire` in `wire` puts the parts together.
"""

from __future__ import annotations

import planar.runtime as runtime
from planar.venue.engine.world import build
from planar.venue.wire.binance.settings import Settings
from planar.venue.wire.binance.wire import BinanceWire

__all__ = ["BinanceWire", "Settings", "create"]


def create(seed: int, activity: bool, settings: Settings | None = None) -> BinanceWire:
    """Make a local Binance. The same seed gives the same exchange; with `activity`, seeded accounts trade on their own.

    `settings` None: the exchange's own limits and times.
    """
    world = build(seed=seed, clock=runtime.wall_ms, venue="binance")
    return BinanceWire(world, settings or Settings(), seed=seed, activity=activity)
