"""The command that gives an account money, or takes it away."""

from __future__ import annotations

from typing import Any

from planar.venue.bookkeeping import held
from planar.venue.steering.bench import Bench, SteeringCommand, amount


class SetBalance(SteeringCommand, frozen=True, kw_only=True):
    """Set what an account has free of an asset; what is locked in orders stays.

    The difference is booked against the outside world, so that the ledger stays sound.

    Attributes:
        account: name of the account.
        asset: asset code.
        free: decimal string, 0 or more, at most eight decimals.
    """

    account: str
    asset: str
    free: str

    def carry_out(self, bench: Bench) -> dict[str, Any]:
        """Book the difference; the balance as it is now."""
        account, asset = bench.account(self.account), bench.asset(self.asset)
        bench.exchange.set_balance(account, asset, amount("free", self.free))
        return {"account": account, "asset": asset, **held(bench.exchange, account, [asset])[asset]}
