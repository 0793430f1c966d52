"""Alarms: what a person must hear of while a program trades, and where it is told.

`Alarms.report` never waits and never fails: it drops what was told already, puts the rest into a bounded queue, and one
task hands it to the sinks in turn (`planar.transport.sinks`). Texts and data are redacted before any sink sees them.
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

AlarmKind = Literal["ban", "breaker", "breaker_closed", "clock", "order_unknown", "budget"]
"""`ban`: the venue told us to stay away. `breaker`, `breaker_closed`: a host answers nothing; answers again. `clock`: the
system clock is wrong. `order_unknown`: an order is unknown for long. `budget`: calls fail since a limit is used up."""

Severity = Literal["info", "warning", "error"]

REPEAT_S = 300.0
"""The same alarm is told again after so long at the earliest."""
PER_MINUTE = 20
"""Alarms that go to the sinks in a minute; what is above is counted and said with the next one."""
QUEUE = 100
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


class Alarms:
    """Takes alarms from everywhere, tells each once."""

    def __init__(self, sinks: Sequence[AlarmSink] = ()) -> None:
        self._sinks = list(sinks)
        self._told: dict[tuple[str, ...], float] = {}
        self._minute: deque[float] = deque()
        self._queue: deque[Alarm] = deque()
        self._unsaid = 0
        self._task: asyncio.Task[None] | None = None

    def add(self, sink: AlarmSink) -> Callable[[], None]:
        """Tell this sink too, until the function that is given back is called."""
        self._sinks.append(sink)
        return lambda: self._sinks.remove(sink)

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
        if not self._new((kind, exchange, account, of)):
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
        if self._unsaid:
            alarm = msgspec.structs.replace(
                alarm, text=f"{alarm.text} (and {self._unsaid} alarms before it were left out)"
            )
            self._unsaid = 0
        self._queue.append(alarm)
        if self._task is None and self._sinks:
            self._task = runtime.spawn(self._tell(), name="alarms")

    def _new(self, key: tuple[str, ...]) -> bool:
        """Whether it is to be told: not told lately, and not too many at once."""
        now = runtime.monotonic()
        if key[0] == "breaker_closed":
            self._told.pop(("breaker", *key[1:]), None)
        elif now - self._told.get(key, -REPEAT_S) < REPEAT_S:
            return False
        while self._minute and now - self._minute[0] > 60:
            self._minute.popleft()
        if len(self._minute) >= PER_MINUTE or len(self._queue) >= QUEUE or not self._sinks:
            self._unsaid += bool(self._sinks)
            return False
        self._minute.append(now)
        self._told[key] = now
        if len(self._told) > 1_000:
            self._told = {one: at for one, at in self._told.items() if now - at < REPEAT_S}
        return True

    async def _tell(self) -> None:
        try:
            while self._queue:
                alarm = self._queue.popleft()
                await asyncio.gather(*(self._send(sink, alarm) for sink in list(self._sinks)))
        finally:
            self._task = None

    async def _send(self, sink: AlarmSink, alarm: Alarm) -> None:
        try:
            async with asyncio.timeout(SINK_S):
                await sink.send(alarm)
        except Exception as error:
            log.warning("an alarm could not be sent by %s: %s", type(sink).__name__, redact(f"{error!r}"))

    async def close(self) -> None:
        """Tell what is left, then close the sinks."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=SINK_S)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for sink in self._sinks:
            await sink.close()
