"""The standard local market: 20 symbols, seeded history, market model and accounts, ready to serve."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from planar.venue.engine import listing
from planar.venue.engine.bars import D1
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.history import AssetWalk, History, SplitCache
from planar.venue.engine.market_model import MarketModel
from planar.venue.engine.seeds import seed_accounts

_EARLIEST_MS = 30 * D1


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

    Raises:
        ValueError: the clock is so early that there is no room for a past.
    """
    if clock() < _EARLIEST_MS:
        raise ValueError(f"clock = {clock()} ms leaves no room for a past; it must be at least {_EARLIEST_MS}")
    histories = _histories(seed, clock())
    exchange = VirtualExchange(listing.symbols(), listing.assets(), seed=seed, clock=clock, histories=histories)
    seed_accounts(exchange, histories)
    model = MarketModel(exchange.core, listing.profiles(), listing.volatilities(), seed=seed, activity=activity)
    model.open()
    return World(exchange, model)


def _histories(seed: int, now_ms: int) -> dict[str, History]:
    walks = {asset: AssetWalk(seed, asset, volatility) for asset, volatility in listing.volatilities().items()}
    splits = SplitCache()
    profiles = listing.profiles()
    return {
        spec.symbol: History(
            seed,
            spec.symbol,
            profiles[spec.symbol],
            (walks[spec.base], walks[spec.quote]),
            splits,
            tick=float(spec.tick),
            lot=float(spec.lot),
            end_ms=now_ms - now_ms % 1000,
        )
        for spec in listing.symbols()
    }
