"""Client ids and the expiry of signed requests (documentation: New order; Timing security)."""

from planar.adapters.profile import ClientIdRule, ExpiryRule

CLIENT_ID = ClientIdRule(length=36, param="newClientOrderId", query_param="origClientOrderId", unique="open")
"""`newClientOrderId` is 1 to 36 of [.A-Z:/a-z0-9_-]; unique among open orders only."""

EXPIRY = ExpiryRule(
    enforced=True,
    window_ms=5_000,
    param="recvWindow",
    settle_ms=1_000,
    reach_days=90,
    reach_source="Binance spot REST API, Query order: orders that ended without a fill are archived after 90 days",
    source="Binance spot REST API, Timing security: a request is refused when it arrives after timestamp + recvWindow, "
    "checked again before it is given to the matching engine",
)
