"""The standard local market: 20 symbols, seeded history, market model and accounts, ready to serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from planar.venue.engine import listing
from planar.venue.engine.bars import D1
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.funds import Pace
from planar.venue.engine.history import History, SplitCache
from planar.venue.engine.market_model import MarketModel
from planar.venue.engine.reference import AssetWalk
from planar.venue.engine.seeds import seed_accounts

_EARLIEST_MS = 30 * D1
WITHDRAW_MS = 3_000
"""How long a withdrawal takes unless told otherwise."""


class World(msgspec.Struct, frozen=True):
    """What a venue runs on: call `model.step(now_ms)` every 100 ms."""

    exchange: VirtualExchange
    model: MarketModel


def build(*, seed: int, clock: Callable[[], int], venue: str = "", activity: float = 1.0) -> World:
    """Makes the standard market of one exchange.

    Args:
        seed: decides everything; equal seeds, venues and clocks give equal bytes.
        venue: whose market it is. Those of one seed follow one reference price, each with noise of its own.
        clock: UTC epoch milliseconds.
        activity: factor on the model's trade and quote rate; 1 is several trades a second over all symbols.

    Raises:
        ValueError: the clock is so early that there is no room for a past.
    """
    if clock() < _EARLIEST_MS:
        raise ValueError(f"clock = {clock()} ms leaves no room for a past; it must be at least {_EARLIEST_MS}")
    own_seed = f"{seed}/{venue}"
    walks = {asset: AssetWalk(seed, asset, volatility) for asset, volatility in listing.volatilities().items()}
    histories = _histories(own_seed, walks, clock())
    exchange = VirtualExchange(listing.symbols(), listing.assets(), seed=seed, clock=clock, histories=histories)
    seed_accounts(exchange, histories)
    exchange.funds.pace = Pace(withdraw_ms=WITHDRAW_MS)
    exchange.remember()
    model = MarketModel(exchange.core, listing.profiles(), walks, seed=own_seed, activity=activity)
    model.open()
    return World(exchange, model)


def _histories(seed: str, walks: Mapping[str, AssetWalk], now_ms: int) -> dict[str, History]:
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
