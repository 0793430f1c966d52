"""CCXT loads markets beside the event loop: three thousand of them take it half a second of parsing, in which a program
that trades could neither cancel an order nor read its streams.

    loop:    fetch2 of the instance (budget, deadline, guard)        what changed is put on the instance
    thread:  a copy of the instance, whose fetch2 asks the loop  ->  parses, sorts, writes the file
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import planar.runtime as runtime

T = TypeVar("T")

_OWN = ("options", "session", "socks_proxy_sessions", "markets_loading", "fetch2", "fetch")
"""Attributes that the copy has for itself: CCXT's sessions, its task on a loop, and the way to the instance's requests."""


async def beside(exchange: Any, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Run `work` with a copy of a CCXT instance in a thread; its requests are the instance's own, on this loop.

    What the work leaves on the copy is put on the instance at its end, in one step; of work that fails, or that is left
    by its caller, nothing is. A simulated loop has one thread, and works on the instance itself.
    """
    loop = asyncio.get_running_loop()
    if isinstance(loop, runtime.SimLoop):
        return await work(exchange)
    asked: set[concurrent.futures.Future[Any]] = set()
    left = False

    def asking(name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(exchange, name)

        async def ask(*args: Any, **kwargs: Any) -> Any:
            if left:
                raise asyncio.CancelledError
            answer = asyncio.run_coroutine_threadsafe(method(*args, **kwargs), loop)
            asked.add(answer)
            try:
                return await asyncio.wrap_future(answer)
            finally:
                asked.discard(answer)

        return ask

    twin: Any = copy.copy(exchange)
    twin.options = dict(exchange.options)
    twin.session = twin.socks_proxy_sessions = twin.markets_loading = None
    twin.fetch2, twin.fetch = asking("fetch2"), asking("fetch")
    before, options = dict[str, Any](twin.__dict__), dict[str, Any](twin.options)
    try:
        result = await asyncio.to_thread(lambda: asyncio.run(work(twin)))
    finally:
        left = True
        for answer in list(asked):
            answer.cancel()
    _take_over(exchange.options, options, twin.options)
    after = dict[str, Any](twin.__dict__)
    _take_over(exchange.__dict__, before, {name: value for name, value in after.items() if name not in _OWN})
    return result


def _take_over(mine: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Take what became another object, or is gone; what changed here meanwhile and not there stands."""
    for name in before.keys() - after.keys() - set(_OWN):
        mine.pop(name, None)
    mine.update({name: value for name, value in after.items() if name not in before or value is not before[name]})
