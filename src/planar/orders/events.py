"""What is written into the journal: everything that ever happened to an order, as immutable facts.

An event is true for ever once it is written. The state of an order is nothing but the merge of its events
(`planar.orders.machine`), in whatever order they came.
"""

from __future__ import annotations

from typing import Any

import msgspec

from planar.models import Amount
from planar.models.groups import Member


class Event(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """Base of all events.

    Attributes:
        client_id: the order that it is about.
        wall_ms: when it was written, UTC milliseconds.
    """

    client_id: str
    wall_ms: int


class Intent(Event, frozen=True, tag="intent"):
    """A user wants this order. Written before anything else happens.

    Attributes:
        intent_id: the user's own name for the wish; an equal one is the same order.
        type: CCXT's word ("limit", "market").
        cost: quote amount to spend, for a market order sized by cost.
        stop_price: trigger price.
        replaces: client id or order id of the order that this one replaces.
        params: raw parameters of the venue.
        trigger: "stop" or "take_profit": which side of the market `stop_price` lies on.
        trailing_percent, trailing_amount: how far it trails the best price.
        expire_at_ms: when it ends by itself, UTC milliseconds.
        cancels_first: the order that it replaces is canceled by a request of its own, before this one is sent.
        member: its place in a group of linked orders.
    """

    intent_id: str = ""
    symbol: str = ""
    side: str = ""
    type: str = ""
    amount: Amount | None = None
    price: Amount | None = None
    cost: Amount | None = None
    stop_price: Amount | None = None
    time_in_force: str | None = None
    post_only: bool = False
    replaces: str | None = None
    params: dict[str, Any] = {}
    trigger: str = "stop"
    trailing_percent: Amount | None = None
    trailing_amount: Amount | None = None
    expire_at_ms: int | None = None
    cancels_first: bool = False
    member: Member | None = None

    @property
    def waits(self) -> bool:
        """It waits for a price before it goes to the market."""
        return self.stop_price is not None or self.trailing_percent is not None or self.trailing_amount is not None


class Sending(Event, frozen=True, tag="sending"):
    """The next thing that happens is that bytes leave. Written before them.

    Attributes:
        action: "create", "cancel" or "amend".
        expiry_ms: venue time after which this request can no longer be accepted; None where there is no such time.
        number: which change of the order, for "amend".
    """

    action: str = "create"
    expiry_ms: int | None = None
    number: int = 0


class NotSent(Event, frozen=True, tag="not_sent"):
    """Not a byte of the request reached the venue."""

    action: str = "create"
    reason: str = ""
    number: int = 0


class Refused(Event, frozen=True, tag="refused"):
    """The venue said no."""

    action: str = "create"
    code: str | None = None
    reason: str = ""
    number: int = 0


class Unknown(Event, frozen=True, tag="unknown"):
    """The request may have been carried out."""

    action: str = "create"
    reason: str = ""
    number: int = 0


class Acked(Event, frozen=True, tag="acked"):
    """The venue said yes."""

    action: str = "create"
    order_id: str | None = None
    number: int = 0


class Seen(Event, frozen=True, tag="seen"):
    """The order as the venue showed it, by answer, stream or query.

    Attributes:
        state: what the venue's word proves: open, filled, canceled, expired, rejected.
        filled: base amount filled so far; None where the venue did not say.
        cost: quote amount of the fills so far; None where the venue did not say.
        updated_ms: the venue's time of this state, if it said one.
        back: the venue shows an order again that it did not know when a person ended it for the so manieth time.
    """

    order_id: str | None = None
    state: str | None = None
    filled: Amount | None = None
    cost: Amount | None = None
    updated_ms: int | None = None
    source: str = ""
    back: int = 0


class FeeSeen(msgspec.Struct, frozen=True, omit_defaults=True):
    """One fee of an execution that has several; a negative cost is a rebate."""

    cost: Amount
    currency: str | None = None


class FillSeen(Event, frozen=True, tag="fill"):
    """One execution. The same trade id never counts twice.

    Attributes:
        amount: base amount that traded, fees not taken off.
        fee, fee_currency: of an execution with one fee.
        fees: of an execution with several.
    """

    trade_id: str = ""
    order_id: str | None = None
    price: Amount = Amount(0)
    amount: Amount = Amount(0)
    fee: Amount | None = None
    fee_currency: str | None = None
    maker: bool | None = None
    ts_ms: int | None = None
    fees: tuple[FeeSeen, ...] = ()

    @property
    def all_fees(self) -> tuple[FeeSeen, ...]:
        """Each fee that is known; empty if none is."""
        return self.fees or (() if self.fee is None else (FeeSeen(self.fee, self.fee_currency),))


class Absent(Event, frozen=True, tag="absent"):
    """Proof that a request was never carried out: its expiry passed and no query of the venue shows what it wished.

    Attributes:
        action: "create", or "amend" for the change of this `number`.
    """

    evidence: str = ""
    action: str = "create"
    number: int = 0


class ByHand(Event, frozen=True, tag="by_hand"):
    """A person decided what became of an order that the venue does not tell about.

    Attributes:
        evidence: that the venue, asked for it, knew no such order, though it once had it; "" for an order of which
            nobody knows whether it ever was accepted.
        gone: for the so manieth time, with such evidence.
    """

    status: str = ""
    reason: str = ""
    evidence: str = ""
    gone: int = 0


class Amending(Event, frozen=True, tag="amending"):
    """A user wants an order that stands to be changed in place. Written before anything else happens.

    Attributes:
        number: the so manieth change of the order.
        amount, price, stop_price: the terms of the order afterwards, those that stay included.
        intent_id: the user's own name for the change.
    """

    number: int = 0
    amount: Amount | None = None
    price: Amount | None = None
    stop_price: Amount | None = None
    intent_id: str = ""


class Amended(Event, frozen=True, tag="amended"):
    """The venue shows the order with other terms than before.

    Attributes:
        number: the change that was wished so; 0: somebody else changed it.
        after: for somebody else's change, the last own one that had taken effect by then.
        amount, price: as shown.
        at_ms: the venue's time, if it said one.
    """

    number: int = 0
    after: int = 0
    amount: Amount | None = None
    price: Amount | None = None
    at_ms: int = 0
    source: str = ""


class GroupEnded(Event, frozen=True, tag="group_ended"):
    """Nothing more will happen to the linked orders that this program links. `client_id` is that of the group's first
    order, which is the group's id.

    Attributes:
        note: how it ended.
    """

    note: str = ""


AnyEvent = (
    Intent
    | Sending
    | NotSent
    | Refused
    | Unknown
    | Acked
    | Seen
    | FillSeen
    | Absent
    | ByHand
    | Amending
    | Amended
    | GroupEnded
)
