"""Running the asynchronous part of a command: one workspace, signals that end it cleanly, nothing left open."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from planar.cli.exits import Interrupted
from planar.cli.options import Target

if TYPE_CHECKING:
    from planar.config import Settings
    from planar.exchange import Exchange
    from planar.workspace import Workspace

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_S = 1.0
"""How long closing may take before the user is told that another Ctrl-C does not wait for it; until then it has no effect."""
SHOW_CURSOR = "\x1b[?25h"


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end.

    A signal cancels it, waits until all is closed, and raises Interrupted. Where that takes long, another one leaves at
    once.
    """
    ending = _Ending()
    result = asyncio.run(ending.watch(main))
    if ending.number is not None:
        raise Interrupted(ending.number)
    return cast("T", result)


class _Ending:
    """Turns signals into the cancellation of one task."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._waiting = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    async def watch(self, main: Coroutine[Any, Any, T]) -> T | None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._on_signal, number)
        try:
            return await main
        except asyncio.CancelledError:
            if self.number is None:
                raise
            return None

    def _on_signal(self, number: int) -> None:
        assert self._loop is not None
        assert self._task is not None
        if self._waiting:
            _leave(number)
        if self.number is None:
            self.number = number
            self._loop.call_later(PATIENCE_S, self._say_waiting)
            self._task.cancel()

    def _say_waiting(self) -> None:
        self._waiting = True
        sys.stderr.write("planar: waiting for what is under way; Ctrl-C again leaves at once\n")


def _leave(number: int) -> None:
    """End the process now. Child processes end when their pipes close."""
    if sys.stdout.isatty():
        sys.stdout.write(SHOW_CURSOR)
        sys.stdout.flush()
    os._exit(128 + number)


@asynccontextmanager
async def opened(target: Target, *, private: bool = False) -> AsyncGenerator[Exchange]:
    """The exchange that the command line names, with its markets, for the length of the block.

    Args:
        private: the command makes signed calls: an environment and credentials must be there before any request.
    """
    import planar

    async with planar.open() as workspace:
        if private:
            check_private(workspace, target)
        with busy("opening the exchange"):
            exchange = await open_exchange(workspace, target)
        yield exchange


@asynccontextmanager
async def prepared(target: Target) -> AsyncGenerator[tuple[Exchange, Settings]]:
    """The same before its first request, and the configuration: for commands that ask the exchange nothing."""
    import planar

    async with planar.open() as workspace:
        with busy("opening the exchange"):
            exchange = await open_exchange(workspace, target, ask=False)
        try:
            yield exchange, workspace.settings
        finally:
            await exchange.close()


@contextmanager
def busy(what: str) -> Generator[None]:
    """Within the block a terminal shows that something is being waited for."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


async def open_exchange(workspace: Workspace, target: Target, *, ask: bool = True) -> Exchange:
    """Open one exchange of a workspace; says so where its local venue lives no longer than this command.

    Args:
        ask: False: it is the caller's own, and nothing has been asked of it (`Workspace.prepare`).
    """
    from planar.config import state_dir
    from planar.transport.local import find_running

    running = find_running(state_dir())
    options: dict[str, Any] = {"environment": target.environment} if target.environment is not None else {}
    opening = workspace.exchange if ask else workspace.prepare
    exchange = await opening(target.exchange, account=target.account or "", **options)
    if exchange.environment == "local" and running is None:
        _say_private(workspace)
    return exchange


@lru_cache(maxsize=1)
def _say_private(workspace: Workspace) -> None:
    """Once for all exchanges of a command."""
    sys.stderr.write(
        "planar: no local venue is running, so one was started for this command alone; `planar venue up` keeps one\n"
    )


def check_private(workspace: Workspace, target: Target) -> None:
    """Refuse what would be refused later, before a request is made for the markets.

    Raises:
        ConfigError: no environment is written.
        MissingCredentials: which, and where to put them.
    """
    from planar.adapters.exchange_ids import resolve_exchange_id

    name = target.exchange or workspace.settings.selection.default
    if name is None:
        return  # the workspace says what to do
    exchange, _ = resolve_exchange_id(name)
    environment = target.environment or workspace.settings.exchange(exchange).environment
    if environment is None:
        raise workspace.settings.missing_environment_error(exchange)
    account = target.account or ""
    if (
        environment in ("local", "paper")
        or workspace.settings.credentials_for(exchange, account, environment) is not None
    ):
        return
    raise workspace.settings.missing_credentials_error(exchange, account, environment, required_credentials(exchange))


def required_credentials(exchange: str) -> list[str]:
    """The credentials that private calls of an exchange need, as CCXT's class of it says. Nothing is opened."""
    from planar.adapters import lazy_ccxt
    from planar.adapters.ccxt_seam import seam_class
    from planar.adapters.custom import CustomAdapter
    from planar.adapters.registry import custom_class

    custom = custom_class(exchange)
    if custom is not None and issubclass(custom, CustomAdapter):
        return list(custom.required_credentials)
    lazy_ccxt.install()
    kind: Any = seam_class(exchange)
    needed: dict[str, bool] = kind.__new__(kind).describe()["requiredCredentials"]
    return [name for name, required in needed.items() if required]
