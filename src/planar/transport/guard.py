"""The environment guard: no request leaves the environment that it was meant for.

Each (exchange, environment) has a closed list of hosts, and a marker where environments share a host. The guard is asked
by the connector for every request and every socket, below any setting of CCXT.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from planar.errors import GuardError


class HostRules(msgspec.Struct, frozen=True):
    """Where requests of one exchange in one environment may go.

    Attributes:
        hosts: exact host names; a leading dot allows every name below it.
        denied: exact host names that a leading dot does not allow, such as those of another environment.
        marker: header name -> value that each request must carry, where environments share a host.
    """

    hosts: tuple[str, ...]
    denied: tuple[str, ...] = ()
    marker: tuple[tuple[str, str], ...] = ()

    def allows(self, host: str) -> bool:
        """Whether `host` belongs to this environment."""
        if host in self.denied:
            return False
        return any(host == rule or (rule.startswith(".") and host.endswith(rule)) for rule in self.hosts)


class Guard:
    """Checks requests against the rules of one exchange in one environment."""

    def __init__(self, exchange: str, environment: str, rules: HostRules) -> None:
        self.exchange = exchange
        self.environment = environment
        self._rules = rules
        self._known: dict[str, bool] = {}

    def check(self, host: str, headers: Mapping[str, str]) -> None:
        """Raise GuardError unless a request to `host` with these headers may leave."""
        allowed = self._known.get(host)
        if allowed is None:
            allowed = self._known[host] = self._rules.allows(host)
            if len(self._known) > 256:
                self._known.clear()
        if not allowed:
            raise GuardError(
                f"a request to {host} was stopped: it is not a host of the {self.environment} environment",
                exchange=self.exchange,
                hint=f"allowed are {', '.join(self._rules.hosts) or 'none'}; "
                "look for an overridden url, hostname or option in the exchange's [.ccxt] table",
            )
        for name, value in self._rules.marker:
            if headers.get(name) != value:
                raise GuardError(
                    f"a request to {host} was stopped: without the header {name}: {value} it is not a request of the "
                    f"{self.environment} environment",
                    exchange=self.exchange,
                )
