"""The state that an exchange and its markets are in; `planar.venue.engine.admission` says what it means for orders.

Halts, delistings, changed filters and maintenance come from outside (`planar.venue.steering.state`); wires hear of them
by events and show them in their exchange's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from planar.venue.engine.core import Core
from planar.venue.engine.enums import MarketStatus, SystemStatus
from planar.venue.engine.events import FiltersChange, MarketStatusChange, SystemStatusChange
from planar.venue.engine.specs import SymbolSpec

_REGIMES: Final[Mapping[SystemStatus, MarketStatus | None]] = {
    SystemStatus.ONLINE: None,
    SystemStatus.POST_ONLY: MarketStatus.POST_ONLY,
    SystemStatus.CANCEL_ONLY: MarketStatus.HALTED,
    SystemStatus.MAINTENANCE: MarketStatus.HALTED,
}


class Conditions:
    """What holds at an exchange now.

    Attributes:
        system: state of the whole exchange.
    """

    def __init__(self, core: Core, symbols: dict[str, SymbolSpec]) -> None:
        """`symbols`: the exchange's, kept up to date here when filters change."""
        self.system = SystemStatus.ONLINE
        self._core = core
        self._symbols = symbols

    def listed(self, symbol: str) -> bool:
        """Whether the exchange has the market. Raises EngineReject UNKNOWN_SYMBOL."""
        return self._core.market(symbol).status is not MarketStatus.DELISTED

    def set_system(self, status: SystemStatus) -> None:
        """Put the whole exchange into a state. Open orders stay."""
        now = self._core.now()
        self.system = status
        for market in self._core.markets.values():
            market.regime = _REGIMES[status]
        self._core.outbox.add(SystemStatusChange(status, now))
        self._core.outbox.flush(now)

    def delist(self, symbol: str) -> int:
        """Take a market away: open orders are canceled, no query names it any more. Returns how many orders it had.

        Raises EngineReject UNKNOWN_SYMBOL.
        """
        market = self._core.market(symbol)
        now = self._core.now()
        orders = [
            order
            for account in self._core.accounts.users()
            if symbol in account.logs
            for order in list(account.logs[symbol].open.values())
        ]
        for order in orders:
            self._core.matcher.cancel(order, now)
        market.status = MarketStatus.DELISTED
        self._core.outbox.add(MarketStatusChange(symbol, market.status, now))
        self._core.outbox.flush(now)
        return len(orders)

    def set_filters(self, symbol: str, changes: Mapping[str, Decimal]) -> SymbolSpec:
        """Change filters of a market: fields of `SymbolSpec` by name. Orders that are open stay as they are.

        Raises:
            EngineReject: UNKNOWN_SYMBOL.
            ValueError: tick or lot is no multiple of what the market began with, or a bound is not positive.
        """
        market = self._core.market(symbol)
        wrong = [name for name, value in changes.items() if value <= 0]
        if wrong:
            raise ValueError(f"{wrong[0]} = {changes[wrong[0]]} is not positive")
        spec = msgspec.structs.replace(market.spec, **changes)
        scale = market.data.scale
        market.tick_step = _steps("tick", spec.tick, scale.price(1))
        market.lot_step = _steps("lot", spec.lot, scale.amount(1))
        now = self._core.now()
        market.spec = self._symbols[symbol] = spec
        self._core.outbox.add(FiltersChange(spec, now))
        self._core.outbox.flush(now)
        return spec


def _steps(name: str, value: Decimal, unit: Decimal) -> int:
    steps, rest = divmod(value, unit)
    if rest or steps < 1:
        raise ValueError(f"{name} = {value} is no multiple of {unit}, with which the market began")
    return int(steps)
