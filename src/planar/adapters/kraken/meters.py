"""Kraken's limits (documentation: Spot REST rate limits, Spot trading rate limits; the lowest tier of a key).

The venue's counters decay; the sliding windows here allow no more than they do. A private call costs 1 on the key's
counter (CCXT says 3), a query of history 2; orders count on the matching engine's counter instead.
"""

from planar.transport.budget import MeterSpec

METERS = (
    MeterSpec("public", 5, 5_000),
    MeterSpec("private", 15, 45_000, scope="key"),
    MeterSpec("trading", 60, 60_000, scope="key"),
)

COSTS = {"public": ("public", 1.0), "private": ("private", 1 / 3)}

ORDER_METERS = ("trading",)

ORDER_ENDPOINTS = frozenset(
    {("POST", path) for path in ("AddOrder", "AmendOrder", "EditOrder", "CancelOrder", "AddOrderBatch")}
)

READS = frozenset(
    ("POST", path)
    for path in (
        "Balance",
        "BalanceEx",
        "CreditLines",
        "TradeBalance",
        "OpenOrders",
        "ClosedOrders",
        "QueryOrders",
        "OrderAmends",
        "TradesHistory",
        "QueryTrades",
        "OpenPositions",
        "Ledgers",
        "QueryLedgers",
        "TradeVolume",
        "GetWebSocketsToken",
        "DepositMethods",
        "DepositStatus",
        "WithdrawMethods",
        "WithdrawAddresses",
        "WithdrawInfo",
        "WithdrawStatus",
        "GetApiKeyInfo",
    )
)
"""Kraken asks for everything private by POST; these change nothing."""
