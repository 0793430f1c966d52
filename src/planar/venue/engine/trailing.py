"""Trailing stops: how a trigger price follows the best price that the market has seen.

A sell trails the highest trade price since it began, a buy the lowest; the trade that goes back from there by the
offset or the fraction triggers it (Binance, "Spot Trailing Stop order FAQ"; Kraken, `trailing-stop`). Prices are ticks.
"""

from __future__ import annotations

import msgspec

from planar.venue.engine.types import Trailing
from planar.venue.engine.units import ONE


class Trail(msgspec.Struct, kw_only=True, eq=False):
    """The trailing part of one stop order."""

    request: Trailing
    is_buy: bool
    offset: int = 0
    """Distance in ticks; 0 if `rate` says it."""
    rate: int = 0
    """Distance as a fraction of the best price, in 1e-8."""
    limit_offset: int = 0
    limit_rate: int = 0
    """Where the limit price lies from the trigger price; both 0: at it."""
    best: int = 0
    """Best price since it began; 0 before."""
    since_ms: int | None = None
    hold: int = 0
    """Price at which funds are locked for an order that has no price yet."""

    def begin(self, price: int, now: int) -> None:
        """Starts to follow, from a price on."""
        self.best = price
        self.since_ms = now

    def follow(self, price: int) -> bool:
        """Takes in a trade price. Returns whether it triggers the stop."""
        if (price < self.best) if self.is_buy else (price > self.best):
            self.best = price
        trigger = self.trigger
        return price >= trigger if self.is_buy else price <= trigger

    @property
    def trigger(self) -> int:
        """The price that triggers it now, in whole ticks, never nearer than the distance asked for."""
        return self.trigger_from(self.best)

    def trigger_from(self, best: int) -> int:
        """The price that would trigger it if this were the best price."""
        if self.is_buy:
            return best + (self.offset or -(-best * self.rate // ONE))
        return best - (self.offset or -(-best * self.rate // ONE))

    def limit(self, trigger: int) -> int:
        """The limit price that goes with a trigger price; at least one tick."""
        return max(1, trigger + self.limit_offset + trigger * self.limit_rate // ONE)
