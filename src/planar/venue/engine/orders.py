"""The engine's own, mutable view of an order, in ticks, lots and units, and how it is shown to the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from planar.venue.engine.enums import FeeAsset, OrderKind, OrderStatus, SelfTradeMode, Side, TimeInForce
from planar.venue.engine.types import Order
from planar.venue.engine.units import ONE, to_decimal

if TYPE_CHECKING:
    from planar.venue.engine.accounts import Account
    from planar.venue.engine.lists import LiveList
    from planar.venue.engine.market import Market
    from planar.venue.engine.trailing import Trail

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
    """Trigger price in ticks, of a trailing stop the price from which it follows; 0 without."""
    trail: Trail | None = None
    """Of a trailing stop."""
    link: LiveList | None = None
    """The order list it belongs to."""
    fee_asset: FeeAsset = FeeAsset.RECEIVED
    hold_rate: int = 0
    """Commission in 1e-8 to lock on top, where it is taken in the asset the order pays with."""
    lots: int = 0
    """Amount asked for; 0 for a quote-sized market order."""
    quote_wanted: int = 0
    """Units of quote asked for, by a quote-sized market order; else 0."""
    budget: int | None = None
    """Units that a market order may still give at most, where no lock bounds it."""
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
    refusal: str | None = None
    """Why a pending order could not begin."""

    @property
    def remaining(self) -> int:
        """Lots not filled, of an order sized in base."""
        return self.lots - self.filled

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        status = self.status
        return status is OrderStatus.NEW or status is OrderStatus.PARTIALLY_FILLED or status is OrderStatus.PENDING_NEW

    @property
    def is_pending(self) -> bool:
        """Whether it waits for another order or for its hour."""
        return self.status is OrderStatus.PENDING_NEW

    @property
    def is_stop(self) -> bool:
        """Whether a price triggers it."""
        return self.stop > 0 or self.trail is not None

    @property
    def is_waiting(self) -> bool:
        """Whether it is a stop that has not been triggered."""
        return (self.stop > 0 or self.trail is not None) and self.triggered_ms is None

    @property
    def pays_fee_in_base(self) -> bool:
        """Whether its commission is taken in base."""
        if self.fee_asset is FeeAsset.RECEIVED:
            return self.is_buy
        return self.fee_asset is FeeAsset.BASE

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
            rest = (self.quote_wanted - self.quote_filled) // lot_value
        else:
            rest = self.lots - self.filled
        if self.budget is None:
            return rest
        return min(rest, self.budget // self.with_fee(lot_value if self.is_buy else self.market.lot_units))

    def with_fee(self, units: int) -> int:
        """Units that it pays for a lot or an amount, and the most that its commission adds to them."""
        return units - (-units * self.hold_rate // ONE) if self.hold_rate else units

    def hold_for(self, lots: int) -> int:
        """Units to lock for so many lots: at the limit price, or at the stop price of a stop without limit."""
        if not self.is_buy:
            return lots * self.with_fee(self.market.lot_units)
        price = self.price or self.stop or (self.trail.hold if self.trail else 0)
        return lots * self.with_fee(price * self.market.lot_value)

    def expected_hold(self) -> int:
        """Units that should be locked for it now, if it is open."""
        if self.is_pending:
            return 0
        return self.hold_for(self.remaining) if self.link is None else self.link.expected_hold(self)

    def snapshot(self) -> Order:
        """The order as others see it, at this moment."""
        market = self.market
        tick, lot = market.tick_units, market.lot_units
        trail = self.trail
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
            trailing=None if trail is None else trail.request,
            trailing_since_ms=None if trail is None else trail.since_ms,
            trigger_price=to_decimal(trail.trigger * tick) if trail is not None and trail.best else None,
            list_id=None if self.link is None else self.link.id,
            fee_asset=self.fee_asset,
            reject_reason=self.refusal,
        )
