"""The balances of a paper account: nothing is created, nothing vanishes, nothing falls below zero."""

from __future__ import annotations

from collections.abc import Mapping

from planar.models import Amount
from planar.paper.state import ZERO, Holding


class Ledger:
    """What is free and what is kept for orders, by currency. Exact."""

    def __init__(self, holdings: Mapping[str, Holding]) -> None:
        self._held = dict(holdings)

    def holdings(self) -> dict[str, Holding]:
        """Currency -> what there is, by name."""
        return dict(sorted(self._held.items()))

    def free(self, currency: str) -> Amount:
        """What can be ordered with."""
        return self._held.get(currency, Holding()).free

    def lock(self, currency: str, amount: Amount) -> None:
        """Keep an amount for an order; a negative one is given back.

        Raises:
            ValueError: there is not so much.
        """
        self._change(currency, -amount, amount)

    def settle(self, paid: str, given: Amount, unlocked: Amount, received: str, brought: Amount) -> None:
        """One execution: `given` leaves, out of the `unlocked` part that was kept; the rest of that is free again."""
        self._change(paid, unlocked - given, -unlocked)
        self._change(received, brought, ZERO)

    def _change(self, currency: str, free: Amount, used: Amount) -> None:
        now = self._held.get(currency, Holding())
        after = Holding(now.free + free, now.used + used)
        if after.free < 0 or after.used < 0:
            raise ValueError(f"{currency} would fall below zero: {after.free} free, {after.used} used")
        self._held[currency] = after
