"""`planar journal list | show | verify | export | compact`: the order journals of this machine, without the exchange.

They are found below the state directory. All but `compact` only read, also while a program writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import Group, Parameter
from rich.console import RenderableType

from planar.cli import exits, output
from planar.cli.ask import confirm
from planar.cli.exits import UsageError
from planar.cli.options import Count, EnvironmentName, Flag, Json
from planar.cli.session import run

if TYPE_CHECKING:
    from planar.orders.events import AnyEvent
    from planar.orders.journal_check import CheckReport

WHICH = Group("Which journal", sort_key=10)
DAY_S = 86_400


@Parameter(name="*", group=WHICH)
@dataclass(frozen=True, kw_only=True)
class Which:
    """Which journal is meant, where there are several."""

    exchange: Annotated[str | None, Parameter(name=("--exchange", "-e"))] = None
    """CCXT's id, such as binance."""
    environment: EnvironmentName | None = None
    """Where its orders go."""
    file: Path | None = None
    """Path of the journal, instead."""


ANY = Which()


def journals(*, which: Which = ANY, json: Json = False) -> int:
    """List the journals of this machine: where they lie and who writes them now."""
    found = [_about(path) for path in _paths(which)]
    return output.show(found, lambda: _list(found), json=json)


def show(
    *,
    order: str | None = None,
    since: str | None = None,
    limit: Count = 50,
    which: Which = ANY,
    json: Json = False,
) -> int:
    """Show what a journal holds: its last events, or all of one order.

    Args:
        order: client id, the exchange's id, or your intent id.
        since: only events from this time on: 2026-11-22, 2026-11-22T10:30, or 90m, 12h, 30d ago.
        limit: only the last so many.
    """
    from planar.orders.journal_text import as_dict, time_text, what

    path = _one(which)
    since_ms = _time_ms("--since", since) if since is not None else 0
    rows = [(row, event) for row, event in _events(path) if event.wall_ms >= since_ms]
    if order is not None:
        names = _names(path, order)
        rows = [(row, event) for row, event in rows if event.client_id in names]
        if not names:
            raise UsageError(f"{path} has no order {order}", hint="`planar journal show` lists its last events")
    rows = rows[-limit:]

    def render() -> RenderableType:
        cells = [
            (str(row), time_text(event.wall_ms), event.client_id, type(event).__name__, what(event))
            for row, event in rows
        ]
        return output.table((">row", "time", "order", "event", "what"), cells, title=str(path))

    found = _about(path) | {"events": [as_dict(row, event) for row, event in rows]}
    return output.show(found, render, json=json)


def verify(*, which: Which = ANY, json: Json = False) -> int:
    """Check a journal: the file, each row, and what must hold of its events. Exit code 1 if anything is wrong."""
    from planar.orders.journal_check import check_journal

    report = check_journal(_one(which))
    output.show(msgspec.to_builtins(report), lambda: _verdict(report), json=json)
    return exits.REFUSED if report.faults else exits.OK


def export(*, format: Literal["jsonl", "csv"] = "jsonl", which: Which = ANY) -> int:
    """Write all events of a journal to standard output.

    Up to a damaged row all is written; then the command fails with exit code 1 and names the row.

    Args:
        format: a line of JSON for each event, or a table.
    """
    from planar.orders.journal_text import jsonl, table

    path = _one(which)
    for text in (jsonl if format == "jsonl" else table)(_events(path)):
        sys.stdout.write(text)
    sys.stdout.flush()
    return exits.OK


def compact(
    *,
    before: str = "30d",
    keep_fills: Flag = False,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="", show_default=False)] = False,
    which: Which = ANY,
    json: Json = False,
) -> int:
    """Make a journal smaller: of orders that ended long ago only what they came to is kept. No program may write it.

    Args:
        before: orders whose last event is older than this time: 2026-11-22, or 30d ago.
        keep_fills: keep each execution too, with its price and fee; otherwise only their sums stay.
        yes: do not ask.
    """
    from planar.orders.journal_compact import compact as work
    from planar.orders.journal_text import time_text

    path, before_ms = _one(which), _time_ms("--before", before)
    if not yes:
        fills = "" if keep_fills else ", without its executions"
        print(f"Of each order in {path} that ended before {time_text(before_ms)} what it came to is kept{fills}.")
        if not run(confirm("Compact it?", json=json)):
            return exits.OK
    done = work(path, before_ms, keep_fills=keep_fills)

    def render() -> RenderableType:
        size = f"{done.bytes_before / 1e6:.1f} MB -> {done.bytes_after / 1e6:.1f} MB"
        return f"{done.orders} orders compacted: {done.rows_before} events -> {done.rows_after}, {size}"

    return output.show(msgspec.to_builtins(done) | {"path": str(path)}, render, json=json)


# -- which file ------------------------------------------------------------------------------------------------------
def _paths(which: Which) -> list[Path]:
    from planar.config.paths import state_dir

    if which.file is not None:
        return [which.file]
    found = sorted((state_dir() / "journal").rglob("*.db"))
    home = state_dir() / "journal"
    return [
        path
        for path in found
        if (which.environment is None or path.relative_to(home).parts[0] == which.environment)
        and (which.exchange is None or path.name.startswith(f"{which.exchange}-"))
    ]


def _one(which: Which) -> Path:
    from planar.config.paths import state_dir

    found = _paths(which)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"there is no such journal below {state_dir() / 'journal'}",
            hint="a journal is made by the first order; `planar journal list` shows all of them",
        )
    names = "".join(f"\n     {path}" for path in found[:20])
    raise UsageError(
        f"there are {len(found)} journals:{names}", hint="say which: --exchange, --environment, or --file with its path"
    )


def _about(path: Path) -> dict[str, Any]:
    from planar.errors import JournalError
    from planar.orders.journal import Journal
    from planar.orders.lock import holder_of

    journal, trouble = Journal(path), None
    try:
        journal.open(read_only=True)
    except JournalError as error:
        trouble = error.message
    try:
        return {
            "path": str(path),
            "id": journal.id,
            "version": journal.version,
            "bytes": path.stat().st_size if path.exists() else 0,
            "last_row": journal.last_seq,
            "writer": holder_of(path.with_name(path.name + ".lock")),
            "trouble": trouble,
        }
    finally:
        journal.close()


def _events(path: Path) -> Iterator[tuple[int, AnyEvent]]:
    from planar.orders.journal import Journal

    journal = Journal(path)
    journal.open(read_only=True)
    try:
        for chunk in journal.chunks():
            yield from chunk
    finally:
        journal.close()


def _names(path: Path, wanted: str) -> set[str]:
    """Client ids of the orders that are named by client id, intent id or the exchange's id."""
    names: set[str] = set()
    for _, event in _events(path):
        if wanted in (event.client_id, getattr(event, "intent_id", None), getattr(event, "order_id", None)):
            names.add(event.client_id)
    return names


def _time_ms(option: str, text: str) -> int:
    from planar import runtime

    units = {"m": 60, "h": 3_600, "d": DAY_S}
    if text[:-1].isdigit() and text[-1:] in units:
        return runtime.wall_ms() - int(text[:-1]) * units[text[-1]] * 1000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} {text} is no time", hint="write 2026-11-22, 2026-11-22T10:30 (UTC), or 90m, 12h, 30d ago"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


# -- what is shown ---------------------------------------------------------------------------------------------------
def _list(found: list[dict[str, Any]]) -> RenderableType:
    cells = [
        (
            str(one["path"]),
            str(one["id"]) or output.NONE,
            str(one["last_row"]),
            f"{one['bytes'] / 1e6:.1f}",
            str(one["trouble"] or one["writer"] or output.NONE),
        )
        for one in found
    ]
    return output.table(("journal", "id", ">events", ">MB", "written by"), cells)


def _verdict(report: CheckReport) -> RenderableType:
    from planar.orders.journal_text import time_text

    lines = [
        f"{report.path}: {report.rows} events of {report.orders} orders, {report.unfinished} unfinished; "
        f"id {report.id or '?'}, version {report.version}"
    ]
    if report.first_ms is not None and report.last_ms is not None:
        lines.append(f"from {time_text(report.first_ms)} to {time_text(report.last_ms)}")
    lines += [f"{fault.kind}: {fault.text}{_of(fault.client_id)}" for fault in report.faults]
    lines += [f"-> {line}" for line in report.advice] or ["nothing is wrong"]
    return "\n".join(lines)


def _of(client_id: str | None) -> str:
    return f" (order {client_id})" if client_id is not None else ""
