"""Limits and times of the local Binance: the exchange's own by default, others where a test needs them."""

from __future__ import annotations

import msgspec

from planar.venue.wire.binance.limits import Rule


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set.

    Attributes:
        weight_per_minute: request weight of an address on /api and the WebSocket API.
        sapi_weight_per_minute: the same on /sapi, which counts apart.
        requests_per_5m: number of requests of an address.
        connections_per_5m: WebSocket connections that an address may open.
        orders_per_10s: unfilled orders of an account in ten seconds.
        orders_per_day: unfilled orders of an account in a day.
        warnings_before_ban: answers 429 in one interval before the next one is 418.
        ban_ms: length of the first ban; each further one doubles it, up to three days.
        engine_delay_ms: how long a signed request is under way between the API and the matching engine.
        ping_s: time between the server's pings.
        pong_s: how long a pong may be missing.
        connection_s: how long a WebSocket connection lives.
        messages_per_s: frames a client may send on a stream connection in a second.
        streams_per_connection: streams one connection may have.
        queue_frames: frames waiting for a slow reader before its connection is dropped.
        listen_key_ms: how long a listen key lives without a keepalive.
    """

    weight_per_minute: int = 6_000
    sapi_weight_per_minute: int = 12_000
    requests_per_5m: int = 61_000
    connections_per_5m: int = 300
    orders_per_10s: int = 100
    orders_per_day: int = 200_000
    warnings_before_ban: int = 10
    ban_ms: int = 120_000
    engine_delay_ms: int = 0
    ping_s: float = 20.0
    pong_s: float = 60.0
    connection_s: float = 86_400.0
    messages_per_s: int = 5
    streams_per_connection: int = 1024
    queue_frames: int = 4096
    listen_key_ms: int = 3_600_000

    @property
    def weight_rule(self) -> Rule:
        """Request weight of /api."""
        return Rule("REQUEST_WEIGHT", "MINUTE", 1, self.weight_per_minute)

    @property
    def sapi_weight_rule(self) -> Rule:
        """Request weight of /sapi."""
        return Rule("REQUEST_WEIGHT", "MINUTE", 1, self.sapi_weight_per_minute)

    @property
    def requests_rule(self) -> Rule:
        """Number of requests."""
        return Rule("RAW_REQUESTS", "MINUTE", 5, self.requests_per_5m)

    @property
    def connections_rule(self) -> Rule:
        """Number of WebSocket connections."""
        return Rule("CONNECTIONS", "MINUTE", 5, self.connections_per_5m)

    @property
    def order_rules(self) -> tuple[Rule, Rule]:
        """Unfilled orders."""
        return Rule("ORDERS", "SECOND", 10, self.orders_per_10s), Rule("ORDERS", "DAY", 1, self.orders_per_day)
