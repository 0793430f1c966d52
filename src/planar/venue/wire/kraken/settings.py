"""Limits and times of the local Kraken: the exchange's own by default, others where a test needs them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec

Tier = Literal["starter", "intermediate", "pro"]


class TierLimits(msgspec.Struct, frozen=True):
    """What a verification tier allows (guides "REST rate limits" and "Spot trading limits").

    Attributes:
        calls: most that the call counter of a key may reach.
        calls_decay: what it loses in a second.
        orders: most that the transaction counter of a pair may reach.
        orders_decay: what it loses in a second.
        open_orders: open orders in a pair.
    """

    calls: float
    calls_decay: float
    orders: float
    orders_decay: float
    open_orders: int


TIERS: Final[dict[Tier, TierLimits]] = {
    "starter": TierLimits(15, 0.33, 60, 1.0, 60),
    "intermediate": TierLimits(20, 0.5, 125, 2.34, 80),
    "pro": TierLimits(20, 1.0, 180, 3.75, 225),
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set.

    Attributes:
        tier: verification tier of all accounts.
        own_limits: in the place of the tier's.
        call_limits: whether the call counter of REST is kept. Without it any number of calls passes.
        token_s: how long a WebSocket token may wait for its first use.
        heartbeat_s: silence on a subscribed connection before a heartbeat.
        connection_s: how long a connection may live without any frame from the client.
        queue_frames: frames waiting for a slow reader before its connection is dropped.
    """

    tier: Tier = "pro"
    own_limits: TierLimits | None = None
    call_limits: bool = True
    token_s: float = 900.0
    heartbeat_s: float = 1.0
    connection_s: float = 60.0
    queue_frames: int = 4096

    @property
    def limits(self) -> TierLimits:
        """The limits that hold."""
        return self.own_limits or TIERS[self.tier]

    @property
    def filters(self) -> dict[str, Decimal]:
        """What bounds the orders of a market: the tier's open orders, stops among them, and fifteen parts of one."""
        open_orders = Decimal(self.limits.open_orders)
        return {"max_open_orders": open_orders, "max_stop_orders": open_orders, "max_iceberg_parts": Decimal(15)}
