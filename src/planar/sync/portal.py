"""The event loop behind `planar.sync`: one thread of its own, so that it works where a loop runs already (notebooks).

Calls come from any thread, run in the loop, and give their result, or raise, where they were made.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from planar.errors import Outcome, WrongLoop

T = TypeVar("T")


class Portal:
    """A thread with an event loop. `start` it before the first call, `stop` it after the last."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; returns when the loop runs."""
        begun = threading.Event()

        def run() -> None:
            async def main() -> None:
                self._loop = asyncio.get_running_loop()
                begun.set()
                await self._ended.wait()

            asyncio.run(main())

        self._thread = threading.Thread(target=run, name="planar", daemon=True)
        self._thread.start()
        begun.wait()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end. Ctrl-C cancels it and waits until it has ended.

        Raises:
            WrongLoop: the portal is not open, or the call comes from its own loop, which it would block for ever.
        """
        loop = self._loop
        if loop is None or threading.current_thread() is self._thread:
            call.close()
            where = "is closed" if loop is None else "cannot be used from its own callbacks"
            raise WrongLoop(
                f"planar.sync {where}", outcome=Outcome.NOT_SENT, hint="use it as: with planar.sync.open() as p"
            )
        future = asyncio.run_coroutine_threadsafe(call, loop)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
            raise

    def now(self, call: Callable[[], T]) -> T:
        """Run a plain function in the loop: what belongs to the loop is read there."""

        async def called() -> T:
            return call()

        return self.run(called())

    def stop(self) -> None:
        """End the loop and its thread."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self._loop = None
        loop.call_soon_threadsafe(self._ended.set)
        thread.join()
