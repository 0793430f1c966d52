"""The kinds of orders of a paper account: those of the exchange, as far as they can be simulated."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from planar.adapters.kinds import CANCEL_THEN_NEW, ORDER_KINDS, KindRow, KindTable

SIMULATED: Final = (
    *("limit", "market", "market_cost", "post_only", "ioc", "fok", "gtd"),
    *("stop", "stop_limit", "take_profit", "take_profit_limit"),
)
LINKED: Final = ("oco", "bracket")
PAIR: Final = (
    "two orders of which this program cancels one when the other trades or ends: "
    "only while it runs, with funds for both"
)
SOURCE: Final = "planar.paper"


def paper_kinds(venue: KindTable, *, spot: bool) -> dict[str, KindRow]:
    """The table of a market.

    Args:
        venue: what the exchange itself does about each kind there.
        spot: it is a spot market.
    """
    return {kind: _row(kind, venue.get(kind), spot) for kind in ORDER_KINDS}


def _row(kind: str, venue: KindRow | None, spot: bool) -> KindRow:
    if not spot:
        return KindRow(
            "refused", "paper accounts hold no positions: margin and funding are not simulated", source=SOURCE
        )
    if venue is None:
        return KindRow("refused", "the exchange does not list it for this market", source=SOURCE)
    if kind == "replace":
        return KindRow("emulated", CANCEL_THEN_NEW, source=SOURCE)
    if venue.how == "refused":
        return venue
    if kind in LINKED:
        return KindRow("emulated", PAIR, source=SOURCE)
    if kind in SIMULATED:
        return replace(venue, params={})
    return KindRow("refused", "paper accounts do not follow a price", source=SOURCE)
