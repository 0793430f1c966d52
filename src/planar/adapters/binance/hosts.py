"""The hosts of each environment (documentation: General API Information of spot, testnet, demo mode, futures)."""

from planar.transport.guard import HostRules

_LIVE = (
    "api.binance.com",
    "api-gcp.binance.com",
    "api1.binance.com",
    "api2.binance.com",
    "api3.binance.com",
    "api4.binance.com",
    "data-api.binance.vision",
    "stream.binance.com",
    "data-stream.binance.vision",
    "ws-api.binance.com",
    "fapi.binance.com",
    "dapi.binance.com",
    "eapi.binance.com",
    "papi.binance.com",
    "fstream.binance.com",
    "dstream.binance.com",
    "nbstream.binance.com",
    "ws-fapi.binance.com",
    "ws-dapi.binance.com",
)

_PORTS = (443, 9443)
"""Streams are offered on both (documentation: WebSocket Streams)."""

HOSTS = {
    "live": HostRules(hosts=_LIVE, ports=_PORTS),
    "local": HostRules(hosts=_LIVE, ports=_PORTS),
    "sandbox": HostRules(
        hosts=(
            "testnet.binance.vision",
            "stream.testnet.binance.vision",
            "ws-api.testnet.binance.vision",
            "testnet.binancefuture.com",
            "fstream.binancefuture.com",
            "dstream.binancefuture.com",
        )
    ),
    "demo": HostRules(
        hosts=(
            "demo-api.binance.com",
            "demo-stream.binance.com",
            "demo-ws-api.binance.com",
            "demo-fapi.binance.com",
            "demo-dapi.binance.com",
            "fstream.binancefuture.com",
            "dstream.binancefuture.com",
            "testnet.binancefuture.com",
        )
    ),
}
