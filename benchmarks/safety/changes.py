"""Lives of orders that are changed while they trade: what is true of one, and the events by which this side learns of it.

The ledger fills the order, changes it in place (with an answer, with a lost one, refused, never carried out), lets somebody
else change it, and ends it.
"""

from __future__ import annotations

import random

from planar.models import Amount, OrderState
from planar.orders.amends import Terms
from planar.orders.events import (
    Absent,
    Acked,
    Amended,
    Amending,
    AnyEvent,
    FillSeen,
    Intent,
    NotSent,
    Refused,
    Seen,
    Sending,
    Unknown,
)

ENDS = ("acked", "shown", "absent", "refused", "not_sent")
"""What may become of a change; the first two took effect."""


class Life:
    """One order. `act` lets something happen to it.

    Attributes:
        terms, state, fills: what is true.
        events: what is told of it, in the order in which it happened.
    """

    def __init__(self, rng: random.Random, client_id: str, order_id: str) -> None:
        self.terms = Terms(Amount(10), Amount(100))
        self.state = OrderState.OPEN
        self.fills: list[FillSeen] = []
        self.events: list[AnyEvent] = [
            Intent(client_id, 1, symbol="BTC/USDT", side="buy", type="limit", amount=Amount(10), price=Amount(100)),
            Sending(client_id, 2),
            Acked(client_id, 3, order_id=order_id),
        ]
        self._rng = rng
        self._client_id = client_id
        self._order_id = order_id
        self._number = self._effective = 0
        self._now = 3
        self._see()

    @property
    def filled(self) -> Amount:
        """Base amount."""
        return sum((fill.amount for fill in self.fills), Amount(0))

    def act(self) -> None:
        """Something happens, unless the order has ended."""
        self._now += 1
        if self.state is not OrderState.OPEN:
            return
        what = self._rng.choice(("fill", "fill", "amend", "amend", "foreign", "cancel"))
        if what == "fill":
            self._fill()
        elif what == "amend":
            self._amend()
        elif what == "foreign":
            self._foreign()
        elif self._rng.random() < 0.3:
            self.state = OrderState.CANCELED
            self._see()

    def _see(self) -> None:
        cost = sum((fill.amount * fill.price for fill in self.fills), Amount(0))
        self.events.append(
            Seen(
                self._client_id,
                self._now,
                order_id=self._order_id,
                state=self.state.value,
                filled=self.filled,
                cost=cost,
                updated_ms=self._now,
            )
        )

    def _fill(self) -> None:
        assert self.terms.amount is not None
        part = min(Amount(self._rng.randint(1, 4)), Amount(self.terms.amount - self.filled))
        trade = str(len(self.fills) + 1)
        fill = FillSeen(
            self._client_id, self._now, trade_id=trade, order_id=self._order_id, price=Amount(100), amount=part
        )
        self.fills.append(fill)
        if self.filled == self.terms.amount:
            self.state = OrderState.FILLED
        self.events.append(fill)
        self._see()

    def _new_terms(self) -> Terms:
        return Terms(Amount(self.filled + self._rng.randint(1, 12)), Amount(self._rng.randint(80, 99)))

    def _amend(self) -> None:
        self._number += 1
        new, number, who, now = self._new_terms(), self._number, self._client_id, self._now
        self.events += [
            Amending(who, now, number=number, amount=new.amount, price=new.price),
            Sending(who, now, action="amend", number=number, expiry_ms=now),
        ]
        end = self._rng.choice(ENDS)
        if end in ("acked", "shown"):
            self.terms, self._effective = new, number
        if end in ("shown", "absent"):
            self.events.append(Unknown(who, now, action="amend", number=number, reason="timeout"))
        proofs: dict[str, AnyEvent] = {
            "acked": Acked(who, now, action="amend", number=number),
            "shown": Amended(who, now, number=number, amount=new.amount, price=new.price),
            "absent": Absent(who, now, action="amend", number=number, evidence="shown with its old terms"),
            "refused": Refused(who, now, action="amend", number=number, reason="no"),
            "not_sent": NotSent(who, now, action="amend", number=number, reason="no"),
        }
        self.events.append(proofs[end])

    def _foreign(self) -> None:
        self.terms = self._new_terms()
        self.events.append(
            Amended(
                self._client_id,
                self._now,
                after=self._effective,
                amount=self.terms.amount,
                price=self.terms.price,
                at_ms=self._now,
            )
        )


def life(rng: random.Random, client_id: str, order_id: str) -> Life:
    """A whole life, or one that goes on."""
    made = Life(rng, client_id, order_id)
    for _ in range(rng.randint(1, 14)):
        made.act()
    return made
