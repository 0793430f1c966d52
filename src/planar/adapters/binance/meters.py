"""Binance's limits (documentation: LIMITS; `rateLimits` of exchangeInfo) and what each request costs on them.

CCXT's cost of an endpoint is the documented weight divided by 5 (spot), by 10 (sapi) or by 1 (futures).
"""

from planar.transport.meters import MeterSpec

METERS = (
    MeterSpec("weight", 6_000, 60_000, "fixed", header="X-MBX-USED-WEIGHT-1M"),
    MeterSpec("raw", 61_000, 300_000, "fixed"),
    MeterSpec("sapi", 12_000, 60_000, "fixed"),
    MeterSpec("fapi", 2_400, 60_000, "fixed"),
    MeterSpec("dapi", 2_400, 60_000, "fixed"),
    MeterSpec("eapi", 400, 60_000, "fixed"),
    MeterSpec("papi", 6_000, 60_000, "fixed"),
    MeterSpec("orders_10s", 100, 10_000, "fixed", scope="key", header="X-MBX-ORDER-COUNT-10S", cancels=False),
    MeterSpec("orders_day", 200_000, 86_400_000, "fixed", scope="key", header="X-MBX-ORDER-COUNT-1D", cancels=False),
)
"""All windows begin on Binance's clock: a minute at its full minute (documentation: LIMITS)."""

KEY_STOPS = frozenset({"-1015"})
"""Refusals that concern the orders of an account, though they have the status 429."""

COSTS = {
    "public": ("weight", 5.0),
    "private": ("weight", 5.0),
    "v1": ("weight", 5.0),
    "sapi": ("sapi", 10.0),
    "sapiV2": ("sapi", 10.0),
    "sapiV3": ("sapi", 10.0),
    "sapiV4": ("sapi", 10.0),
    "fapiPublic": ("fapi", 1.0),
    "fapiPublicV2": ("fapi", 1.0),
    "fapiPublicV3": ("fapi", 1.0),
    "fapiPrivate": ("fapi", 1.0),
    "fapiPrivateV2": ("fapi", 1.0),
    "fapiPrivateV3": ("fapi", 1.0),
    "fapiData": ("fapi", 1.0),
    "dapiPublic": ("dapi", 1.0),
    "dapiPrivate": ("dapi", 1.0),
    "dapiPrivateV2": ("dapi", 1.0),
    "dapiData": ("dapi", 1.0),
    "eapiPublic": ("eapi", 1.0),
    "eapiPrivate": ("eapi", 1.0),
    "papi": ("papi", 5.0),
    "papiV2": ("papi", 5.0),
}

REQUEST_METERS = ("raw",)

ORDER_METERS = ("orders_10s", "orders_day")

ORDERS_IN = {("POST", "orderList/oco"): 2, ("POST", "orderList/oto"): 2, ("POST", "orderList/otoco"): 3}
"""How many orders one request places."""

ORDER_ENDPOINTS = frozenset({("POST", "order"), ("POST", "order/cancelReplace"), ("POST", "sor/order"), *ORDERS_IN})

READS = frozenset(
    {
        ("POST", "order/test"),
        ("POST", "userDataStream"),
        ("PUT", "userDataStream"),
        ("DELETE", "userDataStream"),
        ("POST", "listenKey"),
        ("PUT", "listenKey"),
        ("DELETE", "listenKey"),
    }
)
"""Requests that are no GET and change nothing of worth."""

EMPTY_ANSWERS = frozenset(
    {("GET", "ping"), ("POST", "order/test"), ("PUT", "userDataStream"), ("DELETE", "userDataStream")}
)
"""Requests that are answered with `{}` when all is well."""
