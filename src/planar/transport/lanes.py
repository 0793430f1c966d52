"""Lanes: the signed requests of a key whose venue takes nonces go one after the other, each with a higher nonce.

Requests that leave together, each over a connection of its own, arrive in any order, and a venue that has seen the
higher nonce refuses the lower. So a request takes its nonce when it is signed, immediately before its bytes are written,
and the next one waits until its answer is there, or for `TURN_S`.

Processes that use one key share a small file: it holds the highest nonce, and whose turn it is holds its lock. The
system lets go of the lock of a process that died.
"""

from __future__ import annotations

import asyncio
import fcntl
import heapq
import os
import struct
from pathlib import Path
from typing import Final

import planar.runtime as runtime
from planar.errors import Outcome, RequestTimeout
from planar.transport.budget import Reservation
from planar.transport.context import CallContext

TURN_S = 0.2
"""How long the next request waits for an answer that does not come: by then the one before it has long arrived."""
_POLL_S: Final = 0.001
_RECORD: Final = struct.Struct("=QQ")  # highest nonce, who took it


class _SharedLast:
    """The file of a key: its lock, and the highest nonce of all processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._me = int.from_bytes(runtime.token_bytes(8), "big")
        self._contended = False

    async def take(self) -> int:
        """Wait for the lock; the highest nonce so far."""
        if self._contended:
            # whoever has just had it would always be the quickest to take it again
            await runtime.sleep(_POLL_S * 2)
            self._contended = False
        while (last := self.take_now()) is None:
            await runtime.sleep(_POLL_S * runtime.current().random.uniform(0.5, 1.5))
        return last

    def take_now(self) -> int | None:
        """The highest nonce so far; None if another process has the lock, or should have it first."""
        if self._contended:
            return None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        held = os.pread(self._descriptor, _RECORD.size, 0)
        last, holder = _RECORD.unpack(held) if len(held) == _RECORD.size else (0, self._me)
        self._contended = holder != self._me
        return last

    def write(self, nonce: int) -> None:
        """The highest nonce is this one. Written before the request leaves, so that a crash repeats none."""
        os.pwrite(self._descriptor, _RECORD.pack(nonce, self._me), 0)

    def release(self) -> None:
        """The next process's turn."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


class NonceLane:
    """One request of a key at a time, the most urgent first."""

    def __init__(self, path: Path | None = None) -> None:
        """
        Args:
            path: file that all processes with this key share; None if no other process can have it.
        """
        self._taken = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._sequence = 0
        self._last = 0
        self._shared = _SharedLast(path) if path is not None else None

    @property
    def taken(self) -> bool:
        """Whether a request of this process has the turn, so that the next one would wait."""
        return self._taken

    def nonce(self) -> int:
        """Milliseconds of the system clock, and always more than the last."""
        self._last = max(self._last + 1, runtime.wall_ms())
        if self._shared is not None:
            self._shared.write(self._last)
        return self._last

    def turn(self, call: CallContext) -> Turn:
        """Within `async with`: wait for the turn, and hold it for the block or `TURN_S`, whichever ends first.

        Entering raises RequestTimeout (NOT_SENT) if the call's deadline passes before.
        """
        return Turn(self, call)

    async def take(self, call: CallContext) -> asyncio.TimerHandle:
        """Wait for the turn; what ends it if its holder does not. See `turn`."""
        if self._taken:
            await self._wait(call)
        self._taken = True
        if self._shared is not None:
            await self._share(call, self._shared)
        return asyncio.get_running_loop().call_later(TURN_S, self._pass)

    def give_back(self, passing: asyncio.TimerHandle) -> None:
        """The turn ends, unless it has ended by itself."""
        if not passing.cancelled() and passing.when() > asyncio.get_running_loop().time():
            passing.cancel()
            self._pass()

    async def _share(self, call: CallContext, shared: _SharedLast) -> None:
        try:
            left_s, last = call.remaining_s(), shared.take_now()
            if last is None:
                async with asyncio.timeout(left_s):
                    last = await shared.take()
            self._last = max(self._last, last)
        except TimeoutError:
            self._next()
            raise self._late(call) from None
        except BaseException:
            self._next()
            raise

    async def _wait(self, call: CallContext) -> None:
        left_s = call.remaining_s()  # raises for a call whose time is over: that one must not stand in the queue
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sequence += 1
        heapq.heappush(self._waiting, (int(call.priority), self._sequence, future))
        try:
            async with asyncio.timeout(left_s):
                await future
        except (TimeoutError, asyncio.CancelledError) as error:
            if future.done() and not future.cancelled():
                self._next()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise self._late(call) from None

    def _late(self, call: CallContext) -> RequestTimeout:
        return RequestTimeout(
            f"{call.name} was not sent: its {call.timeout_ms} ms passed behind other signed requests of this key",
            outcome=Outcome.NOT_SENT,
        )

    def _pass(self) -> None:
        """The turn ends."""
        if self._shared is not None:
            self._shared.release()
        self._next()

    def _next(self) -> None:
        """The next one's turn in this process."""
        self._taken = False
        while self._waiting:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                self._taken = True
                future.set_result(None)
                return

    def close(self) -> None:
        """Let go of the file."""
        if self._shared is not None:
            self._shared.close()
            self._shared = None


class Turn:
    """A turn of `lane`; with a reservation, one in which what was reserved still fits.

    While a request waits for its turn, a cancel may go before it and count on the same meter without asking.
    """

    __slots__ = ("_call", "_held", "_lane", "_passing")

    def __init__(self, lane: NonceLane, call: CallContext, held: Reservation | None = None) -> None:
        self._lane = lane
        self._call = call
        self._held = held

    async def __aenter__(self) -> None:
        """Raises RequestTimeout, RateLimitExceeded (NOT_SENT): the call's deadline passes before."""
        while True:
            passing = await self._lane.take(self._call)
            try:
                fits = self._held is None or await self._held.fits()
            except BaseException:
                self._lane.give_back(passing)
                raise
            if fits:
                self._passing = passing
                return
            self._lane.give_back(passing)
            assert self._held is not None
            await self._held.again(self._call)

    async def __aexit__(self, *error: object) -> None:
        self._lane.give_back(self._passing)


class NonceLanes:
    """The lanes of a workspace, by key."""

    def __init__(self, directory: Path | None = None) -> None:
        """
        Args:
            directory: where the files stand that processes share; None shares with nobody.
        """
        self._directory = directory
        self._lanes: dict[str, NonceLane] = {}

    def lane(self, name: str) -> NonceLane:
        """The lane of a key.

        Args:
            name: made of exchange, environment and the key's fingerprint.
        """
        if name not in self._lanes:
            path = None if self._directory is None else self._directory / f"{name}.lane"
            self._lanes[name] = NonceLane(path)
        return self._lanes[name]

    def close(self) -> None:
        """Let go of all files."""
        for lane in self._lanes.values():
            lane.close()
