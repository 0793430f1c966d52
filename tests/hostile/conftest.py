"""Fixtures of the tests of hostile clients: each test has a venue of its own, so that none inherits another's bans."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from hostile_kit import Venue

from planar.venue.client import VenueControl, start_private


@pytest.fixture
async def venue(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path_factory.mktemp("s")))
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        await start_private(["binance", "kraken"]) as private,
        VenueControl(private.record) as control,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        made = Venue(private.record, control, session)
        for account in await control.accounts():
            made.accounts.setdefault(account.exchange, account)
        yield made
