"""The runtime: clocks, randomness, identifiers, sleep and tasks, and the one that asks the operating system.

Everything else in Planar takes time and chance from a `Runtime`, so that a whole program (client and venue) can be run
again from one seed. `SystemRuntime` asks the operating system; `SimRuntime` in `simloop.py` asks the seeded loop.
"""

from __future__ import annotations

import abc
import asyncio
import os
import random
import secrets
import time
import uuid
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

BASE32_LOWER: Final = "abcdefghijklmnopqrstuvwxyz234567"
"""RFC 4648's base-32 alphabet in lower case: 5 bits a character, no look-alikes of 0 and 1."""


class Runtime(abc.ABC):
    """Clocks, randomness, identifiers, sleep and tasks of one world, real or simulated."""

    random: random.Random
    """For jitter, shuffles and samples; never for secrets or identifiers (see `token_bytes`)."""

    def __init__(self, rng: random.Random) -> None:
        self.random = rng
        # The event loop itself holds tasks only weakly: one that nobody else holds could vanish half-way.
        self._tasks: set[asyncio.Task[Any]] = set()

    @abc.abstractmethod
    def wall_ns(self) -> int:
        """Nanoseconds of UTC since 1970. May step; never measure a duration with it."""

    @abc.abstractmethod
    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary moment. Never steps; the same clock as the event loop's `time()`."""

    @abc.abstractmethod
    def token_bytes(self, n: int) -> bytes:
        """`n` bytes that nobody can guess (under simulation: that the seed decides)."""

    def wall_ms(self) -> int:
        """Milliseconds of UTC since 1970, rounded down."""
        return self.wall_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; see `monotonic_ns`."""
        return self.monotonic_ns() / 1e9

    def token(self, n: int, alphabet: str = BASE32_LOWER) -> str:
        """`n` characters of `alphabet`, each equally likely.

        Raises:
            ValueError: the alphabet has fewer than 2 or more than 256 characters.
        """
        size = len(alphabet)
        if not 2 <= size <= 256:
            raise ValueError(f"alphabet must have 2 to 256 characters, not {size}")
        bound = 256 - 256 % size  # bytes from here on would favour the alphabet's first characters
        chars: list[str] = []
        while len(chars) < n:
            chars.extend(alphabet[byte % size] for byte in self.token_bytes(n - len(chars)) if byte < bound)
        return "".join(chars)

    def uuid4(self) -> uuid.UUID:
        """A random UUID (version 4)."""
        return uuid.UUID(bytes=self.token_bytes(16), version=4)

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for at least `seconds`; 0 lets each of them run once."""
        await asyncio.sleep(seconds)

    def spawn(self, coro: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Run `coro` as a task of the running loop, held until it is done.

        An exception that nobody is waiting for when the task ends (no `await`, no `gather`, no done-callback that
        reads it) goes to the loop's exception handler at once, even while somebody holds the task.
        Whoever awaits the task later still gets it.

        Raises:
            RuntimeError: no event loop is running.
        """
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # The waiters' own callbacks were scheduled together with this one; look again when they have run.
        task.get_loop().call_soon(_report_unretrieved, task)


class SystemRuntime(Runtime):
    """The operating system's clocks and entropy."""

    def __init__(self) -> None:
        super().__init__(random.Random())
        if hasattr(os, "register_at_fork"):  # else two children would draw the same jitter
            os.register_at_fork(after_in_child=self.random.seed)

    def wall_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def monotonic(self) -> float:
        return time.monotonic()

    def token_bytes(self, n: int) -> bytes:
        return secrets.token_bytes(n)


def _report_unretrieved(task: asyncio.Task[Any]) -> None:
    """Hand the exception of `task` to its loop's exception handler unless somebody has read it."""
    # asyncio's own mark of an unread exception; asyncio looks at it only when the task is collected.
    if not task._log_traceback:  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]
        return
    context: dict[str, Any] = {
        "message": f"Task {task.get_name()!r} failed and nobody was waiting for it",
        "exception": task.exception(),
        "task": task,
    }
    task.get_loop().call_exception_handler(context)


SYSTEM: Final = SystemRuntime()
"""The runtime of every loop that has none of its own."""
