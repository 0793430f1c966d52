"""A local exchange and a workspace on it, in one seeded loop: where the simulated runs of this package take place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from pathlib import Path
from typing import Any, TypeVar

import planar
import planar.runtime as runtime
from planar.transport.alarms import Alarm
from planar.transport.local import LocalVenue
from planar.venue.server import VenueServer
from planar.venue.wire import Wire, load_wire

T = TypeVar("T")

SYMBOL = "BTC/USDT"
PLACES = {"binance": "/api/v3/order", "kraken": "/0/private/AddOrder"}
"""Where each exchange takes an order."""


class Told:
    """A sink of alarms that keeps them."""

    def __init__(self) -> None:
        self.alarms: list[Alarm] = []

    async def send(self, alarm: Alarm) -> None:
        """Keep it."""
        self.alarms.append(alarm)

    async def close(self) -> None:
        """Nothing to let go of."""


class Stage:
    """One exchange.

    Attributes:
        wire: the exchange itself, with its ledger.
        server: its doors and faults.
        told: every alarm of the workspaces that were opened here.
        since_ms: when it was opened; its ledger has older orders too.
    """

    def __init__(self, wire: Wire, server: VenueServer, venue: LocalVenue) -> None:
        self.wire = wire
        self.server = server
        self.told = Told()
        self.since_ms = runtime.wall_ms()
        self._venue = venue

    @contextlib.asynccontextmanager
    async def workspace(self) -> AsyncGenerator[planar.Workspace]:
        """A workspace on this exchange."""
        async with planar.open(local_venue=self._venue) as workspace:
            workspace.alarms.add(self.told)
            yield workspace


@contextlib.asynccontextmanager
async def staged(directory: Path, exchange_id: str, seed: int, *, activity: bool = False) -> AsyncGenerator[Stage]:
    """An exchange for the length of the block.

    Args:
        exchange_id: or a factory, as for `planar venue --venues`.
    """
    wire = load_wire(exchange_id, seed=seed, activity=activity)
    server = VenueServer([wire])
    record = await server.start(unix_path=str(directory / "venue.sock"))
    venue = LocalVenue(
        instance=record.instance, socket=record.socket, token=record.token, venues=list(record.venues), pid=record.pid
    )
    try:
        yield Stage(wire, server, venue)
    finally:
        await server.stop()


@contextlib.contextmanager
def own_state(directory: Path) -> Generator[None]:
    """State and cache lie in `directory` for the length of the block."""
    names = ("PLANAR_STATE", "PLANAR_CACHE")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: str(directory / name.lower()) for name in names})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def simulated(directory: Path, seed: int, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """`main` in a seeded loop, with its state in `directory`."""
    with own_state(directory):
        return runtime.simulate(main, seed=seed)
