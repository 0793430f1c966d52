"""What `VirtualExchange.subscribe` delivers, in causal order."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from planar.venue.engine.enums import EventKind, MarketStatus, Side
from planar.venue.engine.types import AggTrade, Balance, Deposit, Fill, Order, PreventedMatch, Trade, Withdrawal


class OrderEvent(msgspec.Struct, frozen=True):
    """Something happened to an order of a user account (never of the model's accounts)."""

    kind: EventKind
    order: Order
    """The order right after the event."""
    ts_ms: int
    fill: Fill | None = None
    """Set for TRADE."""
    prevented: PreventedMatch | None = None
    """Set for TRADE_PREVENTION."""
    request_id: str | None = None
    """CANCELED: the client's own id of the cancel request, if it gave one."""
    previous_client_id: str | None = None
    """REPLACED: the client id before the amendment."""


class TradePrint(msgspec.Struct, frozen=True):
    """A public trade happened."""

    trade: Trade
    buyer_order_id: int
    seller_order_id: int


class AggTradePrint(msgspec.Struct, frozen=True):
    """An aggregate trade is complete; follows its `TradePrint`s."""

    trade: AggTrade


class BookChange(msgspec.Struct, frozen=True):
    """The total amount shown at one price changed; 0 removes the level. `update_id` rises by 1 per symbol."""

    symbol: str
    update_id: int
    side: Side
    """BUY: a bid."""
    price: Decimal
    amount: Decimal
    ts_ms: int


class BalanceChange(msgspec.Struct, frozen=True):
    """New balances of the assets that one operation changed (also by locking or unlocking)."""

    account: str
    balances: tuple[Balance, ...]
    ts_ms: int


class FundsMoved(msgspec.Struct, frozen=True):
    """Money came in or left other than by a trade: deposit, withdrawal, adjustment. Precedes its `BalanceChange`."""

    account: str
    asset: str
    delta: Decimal
    ts_ms: int
    deposit: Deposit | None = None
    withdrawal: Withdrawal | None = None


class MarketStatusChange(msgspec.Struct, frozen=True):
    """A symbol was halted or resumed."""

    symbol: str
    status: MarketStatus
    ts_ms: int


Event = OrderEvent | TradePrint | AggTradePrint | BookChange | BalanceChange | FundsMoved | MarketStatusChange
