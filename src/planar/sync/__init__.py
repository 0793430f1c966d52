"""Planar without `async`: for scripts and notebooks.

    import planar.sync

    with planar.sync.open() as p:
        binance = p.exchange("binance")
        print(binance.fetch_ticker("BTC/USDT"))

Every class is a face of the asynchronous one, which runs in a thread of its own: one implementation, the same names,
arguments, results and errors. It works where an event loop runs already, as in a notebook.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from planar.config.accounts import ConfiguredAccount
from planar.sync.faces import Face, SyncStream
from planar.sync.generated import Choice, Exchange, Group, Order, OrderGroup, Orders, Selector
from planar.sync.portal import Portal
from planar.transport.local import LocalVenue
from planar.workspace import Workspace as AsyncWorkspace
from planar.workspace import open_workspace

__all__ = [
    "Choice",
    "Exchange",
    "Group",
    "Order",
    "OrderGroup",
    "Orders",
    "Selector",
    "SyncStream",
    "Workspace",
    "open",
]


class Workspace(Face, of=AsyncWorkspace):
    """All that is open at once; use it as `with planar.sync.open() as p`, or in a notebook with `start()` and `close()`."""

    def start(self) -> Self:
        """Begin without `with`; `close()` ends it."""
        self._portal.start()
        self._portal.run(self._inner.__aenter__())
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every exchange, socket and task, and end the thread."""
        try:
            self._portal.run(self._inner.close())
        finally:
            self._portal.stop()

    def exchange(self, name: str | None = None, *, account: str = "", reset: bool = False, **options: Any) -> Exchange:
        """The exchange `name`, opened and with its markets loaded; see `planar.Workspace.exchange`."""
        return self._run(self._inner.exchange(name, account=account, reset=reset, **options))

    def accounts(self, name: str | None = None) -> tuple[ConfiguredAccount, ...]:
        """As `planar.Workspace.accounts`."""
        return self._now(lambda: self._inner.accounts(name))

    def group(self, *names: str, **options: Any) -> Group:
        """Several exchanges at once; see `planar.Workspace.group`."""
        return self._now(lambda: self._inner.group(*names, **options))


def open(  # the name of the asynchronous one
    config: str | Path | None = None,
    secrets: str | Path | None = None,
    *,
    private_venue: bool = False,
    local_venue: LocalVenue | None = None,
) -> Workspace:
    """A workspace from the configuration; see `planar.open`."""
    made = open_workspace(config, secrets, private_venue=private_venue, local_venue=local_venue)
    return Workspace(made, Portal())
