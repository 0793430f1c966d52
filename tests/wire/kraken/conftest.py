"""Fixtures of the Kraken wire's tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from kraken_kit import FREE, LocalKraken, local_kraken


@pytest.fixture
def kraken_socket() -> Iterator[str]:
    """A path short enough for a Unix socket."""
    directory = Path(tempfile.mkdtemp(prefix="pl"))
    yield str(directory / "s")
    shutil.rmtree(directory)


@pytest.fixture
async def kraken(kraken_socket: str) -> AsyncIterator[LocalKraken]:
    """A local Kraken whose market stands still, without call limits."""
    async with local_kraken(kraken_socket, settings=FREE) as venue:
        venue.freeze()
        yield venue


@pytest.fixture
async def living_kraken(kraken_socket: str) -> AsyncIterator[LocalKraken]:
    """A local Kraken whose market moves, without call limits."""
    async with local_kraken(kraken_socket, settings=FREE) as venue:
        yield venue
