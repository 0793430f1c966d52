"""The stage of the demo: local exchanges of its own in a child process, and a workspace that knows nothing else.

Everything lies in a temporary directory that is removed at the end; no configuration and no state of the user is read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from planar.adapters.exchange_ids import exchange_ids
from planar.config import load
from planar.exchange import Exchange
from planar.venue import registry
from planar.venue.client import VenueControl, start_private
from planar.workspace import Workspace

ORDER_PATHS: Final = {"binance": "/api/v3/order", "kraken": "/0/private/AddOrder"}
"""The exchanges of the demo, and where each takes orders: the answers of these paths are those that it swallows."""
VENUES: Final = tuple(ORDER_PATHS)


class Stage:
    """What the demo plays on.

    Attributes:
        control: the control API of the venue that runs the exchanges.
        accounts: exchange id -> name of the account that the workspace uses there, as the ledger calls it.
        journals: the directory below which the workspace keeps its journals.
    """

    def __init__(self, control: VenueControl, accounts: dict[str, str], home: Path) -> None:
        self.control = control
        self.accounts = accounts
        self.journals = home / "journal"
        self._config = home / "planar.toml"

    @asynccontextmanager
    async def exchanges(self) -> AsyncGenerator[dict[str, Exchange]]:
        """The exchanges, opened as a user would open them."""
        settings = load(self._config, environ={}, known_ids=exchange_ids())
        async with Workspace(settings) as workspace:
            yield {name: await workspace.exchange(name) for name in VENUES}


@asynccontextmanager
async def stage(seed: int) -> AsyncGenerator[Stage]:
    """Set the stage, and clear it away.

    Raises:
        VenueUnavailable: the venue could not be started.
    """
    with tempfile.TemporaryDirectory(prefix="planar-", ignore_cleanup_errors=True) as directory, _home(Path(directory)):
        home = Path(directory)
        (home / "planar.toml").write_text("".join(f'[{name}]\nenvironment = "local"\n' for name in VENUES))
        async with await start_private(VENUES, seed=seed) as venue:
            registry.write(home, venue.record)
            async with VenueControl(venue.record) as control:
                accounts: dict[str, str] = {}
                for one in await control.accounts():
                    accounts.setdefault(one.exchange, one.account)
                yield Stage(control, accounts, home)


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
