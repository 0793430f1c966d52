"""Alarms: what a person must hear of while a program trades, and where it is told.

`Alarms.report` never waits and never fails: it counts what was told already, and puts the rest into a bounded queue for
each sink (`planar.transport.sinks`), which a task empties. Texts and data are redacted before any sink sees them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

import planar.runtime as runtime
from planar.transport.redact import redact

log = logging.getLogger("planar.alarms")

AlarmKind = Literal[
    "ban",
    "breaker",
    "breaker_closed",
    "clock",
    "order_unknown",
    "budget",
    "order_ghost",
    "order_orphan",
    "order_contradicted",
    "order_overfilled",
    "fill_missed",
    "dead_man",
    "audit",
    "order_group",
]
"""`ban`: the venue told us to stay away. `breaker`, `breaker_closed`: a host answers nothing; answers again. `clock`: the
system clock is wrong. `order_unknown`: an order is unknown for long. `budget`: calls fail since a limit is used up.
`order_overfilled`: an order is filled beyond all that was wished of it. `dead_man`: the dead man's switch struck, or
cannot be renewed. `audit`: the audit trail cannot be written. `order_group`: linked orders ended otherwise than they
were meant to. The others: what a reconciliation found (`planar.orders.differences`)."""

Severity = Literal["info", "warning", "error"]

REPEAT_S = 300.0
"""The same alarm is told again after so long at the earliest."""
PER_MINUTE = 20
"""Alarms that go to the sinks in a minute; what is above is counted and said with the next one."""
QUEUE = 100
"""Alarms that wait for one sink; what is above is counted and said with the next one."""
SINK_S = 15.0
"""How long a sink may take for one alarm."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm.

    Attributes:
        kind: what it is about.
        severity: "info", "warning" or "error".
        exchange: the exchange's id; "" if it concerns none.
        account: whose; "" if it concerns all accounts.
        text: for people, one sentence.
        since_ms: UTC milliseconds since when it is so.
        data: the same for programs.
    """

    kind: AlarmKind
    severity: Severity
    exchange: str
    account: str
    text: str
    since_ms: int
    data: Mapping[str, Any] = {}


class AlarmSink(Protocol):
    """Where alarms go."""

    async def send(self, alarm: Alarm) -> None:
        """Tell it. Whatever it raises is logged, and hinders no other sink."""
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...


class _Outbox:
    """One sink, what it is still to be told, and the task that tells it: a slow one delays no other."""

    def __init__(self, sink: AlarmSink) -> None:
        self.sink = sink
        self.task: asyncio.Task[None] | None = None
        self._queue: deque[Alarm] = deque()
        self._lost = 0

    def put(self, alarm: Alarm) -> None:
        """Tell it in turn; above `QUEUE` it is counted, and said with the next one."""
        if len(self._queue) >= QUEUE:
            self._lost += 1
            return
        if self._lost:
            alarm = _with(alarm, f"and {self._lost} alarms before it were left out")
            self._lost = 0
        self._queue.append(alarm)
        if self.task is None:
            self.task = runtime.spawn(self._tell(), name=f"alarms: {type(self.sink).__name__}")

    async def _tell(self) -> None:
        try:
            while self._queue:
                await self._send(self._queue.popleft())
        finally:
            self.task = None

    async def _send(self, alarm: Alarm) -> None:
        try:
            async with asyncio.timeout(SINK_S):
                await self.sink.send(alarm)
        except Exception as error:
            log.warning("an alarm could not be sent by %s: %s", type(self.sink).__name__, redact(f"{error!r}"))

    async def close(self) -> None:
        """Let go of the sink; what it was not told by now it will not be."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])
        try:
            await self.sink.close()
        except Exception as error:
            log.warning("%s could not be closed: %s", type(self.sink).__name__, redact(f"{error!r}"))


class _Told:
    """When an alarm was told last, and how often it was raised since."""

    __slots__ = ("at", "since")

    def __init__(self, at: float) -> None:
        self.at = at
        self.since = 0


class Alarms:
    """Takes alarms from everywhere, tells each once."""

    def __init__(self, sinks: Sequence[AlarmSink] = ()) -> None:
        self._boxes = [_Outbox(sink) for sink in sinks]
        self._told: dict[tuple[str, ...], _Told] = {}
        self._minute: deque[float] = deque()
        self._unsaid = 0

    def add(self, sink: AlarmSink) -> Callable[[], None]:
        """Tell this sink too, until the function that is given back is called; the caller closes it then."""
        box = _Outbox(sink)
        self._boxes.append(box)

        def remove() -> None:
            if box in self._boxes:
                self._boxes.remove(box)

        return remove

    def report(
        self,
        kind: AlarmKind,
        severity: Severity,
        exchange: str,
        text: str,
        *,
        account: str = "",
        of: str = "",
        since_ms: int | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Raise an alarm.

        Args:
            of: what it is about (a host, an order): alarms of one kind about different things are different.
            since_ms: since when it is so; None is now.
        """
        if not self._boxes:
            return
        repeated = self._again((kind, exchange, account, of))
        if repeated is None:
            return
        alarm = Alarm(
            kind=kind,
            severity=severity,
            exchange=exchange,
            account=account,
            text=redact(text),
            since_ms=runtime.wall_ms() if since_ms is None else since_ms,
            data={name: redact(value) if isinstance(value, str) else value for name, value in (data or {}).items()},
        )
        if repeated:
            alarm = _with(alarm, f"raised {repeated} times more since it was told last")
        if self._unsaid:
            alarm = _with(alarm, f"and {self._unsaid} alarms before it were left out")
            self._unsaid = 0
        for box in self._boxes:
            box.put(alarm)

    def _again(self, key: tuple[str, ...]) -> int | None:
        """How often it was raised since it was told last; None if it is not to be told now."""
        now = runtime.monotonic()
        told = self._told.get(key)
        if key[0] == "breaker_closed":
            self._told.pop(("breaker", *key[1:]), None)
        elif told is not None and now - told.at < REPEAT_S:
            told.since += 1
            return None
        while self._minute and now - self._minute[0] > 60:
            self._minute.popleft()
        if len(self._minute) >= PER_MINUTE:
            self._unsaid += 1
            return None
        self._minute.append(now)
        self._told[key] = _Told(now)
        if len(self._told) > 1_000:
            self._told = {one: entry for one, entry in self._told.items() if now - entry.at < REPEAT_S}
        return 0 if told is None else told.since

    async def close(self) -> None:
        """Tell what is left, then close the sinks."""
        tasks = [box.task for box in self._boxes if box.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=SINK_S)
        for box in self._boxes:
            await box.close()


def _with(alarm: Alarm, words: str) -> Alarm:
    return msgspec.structs.replace(alarm, text=f"{alarm.text} ({words})")
