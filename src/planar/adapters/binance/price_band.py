"""How far a limit price may be from the market, out of the filters that a market of Binance lists.

Source: Binance, Filters, PERCENT_PRICE and PERCENT_PRICE_BY_SIDE; the reference is the mean price of `avgPriceMins`
minutes, or the last price where that is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from planar.models import Amount
from planar.models.market import PriceBand


def price_band(listed: Mapping[str, Any]) -> PriceBand | None:
    """The band of a market as `exchangeInfo` lists it; None if it has none."""
    for one in cast("list[dict[str, Any]]", listed.get("filters") or []):
        match one.get("filterType"):
            case "PERCENT_PRICE_BY_SIDE":
                return PriceBand(
                    buy_min=_bound(one, "bidMultiplierDown"),
                    buy_max=_bound(one, "bidMultiplierUp"),
                    sell_min=_bound(one, "askMultiplierDown"),
                    sell_max=_bound(one, "askMultiplierUp"),
                )
            case "PERCENT_PRICE":
                low, high = _bound(one, "multiplierDown"), _bound(one, "multiplierUp")
                return PriceBand(low, high, low, high)
            case _:
                pass
    return None


def _bound(listed: Mapping[str, Any], name: str) -> Amount | None:
    value = listed.get(name)
    return Amount(value) if value else None
