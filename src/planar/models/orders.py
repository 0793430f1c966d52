"""Orders and fills of this account. What is ordered, paid or owed is `Amount`.

They come from the order path (`planar.orders`), the adapters and the private streams, and go to the user and the
journal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias

from planar.models.amount import Amount
from planar.models.base import Model, RawPayload, Timed
from planar.models.data import Liquidity, Side

OrderStatus: TypeAlias = Literal["open", "closed", "canceled", "expired", "rejected"]
"""CCXT's word for the state of an order."""


class OrderState(StrEnum):
    """Planar's word for the state of an order: PENDING -> OPEN -> one of the final states, or UNKNOWN on the way."""

    PENDING = "pending"
    """In the journal; no answer of the exchange yet."""
    OPEN = "open"
    """The exchange has it, and no final state is known."""
    FILLED = "filled"
    """Final: all of it traded."""
    CANCELED = "canceled"
    """Final: what had not traded was taken back, by whomever."""
    EXPIRED = "expired"
    """Final: its time in force ended it."""
    REJECTED = "rejected"
    """Final: the exchange refused it."""
    NEVER_ACCEPTED = "never_accepted"
    """Final: proven never to have reached the exchange's book."""
    UNKNOWN = "unknown"
    """It may or may not exist at the exchange. Only evidence ends this."""


FINAL_STATES = (
    OrderState.FILLED,
    OrderState.CANCELED,
    OrderState.EXPIRED,
    OrderState.REJECTED,
    OrderState.NEVER_ACCEPTED,
)


class Fee(Model, frozen=True, kw_only=True, gc=False):
    """A fee that was paid; a negative cost is a rebate."""

    cost: Amount
    currency: str | None = None
    """None: the exchange does not say."""
    rate: Amount | None = None
    """As a fraction: 0.001 is 0.1 %."""


class Fill(Timed, frozen=True, kw_only=True, gc=False):
    """One trade of this account (CCXT: my trade)."""

    _computed: ClassVar[dict[str, str]] = {"datetime": "datetime", "fee": "fee"}
    _shown: ClassVar[tuple[str, ...]] = ("id", "symbol", "side", "amount", "price", "fees", "order_id", "datetime")

    id: str
    """The exchange's id of the trade."""
    order_id: str | None = None
    """The exchange's id of the order that traded. Key: `order`."""
    symbol: str
    side: Side
    price: Amount
    amount: Amount
    cost: Amount | None = None
    """In quote currency; None: the exchange does not say."""
    fees: tuple[Fee, ...] = ()
    type: str | None = None
    taker_or_maker: Liquidity | None = None
    ts_ms: int | None = None
    """The exchange's time, in milliseconds UTC."""
    received_ns: int | None = None
    """When it arrived here, in nanoseconds UTC (`planar.runtime.wall_ns`)."""
    raw: RawPayload = None

    @property
    def fee(self) -> Fee | None:
        """The fee, if there is exactly one."""
        return self.fees[0] if len(self.fees) == 1 else None


class Order(Timed, frozen=True, kw_only=True, gc=False):
    """An order of this account, as far as it is known. None: nobody has said, and nothing is put in its place."""

    _computed: ClassVar[dict[str, str]] = {
        "datetime": "datetime",
        "remaining": "remaining",
        "fee": "fee",
        "stopPrice": "trigger_price",
    }
    _shown: ClassVar[tuple[str, ...]] = (
        *("symbol", "side", "type", "amount", "price", "trigger_price", "filled", "average", "state"),
        *("id", "client_order_id"),
    )

    id: str | None = None
    """The exchange's id; None until the exchange has named it."""
    client_order_id: str | None = None
    """The id that Planar gave it, before it was sent."""
    symbol: str
    side: Side
    type: str | None = None
    """`limit`, `market` or the exchange's own word."""
    state: OrderState
    status: OrderStatus | None = None
    """CCXT's word."""
    time_in_force: str | None = None
    post_only: bool | None = None
    reduce_only: bool | None = None
    amount: Amount | None = None
    """In base currency (contracts on a derivative); None for a market order sized by its cost."""
    price: Amount | None = None
    """The limit; None on a market order. (CCXT puts the average here on a market order that has traded.)"""
    trigger_price: Amount | None = None
    stop_loss_price: Amount | None = None
    take_profit_price: Amount | None = None
    filled: Amount | None = None
    """How much has traded."""
    cost: Amount | None = None
    """What has traded, in quote currency."""
    average: Amount | None = None
    """The mean price of what has traded."""
    fees: tuple[Fee, ...] = ()
    trades: tuple[Fill, ...] = ()
    """The fills that came with the order in one answer; empty if none did. `fetch_my_trades` is the whole account."""
    ts_ms: int | None = None
    """When the exchange accepted it, in milliseconds UTC."""
    last_trade_ts_ms: int | None = None
    last_update_ts_ms: int | None = None
    received_ns: int | None = None
    """When this state arrived here, in nanoseconds UTC (`planar.runtime.wall_ns`)."""
    raw: RawPayload = None

    @property
    def remaining(self) -> Amount | None:
        """`amount - filled`; None unless both are known."""
        return None if self.amount is None or self.filled is None else self.amount - self.filled

    @property
    def fee(self) -> Fee | None:
        """The fee, if there is exactly one."""
        return self.fees[0] if len(self.fees) == 1 else None

    @property
    def received(self) -> Amount | None:
        """What it has brought into the account: base of a buy, quote of a sell, less the fees that were taken of that
        same currency (`filled` and `cost` are before fees). None unless all of it is known; of spot orders only."""
        base, _, quote = self.symbol.partition("/")
        gross, currency = (self.filled, base) if self.side == "buy" else (self.cost, quote)
        if gross is None or ":" in self.symbol or any(fee.currency is None for fee in self.fees):
            return None
        if not self.fees:
            return None if gross else gross
        return Amount(gross - sum((fee.cost for fee in self.fees if fee.currency == currency), Amount(0)))

    @property
    def is_open(self) -> bool:
        """True while the exchange has it and no final state is known."""
        return self.state is OrderState.OPEN

    @property
    def is_done(self) -> bool:
        """True in a final state: nothing more will happen to it."""
        return self.state in FINAL_STATES


def order_state(status: OrderStatus | None, filled: Amount | None, amount: Amount | None) -> OrderState:
    """The state that an exchange's word proves.

    `closed` is FILLED, unless the numbers say that a part never traded: then the rest was taken back (CANCELED).
    No word at all leaves the order OPEN: the exchange has named it and has not ended it.
    """
    if status == "closed":
        short = filled is not None and amount is not None and filled < amount
        return OrderState.CANCELED if short else OrderState.FILLED
    return OrderState.OPEN if status is None else OrderState(status)
