"""The two state machines, as one pure merge.

    request (create):  INTENT -> SENDING -> NOT_SENT | REFUSED | UNKNOWN | ACKED
    order:             PENDING -> OPEN -> FILLED | CANCELED | EXPIRED | REJECTED | NEVER_ACCEPTED

`merge(facts, event)` only ever adds what an event proves, so it is commutative and idempotent: events may come twice,
late and in any order, from answers, streams, queries and the journal. What the facts amount to is read by `state_of`:

| known                                     | state           |
|-------------------------------------------|-----------------|
| filled the whole amount, or the venue says so | FILLED      |
| the venue says canceled                   | CANCELED        |
| the venue says expired                    | EXPIRED         |
| the venue says rejected                   | REJECTED        |
| the venue says open, or acknowledged it, or an execution is known | OPEN |
| a person decided                          | what they said  |
| the venue refused it, or it was never sent | REJECTED       |
| proof of absence                          | NEVER_ACCEPTED  |
| sent, and nothing more                    | UNKNOWN         |
| not sent yet                              | PENDING         |

What the venue shows goes above everything else: an order that was proven absent and is then seen is alive (and an alarm).

The amount of an order is that of its terms now (`planar.orders.amends`). While it is not known whether a change took
effect, the order is not taken for filled before the larger amount is; of an order that was changed the venue's own word
for its end counts more than the sum, since a smaller amount may have met more fills.

An order that the venue once had and does not know any more can be ended by a person, with that evidence; if the venue
shows it again, it is alive.
"""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from planar.models import FINAL_STATES, Amount, OrderState
from planar.orders.amends import Amends, Terms, marked, newest, versions
from planar.orders.events import (
    Absent,
    Acked,
    Amended,
    Amending,
    AnyEvent,
    ByHand,
    FillSeen,
    Intent,
    NotSent,
    Refused,
    Seen,
    Sending,
    Unknown,
)

ZERO = Amount(0)


class Facts(msgspec.Struct, frozen=True):
    """All that is known about one order. Grows only.

    Attributes:
        client_id: the order's client id.
        intent: what was wished; None for an order that this journal never intended.
        order_ids: every id under which the venue knew it, sorted.
        marks: what was proven, sorted words: "sending", "not_sent", "refused", "unknown", "acked", "absent", and the
            venue's own words "open", "filled", "canceled", "expired", "rejected"; "hand:<status>" for a person's.
        expiry_ms: venue time after which the request can no longer be accepted.
        fills: executions by trade id, sorted.
        fills_amount: base amount of the fills.
        fills_cost: quote amount of the fills.
        seen_filled: most base amount that the venue ever showed as filled.
        seen_cost: most quote amount that the venue ever showed for its fills.
        updated_ms: the venue's latest time.
        reasons: why it was refused or is unknown, sorted.
        amends: its changes, by number.
        foreign: what somebody else changed last.
        gone: how often a person ended it since the venue did not know it any more, and as what the last time.
        back: up to which of those times the venue showed it again.
    """

    client_id: str
    intent: Intent | None = None
    order_ids: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    expiry_ms: int | None = None
    fills: tuple[FillSeen, ...] = ()
    fills_amount: Amount = ZERO
    fills_cost: Amount = ZERO
    seen_filled: Amount = ZERO
    seen_cost: Amount = ZERO
    updated_ms: int | None = None
    reasons: tuple[str, ...] = ()
    amends: Amends = ()
    foreign: Amended | None = None
    gone: tuple[int, str] = (0, "")
    back: int = 0

    @property
    def order_id(self) -> str | None:
        """The venue's id, if it told one."""
        return self.order_ids[-1] if self.order_ids else None

    @property
    def filled(self) -> Amount:
        """Base amount filled: what the fills add up to, or what the venue showed, whichever is more."""
        return max(self.seen_filled, self.fills_amount) if self.fills else self.seen_filled

    @property
    def cost(self) -> Amount:
        """Quote amount of the fills."""
        return max(self.seen_cost, self.fills_cost) if self.fills else self.seen_cost

    @property
    def terms(self) -> Terms:
        """Amount and prices of the order now, as far as is known."""
        intent = self.intent
        if intent is None:
            return Terms()
        if not self.amends and self.foreign is None:
            return Terms(intent.amount, intent.price, intent.stop_price)
        *_, last = versions(intent, self.amends, self.foreign)
        return last

    @property
    def wishes(self) -> tuple[Intent, ...]:
        """What the order may be now: as its terms are, and as each change would make it of which nobody knows yet."""
        intent = self.intent
        if intent is None or not (self.amends or self.foreign):
            return () if intent is None else (intent,)
        possible = (self.terms, *(one.terms for one in self.amends if one.unsettled))
        return tuple(
            msgspec.structs.replace(intent, amount=terms.amount, price=terms.price, stop_price=terms.stop_price)
            for terms in possible
        )

    @property
    def unsettled(self) -> tuple[int, ...]:
        """Numbers of the changes of which nobody knows yet whether they took effect."""
        return tuple(one.number for one in self.amends if one.unsettled)

    @property
    def most(self) -> Amount | None:
        """The base amount that it can be filled by; the larger one while it is not known whether a change took effect."""
        if not self.amends and self.foreign is None:
            return None if self.intent is None else self.intent.amount
        amounts = [wish.amount for wish in self.wishes if wish.amount is not None]
        return max(amounts, default=None)

    @property
    def overfilled(self) -> Amount:
        """Base amount filled beyond all that was ever wished; zero for an order that is not, or whose amount is not
        known."""
        if self.intent is None or self.intent.amount is None:
            return ZERO
        wished, filled = self.intent.amount, self.filled
        if filled <= wished:
            return ZERO
        if self.amends or self.foreign is not None:
            had = (terms.amount for terms in versions(self.intent, self.amends, self.foreign))
            wished = max(wished, self.most or ZERO, *(amount for amount in had if amount is not None))
        return max(ZERO, filled - wished)

    @property
    def is_gone(self) -> bool:
        """A person ended it since the venue did not know it any more, and it was not shown since."""
        return self.gone[0] > self.back

    def has_fill(self, trade_id: str) -> bool:
        """Whether this execution is known."""
        place = bisect_left(self.fills, trade_id, key=_trade_id)
        return place < len(self.fills) and self.fills[place].trade_id == trade_id

    @property
    def contradicted(self) -> bool:
        """It was given up for good reasons, and yet the venue shows it."""
        if 0 < self.gone[0] <= self.back:
            return True
        if _GIVEN_UP.isdisjoint(self.marks):
            return False
        return bool(self.fills) or any(mark in _VENUE_WORDS for mark in self.marks)


_GIVEN_UP = frozenset({"absent", "not_sent", "refused", "hand:rejected"})
_VENUE_WORDS = ("open", "filled", "canceled", "expired", "acked")

_LADDER: tuple[tuple[str, OrderState], ...] = (
    ("filled", OrderState.FILLED),
    ("canceled", OrderState.CANCELED),
    ("expired", OrderState.EXPIRED),
    ("rejected", OrderState.REJECTED),
    ("open", OrderState.OPEN),
    ("acked", OrderState.OPEN),
    ("hand:filled", OrderState.FILLED),
    ("hand:canceled", OrderState.CANCELED),
    ("hand:expired", OrderState.EXPIRED),
    ("hand:rejected", OrderState.NEVER_ACCEPTED),
    ("refused", OrderState.REJECTED),
    ("not_sent", OrderState.REJECTED),
    ("absent", OrderState.NEVER_ACCEPTED),
    ("unknown", OrderState.UNKNOWN),
    ("sending", OrderState.UNKNOWN),
)
"""The first mark that stands decides."""

_ENDS = ("filled", "canceled", "expired")
"""The venue's words for the end of an order that it had."""

_NO_FILLS = (OrderState.REJECTED, OrderState.NEVER_ACCEPTED, OrderState.UNKNOWN)
"""States that an order with an execution cannot be in: the execution proves that the venue took it."""

FINAL = frozenset(FINAL_STATES)


def state_of(facts: Facts) -> OrderState:
    """What the facts amount to; see the table above."""
    most = facts.most
    if most is not None and facts.filled >= most and not (facts.amends and any(w in facts.marks for w in _ENDS)):
        return OrderState.FILLED
    if facts.is_gone and not any(word in facts.marks for word in _ENDS):
        return OrderState(facts.gone[1])
    for mark, state in _LADDER:
        if mark in facts.marks:
            return OrderState.OPEN if facts.fills and state in _NO_FILLS else state
    return OrderState.OPEN if facts.fills else OrderState.PENDING


def merge(facts: Facts, event: AnyEvent) -> Facts:
    """The facts with what `event` proves added. Pure, commutative, idempotent."""
    change = msgspec.structs.replace
    match event:  # the frequent ones first: a journal of a million events is read at every start
        case Seen():
            return change(
                facts,
                marks=_with(facts.marks, event.state),
                order_ids=_with(facts.order_ids, event.order_id),
                seen_filled=_most(facts.seen_filled, event.filled),
                seen_cost=_most(facts.seen_cost, event.cost),
                updated_ms=_latest(facts.updated_ms, event.updated_ms),
                back=max(facts.back, event.back),
            )
        case FillSeen():
            return _with_fill(facts, event)
        case Intent():
            return change(facts, intent=event)
        case Sending(action="create", expiry_ms=expiry_ms):
            return change(facts, marks=_with(facts.marks, "sending"), expiry_ms=_latest(facts.expiry_ms, expiry_ms))
        case Acked(action="create", order_id=order_id):
            return change(facts, marks=_with(facts.marks, "acked"), order_ids=_with(facts.order_ids, order_id))
        case NotSent(action="create", reason=reason):
            return change(facts, marks=_with(facts.marks, "not_sent"), reasons=_with(facts.reasons, reason))
        case Refused(action="create", reason=reason):
            return change(facts, marks=_with(facts.marks, "refused"), reasons=_with(facts.reasons, reason))
        case Unknown(action="create", reason=reason):
            return change(facts, marks=_with(facts.marks, "unknown"), reasons=_with(facts.reasons, reason))
        case Amending() | Amended() | Absent(action="amend"):
            return _with_amend(facts, event)
        case Sending(action="amend") | NotSent(action="amend") | Refused(action="amend"):
            return _with_amend(facts, event)
        case Unknown(action="amend") | Acked(action="amend"):
            return _with_amend(facts, event)
        case Absent():
            return change(facts, marks=_with(facts.marks, "absent"))
        case ByHand(status=status, reason=reason) if event.gone:
            return change(facts, gone=max(facts.gone, (event.gone, status)), reasons=_with(facts.reasons, reason))
        case ByHand(status=status, reason=reason):
            return change(facts, marks=_with(facts.marks, f"hand:{status}"), reasons=_with(facts.reasons, reason))
        case _:
            # a cancel's own request events prove nothing about the order
            return facts


def _with_amend(facts: Facts, event: AnyEvent) -> Facts:
    """What an event about a change proves."""
    amends = facts.amends
    match event:
        case Amending():
            amends = marked(amends, event.number, wish=event)
        case Amended(number=0):
            return msgspec.structs.replace(facts, foreign=newest(facts.foreign, event))
        case Amended():
            amends = marked(amends, event.number, "shown")
        case Sending():
            amends = marked(amends, event.number, "sending", expiry_ms=event.expiry_ms)
        case NotSent():
            amends = marked(amends, event.number, "not_sent", reason=event.reason)
        case Refused():
            amends = marked(amends, event.number, "refused", reason=event.reason)
        case Unknown():
            amends = marked(amends, event.number, "unknown", reason=event.reason)
        case Acked():
            amends = marked(amends, event.number, "acked")
        case Absent():
            amends = marked(amends, event.number, "absent")
        case _:
            return facts
    return msgspec.structs.replace(facts, amends=amends)


def _with_fill(facts: Facts, event: FillSeen) -> Facts:
    """Once per trade id. The sums go along and the place is searched by halves: an order may have 10,000 fills."""
    if facts.has_fill(event.trade_id):
        return facts
    place = bisect_left(facts.fills, event.trade_id, key=_trade_id)
    return msgspec.structs.replace(
        facts,
        fills=(*facts.fills[:place], event, *facts.fills[place:]),
        fills_amount=facts.fills_amount + event.amount,
        fills_cost=facts.fills_cost + event.amount * event.price,
        order_ids=_with(facts.order_ids, event.order_id),
        updated_ms=_latest(facts.updated_ms, event.ts_ms),
    )


def _trade_id(fill: FillSeen) -> str:
    return fill.trade_id


def _with(words: tuple[str, ...], word: str | None) -> tuple[str, ...]:
    if not word or word in words:
        return words
    if not words or words[-1] < word:
        return (*words, word)
    return tuple(sorted((*words, word)))


def _most(one: Amount, other: Amount | None) -> Amount:
    """The larger; none counts as zero."""
    return other if other and other > one else one


def _latest(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)
