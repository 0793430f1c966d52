"""A local venue for the blocks of the documentation, and directories of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from planar.venue.client import SyncVenueControl, find_running
from planar.venue.registry import VenueRecord


@pytest.fixture(scope="session")
def venue_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state directory in which a local venue runs and can be found."""
    state = tmp_path_factory.mktemp("state")
    process = subprocess.Popen(
        [sys.executable, "-m", "planar.venue", "--venues", "binance", "--seed", "1", "--die-with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PLANAR_STATE": str(state)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        msgspec.json.decode(process.stdout.readline(), type=VenueRecord)
        yield state
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def at_home(venue_state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory whose configuration means the local venue, which has no faults."""
    for variable in [one for one in os.environ if one.startswith("PLANAR_")]:
        monkeypatch.delenv(variable)
    (tmp_path / "planar.toml").write_text('[workspace]\nenvironment = "local"\n')
    monkeypatch.setenv("PLANAR_CONFIG", str(tmp_path / "planar.toml"))
    monkeypatch.setenv("PLANAR_STATE", str(venue_state))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    venue = find_running(venue_state)
    assert venue is not None
    SyncVenueControl(venue).clear_faults()
    return tmp_path
