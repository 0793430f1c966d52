"""Every id of CCXT has a budget, and what each of its methods costs is a number, whatever the parameters."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

import pytest

from planar.adapters.ccxt_seam import seam_class
from planar.adapters.ccxt_tables import endpoint_cost, request_costs
from planar.adapters.exchange_ids import exchange_ids
from planar.adapters.opening import derived_meter
from planar.adapters.profile import load_profile
from planar.transport.budget import Budget
from planar.transport.pool import MeterPool

PARAMS: tuple[dict[str, Any], ...] = (
    {},
    {"limit": 100},
    {"limit": "100"},
    {"limit": None},
    {"limit": 10**9},
    {"symbol": "BTCUSDT", "symbols": None, "coin": "BTC", "poolId": "1", "type": "userRole", "op": None},
)
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")


def endpoints(api: Any, sections: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, str, Any]]:
    """(sections, method, path, configuration) of CCXT's nested table."""
    for name, below in api.items():
        if name.upper() in METHODS:
            for path in below:
                config = below[path] if isinstance(below, dict) else 1
                yield sections, name.upper(), path, config if isinstance(config, dict) else {"cost": config}
        elif isinstance(below, dict):
            yield from endpoints(below, (*sections, name))


@pytest.mark.parametrize("exchange", exchange_ids())
def test_each_method_has_a_cost_on_meters_that_there_are(exchange: str) -> None:
    made: Any = seam_class(exchange)()
    profile = load_profile(exchange)
    budget = Budget(MeterPool(), exchange, "live", "key", profile.meters or (derived_meter(exchange),))
    assert all(limit >= 1 and used == 0 for used, limit in budget.usage().values())
    names, seen = set(budget.usage()), 0
    for sections, method, path, config in endpoints(made.describe()["api"]):
        for params in PARAMS:
            api: Any = list(sections) if len(sections) > 1 else (sections or ("public",))[0]
            cost = endpoint_cost(made.calculate_rate_limiter_cost, api, method, path, params, config)
            assert isfinite(cost)
            assert cost >= 0
            for name, amount in request_costs(profile, (sections or ("public",))[0], method, path, cost):
                assert amount >= 0
                assert not profile.meters or name in names
        seen += 1
    assert seen > 0


def test_the_most_is_taken_where_the_sums_fail() -> None:
    made: Any = seam_class("binance")()
    config = {"cost": 1, "byLimit": [[100, 5], [500, 25], [5000, 250]]}
    known = [
        endpoint_cost(made.calculate_rate_limiter_cost, "public", "GET", "depth", {"limit": limit}, config)
        for limit in (100, 500, "100", None)
    ]
    assert known == [5, 25, 250, 250]
