"""`Exchange`: one exchange, one account, one environment, with CCXT's unified methods."""

from __future__ import annotations

from typing import Any

from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.errors import NotSupported
from planar.exchange.streaming import StreamMethods

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

    def budget(self) -> dict[str, tuple[float, float]]:
        """Meter -> (used, limit) now."""
        return self._adapter.usage()
