"""READY: no new order leaves before journal and venue were brought to agree, and what makes them agree again.

    start, reconnect of the private stream   orders are held back until a pass that began afterwards has passed
    timer, demand                            orders go on

One pass at a time, whoever asks. Whoever asks while a pass is under way gets the next one, for what the one under way
has read may be older than the question. Cancels never wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

import planar.runtime as runtime
from planar.errors import Outcome, PlanarError, RequestTimeout
from planar.orders.differences import Policy, Reason, Reconciliation
from planar.transport.account_log import account_log

log = account_log("planar.orders")

EVERY_S = 20.0
"""From the beginning of a timed pass to that of the next: with the patience of a pass and its own length, what a stream
lost is found within 30 s."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2.0

Run = Callable[[Reason, Policy | None], Awaitable[tuple[Reconciliation, PlanarError | None]]]


class ReadyState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether new orders go at once, and what the last reconciliation found.

    Attributes:
        ready: False: they are held back.
        waits_for: what made the reconciliation necessary that they wait for; "" if they do not.
        since_ms: since when, UTC milliseconds.
        held: how many orders wait at this moment.
        last: the last reconciliation; None before the first.
        error: why the last attempt did not pass; "" if it did.
    """

    ready: bool
    waits_for: str = ""
    since_ms: int | None = None
    held: int = 0
    last: Reconciliation | None = None
    error: str = ""


class Readiness:
    """The gate of one account, and the sequencer of its passes.

    Args:
        run: makes one pass; gives what it found, and why no order may be sent after it.
        something_open: whether any order of the journal may stand at the venue: the timer runs while it is so.
    """

    def __init__(self, run: Run, something_open: Callable[[], bool]) -> None:
        self._run = run
        self._something_open = something_open
        self._turn = asyncio.Lock()
        self._waiting: dict[tuple[Reason, Policy | None], asyncio.Task[Reconciliation]] = {}
        self._tasks: dict[asyncio.Task[Reconciliation], None] = {}
        self._under_way: tuple[int, asyncio.Task[Reconciliation]] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._wanted = 1
        self._passed = 0
        self._because: Reason = "start"
        self._words = "the start"
        self._since_ms = runtime.wall_ms()
        self._held = 0
        self._last: Reconciliation | None = None
        self._error = ""

    @property
    def state(self) -> ReadyState:
        """How it stands."""
        if self._passed >= self._wanted:
            return ReadyState(ready=True, last=self._last, error=self._error)
        return ReadyState(
            ready=False,
            waits_for=self._words,
            since_ms=self._since_ms,
            held=self._held,
            last=self._last,
            error=self._error,
        )

    # -- the gate --------------------------------------------------------------------------------------------------
    def hold(self, words: str) -> None:
        """Hold new orders back from now on, until a pass that begins now has passed; `words` say why."""
        if not self._passed and self._under_way is None:
            return  # the first pass has yet to begin, and will see whatever happened until then
        if self._passed >= self._wanted:
            self._since_ms = runtime.wall_ms()
        self._wanted += 1
        self._because, self._words = "reconnect", words
        self.ask("reconnect")

    async def ready(self, limit_s: float | None = None) -> None:
        """Wait until orders may go.

        Args:
            limit_s: how long passes that fail are made again; None: the first failure is raised.

        Raises:
            PlanarError: (NOT_SENT) they may not, and why.
        """
        if self._passed >= self._wanted:
            return
        log.info("orders wait for the reconciliation after %s", self._words)
        self._held += 1
        try:
            await self._wait(limit_s)
        finally:
            self._held -= 1

    async def _wait(self, limit_s: float | None) -> None:
        deadline = None if limit_s is None else runtime.monotonic() + limit_s
        pause_s, why = FIRST_PAUSE_S, ""
        try:
            async with asyncio.timeout(limit_s):
                while self._passed < self._wanted:
                    try:
                        await asyncio.shield(self._opening())
                    except PlanarError as error:
                        why = error.message
                        left_s = 0.0 if deadline is None else deadline - runtime.monotonic()
                        wait_s = max(pause_s, error.retry_after_s or 0.0)
                        if not error.retryable or wait_s >= left_s:
                            raise
                        await runtime.sleep(wait_s)
                        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        except TimeoutError:
            raise RequestTimeout(
                f"the order was held back: the reconciliation after {self._words} has not passed within {limit_s:.1f} s"
                + (f" ({why})" if why else ""),
                outcome=Outcome.NOT_SENT,
                hint="nothing was sent; exchange.readiness tells what orders wait for",
            ) from None

    def _opening(self) -> asyncio.Task[Reconciliation]:
        """The pass after which orders may go: the one under way, if it began late enough."""
        if self._under_way is not None and self._under_way[0] >= self._wanted:
            return self._under_way[1]
        return self.ask(self._because)

    # -- the sequencer ---------------------------------------------------------------------------------------------
    async def demand(self, policy: Policy | None) -> Reconciliation:
        """A pass that begins now or later.

        Raises:
            PlanarError: the venue did not tell its open orders, or the journal is not to be had.
        """
        return await self._shared("demand" if self._passed else "start", policy)

    async def _shared(self, reason: Reason, policy: Policy | None) -> Reconciliation:
        return await asyncio.shield(self.ask(reason, policy))

    def ask(self, reason: Reason, policy: Policy | None = None) -> asyncio.Task[Reconciliation]:
        """A pass that has not begun yet; those who ask for the same share it. Its own errors are those of `demand`."""
        key = (reason, policy)
        task = self._waiting.get(key)
        if task is None:
            task = self._waiting[key] = runtime.spawn(self._in_turn(key), name=f"orders: reconcile ({reason})")
            self._tasks[task] = None
            task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Reconciliation]) -> None:
        del self._tasks[task]
        if not task.cancelled():
            task.exception()  # told to whoever waits for it; a caller who left causes no warning

    async def _in_turn(self, key: tuple[Reason, Policy | None]) -> Reconciliation:
        async with self._turn:
            task = self._waiting.pop(key)  # who asks from now on gets the next one
            self._under_way = (self._wanted, task)
            try:
                return await self._pass(*key)
            finally:
                self._under_way = None

    async def _pass(self, reason: Reason, policy: Policy | None) -> Reconciliation:
        wanted = self._wanted
        if self._passed and reason == "start":
            reason = "demand"  # another one was faster
        try:
            found, error = await self._run(reason, policy)
        except PlanarError as failure:
            self._error = failure.message
            raise
        self._last = found
        if error is not None:
            self._error = error.message
            raise error
        self._error = ""
        self._passed = max(self._passed, wanted)
        self.keep_time()
        return found

    # -- the timer -------------------------------------------------------------------------------------------------
    def keep_time(self) -> None:
        """Let the timer run while something is open."""
        if self._timer is None and self._passed and self._something_open():
            self._timer = runtime.spawn(self._time(), name="orders: reconcile now and then")

    async def _time(self) -> None:
        try:
            pause_s = EVERY_S
            while True:
                await runtime.sleep(pause_s)
                if not self._something_open():
                    return
                began_s = runtime.monotonic()
                try:
                    await self._shared("timer", None)
                except PlanarError as error:
                    log.warning("the reconciliation did not pass, it is made again: %s", error)
                pause_s = max(0.0, EVERY_S - (runtime.monotonic() - began_s))
        finally:
            self._timer = None

    async def close(self) -> None:
        """End the timer and every pass."""
        tasks: list[asyncio.Task[Reconciliation] | asyncio.Task[None]] = [*self._tasks]
        if self._timer is not None:
            tasks.append(self._timer)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
