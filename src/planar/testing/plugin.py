"""Fixtures for pytest: `local_venue` and `fresh_local_venue`.

pytest finds this module by Planar's entry point. It imports nothing of Planar until a fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from planar.testing.local_venue import LocalVenue

VENUES = "planar_venues"
SEED = "planar_venue_seed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings: which exchanges the fixtures run, and the seed of their markets."""
    parser.addini(VENUES, "local exchanges that local_venue runs, by their ids (default: all)", type="args", default=[])
    parser.addini(SEED, "decides markets, accounts and their past of local_venue (default: 1)", default="1")


@pytest.fixture(scope="session")
def planar_venue_of_session(pytestconfig: pytest.Config) -> Iterator[LocalVenue]:
    """The venue behind `local_venue`: one process for all tests."""
    with _start(pytestconfig) as venue:
        yield venue


@pytest.fixture
def local_venue(planar_venue_of_session: LocalVenue) -> Iterator[LocalVenue]:
    """Local exchanges, shared by all tests; fault rules are cleared after each test. Orders and balances stay."""
    yield planar_venue_of_session
    planar_venue_of_session.faults.clear()


@pytest.fixture
def fresh_local_venue(pytestconfig: pytest.Config) -> Iterator[LocalVenue]:
    """Local exchanges for one test alone, such as one that delists a market or counts on balances."""
    with _start(pytestconfig) as venue:
        yield venue


def _start(config: pytest.Config) -> LocalVenue:
    from planar.testing.local_venue import start_local_venue

    return start_local_venue(config.getini(VENUES), seed=int(config.getini(SEED)))
