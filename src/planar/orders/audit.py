"""The audit trail: every request that changes something, and its answer, one JSON line each.

The seam tells `AuditTrail` (`planar.transport.writes.Trail`); a thread writes the lines to a file for each account and day
(UTC) under the state directory. The order path only puts into a queue: it neither waits nor fails. What cannot be written
is counted, said in the file as soon as it can be written again, and is an alarm at once.
"""

from __future__ import annotations

import datetime
import itertools
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
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
GATHER_S: Final = 0.02
"""So long the writer gathers lines before it writes them: a thread that wakes for each line takes more from the order path
than the writing itself."""

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
        # as they stand inside a JSON text
        self._secrets = tuple(msgspec.json.encode(secret).decode()[1:-1] for secret in secrets)
        self._on_lost = on_lost
        self._numbers = 0
        self._queue: queue.SimpleQueue[AuditLine | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._lost = 0
        self._counting = threading.Lock()
        self._closing = threading.Event()

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
            self._closing.clear()
            self._writer = threading.Thread(target=self._write_all, name=f"audit {self.name}", daemon=True)
            self._writer.start()
        if self._queue.qsize() >= QUEUE:
            self._lose(1, f"the disk is slow: {QUEUE} lines wait to be written")
            return
        self._queue.put(line)

    def _lose(self, lines: int, why: str) -> None:
        with self._counting:
            self._lost += lines
            count = self._lost
        if self._on_lost is not None:
            self._on_lost(count, why)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._queue.put(None)
            self._closing.set()
            self._writer.join(END_S)
            self._writer = None

    # -- writing, in a thread of its own ---------------------------------------------------------------------------
    def _write_all(self) -> None:
        ended = False
        while not ended:
            lines = [self._queue.get()]
            self._closing.wait(GATHER_S)
            while not self._queue.empty():
                lines.append(self._queue.get())
            ended = None in lines
            for day, together in itertools.groupby((line for line in lines if line is not None), _day):
                self._write(day, list(together))

    def _write(self, day: str, lines: Sequence[AuditLine]) -> None:
        """Write lines of one day; what cannot be written is counted, and the next ones are tried again."""
        written, lost = 0, self._lost
        try:
            texts = [self._without_secrets(line) for line in lines]
            if lost:
                first = lines[0]
                gap = AuditLine(ts_ms=first.ts_ms, process=first.process, number=0, event="lost", lost=lost)
                texts.insert(0, encoded(gap))
            data = "".join(f"{text}\n" for text in texts).encode()
            # one write of whole lines: those of other processes stand before or after them
            descriptor = self._opened(f"{self.name}-{day}.jsonl")
            try:
                size = os.write(descriptor, data)
            finally:
                os.close(descriptor)
            written = len(texts) if size == len(data) else data[:size].count(b"\n")
            if lost and written:
                written -= 1
                with self._counting:
                    self._lost -= lost
            if size != len(data):
                raise OSError("a line was cut: the disk is full")
        except Exception as error:  # whatever it is, the next line is tried again
            self._lose(len(lines) - written, f"{type(error).__name__}: {error}")

    def _opened(self, name: str) -> int:
        path, flags = f"{self.directory}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            return os.open(path, flags, 0o600)

    def _without_secrets(self, line: AuditLine) -> str:
        params: dict[str, Any] = clean(line.params)
        text = encoded(
            msgspec.structs.replace(line, params=params, answer=clean(line.answer), error=redact(line.error))
        )
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
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


def _day(line: AuditLine) -> str:
    return day_of(line.ts_ms)


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
