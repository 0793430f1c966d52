"""What a watch method of CCXT yields, again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import ccxt


class Pump:
    """Calls one watch method of CCXT again and again, and keeps what it yields.

    Attributes:
        yielded: every value, in order.
    """

    def __init__(self, do: Callable[..., Awaitable[Any]], method: str, *args: Any) -> None:
        self._do, self._method, self._args = do, method, args
        self.yielded: list[Any] = []
        self.error: Exception | None = None
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while True:
                self.yielded.append(await self._do(self._method, *self._args))
        except ccxt.UnsubscribeError:  # how CCXT ends the watching of what is unwatched
            return
        except Exception as error:
            self.error = error

    @property
    def last(self) -> Any:
        """The newest value; LookupError before the first."""
        return self.yielded[-1]

    async def stop(self) -> None:
        """Call it no more."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
