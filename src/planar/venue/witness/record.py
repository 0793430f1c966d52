"""The record of one exchange: rows of requests and violations while they happen, bounded, and exact counts of all.

A request's `Passage` goes with its task, so that a limiter or a handler deep inside a wire can say what concerns it
without being handed anything. Recording costs a few microseconds a request; frames that leave are only counted.
"""

from __future__ import annotations

import functools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Final, Literal

import planar.runtime as runtime
from planar.venue.witness.redaction import masked, names_of, shown, value_of
from planar.venue.witness.rows import CommandRow, Door, MeterRow, RequestKind, RequestRow, Verdict, Violation

REQUESTS_KEPT: Final = 100_000
"""Rows of requests kept of each exchange, the newest; up to 40 MB."""
VIOLATIONS_KEPT: Final = 10_000
COMMANDS_KEPT: Final = 10_000
FAULTS_KEPT: Final = 20
"""Different fault rules noted on one row."""
CHARGES_KEPT: Final = 20
"""Charges noted on one row."""

Field = Literal["symbol", "client_id", "order_id"]


class Passage:
    """One request on its way through the venue.

    Attributes:
        witness: the record that it is in.
        row: its row.
    """

    __slots__ = ("_begun_ns", "row", "witness")

    def __init__(self, witness: Witness, row: RequestRow) -> None:
        self.witness = witness
        self.row = row
        self._begun_ns = runtime.current().monotonic_ns()

    def message(self) -> Passage:
        """A message came over this connection; what this task says from now on is about it."""
        row = self.row
        row.messages += 1
        return self.witness.begin("message", door=row.door, host=row.host, path=row.path, connection=row.id)

    def settle(self, verdict: Verdict, status: int | None = None) -> None:
        """This is what became of it."""
        row, counts = self.row, self.witness.counts
        counts[row.verdict] -= 1
        counts[verdict] += 1
        row.verdict = verdict
        if status is not None:
            row.status = status
        row.duration_us = self._age_us()

    def heard(self, status: int) -> None:
        """The exchange has an answer with this HTTP status; a refusal that has none of its own shows in it."""
        refused = self.row.verdict == "refused" or status >= 400
        self.settle("refused" if refused else "done", status)

    def end(self, sent: int | None) -> None:
        """An answer of this status leaves; None: the connection broke. What no exchange has heard by now is unheard."""
        if self.row.verdict == "pending":
            self.settle("unheard")
        self.row.sent = sent
        self.row.duration_us = self._age_us()

    def opened(self) -> None:
        """It is a WebSocket connection now."""
        self.settle("done", 101)
        self.row.sent = 101

    def closed(self, code: int | None) -> None:
        """Its WebSocket connection is over; `code` counts if the venue did not close it with another first."""
        self.row.closed_ms = runtime.wall_ms()
        if self.row.close_code is None:
            self.row.close_code = code
        self.row.duration_us = self._age_us()

    def _age_us(self) -> int:
        return (runtime.current().monotonic_ns() - self._begun_ns) // 1000


_PASSAGE: ContextVar[Passage | None] = ContextVar("venue_passage", default=None)


def passing() -> Passage | None:
    """What this task is working on; None: nothing that a client asked for."""
    return _PASSAGE.get()


def note_fault(rule: str, kind: str) -> None:
    """A fault rule hits what this task is working on."""
    passage = _PASSAGE.get()
    if passage is not None:
        row, name = passage.row, f"{rule} ({kind})"
        if name not in row.faults and len(row.faults) < FAULTS_KEPT:
            row.faults = (*row.faults, name)


@functools.lru_cache(maxsize=1024)
def _charged(charges: tuple[tuple[str, float], ...], meter: str, amount: float) -> tuple[tuple[str, float], ...]:
    """Equal charges share one tuple, so that a row costs little."""
    return (*charges, (meter, amount)) if len(charges) < CHARGES_KEPT else charges


class Witness:
    """What happened at one exchange.

    Args:
        venue: id of the exchange.
        fields: the parameters whose values may be kept, by their names at this exchange.

    Attributes:
        requests, violations, commands: the newest rows, oldest first.
        counts: requests ever, by kind and by verdict; those on their way are `pending`.
        violation_counts: violations ever, by meter.
        commands_count: commands ever.
    """

    def __init__(self, venue: str, fields: Mapping[str, Field]) -> None:
        self.venue = venue
        self.requests: deque[RequestRow] = deque(maxlen=REQUESTS_KEPT)
        self.violations: deque[Violation] = deque(maxlen=VIOLATIONS_KEPT)
        self.commands: deque[CommandRow] = deque(maxlen=COMMANDS_KEPT)
        self.commands_count = 0
        self.counts: Counter[str] = Counter()
        self.violation_counts: Counter[str] = Counter()
        self._fields = tuple(fields.items())
        self._begun = 0
        self._meters: list[Callable[[], Iterable[MeterRow]]] = []

    # -- the server, the WebSocket, the control API ----------------------------------------------------------------

    def begin(
        self,
        kind: RequestKind,
        *,
        door: Door,
        host: str,
        path: str,
        method: str = "",
        account: str | None = None,
        connection: int | None = None,
    ) -> Passage:
        """A request is here; what this task says from now on is about it."""
        self._begun += 1
        row = RequestRow(
            id=self._begun,
            ts_ms=runtime.wall_ms(),
            venue=self.venue,
            kind=kind,
            door=door,
            host=host,
            method=shown(method),
            path=shown(path),
            account=account,
            connection=connection,
        )
        self.requests.append(row)
        self.counts[kind] += 1
        self.counts[row.verdict] += 1
        passage = Passage(self, row)
        _PASSAGE.set(passage)
        return passage

    def commanded(self, command: dict[str, Any]) -> None:
        """The control API has carried out a command."""
        self.commands_count += 1
        self.commands.append(
            CommandRow(id=self.commands_count, ts_ms=runtime.wall_ms(), venue=self.venue, command=masked(command))
        )

    # -- the wires -----------------------------------------------------------------------------------------------

    def asked(self, values: Mapping[str, Any], *, method: str | None = None, account: str | None = None) -> None:
        """The present request was sent with these parameters.

        Args:
            method: what a message asks for.
            account: whose key or token came with it.
        """
        passage = _PASSAGE.get()
        if passage is None:
            return
        row = passage.row
        row.parameters = names_of(values)
        if method is not None:
            row.method = shown(method)
        if account is not None:
            row.account = account
        for name, field in self._fields:
            if name in values:
                setattr(row, field, value_of(values[name]))

    def by(self, account: str) -> None:
        """The present request was made in the name of this account."""
        passage = _PASSAGE.get()
        if passage is not None:
            passage.row.account = account

    def answered(self, status: int | None = None) -> None:
        """The present message was done and answered."""
        passage = _PASSAGE.get()
        if passage is not None and passage.row.verdict == "pending":
            passage.settle("done", status)

    def refused(self, error: str, *, code: str | None = None, status: int | None = None) -> None:
        """The present request was refused, in the exchange's words. Of several refusals the first counts."""
        passage = _PASSAGE.get()
        if passage is not None and passage.row.error is None:
            passage.row.code, passage.row.error = code, shown(error)
            passage.settle("refused", status)

    # -- the limiters --------------------------------------------------------------------------------------------

    def charged(self, meter: str, amount: float) -> None:
        """The present request was charged."""
        passage = _PASSAGE.get()
        if passage is not None:
            row = passage.row
            row.charges = _charged(row.charges, meter, float(amount))  # else 1 and 1.0 would share what came first

    def exceeded(self, meter: MeterRow, followed: str, *, until_ms: int | None = None) -> None:
        """The present request was too much for a meter, which stands, or with it would have stood, so."""
        passage = _PASSAGE.get()
        self.violation_counts[meter.meter] += 1
        self.violations.append(
            Violation(
                id=self.violation_counts.total(),
                ts_ms=runtime.wall_ms(),
                venue=self.venue,
                meter=meter,
                over=meter.used - meter.limit,
                followed=followed,
                until_ms=until_ms,
                request=passage.row.id if passage else None,
                account=passage.row.account if passage else None,
            )
        )

    def watch(self, read: Callable[[], Iterable[MeterRow]]) -> None:
        """Ask a limiter for its meters whenever somebody wants to see them."""
        self._meters.append(read)

    def meters(self) -> list[MeterRow]:
        """How all meters stand."""
        return [row for read in self._meters for row in read()]
