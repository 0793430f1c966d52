"""The environment guard: no request leaves the environment that it was meant for.

Each (exchange, environment) has a closed list of hosts, the ports and schemes that they are reached by, and a marker
where environments share a host. The guard is asked by the connector for every request and every socket, below any
setting of CCXT and before a name is resolved. It judges the URL as it will be dialed, after every rewriting of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec
import yarl

from planar.errors import GuardError

_NAME: Final = re.compile(r"[a-z0-9._-]*[a-z0-9]")
"""A host name as DNS knows it: no trailing dot, nothing escaped."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LOGIN: Final = re.compile(r"[^/?#]*//[^/?#]*@([^/?#]*)")
_KNOWN_URLS: Final = 256


class HostRules(msgspec.Struct, frozen=True):
    """Where requests of one exchange in one environment may go.

    Attributes:
        hosts: exact host names or addresses; a leading dot allows every name below it.
        denied: host names that a leading dot does not allow, and what is below them, such as those of another
            environment.
        marker: header name -> value that each request must carry, where environments share a host.
        ports: that the hosts are reached by.
        plain: True allows http and ws besides https and wss. No exchange needs it; a server of one's own may.
    """

    hosts: tuple[str, ...]
    denied: tuple[str, ...] = ()
    marker: tuple[tuple[str, str], ...] = ()
    ports: tuple[int, ...] = (443,)
    plain: bool = False

    def allows(self, host: str) -> bool:
        """Whether `host`, in lower case, belongs to this environment."""
        if host in self.denied:
            return False
        if host in self.hosts:
            return True
        if any(host.endswith(f".{rule}") for rule in self.denied):
            return False
        below = any(rule.startswith(".") and host.endswith(rule) for rule in self.hosts)
        return below and _NAME.fullmatch(host) is not None


class Guard:
    """Checks requests against the rules of one exchange in one environment."""

    def __init__(self, exchange: str, environment: str, rules: HostRules) -> None:
        self.exchange = exchange
        self.environment = environment
        self._rules = rules
        self._known: dict[tuple[str, str | None, int | None], str] = {}

    @property
    def marked(self) -> bool:
        """Whether requests need certain headers to leave."""
        return bool(self._rules.marker)

    def check(self, url: yarl.URL, headers: Mapping[str, str]) -> None:
        """Raise GuardError unless a request to `url` with these headers may leave."""
        key = (url.scheme, url.raw_host, url.port)
        wrong = self._known.get(key)
        if wrong is None:
            if len(self._known) >= _KNOWN_URLS:
                self._known.clear()
            wrong = self._known[key] = self._wrong(*key)
        if wrong:
            raise self._stopped(url, wrong)
        named = headers.get("Host")
        if named is not None and named.lower() != url.host_port_subcomponent:
            raise self._stopped(url, f"its Host header names {named}")
        for name, value in self._rules.marker:
            if headers.get(name) != value:
                raise self._stopped(
                    url, f"without the header {name}: {value} it is not a request of the {self.environment} environment"
                )

    def redirected(self, url: yarl.URL) -> GuardError:
        """The error of a request that the venue sends on to `url`, where it does not go, whatever the host."""
        return GuardError(
            f"a redirect to {url.raw_host} was stopped: redirects are not followed",
            exchange=self.exchange,
            hint=f"look for an overridden url in [{self.exchange}.ccxt]; a newer CCXT may know the new address",
        )

    def _wrong(self, scheme: str, host: str | None, port: int | None) -> str:
        """Why nothing may go there; empty if it may."""
        rules = self._rules
        if not rules.allows((host or "").lower()):
            return f"it is not a host of the {self.environment} environment"
        if scheme not in ("https", "wss") and not (rules.plain and scheme in ("http", "ws")):
            return f"{scheme or 'no scheme'} is not https or wss"
        if port not in rules.ports:
            return f"port {port} is not one of the {self.environment} environment"
        return ""

    def _stopped(self, url: yarl.URL, why: str) -> GuardError:
        rules = self._rules
        ports = "" if rules.ports == (443,) else f" on port {', '.join(map(str, rules.ports))}"
        return GuardError(
            f"a request to {url.raw_host or 'no host'} was stopped: {why}",
            exchange=self.exchange,
            hint=f"allowed in {self.environment} are {', '.join(rules.hosts) or 'no hosts'}{ports}; "
            f"look for an overridden url, hostname, header or option in [{self.exchange}.ccxt]",
        )


def address(url: str, exchange: str, *, encoded: bool) -> yarl.URL:
    """The URL that is written there; GuardError if it is none, or carries a user name or password.

    Args:
        encoded: its characters are sent as they stand.

    No exchange is addressed like that; "https://api.good.com@evil.com" only looks as if it led to the former. It is
    asked of the URL as written, since aiohttp makes a header of what it finds there before the connector is asked.
    """
    found = _LOGIN.match(url)
    if found is not None:
        raise GuardError(
            f"a request to {found.group(1).rpartition('@')[2]} was stopped: its address holds a user name or password",
            exchange=exchange,
            hint=f"remove what stands before the @ of the url in [{exchange}.ccxt]; keys go into secrets.toml",
        )
    if _CONTROL.search(url) is not None:
        raise GuardError(
            "a request was stopped: its address holds a control character, which would end its line",
            exchange=exchange,
            hint="look at the symbols, ids and params of this call",
        )
    try:
        made = yarl.URL(url, encoded=encoded)
        _ = made.host, made.port  # yarl reads these as late as it can
    except ValueError as error:
        raise GuardError(
            f"a request was stopped: its address is no URL ({error})",
            exchange=exchange,
            hint=f"look for an overridden url or hostname in [{exchange}.ccxt]",
        ) from error
    return made
