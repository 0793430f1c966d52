"""Kraken's limits (documentation: Spot REST rate limits, Spot trading rate limits; the lowest tier of a key).

Both private counters decay. The call counter is the key's; a query costs 1, one of history 2, orders nothing. The
trading counter is kept for each pair: an order costs 1, a change or a cancel more the younger the order is, and a
cancel is counted but never refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import planar.runtime as runtime
from planar.transport.meters import MeterSpec

METERS = (
    MeterSpec("public", 5, 5_000, cancels=False),
    MeterSpec("private", 15, kind="decaying", decay_per_s=0.33, scope="key", cancels=False),
    MeterSpec("trading", 60, kind="decaying", decay_per_s=1.0, scope="key", cancels=False),
)

COSTS = {"public": ("public", 1.0), "private": ("private", 1 / 3)}
"""CCXT counts a private query as 3."""

COSTLIER = {"QueryLedgers": 2.0}
"""Queries of history that CCXT counts as plain ones."""

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

AGES_S = (5, 10, 15, 45, 90, 300)
CANCEL = (8, 6, 5, 4, 2, 1)
AMEND = (3, 2, 1, 0, 0, 0)
EDIT = (6, 5, 4, 2, 1, 0)
"""What a cancel, an amendment and an edit cost for an order younger than each of `AGES_S`."""

FIXED = 1.0
"""What an order, an amendment and an edit cost in any case."""

REMEMBERED = 4_096
"""Orders whose age is known; an older one counts as if it had been placed when this adapter was opened."""


def by_age(table: Sequence[int], age_s: float) -> float:
    """The entry of a table for an order of this age."""
    for limit_s, cost in zip(AGES_S, table, strict=True):
        if age_s < limit_s:
            return float(cost)
    return 0.0


class KrakenCosts:
    """What each request costs on the trading counter of its pair; mixed in before the seam."""

    def request_costs(
        self, section: str, method: str, path: str, params: Mapping[str, Any], ccxt_cost: float
    ) -> Sequence[tuple[str, float]]:
        """See `CcxtSeam`."""
        usual = cast(Any, super()).request_costs(section, method, path, params, ccxt_cost)
        costs = [(name, COSTLIER.get(path, cost)) for name, cost in cast("list[tuple[str, float]]", usual)]
        match path:
            case "AddOrder":
                costs.append((f"trading/{params.get('pair')}", FIXED))
            case "AddOrderBatch":
                costs.append((f"trading/{params.get('pair')}", FIXED / 2 * len(params.get("orders") or ())))
            case "AmendOrder" | "EditOrder":
                pair, age_s = self._placed_at(params)
                costs.append((f"trading/{pair}", FIXED + by_age(AMEND if path == "AmendOrder" else EDIT, age_s)))
            case _:
                pass
        return costs

    def unasked_costs(self, path: str, params: Mapping[str, Any]) -> Sequence[tuple[str, float]]:
        """See `CcxtSeam`. Cancels are counted, and never wait for that."""
        if path not in ("CancelOrder", "CancelOrderBatch"):
            return ()
        orders = [{"txid": name} for name in params["orders"]] if path == "CancelOrderBatch" else [params]
        placed = [self._placed_at(order) for order in orders]
        return [(f"trading/{pair}", by_age(CANCEL, age_s)) for pair, age_s in placed]

    async def fetch2(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Any:
        """See `CcxtSeam`. What is placed or changed is young from now on, whether or not its answer comes."""
        asked = params or {}
        try:
            answer = await cast(Any, super()).fetch2(path, api, method, params, config)
        finally:
            if path in ("AddOrder", "AmendOrder", "EditOrder"):
                self._note(asked, asked.get("pair") or self._placed_at(asked)[0])
        if path == "AddOrderBatch":
            for order, row in zip(asked["orders"], answer["result"]["orders"], strict=False):
                self._note({"txid": row.get("txid"), "cl_ord_id": order.get("cl_ord_id")}, asked.get("pair"))
        if path in ("AddOrder", "EditOrder"):
            named: Any = answer["result"].get("txid")
            for txid in cast("list[Any]", named) if isinstance(named, list) else [named]:
                self._note({"txid": txid}, asked.get("pair"))
        return answer

    def _ages(self) -> dict[str, tuple[str, float]]:
        """Name of an order -> its pair, and when it was placed or changed last."""
        return self.__dict__.setdefault("_planar_ages", {"": ("", runtime.monotonic())})

    def _note(self, params: Mapping[str, Any], pair: Any) -> None:
        ages = self._ages()
        for field in ("txid", "cl_ord_id"):
            if params.get(field) is not None:
                ages[str(params[field])] = (str(pair), runtime.monotonic())
        while len(ages) > REMEMBERED:
            oldest = next(name for name in ages if name)
            del ages[oldest]

    def _placed_at(self, params: Mapping[str, Any]) -> tuple[str, float]:
        """The pair of the order that a request names, and its age in seconds at most."""
        ages = self._ages()
        name = params.get("txid") or params.get("cl_ord_id")
        pair, at_s = ages.get(str(name), ages[""])
        return pair, runtime.monotonic() - at_s
