"""The proxy of a route: which hosts go through it, how it is asked, and what its failures are called.

Its password goes into the header or the handshake and nowhere else: URLs, keys of the connection pool, errors and logs
hold the label, which is the URL without it. Whatever fails before the tunnel stands was not sent to the venue.
"""

from __future__ import annotations

import base64
import os
from typing import Final
from urllib.parse import quote, unquote

import aiohttp
import yarl
from multidict import CIMultiDict

from planar.config.secret_type import Secret
from planar.errors import NetworkError, Outcome, RequestTimeout
from planar.transport.guard import HostRules
from planar.transport.redact import redact_error
from planar.transport.socks import SocksRefusal

PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class Proxy:
    """One proxy, from its URL.

    Attributes:
        label: its URL without user and password; what messages show.
        url: the same as a URL, with its port.
        socks: it is spoken to by SOCKS 5, not HTTP.
        remote_dns: it resolves the venue's name itself.
    """

    __slots__ = ("_direct", "_login", "label", "remote_dns", "socks", "url")

    def __init__(self, url: Secret, no_proxy: tuple[str, ...] = ()) -> None:
        """
        Args:
            no_proxy: hosts that are reached without it; a leading dot means all below, "*" all.
        """
        written = yarl.URL(url.reveal())
        host, port = written.host or "", written.port or PORTS[written.scheme]
        self.url = yarl.URL.build(scheme=written.scheme, host=host, port=port)
        self.label = f"{written.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        self.socks = written.scheme.startswith("socks")
        self.remote_dns = written.scheme != "socks5"
        self._login: Secret | None = None
        if written.user or written.password:
            # both parts quoted, so that a colon within them stays theirs
            self._login = Secret(f"{quote(written.user or '', safe='')}:{quote(written.password or '', safe='')}")
        self._direct = HostRules(hosts=no_proxy)

    def __repr__(self) -> str:
        return f"<proxy {self.label}>"

    def leads_to(self, host: str) -> bool:
        """Whether a host is reached through it."""
        return "*" not in self._direct.hosts and not self._direct.allows(host.lower())

    @property
    def login(self) -> tuple[str, str] | None:
        """User and password, or None."""
        if self._login is None:
            return None
        user, _, password = self._login.reveal().partition(":")
        return unquote(user), unquote(password)

    def headers(self) -> CIMultiDict[str]:
        """What an HTTP proxy is told besides the host."""
        login = self.login
        if login is None:
            return CIMultiDict()
        token = base64.b64encode(":".join(login).encode()).decode()
        return CIMultiDict({"Proxy-Authorization": f"Basic {token}"})

    def failure(self, error: BaseException, host: str, exchange: str) -> NetworkError:
        """What a failure on the way to the tunnel to `host` means. Nothing was sent to the venue in any case."""
        text, hint, retryable = self._told(error, host)
        made = RequestTimeout if isinstance(error, TimeoutError) else NetworkError
        failure = made(
            f"{host} was not reached through the proxy {self.label}: {text}",
            exchange=exchange,
            outcome=Outcome.NOT_SENT,
            retryable=retryable,
            hint=hint,
        )
        failure.__cause__ = ProxyFailure(str(redact_error(error))) if retryable else ProxyRefusal(text)
        return failure

    def _told(self, error: BaseException, host: str) -> tuple[str, str, bool]:
        look = "see whether the proxy runs, and whether proxy in planar.toml names its host, port and kind"
        if isinstance(error, SocksRefusal):
            if error.login:
                return str(error), "give the right user and password in proxy, by its environment variable", False
            return str(error), f"see whether the proxy may reach {error.host}", True
        if isinstance(error, aiohttp.ClientHttpProxyError):
            if error.status == 407:
                return (
                    "it refused the user or the password (HTTP 407)",
                    "give the right user and password in proxy, by its environment variable",
                    False,
                )
            return (
                f"it answered HTTP {error.status} {error.message}".rstrip(),
                "the proxy does not let this host through, or cannot reach it; ask who runs it",
                True,
            )
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return "its own name could not be resolved", look, True
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return "its certificate was not accepted", "give the certificate of its authority in ca_file", True
        if isinstance(error, aiohttp.ClientSSLError):
            return "TLS with it could not be set up", look, True
        if isinstance(error, TimeoutError):
            return "it did not answer in time", look, True
        if isinstance(error, aiohttp.ClientConnectorError):
            if error.host == host:
                return "the way through it broke off before TLS stood", look, True
            number = error.os_error.errno
            why = os.strerror(number) if number is not None else type(error.os_error).__name__
            return f"it takes no connection ({why})", look, True
        if isinstance(error, aiohttp.ClientResponseError):
            return "its answer was not HTTP", look, True
        return "it closed the connection", look, True


class ProxyFailure(ConnectionError):
    """The cause of an error of a proxy, without what may hold its password."""


class ProxyRefusal(ProxyFailure):
    """The proxy knows the caller, and will not."""
