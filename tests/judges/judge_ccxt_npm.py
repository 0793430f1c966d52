"""The npm package ccxt, unmodified: the same lives of orders and streams as those of the Python one. For any exchange."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from judges.ccxt_basics import Basics
from judges.ccxt_life import Life
from judges.ccxt_npm import npm_clients
from judges.ccxt_venues import PARTNERS, SECOND, VENUES
from judges.kit import Checks, Venue, begin


async def run(checks: Checks, venue: Venue, exchange: str, home: Path, *, paced: bool = True) -> None:
    """All parts, one after the other. `home`: where the package is installed, beside node."""
    facts = VENUES[exchange]
    called: set[str] = set()
    settings: dict[str, Any] = facts.settings if paced else {"enableRateLimit": False}
    venue.freeze()
    accounts = (*PARTNERS, SECOND[0])
    async with npm_clients(venue, home, accounts, called, settings) as (alice, bob, carol):
        life: type[Life] = facts.life
        with checks.part("data by REST"):
            await Basics(checks, venue, alice).rest()
        with checks.part("orders by REST"):
            await life(checks, venue, alice, bob, facts.facts, facts.by_rest).run()
        with checks.part("orders by WebSocket, and the private streams"):
            streams = facts.npm_private(checks, venue, carol)
            await streams.start()
            await life(checks, venue, carol, bob, facts.facts, facts.by_socket).run()
            await streams.judge()
        with checks.part("the public streams"):
            await Basics(checks, venue, alice).streams()
        with checks.part("the client itself"):
            locked = json.loads((home / "package-lock.json").read_text())["packages"]["node_modules/ccxt"]
            shipped = json.loads((home / "node_modules" / "ccxt" / "package.json").read_text())
            checks.same("version that is locked, with its hash", shipped["version"], locked["version"])
            checks.true("its hash", locked["integrity"].startswith("sha512-"))


if __name__ == "__main__":
    book, local, given = begin()
    asyncio.run(run(book, local, given["exchange"], Path(given["home"])))
