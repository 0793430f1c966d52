"""How an order that stands becomes another: changed in place, or replaced. Pure; the venue's tables decide.

A plan is made from the order as it is known and as it is wished. In place only orders of the journal are changed, since
what becomes of a change is journaled with the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from planar.adapters.base import OrderRequest
from planar.adapters.profile import AmendRule, Profile
from planar.models import Amount, Market, Order
from planar.orders.amends import Terms
from planar.orders.preview import Preview
from planar.transport.writes import VenueRequest

ZERO = Amount(0)


class EditPreview(Preview, frozen=True, kw_only=True):
    """A change that was not sent: the order as it would be, and how it would become so.

    Attributes:
        how: "in_place": it stays the same order; "replace": a new order of what has not traded comes in its place.
        before: the order as it is.
        keeps_place: it keeps its place in the queue of its price, for certain; None: the exchange keeps it where it can.
    """

    how: Literal["in_place", "replace"]
    before: Order
    keeps_place: bool | None


class Plan(msgspec.Struct, frozen=True):
    """What is to be done.

    Attributes:
        before: the order as it is.
        client_id: its client id, if it is one of the journal's.
        whole: the whole order as it is wished.
        in_place: the venue changes it in place.
        replaces: the venue replaces an order by one request.
    """

    before: Order
    client_id: str | None
    whole: OrderRequest
    in_place: bool
    replaces: bool

    @property
    def terms(self) -> Terms:
        """Amount and prices as they are wished."""
        return Terms(self.whole.amount, self.whole.price, self.whole.stop_price)

    @property
    def filled(self) -> Amount:
        """What had traded when the plan was made."""
        return self.before.filled or ZERO

    @property
    def wanted(self) -> str:
        """What is to be changed, in words."""
        changed = [name for name, one in _changed(self.before, self.terms).items() if one]
        return f"change the {' and the '.join(changed)}"

    def preview(self, found: Preview, request: VenueRequest | None) -> EditPreview:
        """With the surroundings; `request` stands for that of a change in place."""
        fields = {name: getattr(found, name) for name in found.__struct_fields__}
        if self.in_place:
            fields["request"] = request
        same_price = self.terms.price == self.before.price
        smaller = self.terms.amount is not None and self.before.amount is not None
        smaller = smaller and (self.terms.amount or ZERO) <= (self.before.amount or ZERO)
        keeps = (True if same_price and smaller else None) if self.in_place else False
        return EditPreview(
            **fields, how="in_place" if self.in_place else "replace", before=self.before, keeps_place=keeps
        )


def planned(before: Order, client_id: str | None, whole: OrderRequest, market: Market, profile: Profile) -> Plan:
    """The plan for an order to become `whole`."""
    rule, spot = profile.amend, market.type == "spot"
    own = client_id is not None or profile.client_id.made(before.client_order_id or "")
    terms = Terms(whole.amount, whole.price, whole.stop_price)
    in_place = rule is not None and spot and own and _fits(rule, before, terms, market)
    return Plan(before, client_id, whole, in_place, spot and profile.replace is not None)


def _changed(before: Order, terms: Terms) -> dict[str, bool]:
    return {
        "amount": terms.amount != before.amount,
        "price": terms.price != before.price,
        "trigger price": terms.stop_price != before.trigger_price,
    }


def _fits(rule: AmendRule, before: Order, terms: Terms, market: Market) -> bool:
    """Whether the venue changes in place what is to be changed."""
    changed = _changed(before, terms)
    if rule.allowed is not None and not rule.allowed(market.info or {}):
        return False
    if (changed["price"] and not rule.price) or (changed["trigger price"] and not rule.stop_price):
        return False
    known = before.amount is not None and terms.amount is not None
    return known and (rule.amount == "any" or (terms.amount or ZERO) < (before.amount or ZERO))


def replacement(plan: Plan, profile: Profile) -> OrderRequest:
    """The order that comes in the old one's place: of what of it has not traded."""
    whole, rule = plan.whole, profile.replace
    guard: Mapping[str, Any] = {} if rule is None or plan.filled else rule.unfilled
    amount = None if whole.amount is None else Amount(whole.amount - plan.filled)
    return msgspec.structs.replace(whole, amount=amount, replaces=plan.before.id, params={**whole.params, **guard})
