"""Which markets several exchanges have in common. Pure; `Group.cross_match` gives it what is listed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from planar.models import Market


class Matched(msgspec.Struct, frozen=True):
    """One market on several exchanges.

    Attributes:
        symbol: unified.
        base, quote: its currencies.
        markets: exchange -> the market as it is listed there.
    """

    symbol: str
    base: str
    quote: str
    markets: dict[str, Market]

    @property
    def exchanges(self) -> tuple[str, ...]:
        """Who lists it."""
        return tuple(self.markets)


def matched(
    listed: Mapping[str, Mapping[str, Market]], *, base: str | None, quote: str | None, type: str, least: int
) -> dict[str, Matched]:
    """Markets that trade on at least `least` exchanges, by symbol in alphabetical order."""
    found: dict[str, dict[str, Market]] = {}
    for exchange, markets in listed.items():
        for market in markets.values():
            fits = base in (None, market.base) and quote in (None, market.quote) and market.type == type
            if fits and market.active is not False:
                found.setdefault(market.symbol, {})[exchange] = market
    return {
        symbol: Matched(symbol, (first := next(iter(where.values()))).base, first.quote, where)
        for symbol, where in sorted(found.items())
        if len(where) >= least
    }
