"""What a paper account holds, as frozen data: its orders, its fills, its balances. `planar.paper.store` keeps them."""

from __future__ import annotations

from typing import Literal

import msgspec

from planar.models import Amount
from planar.models.data import Liquidity, Side

ZERO = Amount(0)

Status = Literal["waiting", "triggered", "open", "closed", "canceled", "expired"]
"""`waiting` for its trigger price; `triggered`, and about to go to the market; `open` in the book; or how it ended."""

STANDING: tuple[Status, ...] = ("waiting", "triggered", "open")
"""What has not ended."""


class PaperOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """One order of a paper account.

    Attributes:
        number: counts the orders of the account from 1; earlier ones go first at equal prices.
        id: what the exchange's own id would be.
        created_ms: when it was accepted, by the venue's clock.
        since_ms: public trades after this moment count for it.
        spent: quote amount that has traded.
        fees: (currency, sum) of what was charged.
        queue: how much of others stands before it at its price; None: nobody knows, or it is not in the book.
        locked: how much of what it gives is kept for it.
        expire_ms: when a "GTD" order ends.
        reason: why it ended, where that is not plain.
    """

    number: int
    id: str
    client_id: str
    symbol: str
    side: Side
    type: str
    created_ms: int
    updated_ms: int
    since_ms: int
    amount: Amount | None = None
    price: Amount | None = None
    cost: Amount | None = None
    stop_price: Amount | None = None
    trigger: str = "stop"
    time_in_force: str | None = None
    post_only: bool = False
    expire_ms: int | None = None
    status: Status = "open"
    filled: Amount = ZERO
    spent: Amount = ZERO
    fees: tuple[tuple[str, Amount], ...] = ()
    queue: Amount | None = None
    locked: Amount = ZERO
    last_trade_ms: int | None = None
    reason: str = ""

    @property
    def stands(self) -> bool:
        """It has not ended."""
        return self.status in STANDING

    @property
    def left(self) -> Amount:
        """What of its amount has not traded; 0 for an order sized by cost."""
        return ZERO if self.amount is None else self.amount - self.filled


class PaperFill(msgspec.Struct, frozen=True):
    """One execution of a paper order; `fee` may be negative, a rebate."""

    number: int
    id: str
    order_id: str
    symbol: str
    side: Side
    type: str
    price: Amount
    amount: Amount
    fee: Amount
    fee_currency: str
    role: Liquidity
    ts_ms: int

    @property
    def cost(self) -> Amount:
        """In quote currency."""
        return self.price * self.amount


class Holding(msgspec.Struct, frozen=True):
    """One currency: what can be ordered with, and what open orders keep."""

    free: Amount = ZERO
    used: Amount = ZERO


class Summary(msgspec.Struct, frozen=True):
    """The account beside its orders and fills.

    Attributes:
        started_ms: when it was begun, or last reset.
        start: the balances that it began with.
        holdings: currency -> what there is.
        orders, fills: how many there were, ever.
        seen_ms: symbol -> public trades up to this moment have been taken in.
    """

    started_ms: int
    start: dict[str, Amount]
    holdings: dict[str, Holding]
    orders: int = 0
    fills: int = 0
    seen_ms: dict[str, int] = {}


class Terms(msgspec.Struct, frozen=True):
    """What of a market decides how an order executes and what it costs.

    Attributes:
        maker, taker: fees as fractions.
        fee_side: the currency that fees are taken in: "get" what is received, "give" what is paid, or "base", "quote".
        step: of amounts; None: any.
        at_once: kinds of which the venue executes an order whose trigger price the market has passed already.
    """

    symbol: str
    base: str
    quote: str
    maker: Amount
    taker: Amount
    fee_side: str
    step: Amount | None = None
    at_once: frozenset[str] = frozenset()

    def pays(self, side: Side) -> str:
        """The currency that an order gives."""
        return self.quote if side == "buy" else self.base

    def gets(self, side: Side) -> str:
        """The currency that an order brings."""
        return self.base if side == "buy" else self.quote

    def fee_currency(self, side: Side) -> str:
        """The currency that its fee is taken in."""
        if self.fee_side == "get":
            return self.gets(side)
        if self.fee_side == "give":
            return self.pays(side)
        return self.base if self.fee_side == "base" else self.quote

    def rate(self, role: Liquidity) -> Amount:
        """The fee of a role, a fraction."""
        return self.maker if role == "maker" else self.taker

    def binds(self, side: Side, amount: Amount, price: Amount) -> Amount:
        """How much of what it gives an order needs at most, its fee included where that is taken from the same."""
        given = amount * price if side == "buy" else amount
        if self.fee_currency(side) != self.pays(side):
            return given
        return given * (1 + max(self.maker, self.taker, ZERO))
