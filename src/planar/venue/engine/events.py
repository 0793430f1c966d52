"""What `VirtualExchange.subscribe` delivers, in causal order."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from planar.venue.engine.enums import EventKind, ListChange, MarketStatus, Side, SystemStatus
from planar.venue.engine.movements import Deposit, Withdrawal
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.types import AggTrade, Balance, Fill, Order, OrderList, PreventedMatch, Trade


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


class ListEvent(msgspec.Struct, frozen=True):
    """Something happened to an order list as a whole; what happened to its orders is told besides."""

    change: ListChange
    order_list: OrderList
    ts_ms: int


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
    """A spot balance changed other than by a trade: deposit, withdrawal, transfer, adjustment.

    Precedes its `BalanceChange`.
    """

    account: str
    asset: str
    delta: Decimal
    ts_ms: int
    deposit: Deposit | None = None
    withdrawal: Withdrawal | None = None


class MarketStatusChange(msgspec.Struct, frozen=True):
    """A symbol was halted, resumed or delisted."""

    symbol: str
    status: MarketStatus
    ts_ms: int


class FiltersChange(msgspec.Struct, frozen=True):
    """A symbol has other filters from now on."""

    spec: SymbolSpec
    ts_ms: int


class SystemStatusChange(msgspec.Struct, frozen=True):
    """The whole exchange changed its state."""

    status: SystemStatus
    ts_ms: int


Event = (
    OrderEvent
    | ListEvent
    | TradePrint
    | AggTradePrint
    | BookChange
    | BalanceChange
    | FundsMoved
    | MarketStatusChange
    | FiltersChange
    | SystemStatusChange
)
