"""Local exchanges as `planar venue up` runs them, with settings that let a judge ask in minutes what takes hours."""

from __future__ import annotations

from planar.venue.wire import Wire
from planar.venue.wire.kraken import Settings
from planar.venue.wire.kraken import create as create_kraken


def kraken(*, seed: int, activity: bool) -> Wire:
    """A Kraken that does not count calls: its counter allows one question a second (guide "REST rate limits")."""
    return create_kraken(seed=seed, activity=activity, settings=Settings(call_limits=False))
