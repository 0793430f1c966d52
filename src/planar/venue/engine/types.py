"""The values that cross the face of the engine: requests in, snapshots out.

The other halves: `enums` (words), `specs` (markets and assets), `events` (what subscribers get), `rejects` (refusals).
Everything is immutable. Numbers of money are `Decimal`; inside, the engine computes in integers
(ticks, lots, and 1e-8 of an asset), so that every Decimal seen here is exact. Times are UTC epoch milliseconds.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from planar.venue.engine.enums import (
    OPEN_STATUSES,
    Contingency,
    FeeAsset,
    OrderKind,
    OrderStatus,
    SelfTradeMode,
    Side,
    TimeInForce,
)
from planar.venue.engine.rejects import EngineReject


class Trailing(msgspec.Struct, frozen=True, kw_only=True):
    """How far behind the best price a stop trails: below the highest for a sell, above the lowest for a buy.

    Exactly one of `offset` (in quote) and `fraction` (0.01 is 1 %) is given. A limit kind that has no `price` gets
    its limit when it triggers: the trigger price plus `limit_offset`, or times 1 + `limit_fraction`; both are signed.
    """

    offset: Decimal | None = None
    fraction: Decimal | None = None
    limit_offset: Decimal | None = None
    limit_fraction: Decimal | None = None

    @property
    def has_limit(self) -> bool:
        """Whether it says where the limit price will be."""
        return self.limit_offset is not None or self.limit_fraction is not None


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request for an order.

    Exactly one of `amount` (base) and `quote_amount` (market orders only) is given. `price` belongs to limit kinds,
    `stop_price` to stop kinds. A STOP_LOSS sell triggers when the last trade price is at or below `stop_price`,
    a buy at or above; TAKE_PROFIT the other way round. `client_id` None: the engine makes one.
    """

    account: str
    symbol: str
    side: Side
    kind: OrderKind
    tif: TimeInForce = TimeInForce.GTC
    amount: Decimal | None = None
    quote_amount: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    client_id: str | None = None
    self_trade_mode: SelfTradeMode | None = None
    """None: the symbol's default."""
    iceberg_amount: Decimal | None = None
    """Shown part of a limit order; a new part goes to the end of the queue of its price."""
    post_only: bool = False
    trailing: Trailing | None = None
    """Of a stop kind: it trails the price; `stop_price`, if given, says from which last price on."""
    fee_asset: FeeAsset = FeeAsset.RECEIVED


class NewOrderList(msgspec.Struct, frozen=True, kw_only=True):
    """A request for an order list; its orders are of one account and symbol.

    Args:
        orders: of an OCO the two orders, of an OTO the working and the pending one, of an OTOCO the working one and
            the two of which one ends the other. A working order is a limit order.
        client_id: None: the engine makes one.
    """

    contingency: Contingency
    orders: tuple[NewOrder, ...]
    client_id: str | None = None


class OrderRef(msgspec.Struct, frozen=True):
    """Names an order of one account and symbol. With both ids given, both must belong to the same order."""

    order_id: int | None = None
    client_id: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Snapshot of an order at one moment."""

    id: int
    """Rises with acceptance within a symbol; not unique across symbols."""
    client_id: str
    account: str
    symbol: str
    side: Side
    kind: OrderKind
    tif: TimeInForce
    status: OrderStatus
    price: Decimal | None
    """Limit price; None for market kinds."""
    amount: Decimal
    """Amount asked for in base; for a quote-sized market order what has been filled."""
    quote_amount: Decimal | None
    """Amount asked for in quote, of a quote-sized market order."""
    stop_price: Decimal | None
    iceberg_amount: Decimal | None
    post_only: bool
    self_trade_mode: SelfTradeMode
    filled: Decimal
    quote_filled: Decimal
    created_ms: int
    updated_ms: int
    """Time of the last change (acceptance, fill, amendment, end)."""
    working_ms: int | None
    """When the order reached the book or the matching; None while a stop waits."""
    triggered_ms: int | None
    """When a stop was triggered."""
    prevented_match_id: int | None
    """Id of the newest match that self-trade prevention stopped."""
    prevented_amount: Decimal
    """Amount of this order that expired by self-trade prevention."""
    trailing: Trailing | None = None
    trailing_since_ms: int | None = None
    """When a trailing stop began to follow the price."""
    trigger_price: Decimal | None = None
    """Where a trailing stop that follows the price would trigger now, or did."""
    list_id: int | None = None
    """The order list it belongs to."""
    fee_asset: FeeAsset = FeeAsset.RECEIVED
    reject_reason: str | None = None
    """Of a REJECTED order: the `RejectReason` why it could not begin."""

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self.status in OPEN_STATUSES

    @property
    def remaining(self) -> Decimal:
        """Amount not filled."""
        return self.amount - self.filled


class OrderList(msgspec.Struct, frozen=True, kw_only=True):
    """Snapshot of an order list."""

    id: int
    """Rises by one with acceptance, over all accounts and symbols."""
    client_id: str
    account: str
    symbol: str
    contingency: Contingency
    is_open: bool
    """Whether any of its orders is."""
    orders: tuple[Order, ...]
    """In the order asked for."""
    created_ms: int
    updated_ms: int


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of one order, as its owner sees it. Both sides of a trade share `trade_id`."""

    trade_id: int
    """Sequential within a symbol."""
    order_id: int
    client_id: str
    account: str
    symbol: str
    side: Side
    price: Decimal
    amount: Decimal
    quote: Decimal
    commission: Decimal
    commission_asset: str
    is_maker: bool
    ts_ms: int
    list_id: int | None = None
    """The order list that the order belongs to."""


class PreventedMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A match that self-trade prevention stopped; both orders belong to `account`."""

    id: int
    account: str
    symbol: str
    taker_order_id: int
    maker_order_id: int
    mode: SelfTradeMode
    price: Decimal
    taker_prevented: Decimal | None
    """Amount of the taker that expired; None if it went on."""
    maker_prevented: Decimal | None
    ts_ms: int


class ReplaceResult(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of cancel-and-create. Exactly one of each pair is set; both of `created*` are None if not attempted."""

    canceled: Order | None
    cancel_reject: EngineReject | None
    created: Order | None
    create_reject: EngineReject | None


class Balance(msgspec.Struct, frozen=True):
    """Balance of one asset of one account."""

    asset: str
    free: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        """Free and locked."""
        return self.free + self.locked


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """A public trade."""

    id: int
    symbol: str
    price: Decimal
    amount: Decimal
    quote: Decimal
    ts_ms: int
    buyer_is_maker: bool


class AggTrade(msgspec.Struct, frozen=True, kw_only=True):
    """Public trades of one taker order at one price, in one."""

    id: int
    symbol: str
    price: Decimal
    amount: Decimal
    first_trade_id: int
    last_trade_id: int
    ts_ms: int
    buyer_is_maker: bool


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One candle. Without trades all four prices are the last price before it. `close_ms` is its last millisecond."""

    open_ms: int
    close_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    taker_buy_volume: Decimal
    taker_buy_quote: Decimal


class Level(msgspec.Struct, frozen=True):
    """A price and the total amount shown there."""

    price: Decimal
    amount: Decimal


class Depth(msgspec.Struct, frozen=True):
    """The book, best first, as of `update_id` (the id of the last `BookChange` in it)."""

    symbol: str
    update_id: int
    bids: list[Level]
    asks: list[Level]


class Ticker(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of a rolling window (24 h unless asked otherwise), and the top of the book."""

    symbol: str
    open_ms: int
    close_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    last: Decimal
    last_amount: Decimal
    previous_close: Decimal
    """The last price before the window; the open if there was none."""
    volume: Decimal
    quote_volume: Decimal
    trades: int
    first_trade_id: int
    """-1 without trades in the window, as on Binance."""
    last_trade_id: int
    bid: Level | None
    ask: Level | None
