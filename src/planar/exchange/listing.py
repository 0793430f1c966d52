"""What a list of markets says about its markets: which trade, which are about to end, which are leveraged tokens.

Pure: markets go in, markets come out. `planar.exchange.finding` asks what has to be asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias, cast

from planar.models import Market
from planar.models.money import TradingFee

Standing: TypeAlias = Literal["trading", "delisting", "inactive", "unknown"]
"""`trading`: it trades. `delisting`: the exchange says in its market's own fields that it will end, or takes only what
closes. `inactive`: it does not trade now. `unknown`: the exchange does not say whether it trades."""
Tokens: TypeAlias = Literal["no", "yes", "only"]
"""Leveraged tokens: left out, like any other, or nothing else."""

_ENDS: Final = re.compile(r"delist|off_?(time|line)", re.IGNORECASE)
"""A field of this name tells of an end, if it says anything."""
_ENDING: Final = re.compile(r"delist|pre-?offline|(cancel|reduce|close)[-_ ]?only", re.IGNORECASE)
"""A word of a market's state that tells of an end."""
_STATES: Final = re.compile(r"^(trade_?)?(status|state)$", re.IGNORECASE)
_NOTHING: Final = frozenset({"", "0", "-1", "none", "null", "false", "no", "normal"})
_TOKEN: Final = re.compile(r"^(?P<base>.+?)(?:[1-9]\d?[LS]|UP|DOWN|BULL|BEAR|HALF|HEDGE)$")
"""BTC3L, ETH5S, BTCUP, ETHBEAR: a share in a fund that holds a multiple of the base, long or short."""


def bases_of(markets: Iterable[Market]) -> frozenset[str]:
    """The base currencies of markets: what a leveraged token can be a multiple of."""
    return frozenset(market.base for market in markets)


def is_leveraged_token(market: Market, bases: frozenset[str]) -> bool:
    """Whether a spot market trades a leveraged token: its base is another listed base with an ending that says how much.

    Without that other base it is a currency that only ends so, as JUP does.
    """
    found = _TOKEN.match(market.base) if market.spot else None
    return found is not None and found["base"] in bases


def standing(market: Market, now_ms: int) -> Standing:
    """Whether a market trades, and for how long.

    Args:
        now_ms: the time by which an expiry has passed.
    """
    if market.active is False or (market.expiry_ms is not None and market.expiry_ms <= now_ms):
        return "inactive"
    told: object = market.info
    if isinstance(told, dict) and ends(cast("dict[str, Any]", told)):
        return "delisting"
    return "unknown" if market.active is None else "trading"


def ends(raw: Mapping[str, Any]) -> bool:
    """Whether the exchange's own fields of a market say that it will end."""
    for name, value in raw.items():
        text = str(value).strip().lower()
        if _ENDS.search(name) and text not in _NOTHING:
            return True
        if _STATES.match(name) and _ENDING.search(text):
            return True
    return False


def tradable(
    markets: Iterable[Market],
    now_ms: int,
    *,
    base: str | None = None,
    quote: str | None = None,
    type: str | None = "spot",
    leveraged_tokens: Tokens = "no",
    delisting: bool = False,
) -> list[Market]:
    """Markets that can be traded, by symbol in alphabetical order.

    Args:
        base, quote: of these currencies only.
        type: "spot", "swap", "future" or "option"; None: any.
        leveraged_tokens: see `Tokens`.
        delisting: those that will end too.
    """
    listed = list(markets)
    bases, stands = bases_of(listed), {"trading", "unknown", *(("delisting",) if delisting else ())}
    found: list[Market] = []
    for market in listed:
        fits = base in (None, market.base) and quote in (None, market.quote) and type in (None, market.type)
        if not fits or market.index or standing(market, now_ms) not in stands:
            continue
        token = is_leveraged_token(market, bases)
        if leveraged_tokens == "yes" or token == (leveraged_tokens == "only"):
            found.append(market)
    return sorted(found, key=lambda market: market.symbol)


def ranked_fees(fees: Mapping[str, TradingFee], *, maker: bool = False) -> list[tuple[str, TradingFee]]:
    """Fees of one market on several exchanges, the lowest first: (exchange, fee).

    Args:
        fees: by exchange, as `group.each(lambda one: one.fetch_trading_fee(symbol))` has them.
        maker: by what a maker pays, and not a taker.
    """
    return sorted(fees.items(), key=lambda one: (one[1].maker if maker else one[1].taker, one[0]))
