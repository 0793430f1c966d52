"""`Exchange`: one exchange, one account, one environment, with CCXT's unified methods."""

from __future__ import annotations

from typing import Any

from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.errors import NotSupported
from planar.exchange.streaming import StreamMethods
from planar.transport.observe import ExchangeHealth

__all__ = ["Exchange"]


class Exchange(StreamMethods):
    """What users hold. Made by `Workspace.exchange`; one object per (exchange, account, environment)."""

    @property
    def ccxt(self) -> Any:
        """CCXT's own object, as an escape hatch: guard and budget still apply; what changes something at the venue is
        refused unless `allow_unjournaled = true`."""
        if not isinstance(self._adapter, CcxtAdapter):
            raise NotSupported("this exchange is not reached through CCXT", exchange=self.id)
        return self._adapter.exchange

    @property
    def health(self) -> ExchangeHealth:
        """Latencies, failures, breaker, clock, and the last requests, as this workspace sees them."""
        if not isinstance(self._adapter, CcxtAdapter):
            raise NotSupported("this exchange is not watched", exchange=self.id)
        return ExchangeHealth(self._adapter.exchange.planar.monitor)

    def budget(self) -> dict[str, tuple[float, float]]:
        """Meter -> (used, limit) now, by all who share the exchange's limits with this program."""
        return self._adapter.usage()

    def stopped_s(self) -> float:
        """Seconds for which the exchange said to stay away (429, 418, Retry-After); 0 if it did not."""
        return self.ccxt.planar.budget.stopped_s()
