"""The stage of the demo: a local venue of its own in a child process, and a workspace that knows nothing else.

Everything lies in a temporary directory that is removed at the end; no configuration and no state of the user is read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from planar.adapters.exchange_ids import exchange_ids
from planar.config import load
from planar.exchange import Exchange
from planar.venue import registry
from planar.venue.client import VenueControl, start_private
from planar.workspace import Workspace

VENUE = "binance"
ORDER_PATH = "/api/v3/order"
"""Where the venue takes orders: the answers of this path are those that the demo swallows."""


class Stage:
    """What the demo plays on.

    Attributes:
        control: the venue's control API.
        account: the name of the account that the workspace uses, as the ledger calls it.
        journals: the directory below which the workspace keeps its journals.
    """

    def __init__(self, control: VenueControl, account: str, home: Path) -> None:
        self.control = control
        self.account = account
        self.journals = home / "journal"
        self._config = home / "planar.toml"

    @asynccontextmanager
    async def exchange(self) -> AsyncGenerator[Exchange]:
        """The exchange, opened as a user would open it."""
        settings = load(self._config, environ={}, known_ids=exchange_ids())
        async with Workspace(settings) as workspace:
            yield await workspace.exchange(VENUE)


@asynccontextmanager
async def stage(seed: int) -> AsyncGenerator[Stage]:
    """Set the stage, and clear it away.

    Raises:
        VenueUnavailable: the venue could not be started.
    """
    with tempfile.TemporaryDirectory(prefix="planar-", ignore_cleanup_errors=True) as directory, _home(Path(directory)):
        home = Path(directory)
        (home / "planar.toml").write_text(f'[{VENUE}]\nenvironment = "local"\n')
        async with await start_private([VENUE], seed=seed) as venue:
            registry.write(home, venue.record)
            async with VenueControl(venue.record) as control:
                account = (await control.accounts())[0].account
                yield Stage(control, account, home)


@contextmanager
def _home(home: Path) -> Generator[None]:
    """Planar's state and cache lie in `home`, for this process and its child."""
    before = {name: os.environ.get(name) for name in ("PLANAR_STATE", "PLANAR_CACHE")}
    os.environ.update(dict.fromkeys(before, str(home)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
