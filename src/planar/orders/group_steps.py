"""What is to be done next about linked orders that this program links: pure, by what is known of each.

An emulated pair is two orders at the venue. The rules are those of a venue that links them itself:

| known                                             | next                       |
|---------------------------------------------------|----------------------------|
| of one nobody knows yet whether it exists         | wait                       |
| one has traded, the other stands untouched        | cancel the other           |
| one has ended, the other stands untouched         | cancel the other           |
| one stands, the other never reached the venue     | send the other             |
| both have ended                                   | done; both may have traded |

An emulated bracket begins with its entry: while that stands, wait; when it has ended with a fill, send the exits for what it
filled, then as above. Of its exits the one that stops losses comes first, and is kept even if the other is refused.

Whatever died at whatever moment: the same facts lead to the same step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from planar.models import Amount, OrderState
from planar.models.groups import Contingency, Role
from planar.orders.machine import FINAL, Facts, state_of

EXITS: tuple[Role, Role] = ("stop_loss", "take_profit")
"""In the order in which they are sent."""


class Leg(msgspec.Struct, frozen=True):
    """One order of a group, as far as it matters here.

    Attributes:
        never: it is certain that it never reached the venue's books, and the venue did not refuse it.
        refused: the venue refused it.
    """

    client_id: str
    state: OrderState
    filled: Amount
    never: bool
    refused: bool

    @property
    def live(self) -> bool:
        """It stands."""
        return self.state is OrderState.OPEN

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it."""
        return self.state in FINAL

    @property
    def traded(self) -> bool:
        """Any of it has."""
        return self.filled > 0 or self.state is OrderState.FILLED


def leg_of(facts: Facts) -> Leg:
    """What of an order matters here."""
    state, marks = state_of(facts), facts.marks
    refused = "refused" in marks or "rejected" in marks
    unsent = state is OrderState.REJECTED and "not_sent" in marks and not refused
    return Leg(facts.client_id, state, facts.filled, unsent or state is OrderState.NEVER_ACCEPTED, refused)


class Step(msgspec.Struct, frozen=True):
    """What is to be done.

    Attributes:
        do: "wait" for something to change; "cancel" the order `client_id`; "send" the order of `role`; "done": `note`
            says how it ended.
        alarm: somebody should know how it ended.
    """

    do: Literal["wait", "cancel", "send", "done"]
    client_id: str = ""
    role: Role | None = None
    note: str = ""
    alarm: bool = False


WAIT = Step("wait")


def next_step(contingency: Contingency, legs: Mapping[Role, Leg], *, closing: bool = False) -> Step:
    """What is to be done next about an emulated group.

    Args:
        legs: of each role the order that was sent last.
        closing: the group is to end: what stands is canceled, nothing more is sent.
    """
    if any(leg.state in (OrderState.UNKNOWN, OrderState.PENDING) for leg in legs.values()):
        return WAIT
    if closing:
        return _closed(legs)
    entry = legs.get("entry")
    if contingency == "bracket":
        if entry is None or entry.live:
            return WAIT
        if not entry.traded:
            return Step("done", note="the entry ended without a fill")
    return _exits(contingency, legs.get("stop_loss"), legs.get("take_profit"))


def _closed(legs: Mapping[Role, Leg]) -> Step:
    for leg in legs.values():
        if leg.live:
            return Step("cancel", client_id=leg.client_id)
    return _ended(legs.get("stop_loss"), legs.get("take_profit"))


def _exits(contingency: Contingency, loss: Leg | None, profit: Leg | None) -> Step:
    if contingency == "bracket" and _missing(loss) and _missing(profit):
        return Step("send", role="stop_loss")
    pairs: tuple[tuple[Leg | None, Leg | None, Role], ...] = (
        (loss, profit, "take_profit"),
        (profit, loss, "stop_loss"),
    )
    for one, other, role in pairs:
        if one is None or _missing(one):
            continue
        if one.live and not one.traded and _missing(other):
            return Step("send", role=role)
        keeps = contingency == "bracket" and one.refused
        if other is not None and other.live and not other.traded and (one.traded or one.ended) and not keeps:
            return Step("cancel", client_id=other.client_id)
    if any(leg is not None and leg.live and not _alone(leg, loss, profit) for leg in (loss, profit)):
        return WAIT
    return _ended(loss, profit)


def _alone(leg: Leg, loss: Leg | None, profit: Leg | None) -> bool:
    """Its partner was refused: nothing is linked to it any more."""
    other = profit if leg is loss else loss
    return other is not None and other.refused and not leg.traded


def _missing(leg: Leg | None) -> bool:
    return leg is None or leg.never


def _ended(loss: Leg | None, profit: Leg | None) -> Step:
    traded = [name for name, leg in zip(EXITS, (loss, profit), strict=True) if leg is not None and leg.traded]
    refused = [name for name, leg in zip(EXITS, (loss, profit), strict=True) if leg is not None and leg.refused]
    if len(traded) == 2:
        return Step("done", note="both exits traded", alarm=True)
    if refused:
        return Step("done", note=f"the exchange refused {' and '.join(refused)}", alarm=True)
    return Step("done", note=f"{traded[0]} traded" if traded else "neither exit traded")
