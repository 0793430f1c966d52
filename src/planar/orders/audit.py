"""The audit trail: every request that changes something, and its answer, one JSON line each.

The seam tells `AuditTrail` (`planar.transport.writes.Trail`); a thread writes the lines to a file for each account and day
(UTC) under the state directory. The order path only puts into a queue: it neither waits nor fails. What cannot be written
is counted, said in the file as soon as it can be written again, and is an alarm at once.
"""

from __future__ import annotations

import datetime
import os
import queue
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

import msgspec

import planar.runtime as runtime
from planar.transport.redact import HIDDEN, redact
from planar.transport.writes import Subject, VenueRequest, WriteAnswer

QUEUE: Final = 10_000
"""Lines that wait to be written; what is above is counted as lost."""
LONGEST: Final = 16_384
"""Characters of an answer that are kept."""
END_S: Final = 5.0
"""How long closing waits for what is not written yet."""

Lost = Callable[[int, str], None]
"""Told how many lines could not be written, and why; called from any thread."""


class AuditLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the trail. A request has two: `asked` before it is sent, `answered` when all is known.

    Attributes:
        ts_ms: when, UTC milliseconds.
        process: the process that wrote it.
        number: of the request within its process; both lines of a request have it.
        event: "asked", "answered", or "lost" for lines that could not be written.
        call: the call of Planar, such as create_order.
        method, path, params: the request before it was signed.
        client_id: the client id of the order that it is about.
        intent_id: the user's name for the wish.
        outcome: what is known about it: ok, refused, unknown, not_sent.
        http_status: of the answer.
        code: the venue's own error code.
        error: what went wrong.
        answer: the body of a good answer.
        lost: how many lines.
    """

    ts_ms: int
    process: int
    number: int
    event: str
    call: str = ""
    method: str = ""
    path: str = ""
    params: dict[str, Any] = {}
    client_id: str = ""
    intent_id: str = ""
    outcome: str = ""
    http_status: int | None = None
    code: str | None = None
    error: str = ""
    answer: Any = None
    lost: int = 0


class AuditTrail:
    """The trail of one account.

    Args:
        directory: where its files are.
        name: what they begin with: exchange and account.
        secrets: texts that must stand in no line.
        on_lost: told when lines cannot be written.
    """

    def __init__(
        self, directory: Path, name: str, *, secrets: tuple[str, ...] = (), on_lost: Lost | None = None
    ) -> None:
        self.directory = directory
        self.name = name
        self._secrets = secrets
        self._on_lost = on_lost
        self._numbers = 0
        self._queue: queue.SimpleQueue[AuditLine | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._lost = 0
        self._counting = threading.Lock()

    # -- telling ---------------------------------------------------------------------------------------------------
    def asked(self, call: str, request: VenueRequest, subject: Subject) -> int:
        """A request is about to be sent; its number."""
        self._numbers += 1
        self._put(
            AuditLine(
                ts_ms=runtime.wall_ms(),
                process=os.getpid(),
                number=self._numbers,
                event="asked",
                call=call,
                method=request.method,
                path=request.path,
                params=dict(request.params),
                client_id=subject.client_id,
                intent_id=subject.intent_id,
            )
        )
        return self._numbers

    def answered(self, number: int, answer: WriteAnswer) -> None:
        """All is known about a request."""
        self._put(
            AuditLine(
                ts_ms=runtime.wall_ms(),
                process=os.getpid(),
                number=number,
                event="answered",
                outcome=answer.outcome.value,
                http_status=answer.http_status,
                code=answer.code,
                error=answer.error,
                answer=answer.answer,
            )
        )

    def _put(self, line: AuditLine) -> None:
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_all, name=f"audit {self.name}", daemon=True)
            self._writer.start()
        if self._queue.qsize() >= QUEUE:
            self._lose(f"the disk is slow: {QUEUE} lines wait to be written")
            return
        self._queue.put(line)

    def _lose(self, why: str) -> None:
        with self._counting:
            self._lost += 1
            count = self._lost
        if self._on_lost is not None:
            self._on_lost(count, why)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._queue.put(None)
            self._writer.join(END_S)
            self._writer = None

    # -- writing, in a thread of its own ---------------------------------------------------------------------------
    def _write_all(self) -> None:
        while (line := self._queue.get()) is not None:
            try:
                self._write(line)
            except Exception as error:  # whatever it is, the next line is tried again
                self._lose(f"{type(error).__name__}: {error}")

    def _write(self, line: AuditLine) -> None:
        text, lost = "", self._lost
        if lost:
            gap = AuditLine(ts_ms=line.ts_ms, process=line.process, number=0, event="lost", lost=lost)
            text = encoded(gap) + "\n"
        text += self._without_secrets(line) + "\n"
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.directory / f"{self.name}-{day_of(line.ts_ms)}.jsonl"
        # one write of whole lines: those of other processes stand before or after them
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            data = text.encode()
            if os.write(descriptor, data) != len(data):
                raise OSError("a line was cut: the disk is full")
            with self._counting:
                self._lost -= lost
        finally:
            os.close(descriptor)

    def _without_secrets(self, line: AuditLine) -> str:
        params: dict[str, Any] = clean(line.params)
        text = encoded(
            msgspec.structs.replace(line, params=params, answer=clean(line.answer), error=redact(line.error))
        )
        for secret in self._secrets:
            # as it stands inside a JSON text
            inside = msgspec.json.encode(secret).decode()[1:-1]
            text = text.replace(inside, HIDDEN)
        return text


def clean(value: Any) -> Any:
    """A value of a request or an answer without the values of members that are secret by their names."""
    if isinstance(value, dict):
        members = cast("dict[Any, Any]", value).items()
        return {str(name): HIDDEN if _secret_name(str(name)) else clean(one) for name, one in members}
    if isinstance(value, list | tuple):
        return [clean(one) for one in cast("list[Any]", value)]
    return redact(value) if isinstance(value, str) else value


@lru_cache(1_000)
def _secret_name(name: str) -> bool:
    return HIDDEN in redact(f'"{name}": "something"')


def encoded(line: AuditLine) -> str:
    """A line as JSON; an answer that is too long is cut, and says so."""
    text = msgspec.json.encode(line, enc_hook=str).decode()
    if len(text) <= LONGEST:
        return text
    cut = msgspec.json.encode(line.answer, enc_hook=str).decode()[: LONGEST // 2]
    short = msgspec.structs.replace(line, answer=f"{cut}... (cut)", error=line.error[: LONGEST // 4])
    return msgspec.json.encode(short, enc_hook=str).decode()


def day_of(ts_ms: int) -> str:
    """The day of a time, UTC."""
    return datetime.datetime.fromtimestamp(ts_ms / 1000, datetime.UTC).strftime("%Y-%m-%d")


def read_lines(path: Path) -> Iterator[tuple[int, AuditLine | None]]:
    """The lines of a file with their numbers, from 1; None for one that is none, such as one that a crash cut."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                yield number, msgspec.json.decode(raw, type=AuditLine)
            except msgspec.MsgspecError:
                yield number, None


def files(directory: Path, day: str | None = None) -> list[Path]:
    """The files of all accounts below a directory, sorted; of one day only, if it is given (`2026-01-31`)."""
    return sorted(directory.rglob(f"*-{day}.jsonl" if day else "*.jsonl"))
