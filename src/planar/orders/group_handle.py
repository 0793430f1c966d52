"""`OrderGroup`: linked orders, each with its own handle."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import planar.runtime as runtime
from planar.models import OrderState
from planar.models.groups import Contingency, Role
from planar.orders.handle import FIRST_POLL_S, LONGEST_POLL_S, OrderHandle

if TYPE_CHECKING:
    from planar.orders.groups import Groups

EMULATED = (
    "emulated: this program links the orders, and only while it runs; after a restart the first command that orders "
    "resumes it; both exits may trade before a cancel arrives"
)


class OrderGroup:
    """Linked orders of this journal: an OCO pair, or a bracket.

    Attributes:
        id: the client id of its first order.
    """

    __slots__ = ("_groups", "id")

    def __init__(self, groups: Groups, group: str) -> None:
        self._groups = groups
        self.id = group

    @property
    def contingency(self) -> Contingency:
        """`oco` or `bracket`."""
        return self._groups.contingency(self.id)

    @property
    def emulated(self) -> bool:
        """This program links the orders, and not the venue."""
        return self._groups.is_emulated(self.id)

    @property
    def guarded(self) -> bool:
        """An emulated group that this program is looking after now."""
        return self._groups.is_guarded(self.id)

    @property
    def note(self) -> str:
        """What to know about it: that it is emulated, and how it ended."""
        ended = self._groups.ending(self.id)
        return "; ".join(word for word in (EMULATED if self.emulated else "", ended) if word)

    @property
    def legs(self) -> Mapping[Role, OrderHandle]:
        """The orders by what they are; exits of an emulated bracket come when its entry has filled."""
        return self._groups.handles(self.id)

    @property
    def entry(self) -> OrderHandle | None:
        """The entry of a bracket."""
        return self.legs.get("entry")

    @property
    def take_profit(self) -> OrderHandle | None:
        """The exit at the better price."""
        return self.legs.get("take_profit")

    @property
    def stop_loss(self) -> OrderHandle | None:
        """The exit at the worse price."""
        return self.legs.get("stop_loss")

    @property
    def both_filled(self) -> bool:
        """Both exits traded: it can happen where this program links them."""
        return sum(bool(leg.snapshot.filled) for role, leg in self.legs.items() if role != "entry") == 2

    @property
    def is_done(self) -> bool:
        """Nothing more will happen to any of the orders, and none is to come."""
        return self._groups.is_done(self.id)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for printing."""
        return {
            "id": self.id,
            "contingency": self.contingency,
            "emulated": self.emulated,
            "note": self.note,
            "legs": {role: leg.snapshot for role, leg in self.legs.items()},
        }

    def __repr__(self) -> str:
        legs = ", ".join(f"{role}: {leg.snapshot.state.value}" for role, leg in self.legs.items())
        return f"OrderGroup({self.id!r}, {self.contingency}{', emulated' if self.emulated else ''}, {legs})"

    async def settled(self, timeout: float | None = None) -> OrderGroup:
        """Wait until nothing more will happen to the group.

        Raises:
            TimeoutError: it is still under way after `timeout` seconds.
        """
        pause_s = FIRST_POLL_S
        async with asyncio.timeout(timeout):
            while not self.is_done:
                if await self._groups.changed_within(self.id, pause_s):
                    pause_s = FIRST_POLL_S
                elif not self.emulated:  # the guard asks for the orders of one that is
                    pause_s = min(pause_s * 1.5, LONGEST_POLL_S)
                    await self._groups.look_at(self.id)
        return self

    async def resolved(self, timeout: float | None = None) -> OrderGroup:
        """Wait until it is known of each of the orders whether it exists.

        Raises:
            OrderUnknown: after `timeout` seconds it is still not.
        """
        started = runtime.monotonic()
        for leg in self.legs.values():
            if leg.snapshot.state is OrderState.UNKNOWN:
                left_s = None if timeout is None else max(0.0, timeout - (runtime.monotonic() - started))
                await leg.resolved(left_s)
        return self
