"""Fixtures of the Binance wire's tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from binance_kit import LocalBinance, local_binance


@contextmanager
def short_path() -> Iterator[str]:
    """A path short enough for a Unix socket."""
    directory = Path(tempfile.mkdtemp(prefix="pl"))
    yield str(directory / "s")
    shutil.rmtree(directory)


@pytest.fixture
def socket_path() -> Iterator[str]:
    """A path for a Unix socket."""
    with short_path() as path:
        yield path


@pytest.fixture
async def binance(socket_path: str) -> AsyncIterator[LocalBinance]:
    """A local Binance whose market stands still."""
    async with local_binance(socket_path) as venue:
        venue.freeze()
        yield venue


@pytest.fixture
async def living(socket_path: str) -> AsyncIterator[LocalBinance]:
    """A local Binance whose market moves."""
    async with local_binance(socket_path) as venue:
        yield venue


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[LocalBinance]:
    """One local Binance for a module whose tests leave nothing behind; its market stands still."""
    with short_path() as path:
        async with local_binance(path) as venue:
            venue.freeze()
            yield venue
