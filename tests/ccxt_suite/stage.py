"""One run of the suite: a directory as it wants it, a private venue with activity, and a process of its own.

DIR/keys.json  keys.local.json  skip-tests.json  python/ccxt
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from planar.venue.client import VenueControl, start_private
from planar.venue.faults import FaultRule
from planar.venue.registry import VenueRecord
from planar.venue.wire import VenueAccount

from .expectations import Mode
from .wheel import Copy

RUN_S = 150.0
"""A run that takes longer hangs."""
SHOWN_ERRORS = 4000
"""Characters of standard error that are kept."""
FLAGS: dict[Mode, tuple[str, ...]] = {"async": (), "sync": ("--sync",), "ws": ("--ws",)}
SETTINGS: dict[str, dict[str, Any]] = {
    "binance": {
        "has": {"swap": False, "future": False, "option": False, "watchPositions": False},
        "options": {"fetchMarkets": {"types": ["spot"]}},
    },
    "kraken": {},
}
"""What CCXT must be told besides: the local Binance has spot markets alone."""


class Task(NamedTuple):
    """What is to be run.

    Attributes:
        exchange: the exchange.
        mode: how the suite calls it.
        skips: the content of skip-tests.json.
        only: methods to which the run is restricted; none for all.
        wire: the wire to run in place of the exchange's own, as `module:function`.
        faults: what is to go wrong.
    """

    exchange: str
    mode: Mode
    skips: Mapping[str, Any]
    only: tuple[str, ...] = ()
    wire: str | None = None
    faults: tuple[FaultRule, ...] = ()


class Outcome(NamedTuple):
    """What came of a run.

    Attributes:
        output: all that it said on standard output.
        errors: the end of what it said on standard error.
        seconds: how long it took.
        hung: whether it was stopped because it came to no end.
    """

    output: str
    errors: str
    seconds: float
    hung: bool


async def run(task: Task, copied: Copy) -> Outcome:
    """Run a task on a copy that no other run uses meanwhile; nothing is left running behind it."""
    home = copied.root.parent
    began = time.monotonic()
    async with await start_private([task.wire or task.exchange], activity=True) as private:
        async with VenueControl(private.record) as control:
            accounts = await control.accounts()
            for rule in task.faults:
                await control.add_fault(rule)
        prepare(task, home, private.record, accounts[0])
        output, errors, hung = await _suite(task, home)
    return Outcome(output, errors, time.monotonic() - began, hung)


def prepare(task: Task, home: Path, record: VenueRecord, account: VenueAccount) -> None:
    """Write what the suite reads."""
    proxy = f"http://127.0.0.1:{record.port}"
    keys: dict[str, Any] = {"apiKey": account.apiKey, "secret": account.secret, "httpsProxy": proxy}
    if task.mode == "sync":
        keys["validateServerSsl"] = record.ca  # requests takes a path where CCXT says yes or no
    else:
        keys |= {"wssProxy": proxy, "cafile": record.ca}
    (home / "keys.json").write_text(json.dumps({task.exchange: SETTINGS[task.exchange]}))
    (home / "keys.local.json").write_text(json.dumps({task.exchange: keys}))
    (home / "skip-tests.json").write_text(json.dumps(task.skips))


def clean_environ(home: Path) -> dict[str, str]:
    """An environment in which nothing leads the suite elsewhere."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    path = os.pathsep.join((str(home / "python"), str(home / "python" / "ccxt" / "test")))
    return {**kept, "HOME": str(home), "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}


def command(task: Task) -> Sequence[str]:
    """How the suite is called."""
    chosen = (",".join(f"{method}()" for method in task.only),) if task.only else ()
    script = "python/ccxt/test/tests_init.py"
    return (sys.executable, "-u", script, task.exchange, *chosen, "--info", "--private", *FLAGS[task.mode])


async def _suite(task: Task, home: Path) -> tuple[str, str, bool]:
    said, errors = home / "stdout", home / "stderr"
    hung = False
    with said.open("wb") as output, errors.open("wb") as complaints:
        process = await asyncio.create_subprocess_exec(
            *command(task),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=complaints,
            env=clean_environ(home),
            cwd=home,
            start_new_session=True,  # Ctrl-C is for this process, which ends that one
        )
        try:
            async with asyncio.timeout(RUN_S):
                await process.wait()
        except TimeoutError:
            hung = True
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
    return said.read_text(errors="replace"), errors.read_text(errors="replace")[-SHOWN_ERRORS:], hung
