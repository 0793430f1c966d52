"""Client ids and the deadline of orders (documentation: Add Order, `cl_ord_id` and `deadline`)."""

from planar.adapters.profile import ClientIdRule, ExpiryRule

CLIENT_ID = ClientIdRule(length=18, param="clientOrderId", search_param="clientOrderId", unique="open")
"""`cl_ord_id` is a UUID, or free text of at most 18 ASCII characters; unique among the client's open orders.

OpenOrders and ClosedOrders take it as a filter (documentation: Get Open Orders, Get Closed Orders); QueryOrders does not.
"""

EXPIRY = ExpiryRule(
    enforced=True,
    window_ms=5_000,
    param="deadline",
    as_time=True,
    settle_ms=2_000,
    reach_source="Kraken Get Closed Orders: pages of 50, no limit of age is stated",
    source="Kraken Add Order: `deadline` is the time after which the matching engine rejects the new order request",
)
