"""The hosts of the derivatives: they are there, and have no market (so that clients which load all markets go on)."""

from __future__ import annotations

from typing import Any, Final

from planar.venue import clock
from planar.venue.wire.binance.desk import Call, Desk, Endpoint, Handler
from planar.venue.wire.binance.market_data import ping, time

WEIGHT_LIMITS: Final = {"fapi": 2_400, "dapi": 2_400, "eapi": 400}


def _rate_limits(prefix: str) -> list[dict[str, Any]]:
    return [
        {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": WEIGHT_LIMITS[prefix],
        },
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1_200},
    ]


def _linear(desk: Desk, call: Call) -> Any:
    """GET /fapi/v1/exchangeInfo."""
    return {
        "timezone": "UTC",
        "serverTime": clock.wall_ms(),
        "futuresType": "U_MARGINED",
        "rateLimits": _rate_limits("fapi"),
        "exchangeFilters": [],
        "assets": [],
        "symbols": [],
    }


def _inverse(desk: Desk, call: Call) -> Any:
    """GET /dapi/v1/exchangeInfo."""
    return {
        "timezone": "UTC",
        "serverTime": clock.wall_ms(),
        "rateLimits": _rate_limits("dapi"),
        "exchangeFilters": [],
        "symbols": [],
    }


def _options(desk: Desk, call: Call) -> Any:
    """GET /eapi/v1/exchangeInfo."""
    return {
        "timezone": "UTC",
        "serverTime": clock.wall_ms(),
        "optionContracts": [],
        "optionAssets": [],
        "optionSymbols": [],
        "rateLimits": _rate_limits("eapi"),
    }


_EXCHANGE_INFO: Final[dict[str, Handler]] = {"fapi": _linear, "dapi": _inverse, "eapi": _options}

ROUTES: Final[dict[tuple[str, str], Endpoint]] = {
    ("GET", f"/{prefix}/v1/{name}"): Endpoint(handler, 0)
    for prefix, info in _EXCHANGE_INFO.items()
    for name, handler in (("ping", ping), ("time", time), ("exchangeInfo", info))
}
