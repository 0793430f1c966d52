"""The npm package ccxt in a process of its own (`js/judge.mjs`), called as the other CCXTs are."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from judges.kit import Venue

SCRIPT = "judge.mjs"
LONGEST_LINE = 64 * 1024 * 1024
START_S = 60.0
PAUSE_S = 0.003
"""CCXT's nonces are milliseconds, and a local exchange answers within one."""


class NpmError(Exception):
    """What CCXT raised there.

    Attributes:
        names: the class and those that it inherits from.
    """

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error['names'][0]}: {error['message']}")
        self.names: list[str] = error["names"]


class Bridge:
    """Requests to the process, and its answers by their ids."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = count(1)
        self._waiting: dict[int, Callable[[dict[str, Any]], None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Wait until it is ready.

        Raises:
            ConnectionError: it ended.
        """
        async with asyncio.timeout(START_S):
            await self._line()
        self._reader = asyncio.create_task(self._read())

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        text = await self._process.stdout.readline()
        if not text:
            raise ConnectionError("node has ended")
        return json.loads(text)

    async def _read(self) -> None:
        while True:
            line = await self._line()
            self._waiting[line["id"]](line)

    def send(self, take: Callable[[dict[str, Any]], None], **request: Any) -> int:
        """Send a request; every line that answers it is taken."""
        assert self._process.stdin is not None
        number = next(self._ids)
        self._waiting[number] = take
        self._process.stdin.write(json.dumps({"id": number, **request}).encode() + b"\n")
        return number

    def stop(self, number: int) -> None:
        """No further answers to a request."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "stop": True}).encode() + b"\n")

    async def close(self) -> None:
        """End the process."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


class NpmPump:
    """As `ccxt_pump.Pump`."""

    def __init__(self, bridge: Bridge, **request: Any) -> None:
        self.yielded: list[Any] = []
        self.error: Exception | None = None
        self._bridge = bridge
        self._number = bridge.send(self._take, pump=True, **request)

    def _take(self, line: dict[str, Any]) -> None:
        if "error" in line:
            self.error = NpmError(line["error"])
        else:
            self.yielded.append(line["answer"])

    @property
    def last(self) -> Any:
        """The newest value; LookupError before the first."""
        return self.yielded[-1]

    async def stop(self) -> None:
        """Call it no more."""
        self._bridge.stop(self._number)


class NpmClient:
    """As `ccxt_words.Client`; methods go by their Python names."""

    def __init__(self, bridge: Bridge, account: str, called: set[str]) -> None:
        self._bridge = bridge
        self.account = account
        self.called = called

    async def do(self, method: str, *args: Any) -> Any:
        """Call a method of CCXT."""
        self.called.add(method)
        await asyncio.sleep(PAUSE_S)
        return await self._ask(method=_name(method), args=args)

    async def kept(self, name: str) -> Any:
        """What the object keeps under a name of its own, such as `balance`."""
        return await self._ask(kept=name)

    async def _ask(self, **request: Any) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._bridge.send(answer.set_result, account=self.account, **request)
        line = await answer
        if "error" in line:
            raise NpmError(line["error"])
        return line["answer"]

    def pump(self, method: str, *args: Any) -> NpmPump:
        """Call a watch method again and again."""
        self.called.add(method)
        return NpmPump(self._bridge, account=self.account, method=_name(method), args=args)


def _name(method: str) -> str:
    """`create_order_ws` -> `createOrderWs`."""
    return re.sub(r"_(ohlcv|[a-z])", lambda found: found[1].upper(), method)


@asynccontextmanager
async def npm_clients(
    venue: Venue, home: Path, accounts: tuple[str, ...], called: set[str], settings: Mapping[str, Any]
) -> AsyncIterator[list[NpmClient]]:
    """Both accounts' objects. `home`: where the package is installed, beside node. `settings`: of each object."""
    keys = {name: {"apiKey": venue.keys[name]["apiKey"], "secret": venue.keys[name]["secret"]} for name in accounts}
    task = {"lines": venue.lines["ccxt-js"], "keys": {name: {**one, **settings} for name, one in keys.items()}}
    process = await asyncio.create_subprocess_exec(
        str(home / "node"),
        SCRIPT,
        json.dumps(task),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=home,
        limit=LONGEST_LINE,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": venue.ca},
    )
    bridge = Bridge(process)
    try:
        await bridge.start()
        yield [NpmClient(bridge, name, called) for name in accounts]
    finally:
        await bridge.close()
