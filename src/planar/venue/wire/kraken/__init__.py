"""A local Kraken spot exchange: REST and WebSocket v2, over the engine of `planar.venue.engine`.

Written from the exchange's own documentation (docs.kraken.com). `create` is the factory that the venue server looks
for; `KrakenWire` in `wire` puts the parts together.
"""

from __future__ import annotations

import planar.runtime as runtime
from planar.venue.engine.world import build
from planar.venue.wire.kraken.settings import Settings
from planar.venue.wire.kraken.wire import KrakenWire

__all__ = ["KrakenWire", "Settings", "create"]


def create(seed: int, activity: bool, settings: Settings | None = None) -> KrakenWire:
    """Make a local Kraken. The same seed gives the same exchange; with `activity`, seeded accounts trade on their own.

    `settings` None: the exchange's own limits and times.
    """
    world = build(seed=seed, clock=runtime.wall_ms, venue="kraken")
    settings = settings or Settings()
    for symbol in world.exchange.symbols:
        world.exchange.conditions.set_filters(symbol, settings.filters)
    return KrakenWire(world, settings, seed=seed, activity=activity)
