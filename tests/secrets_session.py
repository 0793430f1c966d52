"""`pytest -p tests.secrets_session`: the search after the tests, for tests that are not below this directory."""

from __future__ import annotations

import pytest
from tests.secrets_plugin import SecretsPlugin


def pytest_configure(config: pytest.Config) -> None:
    """Search."""
    config.pluginmanager.register(SecretsPlugin(), "planar-secrets")
