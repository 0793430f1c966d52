"""Seeded makers and takers that keep the books alive.

Each asset has a value that walks at random; a symbol's middle price is the ratio of its two assets, plus a remainder
from its history that fades away. The model trades through one internal account, which the ledger keeps funded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from planar.venue.engine.core import Core
from planar.venue.engine.history import MarketProfile
from planar.venue.engine.noise import Stream
from planar.venue.engine.quoter import Quoter

_LONGEST_PAUSE_MS = 60_000
"""A longer pause between two steps, of a sleeping machine for instance, counts as this."""
_SLICE_MS = 1_000
_DAY_S = 86_400.0
_FADE_S = 300.0


class MarketModel:
    """Quotes, trades and moves prices on every symbol of one exchange.

    Args:
        core: the exchange's; its symbols have a last price.
        profiles: how each symbol behaves.
        volatilities: of each asset, per day.
        activity: factor on the rate of quotes and trades.

    Attributes:
        frozen: when True `step` lets no time pass.
    """

    def __init__(
        self,
        core: Core,
        profiles: Mapping[str, MarketProfile],
        volatilities: Mapping[str, float],
        *,
        seed: int,
        activity: float = 1.0,
    ) -> None:
        if not 0 < activity <= 1000:
            raise ValueError(f"activity = {activity} is not within 0 and 1000")
        self.frozen = False
        self._core = core
        self._volatilities = volatilities
        self._draws = Stream(seed, "model")
        self._values: dict[str, float] = {}
        self._remainders: dict[str, float] = {}
        self._last_step_ms = core.now()
        self._quoters: dict[str, Quoter] = {}
        for symbol, market in core.markets.items():
            draws = Stream(seed, "quotes", symbol)
            account = core.accounts.market
            self._quoters[symbol] = Quoter(market, account, core.matcher, profiles[symbol], draws, activity)
        self._read_prices()

    def open(self) -> None:
        """Fills the empty books."""
        now = self._core.now()
        for symbol, quoter in self._quoters.items():
            quoter.open(self._middle(symbol), now)
        self._core.outbox.flush(now)

    def step(self, now_ms: int) -> None:
        """Advances the market from the last step to `now_ms`, a pause like a minute at most.

        No effect if time did not advance, or when frozen.
        """
        duration = now_ms - self._last_step_ms
        self._last_step_ms = max(now_ms, self._last_step_ms)
        if duration > 0 and not self.frozen:
            self._pass(min(duration, _LONGEST_PAUSE_MS))

    def advance(self, duration_ms: int) -> None:
        """Lets so much time pass in the market at once, frozen or not. Events bear the time of the clock."""
        while duration_ms > 0:
            self._pass(min(duration_ms, _SLICE_MS))
            duration_ms -= _SLICE_MS

    def _pass(self, duration_ms: int) -> None:
        seconds = duration_ms / 1000
        spread = math.sqrt(seconds / _DAY_S)
        for asset in self._values:
            volatility = self._volatilities[asset]
            if volatility:
                self._values[asset] += volatility * spread * self._draws.gauss()
        fade = math.exp(-seconds / _FADE_S)
        now = self._core.now()
        for symbol, quoter in self._quoters.items():
            self._remainders[symbol] *= fade
            quoter.step(self._middle(symbol), seconds, now)
        self._core.outbox.flush(now)

    def _middle(self, symbol: str) -> float:
        market = self._core.markets[symbol]
        return math.exp(self._values[market.base] - self._values[market.quote] + self._remainders[symbol])

    def _read_prices(self) -> None:
        """Takes the values of assets from the last prices, the first symbol's quote being the measure."""
        for symbol, market in self._core.markets.items():
            if market.last is None:
                raise ValueError(f"{symbol} has no last price to start from")
            price = math.log(market.last * self._quoters[symbol].tick)
            quote = self._values.setdefault(market.quote, 0.0)
            base = self._values.setdefault(market.base, quote + price)
            self._remainders[symbol] = price - (base - quote)
