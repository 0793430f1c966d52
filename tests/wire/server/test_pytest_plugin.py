"""The fixtures for pytest, in a test session of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from planar.errors import BadRequest, VenueUnavailable
from planar.testing.local_venue import start_local_venue

ROOT = Path(__file__).parents[3]

SESSION = """
import ssl

import aiohttp
import pytest

from planar.venue.steering import Delist


async def told(venue, path):
    trust = ssl.create_default_context(cafile=venue.ca)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"https://api.binance.com/api/v3/{path}", proxy=venue.proxy, ssl=trust) as response:
            return response.status


async def test_first(local_venue):
    local_venue.faults.add("refuse_request", {"path": "/api/v3/time", "count": None}, status=503, body="closed")
    assert await told(local_venue, "time") == 503
    assert len(local_venue.faults.found().firings) == 1


async def test_second_has_no_fault(local_venue):
    assert local_venue.faults.found().rules == []
    assert await told(local_venue, "time") == 200


async def test_alone(fresh_local_venue, local_venue):
    assert fresh_local_venue.record.instance != local_venue.record.instance
    fresh_local_venue.command(Delist(symbol="BTC/USDT"), venue="binance")
    assert await told(fresh_local_venue, "depth?symbol=BTCUSDT") == 400
    assert await told(local_venue, "depth?symbol=BTCUSDT") == 200
    assert fresh_local_venue.record.venues == ("binance",)
"""


def run_pytest(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PLANAR_STATE": str(path / "state")}
    plugins = ["-p", "planar.testing.plugin", "-p", "pytest_asyncio.plugin"]
    settings = "[pytest]\nasyncio_mode = auto\nplanar_venues = binance\nplanar_venue_seed = 5\n"
    (path / "pytest.ini").write_text(settings)
    command = [sys.executable, "-m", "pytest", "-q", *plugins, *options]
    return subprocess.run(command, cwd=path, env=environ, capture_output=True, text=True, timeout=60)


def test_a_session_with_the_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(SESSION)
    done = run_pytest(tmp_path)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_plugin_is_found_and_costs_nothing() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module = project["entry-points"]["pytest11"]["planar"]
    look = (
        f"import sys, {module}; print([n for n in ('aiohttp', 'msgspec', 'planar.venue.client') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"
    done = subprocess.run(
        [sys.executable, "-c", "import sys, planar; print('pytest' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.strip() == "False"


def test_a_venue_without_pytest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path))
    with start_local_venue(("kraken",), seed=9) as venue:
        assert venue.record.venues == ("kraken",)
        assert venue.accounts("kraken")[0].account == "alice"
        assert venue.accounts("binance") == []
        with pytest.raises(BadRequest, match="delay_ms"):
            venue.faults.add("delay_answer")
        rule = venue.faults.add("delay_answer", {"id": "slow"}, delay_ms=5)
        assert (rule.id, venue.faults.clear("slow")) == ("slow", 1)


def test_a_venue_that_cannot_start(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(VenueUnavailable):
        start_local_venue(("nowhere",))
    assert "nowhere" in capfd.readouterr().err
