"""Linked orders that a venue places by one request, as a venue's package describes it: `Profile.linked`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from planar.models.groups import Contingency, Role

if TYPE_CHECKING:
    from planar.adapters.base import OrderRequest


class LinkedRequest(msgspec.Struct, frozen=True):
    """Orders of one market that hang together, complete and validated, each with its client id and its `member`."""

    contingency: Contingency
    legs: tuple[OrderRequest, ...]

    @property
    def by_role(self) -> dict[Role, OrderRequest]:
        """The orders by what they are."""
        return {leg.member.role: leg for leg in self.legs if leg.member is not None}


class LinkedRule(msgspec.Struct, frozen=True):
    """How a venue takes linked orders.

    Attributes:
        request: (orders, the venue's id of the market, how an amount is told) -> CCXT's method of the venue's own call,
            and its parameters.
        reports: its answer -> the venue's own report of each order.
        entry_types: types that the entry of a bracket may have.
        source: where the venue says so.
    """

    request: Callable[[LinkedRequest, str, Callable[[Any], str]], tuple[str, dict[str, Any]]]
    reports: Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]]]
    entry_types: tuple[str, ...] = ("limit", "market")
    source: str = ""
