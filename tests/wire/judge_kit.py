"""What the tests of the judges share: a book of checks, and a venue in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from judges.kit import Checks, Venue
from planar.cli.venue_clients import client_lines
from planar.venue.client import VenueControl, start_private


class Book:
    """The checks of a judge, kept."""

    def __init__(self, patience_s: float) -> None:
        self.lines: list[dict[str, Any]] = []
        self.checks = Checks(self.lines.append, patience_s=patience_s)

    @property
    def wrong(self) -> list[dict[str, Any]]:
        """The checks that failed."""
        return [line for line in self.lines if line.get("ok") is False]


@asynccontextmanager
async def judged_venue(wire: str) -> AsyncIterator[Venue]:
    """A local exchange in a process of its own; its market stands still."""
    async with await start_private([wire]) as private, VenueControl(private.record) as control:
        accounts = [
            {"account": a.account, "apiKey": a.apiKey, "secret": a.secret, "more": a.more}
            for a in await control.accounts()
        ]
        record = private.record
        assert record.ca is not None
        venue = Venue(
            {
                "port": record.port,
                "token": record.token,
                "ca": record.ca,
                "accounts": accounts,
                "lines": {name: client_lines(name, record.ca, record) for name in ("ccxt-py", "ccxt-py-sync")},
            }
        )
        venue.freeze()
        yield venue
