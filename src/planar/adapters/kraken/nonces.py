"""Kraken's nonces: each signed request of a key carries a higher one than the request that arrived before it.

Source: documentation, Spot REST authentication. Requests that leave together, each over a connection of its own, arrive
in any order; so each waits for its turn, which passes on when the answer is there, or after `TURN_S`. Kraken allows an
order every few hundred milliseconds at most, so nothing is lost by that.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import AsyncGenerator

import planar.runtime as runtime
from planar.errors import Outcome, RequestTimeout
from planar.transport.context import CallContext

TURN_S = 0.2
"""How long the next request waits for an answer that does not come: by then the one before it has long arrived."""


class Turns:
    """One request at a time, the most urgent first."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._sequence = 0

    @contextlib.asynccontextmanager
    async def turn(self, call: CallContext) -> AsyncGenerator[None]:
        """Wait for the turn, and hold it for the block or `TURN_S`, whichever ends first.

        Raises:
            RequestTimeout: (NOT_SENT) the call's deadline passes before.
        """
        if self._taken:
            await self._wait(call)
        self._taken = True
        passing = asyncio.get_running_loop().call_later(TURN_S, self._pass)
        try:
            yield
        finally:
            if not passing.cancelled() and passing.when() > asyncio.get_running_loop().time():
                passing.cancel()
                self._pass()

    async def _wait(self, call: CallContext) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sequence += 1
        heapq.heappush(self._waiting, (int(call.priority), self._sequence, future))
        try:
            async with asyncio.timeout(call.remaining_s()):
                await future
        except (TimeoutError, asyncio.CancelledError) as error:
            if future.done() and not future.cancelled():
                self._pass()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise RequestTimeout(
                f"{call.name} was not sent: its {call.timeout_ms} ms passed behind other signed requests of this key",
                outcome=Outcome.NOT_SENT,
            ) from None

    def _pass(self) -> None:
        """The next one's turn."""
        self._taken = False
        while self._waiting:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                self._taken = True
                future.set_result(None)
                return


class KrakenNonces:
    """Nonces that grow, in the order in which requests arrive; mixed in before the seam."""

    def nonce(self) -> int:
        """Milliseconds, and always more than the last."""
        state = self.__dict__
        state["_planar_nonce"] = max(state.get("_planar_nonce", 0) + 1, runtime.wall_ms())
        return state["_planar_nonce"]

    def turn(self, section: str, call: CallContext) -> contextlib.AbstractAsyncContextManager[None]:
        """See `CcxtSeam`."""
        if section != "private":
            return contextlib.nullcontext()
        turns: Turns = self.__dict__.setdefault("_planar_turns", Turns())
        return turns.turn(call)
