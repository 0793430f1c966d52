"""An empty configuration for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """`user/planar.toml` and `user/secrets.toml` can be written below it."""
    return Home(tmp_path)
