"""The named background tasks of one account's orders: one of a name at a time, none forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import planar.runtime as runtime


class Tasks:
    """Tasks by name."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start `work` under a name, in the place of an earlier one."""
        task = runtime.spawn(work, name=f"orders: {name}")
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._forget(name, done))
        return task

    def running(self, name: str) -> bool:
        """Whether there is one of that name."""
        return name in self._tasks

    def of(self, kind: str) -> dict[str, asyncio.Task[None]]:
        """Those whose name begins with the word `kind`, by the rest of their names."""
        start = f"{kind} "
        return {name.removeprefix(start): task for name, task in self._tasks.items() if name.startswith(start)}

    async def end(self) -> None:
        """Cancel all of them and wait until they have ended."""
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled():
            # told to whoever waits for it; read here so that a caller who left causes no warning
            task.exception()
