"""The end of a request's time, without a timer of its own.

Almost no request comes to its end, so setting and cancelling a timer for each (`asyncio.timeout`) is wasted work. The
requests of a loop share one timer here: it is set for the earliest end, and when it fires it is set for what is then the
earliest. What happens at the end is what `asyncio.timeout` does.
"""

from __future__ import annotations

import asyncio
from math import inf
from types import TracebackType
from typing import Final, Self
from weakref import WeakKeyDictionary

_EARLY_S: Final = 1e-4
"""A timer may fire a little before its time."""


class _Watch:
    """The deadlines that are open on one loop. It keeps no timer, since a timer keeps its loop alive."""

    __slots__ = ("_open", "_when")

    def __init__(self) -> None:
        self._open: dict[Deadline, None] = {}
        self._when = inf

    def add(self, one: Deadline, loop: asyncio.AbstractEventLoop) -> None:
        self._open[one] = None
        if one.at < self._when:
            self._set(one.at, loop)

    def remove(self, one: Deadline) -> None:
        self._open.pop(one, None)

    def _set(self, at: float, loop: asyncio.AbstractEventLoop) -> None:
        self._when = at
        loop.call_at(at, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now, soonest = loop.time() + _EARLY_S, inf
        if now < self._when:
            return  # of a timer that was set before an earlier one
        for one in list(self._open):
            if one.at <= now:
                del self._open[one]
                one.expire()
            elif one.at < soonest:
                soonest = one.at
        self._when = inf
        if soonest < inf:
            self._set(soonest, loop)


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = WeakKeyDictionary()


class Deadline:
    """`with Deadline(seconds):` ends the block with TimeoutError after so long.

    Attributes:
        at: when, by the loop's clock.
    """

    __slots__ = ("_cancelling", "_expired", "_task", "_watch", "at")

    def __init__(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is for the work of a task")
        watch = _watches.get(loop)
        if watch is None:
            watch = _watches[loop] = _Watch()
        self._watch = watch
        self._task = task
        self._cancelling = task.cancelling()
        self._expired = False
        self.at = loop.time() + seconds
        watch.add(self, loop)

    def expire(self) -> None:
        """The time is over."""
        self._expired = True
        self._task.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.remove(self)
        # somebody may have cancelled the task besides: then it is cancelled, and not late
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
