"""Linked orders: which group an order belongs to, and as what. Journaled with the order's intent."""

from __future__ import annotations

from typing import Literal

import msgspec

from planar.models.amount import Amount

Contingency = Literal["oco", "bracket"]
"""`oco`: two exits of which one cancels the other. `bracket`: an entry, and the exits that its fill starts."""

Role = Literal["entry", "take_profit", "stop_loss"]


class ExitPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """An exit of an emulated bracket, which is sent when the entry has filled.

    Attributes:
        type: "limit" or "market".
        price: limit price.
        stop_price: trigger price; None: it rests in the book.
    """

    role: Role
    type: str
    price: Amount | None = None
    stop_price: Amount | None = None


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order's place in a group of linked orders.

    Attributes:
        group: the group's id.
        role: what the order is in it.
        emulated: this program links them, and not the venue.
        exits: of the entry of an emulated bracket: the exits to come.
    """

    group: str
    contingency: Contingency
    role: Role
    emulated: bool = False
    exits: tuple[ExitPlan, ...] = ()
