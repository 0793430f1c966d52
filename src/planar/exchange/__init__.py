"""`Exchange`: one exchange, one account, one environment, with CCXT's unified methods."""

from __future__ import annotations

from typing import Any

from planar.adapters.base import Adapter
from planar.adapters.ccxt_adapter import CcxtAdapter
from planar.adapters.ccxt_seam import SeamWiring
from planar.adapters.custom import CustomAdapter
from planar.adapters.custom_http import CustomHttp
from planar.errors import NotSupported
from planar.exchange.absent import AbsentNames
from planar.exchange.countdown import CountdownMethods
from planar.exchange.moving import MovingMethods
from planar.exchange.naming import naming_account
from planar.exchange.views import OrdersView, Portfolio, portfolio
from planar.models import Amount
from planar.transport.observe import ExchangeHealth

__all__ = ["Exchange"]


def _way(adapter: Adapter) -> CustomHttp | SeamWiring | None:
    """What holds the monitor and the budget of an adapter's requests."""
    if isinstance(adapter, CcxtAdapter):
        return adapter.exchange.planar
    return adapter.http if isinstance(adapter, CustomAdapter) else None


@naming_account
class Exchange(CountdownMethods, MovingMethods, AbsentNames):
    """What users hold. Made by `Workspace.exchange`; one object per (exchange, account, environment)."""

    @property
    def ccxt(self) -> Any:
        """CCXT's own object, as an escape hatch: guard and budget still apply; what changes something at the venue is
        refused unless `allow_unjournaled = true`."""
        if not isinstance(self._adapter, CcxtAdapter):
            raise NotSupported(f"this exchange ({self.environment}) is not reached through CCXT", exchange=self.id)
        return self._adapter.exchange

    @property
    def orders(self) -> OrdersView:
        """The orders of this account's journal: open, unknown, history. Costs no request."""
        return OrdersView(self._orders(), self.id)

    def reserved(self) -> dict[str, Amount]:
        """Currency -> what orders of the journal may need that no balance counts yet: those on their way, those of which
        nobody knows whether the exchange has them, and those sent since the last balance. Costs no request."""
        return self._orders().funds.reserved()

    async def portfolio(self, *, timeout_ms: int | None = None) -> Portfolio:
        """The balances, asked for now, less what is reserved (`reserved`)."""
        balance = await self.fetch_balance(timeout_ms=timeout_ms)
        return portfolio(balance, self.reserved())

    @property
    def health(self) -> ExchangeHealth:
        """Latencies, failures, breaker, clock, and the last requests, as this workspace sees them."""
        way = _way(self._adapter.market_data)
        if way is None:
            raise NotSupported("this exchange is not watched", exchange=self.id)
        return ExchangeHealth(way.monitor)

    def budget(self) -> dict[str, tuple[float, float]]:
        """Meter -> (used, limit) now, by all who share the exchange's limits with this program."""
        return self._adapter.usage()

    def closed_for_s(self, symbol: str) -> float | None:
        """How long ago the exchange last refused an order of this program since the market does not trade; None: it did
        not, or has taken one since. Listed as active it may be all the same, until the markets are loaded again."""
        return None if self._order_manager is None else self._order_manager.closed_for_s(self.market(symbol).symbol)

    def key_refused_for_s(self) -> float | None:
        """How long ago the exchange last refused an order of this program for its key or signature; None: it did not, or
        has taken one since."""
        return None if self._order_manager is None else self._order_manager.key_refused_for_s()

    def lost_streams(self, symbol: str) -> list[str]:
        """What is watched of a market and not to be trusted now, though this process keeps up: each with the reason."""
        return self._hub.lost(self.market(symbol).symbol)

    def stopped_s(self) -> float:
        """Seconds for which the exchange said to stay away (429, 418, Retry-After); 0 if it did not."""
        way = _way(self._adapter.market_data)
        return 0.0 if way is None else way.budget.stopped_s()
