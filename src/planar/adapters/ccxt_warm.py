"""The part of the seam that keeps a connection to the order host warm.

A WRITE goes only over a connection that was used a moment ago (`planar.transport.reuse`), so after a pause it would wait
for TCP and TLS first. While orders are being sent, the venue is asked for its time just often enough that there is
always such a connection; some minutes after the last WRITE that ends by itself.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

import planar.runtime as runtime
from planar.transport.account_log import account_log
from planar.transport.context import CallContext, Priority, calling

log = account_log("planar.transport")

WARMING = "the question that keeps a connection warm"
PART: Final = 0.6
"""Of the time for which a WRITE trusts a kept connection: so often the venue is asked."""
FOR_S: Final = 600.0
"""So long after the last WRITE it goes on."""


class Warmth:
    """What is kept for one adapter.

    Attributes:
        last_s: monotonic seconds of the last WRITE.
        host: where it went.
        elsewhere: hosts of WRITEs that the question does not go to: nothing keeps those warm.
    """

    __slots__ = ("elsewhere", "host", "last_s", "task")

    def __init__(self) -> None:
        self.last_s = 0.0
        self.host = ""
        self.elsewhere: dict[str, None] = {}
        self.task: asyncio.Task[None] | None = None


class WarmSeam:
    """Mixed in before CCXT's class, as a part of `CcxtSeam`."""

    def keep_warm(self, host: str) -> None:
        """A WRITE was answered by `host`: keep a connection to it for the next one."""
        this = cast(Any, self)
        if this.planar.warm_every_s is None or not this.has.get("fetchTime"):
            return
        warmth: Warmth = self.__dict__.setdefault("_planar_warmth", Warmth())
        warmth.last_s, warmth.host = runtime.monotonic(), host
        if warmth.task is not None or host in warmth.elsewhere:
            return
        warmth.task = runtime.spawn(self._keep_warm(warmth), name=f"{this.id}: warm connection")
        tasks: dict[asyncio.Task[Any], None] = this._tasks()
        tasks[warmth.task] = None
        warmth.task.add_done_callback(tasks.pop)

    async def _keep_warm(self, warmth: Warmth) -> None:
        every_s: float = cast(Any, self).planar.warm_every_s
        try:
            used_s = warmth.last_s
            while (now := runtime.monotonic()) < warmth.last_s + FOR_S:
                due_s = max(used_s, warmth.last_s) + every_s
                if now < due_s:
                    await runtime.sleep(due_s - now)
                    continue
                asked = await self._ask(every_s)
                used_s = runtime.monotonic()
                if asked is not None and asked != warmth.host:
                    warmth.elsewhere[warmth.host] = None
                    return
        finally:
            warmth.task = None

    async def _ask(self, every_s: float) -> str | None:
        """Ask, if the budget has room after everybody else; the host that answered."""
        this = cast(Any, self)
        call = CallContext(WARMING, max(1_000, int(every_s * 1_000)), Priority.BACKFILL, reading=True)
        with calling(call):
            try:
                await this.fetch_time()
            except Exception as error:
                log.info("no connection is kept warm: %s", error)
                return None
        return call.requests[-1].host
