"""The door: the runtime of the running event loop, and its methods as plain functions.

A loop that has a world of its own (the seeded loop) carries it in its attribute `planar_runtime`; every other loop, and
code outside a loop, uses the operating system's. Which loop runs is asked only in a process that has made a seeded one:
time is read two dozen times in each order, and before Python 3.12 the question is a system call.
"""

from __future__ import annotations

import asyncio
import uuid
from asyncio import _get_running_loop as _running_loop  # pyright: ignore[reportPrivateUsage] (the one that does not raise)
from collections.abc import Coroutine
from typing import Any, TypeVar

from planar.runtime.system import BASE32_LOWER, SYSTEM, Runtime

T = TypeVar("T")

_seeded = False


def seeded_loop_made() -> None:
    """From now on a running loop may have a world of its own."""
    global _seeded
    _seeded = True


def current() -> Runtime:
    """The running loop's runtime; the system's outside a loop or on an ordinary one."""
    return getattr(_running_loop(), "planar_runtime", SYSTEM) if _seeded else SYSTEM


def wall_ns() -> int:
    """`Runtime.wall_ns` of the current runtime."""
    return current().wall_ns()


def wall_ms() -> int:
    """`Runtime.wall_ms` of the current runtime."""
    return current().wall_ms()


def monotonic() -> float:
    """`Runtime.monotonic` of the current runtime."""
    return current().monotonic() if _seeded else SYSTEM.monotonic()


def monotonic_ns() -> int:
    """`Runtime.monotonic_ns` of the current runtime."""
    return current().monotonic_ns()


def token_bytes(n: int) -> bytes:
    """`Runtime.token_bytes` of the current runtime."""
    return current().token_bytes(n)


def token(n: int, alphabet: str = BASE32_LOWER) -> str:
    """`Runtime.token` of the current runtime."""
    return current().token(n, alphabet)


def uuid4() -> uuid.UUID:
    """`Runtime.uuid4` of the current runtime."""
    return current().uuid4()


async def sleep(seconds: float) -> None:
    """`Runtime.sleep` of the current runtime."""
    await current().sleep(seconds)


def spawn(coro: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """`Runtime.spawn` of the current runtime."""
    return current().spawn(coro, name=name)
