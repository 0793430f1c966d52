"""Whether journal and venue agree: asked for now, told as it is found, and what new orders wait for."""

from __future__ import annotations

from collections.abc import Callable

from planar.exchange.finding import FindingMethods
from planar.orders.differences import Difference, Policy, Reconciliation
from planar.orders.readiness import ReadyState


class ReconcileMethods(FindingMethods):
    """Reconciliation of the orders of this account."""

    async def reconcile(self, *, policy: Policy | None = None, dry_run: bool = False) -> Reconciliation:
        """Bring journal and venue to agree now. Done by itself before the first order, after a private stream has
        come back, and every 20 s while an order is open.

        Args:
            policy: what is done with orders of this journal that it does not hold: "report", "adopt" or "cancel"; None:
                as `reconcile` of the settings says.
            dry_run: nothing is written and nothing sent but questions; works beside a process that holds the journal.

        Raises:
            PlanarError: the venue did not tell its open orders, or the journal is not to be had. What else could not
                be asked is in `failed`.
        """
        self._check_signed("reconcile")
        if dry_run:
            return await self._orders().preview_reconciliation(policy)
        if policy not in (None, "report"):
            self._check_writable(f'reconcile(policy="{policy}")')
        return await self._orders().readiness.demand(policy)

    def on_difference(self, hook: Callable[[Difference], None]) -> Callable[[], None]:
        """Call `hook` with each difference between journal and venue that a reconciliation finds, once.

        It runs in the event loop: keep it short. Call what is given back to end it.
        """
        return self._orders().reconciler.on_difference(hook)

    @property
    def readiness(self) -> ReadyState:
        """Whether new orders go at once, what they wait for otherwise, and what the last reconciliation found."""
        return self._orders().readiness.state
