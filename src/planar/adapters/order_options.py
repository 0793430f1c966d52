"""Parameters of an order beside its kind: CCXT's unified words, the venue's own, and which of them may be sent.

What an order is asked to be either reaches the venue, or the order is refused. Three tests, from the cheapest on:

1. the words of `NEVER` are refused everywhere;
2. where a venue's documentation was read (`Profile.order_params`), a name that it does not have is refused, unless the call
   forces it with `raw`;
3. before a parameter leaves for the first time, CCXT is asked for its request with and without it; if that is the same, CCXT
   drops it (`planar.adapters.ccxt_carrying`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from planar.adapters.profile import Profile
from planar.config.suggest import did_you_mean
from planar.errors import BadRequest, NotSupported, Outcome
from planar.models import Market

UNIFIED_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "reduceOnly": (),
    "hedged": ("hedged",),
    "leverage": ("leverage",),
    "marginMode": ("marginMode",),
    "selfTradePrevention": ("selfTradePrevention",),
    "icebergAmount": ("icebergAmount", "iceberg"),
    "triggerDirection": ("triggerDirection",),
    "triggerPriceType": ("triggerPriceType",),
}
"""CCXT's word -> CCXT's features of `createOrder` of which one must list it; none: nothing lists it."""
NEVER: Final[Mapping[str, tuple[str, str]]] = {
    "trailingTriggerPrice": (
        "a price at which a trailing stop only begins to follow",
        "an order waits for one thing: leave it out, or send the trailing stop when the price is there",
    ),
    "test": ("a test order, which would stand in the journal and be none", "preview_order shows it; nothing is sent"),
    "validate": (
        "a test order, which would stand in the journal and be none",
        "preview_order shows it; nothing is sent",
    ),
}
"""Parameter -> (what it would make of an order, what to do instead)."""


def known_params(profile: Profile, market: Market | None) -> frozenset[str] | None:
    """The venue's own parameters of a new order, by its documentation; None: nobody here has read it for this market."""
    read = bool(profile.order_params) and (market is None or market.type == "spot")
    return profile.order_params if read else None


def check_params(params: Mapping[str, Any], profile: Profile, market: Market, forced: Iterable[str] = ()) -> None:
    """Refuse parameters of a new order that cannot be meant.

    Args:
        forced: names that the caller passes on, whatever is known of them.

    Raises:
        NotSupported, BadRequest: both NOT_SENT.
    """
    for name in params:
        if name in NEVER:
            what, instead = NEVER[name]
            raise NotSupported(f"{name} would make {what}", exchange=profile.id, outcome=Outcome.NOT_SENT, hint=instead)
    if params.get("reduceOnly") and not market.contract and not params.get("marginMode"):
        raise NotSupported(
            f"{market.symbol} is a spot market: it has no positions that an order could reduce",
            exchange=profile.id,
            outcome=Outcome.NOT_SENT,
            hint="leave reduceOnly out; with borrowed money say marginMode too",
        )
    known = known_params(profile, market)
    if known is None:
        return
    held = set(forced)
    for name in params:
        if name not in known and name not in UNIFIED_OPTIONS and name not in held:
            near = did_you_mean(name, [*sorted(known), *UNIFIED_OPTIONS])
            raise BadRequest(
                f"{name} is no parameter of a new order that is known here",
                exchange=profile.id,
                outcome=Outcome.NOT_SENT,
                hint=f"{near or 'known are ' + ', '.join([*sorted(known), *UNIFIED_OPTIONS])}; "
                f"raw={{{name!r}: ...}} passes it on all the same",
            )


def unverified(params: Mapping[str, Any], profile: Profile, market: Market) -> tuple[str, ...]:
    """Parameters of which nobody here knows what the venue makes of them."""
    known = known_params(profile, market) or frozenset()
    return tuple(name for name in params if name not in known and name not in UNIFIED_OPTIONS)


def check_listed(name: str, feature: Callable[..., Any], exchange: str, symbol: str) -> None:
    """Refuse a unified word that CCXT does not list for a market.

    Args:
        feature: CCXT's value of a feature of `createOrder`, by its path.

    Raises:
        NotSupported: NOT_SENT.
    """
    wanted = UNIFIED_OPTIONS.get(name, ())
    if wanted and not any(feature(one) for one in wanted):
        raise NotSupported(
            f"{name} is not offered for {symbol}: CCXT does not list it",
            exchange=exchange,
            outcome=Outcome.NOT_SENT,
            hint="leave it out, or give the exchange's own parameter",
        )


def would_not_arrive(what: str, exchange: str) -> NotSupported:
    """The refusal of something that CCXT drops."""
    return NotSupported(
        f"{what} of this order would not reach the exchange: CCXT sends the same request without it",
        exchange=exchange,
        outcome=Outcome.NOT_SENT,
        hint="leave it out, or give the exchange's own parameters in params",
    )
