"""Fixtures of the tests of the venue's server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fault_kit import TRADERS, Houses, Trader, open_houses
from toy_wire import ToyWire
from venue_kit import DOORS, Client, Venue

from planar.venue.ca import Authority
from planar.venue.server import VenueServer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.ensure(tmp_path_factory.mktemp("venue"))


@pytest.fixture
async def venue(authority: Authority, tmp_path: Path) -> AsyncIterator[Venue]:
    wire = ToyWire(seed=7, activity=False)
    server = VenueServer([wire])
    record = await server.start(port=0, authority=authority, unix_path=str(tmp_path / "v.sock"))
    yield Venue(server, wire, record)
    await server.stop()


@pytest.fixture(params=list(DOORS))
async def client(request: pytest.FixtureRequest, venue: Venue) -> AsyncIterator[Client]:
    made = DOORS[request.param](venue)
    async with made.session:
        yield made


@pytest.fixture
async def houses(tmp_path: Path) -> AsyncIterator[Houses]:
    async with open_houses(tmp_path) as opened:
        yield opened


@pytest.fixture(params=list(TRADERS))
def trader(request: pytest.FixtureRequest, houses: Houses) -> Trader:
    return houses.trader(request.param)
