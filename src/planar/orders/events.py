"""What is written into the journal: everything that ever happened to an order, as immutable facts.

An event is true for ever once it is written. The state of an order is nothing but the merge of its events
(`planar.orders.machine`), in whatever order they came.
"""

from __future__ import annotations

from typing import Any

import msgspec

from planar.models import Amount


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


class Sending(Event, frozen=True, tag="sending"):
    """The next thing that happens is that bytes leave. Written before them.

    Attributes:
        action: "create" or "cancel".
        expiry_ms: venue time after which this request can no longer be accepted; None where there is no such time.
    """

    action: str = "create"
    expiry_ms: int | None = None


class NotSent(Event, frozen=True, tag="not_sent"):
    """Not a byte of the request reached the venue."""

    action: str = "create"
    reason: str = ""


class Refused(Event, frozen=True, tag="refused"):
    """The venue said no."""

    action: str = "create"
    code: str | None = None
    reason: str = ""


class Unknown(Event, frozen=True, tag="unknown"):
    """The request may have been carried out."""

    action: str = "create"
    reason: str = ""


class Acked(Event, frozen=True, tag="acked"):
    """The venue said yes."""

    action: str = "create"
    order_id: str | None = None


class Seen(Event, frozen=True, tag="seen"):
    """The order as the venue showed it, by answer, stream or query.

    Attributes:
        state: what the venue's word proves: open, filled, canceled, expired, rejected.
        filled: base amount filled so far; None where the venue did not say.
        cost: quote amount of the fills so far; None where the venue did not say.
        updated_ms: the venue's time of this state, if it said one.
    """

    order_id: str | None = None
    state: str | None = None
    filled: Amount | None = None
    cost: Amount | None = None
    updated_ms: int | None = None
    source: str = ""


class FillSeen(Event, frozen=True, tag="fill"):
    """One execution. The same trade id never counts twice."""

    trade_id: str = ""
    order_id: str | None = None
    price: Amount = Amount(0)
    amount: Amount = Amount(0)
    fee: Amount | None = None
    fee_currency: str | None = None
    maker: bool | None = None
    ts_ms: int | None = None


class Absent(Event, frozen=True, tag="absent"):
    """Proof that the order was never accepted: its expiry passed and no query of the venue knows it."""

    evidence: str = ""


class ByHand(Event, frozen=True, tag="by_hand"):
    """A person decided what became of an order that the venue does not tell about."""

    status: str = ""
    reason: str = ""


AnyEvent = Intent | Sending | NotSent | Refused | Unknown | Acked | Seen | FillSeen | Absent | ByHand
