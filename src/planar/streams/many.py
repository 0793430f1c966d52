"""`ManyStream`: streams of one kind of several markets as one: CCXT's `watch_*_for_symbols`.

Each market keeps a stream of its own, shared with whoever else watches it, with its own state and its own troubles. What
comes is handed on in the order of the markets, one of each in turn, so that a busy one cannot starve the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

import planar.runtime as runtime
from planar.adapters.feed import Kind
from planar.errors import ArgumentsRequired, BadRequest, Outcome, PlanarError
from planar.streams.cursor import Cursor
from planar.streams.mailbox import Nothing
from planar.streams.states import Gap
from planar.streams.stream import Stream

T = TypeVar("T")


class ManyStream(Generic[T]):
    """Streams of several markets as one. Opened, iterated and awaited like a `Stream`.

    Attributes:
        streams: by what was asked for: the symbol, of candles (symbol, timeframe). Each says how it is.
        errors: why one of them was left out: it was refused for good. The others go on.
    """

    def __init__(self, streams: Mapping[Any, Stream[Any]], named: Callable[[Any, Any], T]) -> None:
        """
        Args:
            named: makes what is given out of a key of `streams` and what came.
        """
        if not streams:
            raise ArgumentsRequired("no symbols are given", hint='name the markets: ["BTC/USDT", ...]')
        self.streams: dict[Any, Stream[Any]] = dict(streams)
        self.errors: dict[Any, PlanarError] = {}
        self._named = named
        self._event = asyncio.Event()
        self._turn = list(self.streams)
        self._open: list[Stream[Any]] = []

    def __repr__(self) -> str:
        return f"<{len(self.streams)} streams: {', '.join(str(key) for key in self.streams)}>"

    async def __aenter__(self) -> Self:
        if self._open:
            raise BadRequest("the streams are open already", outcome=Outcome.NOT_SENT)
        try:
            for stream in self.streams.values():
                stream.share(self._event)
                await stream.__aenter__()
                self._open.append(stream)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        opened, self._open = self._open, []
        for stream in opened:
            await stream.__aexit__(kind, error, traceback)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """The next of any market.

        Raises:
            StaleData, PlanarError: one of them cannot be trusted now, and says which; iterating again goes on.
        """
        while True:
            self._event.clear()
            for key in list(self._turn):
                found = self._polled(key)
                if not isinstance(found, Nothing | Gap):
                    self._turn.remove(key)
                    self._turn.append(key)
                    return self._named(key, found)
            if not self._turn:
                raise StopAsyncIteration
            await self._event.wait()

    def _polled(self, key: Any) -> Any:
        """What came of one; a Gap is in its own `gaps` already."""
        stream = self.streams[key]
        try:
            while isinstance(found := stream.poll(), Gap):
                continue
        except PlanarError as error:
            if not stream.ended:
                raise
            self._turn.remove(key)
            self.errors[key] = error
            if not self._turn:
                raise
            return Nothing()
        if isinstance(found, Nothing) and stream.ended:
            self._turn.remove(key)
        return found

    # -- awaiting --------------------------------------------------------------------------------------------------
    def __await__(self) -> Generator[Any, None, Any]:
        """What changed longest ago and was not given yet: rows of one market since the last await, or its newest state."""
        return self._awaited().__await__()

    async def _awaited(self) -> Any:
        cursors = {key: await stream.cursor() for key, stream in self.streams.items()}
        while True:
            key, begun = await _first(cursors)
            found = self.streams[key].given(cursors[key], begun)
            if isinstance(found, Nothing):
                continue
            rows = cast("list[Any]", found)
            if self.streams[key].kind is Kind.OHLCV:
                symbol, timeframe = key
                return {symbol: {timeframe: rows}}
            return found

    async def unwatch(self) -> None:
        """End what `await` began."""
        for stream in self.streams.values():
            await stream.unwatch()


async def _first(cursors: Mapping[Any, Cursor]) -> tuple[Any, int]:
    """Which of them has something that waits longest, and its mark."""
    waiting = {key: runtime.spawn(cursor.ready(), name=f"await {key} of several") for key, cursor in cursors.items()}
    try:
        await asyncio.wait(waiting.values(), return_when=asyncio.FIRST_COMPLETED)
        ready = [key for key, task in waiting.items() if task.done()]
        key = min(ready, key=lambda one: cursors[one].since_s)
        return key, waiting[key].result()
    finally:
        for task in waiting.values():
            task.cancel()
        await asyncio.gather(*waiting.values(), return_exceptions=True)
