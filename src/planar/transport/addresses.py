"""The address that a venue sees, which its limits of addresses count: this machine's own, or that of a proxy.

Two ways out are never taken for one limit each where they may be the same address: machines behind one router look alike
from outside, so those whose own address is private are one unless `[budget] address` gives them names.
"""

from __future__ import annotations

import ipaddress
import socket

import msgspec

from planar.config.secret_type import Secret
from planar.transport.proxies import Proxy

ROUTER = "behind a router"
"""Machines that share a Redis, leave by a private address, and were not named."""
_NOWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of documentation: the system tells which own address would be used, and nothing is sent (RFC 5737, 3849)."""


class Way(msgspec.Struct, frozen=True):
    """How requests leave.

    Attributes:
        name: "" for this machine's usual way; else the address that they leave from, or the proxy.
        anywhere: it is the same address from whatever machine it is used.
    """

    name: str = ""
    anywhere: bool = False


USUAL = Way()


def way_out(host: str, proxy: Secret | None, no_proxy: tuple[str, ...], source_address: str | None) -> Way:
    """The way of requests to `host`, by the settings of those names."""
    if proxy is not None:
        made = Proxy(proxy, no_proxy)
        if made.leads_to(host):
            return Way(made.label, not _is_this_machine(made.url.host or ""))
    if source_address is not None:
        return Way(source_address, ipaddress.ip_address(source_address).is_global)
    return USUAL


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def own_address() -> str:
    """What names this machine's usual way among machines: its own address if the world sees that, else `ROUTER`."""
    for family, nowhere in _NOWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asked:
                asked.connect((nowhere, 9))
                address = str(asked.getsockname()[0])
        except OSError:
            continue  # no way of this family
        return address if ipaddress.ip_address(address).is_global else ROUTER
    return ROUTER
