"""Homes for commands; their paths are short enough for a Unix socket."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_kit import Here, Home, Venue


def _home() -> Iterator[Home]:
    path = Path(tempfile.mkdtemp(prefix="pl"))
    yield Home(path)
    shutil.rmtree(path)


@pytest.fixture
def home() -> Iterator[Home]:
    yield from _home()


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Home], Here]:
    """Runs commands of a home inside this process, where a socket or a task that is left is an error."""

    def enter(home: Home) -> Here:
        monkeypatch.chdir(home.path)
        for name in [name for name in os.environ if name.startswith("PLANAR")]:
            monkeypatch.delenv(name)
        for name, value in home.environ.items():
            monkeypatch.setenv(name, value)
        return Here(capsys)

    return enter


@pytest.fixture(scope="module")
def venue() -> Iterator[Venue]:
    """A local venue that all commands of its home find, its market frozen until a test says otherwise."""
    for home in _home():
        home.environ |= {"PLANAR__BINANCE__ENVIRONMENT": "local", "PLANAR__EXCHANGES__DEFAULT": "binance"}
        venue = Venue(home)
        yield venue
        assert venue.interrupt().code == 0
        assert home.leftovers() == []
        assert not (home.path / "state" / "venue" / "venue.json").exists()
