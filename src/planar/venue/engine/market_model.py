"""Seeded makers and takers that keep the books alive."""

from __future__ import annotations


class MarketModel:
    """Quotes, trades and moves prices on every symbol of one exchange.

    Attributes:
        frozen: when True `step` does nothing.
    """

    frozen: bool

    def step(self, now_ms: int) -> None:
        """Advances the market from the last step to `now_ms`. No effect if time did not advance."""
        raise NotImplementedError
