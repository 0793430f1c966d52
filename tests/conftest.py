"""Settings for all tests."""

import os
from asyncio import sslproto
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("planar", deadline=None)
settings.load_profile("planar")

# several test processes at once are told 80 columns; output without a terminal has more
os.environ.pop("COLUMNS", None)


def _mend_old_pythons() -> None:
    """Early releases of Python 3.11 fail when a TLS transport that has ended is aborted, as aiohttp does for CCXT's own
    connector when an unmodified client closes. Later releases look first; here the same."""
    transport: Any = sslproto._SSLProtocolTransport  # type: ignore[attr-defined]
    original = transport.abort

    def abort(self: Any) -> None:
        if self._ssl_protocol is not None:
            original(self)

    transport.abort = abort


_mend_old_pythons()


def pytest_configure(config: pytest.Config) -> None:
    """What the tests write is searched for secrets, by the process that collects their reports."""
    if not hasattr(config, "workerinput"):
        from tests.secrets_plugin import SecretsPlugin

        config.pluginmanager.register(SecretsPlugin(), "planar-secrets")
