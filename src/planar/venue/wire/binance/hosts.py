"""The host names of the exchange, and what is behind each (general information in rest-api.md and web-socket-*.md)."""

from __future__ import annotations

from typing import Final

REST_HOST: Final = "api.binance.com"
STREAM_HOST: Final = "stream.binance.com"
WS_API_HOST: Final = "ws-api.binance.com"

REST_HOSTS: Final = (
    REST_HOST,
    "api-gcp.binance.com",
    "api1.binance.com",
    "api2.binance.com",
    "api3.binance.com",
    "api4.binance.com",
)
DATA_REST_HOST: Final = "data-api.binance.vision"
"""Public market data only."""
FUTURES_HOSTS: Final = {"fapi.binance.com": "/fapi/", "dapi.binance.com": "/dapi/", "eapi.binance.com": "/eapi/"}
DATA_STREAM_HOST: Final = "data-stream.binance.vision"
STREAM_HOSTS: Final = (STREAM_HOST, DATA_STREAM_HOST)

ALL: Final = (*REST_HOSTS, DATA_REST_HOST, *FUTURES_HOSTS, *STREAM_HOSTS, WS_API_HOST)

_PREFIXES: Final = (
    ("/api/", REST_HOST),
    ("/sapi/", REST_HOST),
    *((prefix, host) for host, prefix in FUTURES_HOSTS.items()),
    ("/ws-api/", WS_API_HOST),
    ("/ws", STREAM_HOST),
    ("/stream", STREAM_HOST),
)


def default_host(path: str) -> str | None:
    """The host that serves a path, for clients that know only a base URL; None if none does."""
    for prefix, host in _PREFIXES:
        if path.startswith(prefix):
            return host
    return None


def serves(host: str, path: str) -> bool:
    """Whether a REST path belongs to a host."""
    if host in REST_HOSTS:
        return path.startswith(("/api/", "/sapi/"))
    if host == DATA_REST_HOST:
        return path.startswith("/api/")
    return path.startswith(FUTURES_HOSTS.get(host, "//"))
