"""The local exchanges of these runs: the real ones, but for limits that thousands of restarts a minute would meet."""

from __future__ import annotations

import msgspec

from planar.venue.wire import binance, kraken
from planar.venue.wire.kraken.settings import TierLimits

_MANY = 100_000_000


class Place(msgspec.Struct, frozen=True):
    """Where a run takes place.

    Attributes:
        factory: for `planar venue --venues`.
        order_path: where orders are placed.
    """

    factory: str
    order_path: str


PLACES = {
    "binance": Place("benchmarks.safety.venue:unmetered_binance", "/api/v3/order"),
    "kraken": Place("benchmarks.safety.venue:unmetered_kraken", "/0/private/AddOrder"),
}


def unmetered_binance(seed: int, activity: bool) -> binance.BinanceWire:
    """A Binance without limits."""
    settings = binance.Settings(
        weight_per_minute=_MANY,
        sapi_weight_per_minute=_MANY,
        requests_per_5m=_MANY,
        connections_per_5m=_MANY,
        orders_per_10s=_MANY,
        orders_per_day=_MANY,
    )
    return binance.create(seed, activity, settings)


def unmetered_kraken(seed: int, activity: bool) -> kraken.KrakenWire:
    """A Kraken without limits."""
    limits = TierLimits(calls=_MANY, calls_decay=_MANY, orders=_MANY, orders_decay=_MANY, open_orders=_MANY)
    return kraken.create(seed, activity, kraken.Settings(own_limits=limits))
