"""The standard local market: 20 symbols, seeded history, market model and accounts, ready to serve."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.market_model import MarketModel


class World(msgspec.Struct, frozen=True):
    """What a venue runs on: call `model.step(now_ms)` every 100 ms."""

    exchange: VirtualExchange
    model: MarketModel


def build(*, seed: int, clock: Callable[[], int], activity: float = 1.0) -> World:
    """Makes the standard market.

    Args:
        seed: decides everything; equal seeds and clocks give equal bytes.
        clock: UTC epoch milliseconds.
        activity: factor on the model's trade and quote rate; 1 is several trades a second over all symbols.
    """
    raise NotImplementedError
