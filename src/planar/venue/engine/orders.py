"""The engine's own, mutable view of an order, in ticks, lots and units, and how it is shown to the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from planar.venue.engine.enums import OrderKind, OrderStatus, SelfTradeMode, Side, TimeInForce
from planar.venue.engine.types import Order
from planar.venue.engine.units import to_decimal

if TYPE_CHECKING:
    from planar.venue.engine.accounts import Account
    from planar.venue.engine.market import Market

LIMIT_KINDS = (OrderKind.LIMIT, OrderKind.STOP_LOSS_LIMIT, OrderKind.TAKE_PROFIT_LIMIT)
STOP_KINDS = (OrderKind.STOP_LOSS, OrderKind.STOP_LOSS_LIMIT, OrderKind.TAKE_PROFIT, OrderKind.TAKE_PROFIT_LIMIT)


class LiveOrder(msgspec.Struct, kw_only=True, eq=False):
    """One order from acceptance on; ended orders stay as records."""

    market: Market
    account: Account
    is_buy: bool
    kind: OrderKind
    tif: TimeInForce = TimeInForce.GTC
    mode: SelfTradeMode = SelfTradeMode.NONE
    post_only: bool = False
    price: int = 0
    """Limit price in ticks; 0 for market kinds."""
    stop: int = 0
    """Trigger price in ticks; 0 for kinds without."""
    lots: int = 0
    """Amount asked for; 0 for a quote-sized market order."""
    quote_wanted: int = 0
    """Units of quote asked for, by a quote-sized market order; else 0."""
    budget: int | None = None
    """Units of quote that a triggered market buy may spend at most."""
    iceberg: int = 0
    """Lots shown at a time; 0 shows all."""
    id: int = 0
    client_id: str = ""
    status: OrderStatus = OrderStatus.NEW
    filled: int = 0
    quote_filled: int = 0
    shown: int = 0
    """Lots on view while resting."""
    held: int = 0
    """Units locked for it in the asset it pays with."""
    created_ms: int = 0
    updated_ms: int = 0
    working_ms: int | None = None
    triggered_ms: int | None = None
    prevented_id: int | None = None
    prevented_lots: int = 0

    @property
    def remaining(self) -> int:
        """Lots not filled, of an order sized in base."""
        return self.lots - self.filled

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status is OrderStatus.NEW or self.status is OrderStatus.PARTIALLY_FILLED

    @property
    def is_waiting(self) -> bool:
        """Whether it is a stop that has not been triggered."""
        return self.stop > 0 and self.triggered_ms is None

    @property
    def pays(self) -> str:
        """The asset it gives."""
        return self.market.quote if self.is_buy else self.market.base

    def accepts(self, price: int) -> bool:
        """Whether it would trade at a price of the opposite side."""
        return not self.price or (price <= self.price if self.is_buy else price >= self.price)

    def wanted(self, lot_value: int) -> int:
        """Lots it would take now where one costs `lot_value` units of quote."""
        if self.quote_wanted:
            return (self.quote_wanted - self.quote_filled) // lot_value
        rest = self.lots - self.filled
        return rest if self.budget is None else min(rest, (self.budget - self.quote_filled) // lot_value)

    def hold_for(self, lots: int) -> int:
        """Units to lock for so many lots: at the limit price, or at the stop price of a stop without limit."""
        if not self.is_buy:
            return lots * self.market.lot_units
        return lots * (self.price or self.stop) * self.market.lot_value

    def snapshot(self) -> Order:
        """The order as others see it, at this moment."""
        market = self.market
        tick, lot = market.tick_units, market.lot_units
        return Order(
            id=self.id,
            client_id=self.client_id,
            account=self.account.name,
            symbol=market.symbol,
            side=Side.BUY if self.is_buy else Side.SELL,
            kind=self.kind,
            tif=self.tif,
            status=self.status,
            price=to_decimal(self.price * tick) if self.price else None,
            amount=to_decimal((self.filled if self.quote_wanted else self.lots) * lot),
            quote_amount=to_decimal(self.quote_wanted) if self.quote_wanted else None,
            stop_price=to_decimal(self.stop * tick) if self.stop else None,
            iceberg_amount=to_decimal(self.iceberg * lot) if self.iceberg else None,
            post_only=self.post_only,
            self_trade_mode=self.mode,
            filled=to_decimal(self.filled * lot),
            quote_filled=to_decimal(self.quote_filled),
            created_ms=self.created_ms,
            updated_ms=self.updated_ms,
            working_ms=self.working_ms,
            triggered_ms=self.triggered_ms,
            prevented_match_id=self.prevented_id,
            prevented_amount=to_decimal(self.prevented_lots * lot),
        )
