"""`planar audit show`: what was sent to exchanges, and what they answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from planar.cli import output
from planar.cli.exits import UsageError
from planar.cli.options import Count, Json

if TYPE_CHECKING:
    from planar.orders.audit import AuditLine


def show(
    *,
    exchange: Annotated[str | None, Parameter(name=("--exchange", "-e"))] = None,
    environment: str | None = None,
    day: str | None = None,
    order: str | None = None,
    limit: Count = 50,
    json: Json = False,
) -> int:
    """Show the requests that changed something at an exchange, with their answers; the newest last.

    Args:
        exchange: of this exchange only.
        environment: of this environment only: live, sandbox, demo or local.
        day: of this day only (UTC), such as 2026-01-31.
        order: those about this order: its client id or intent id.
        limit: at most this many, the newest.
    """
    from planar.config import state_dir
    from planar.orders import audit

    home = state_dir() / "audit"
    directory = home / environment if environment else home
    found: list[dict[str, Any]] = []
    for path in audit.files(directory, day):
        if exchange is None or path.name.startswith(f"{exchange}-"):
            found.extend(_requests(path, path.relative_to(home).parts[0]))
    if not found and not home.exists():
        raise UsageError(
            f"there is no audit trail in {home}", hint="it begins with the first order, unless audit = false"
        )
    if order is not None:
        found = [one for one in found if order in (one["client_id"], one["intent_id"])]
    found = sorted(found, key=lambda one: one["ts_ms"])[-limit:]
    return output.show(found, lambda: _table(found), json=json)


def _requests(path: Path, environment: str) -> list[dict[str, Any]]:
    """The requests of a file: both lines of each put together."""
    import msgspec

    from planar.orders.audit import read_lines

    asked: dict[tuple[int, int], dict[str, Any]] = {}
    for number, line in read_lines(path):
        if line is None or line.event == "lost":
            text = "this line is damaged" if line is None else f"{line.lost} lines before this one could not be written"
            ts_ms = 0 if line is None else line.ts_ms
            asked[-number, 0] = {
                **_EMPTY,
                "ts_ms": ts_ms,
                "environment": environment,
                "error": f"{path}:{number}: {text}",
            }
        elif line.event == "asked":
            told: dict[str, Any] = msgspec.structs.asdict(line)
            asked[line.process, line.number] = {**_EMPTY, **told, "environment": environment, "outcome": "no answer"}
        elif (line.process, line.number) in asked:
            asked[line.process, line.number].update(_answer(line))
    for one in asked.values():
        one["exchange"] = path.name.partition("-")[0]
    return list(asked.values())


def _answer(line: AuditLine) -> dict[str, Any]:
    names = ("outcome", "http_status", "code", "error", "answer")
    return {name: getattr(line, name) for name in names} | {"answered_ms": line.ts_ms}


_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("call", "method", "path", "client_id", "intent_id", "outcome", "error"), ""),
    **dict.fromkeys(("http_status", "code", "answer", "answered_ms")),
    "params": {},
}


def _table(found: list[dict[str, Any]]) -> Any:
    rows: list[list[output.Cell]] = []
    for one in found:
        params = " ".join(f"{name}={value}" for name, value in one["params"].items())
        status = str(one["http_status"] or output.NONE)
        when = f"{output.minute(one['ts_ms'])[:10]} {output.clock(one['ts_ms'])}" if one["ts_ms"] else output.NONE
        request = f"{one['method']} {one['path']} {params}".strip()
        rows.append([when, one["exchange"], request, status, one["outcome"], one["error"] or one["intent_id"]])
    columns = ("time UTC", "exchange", "request", ">status", "outcome", "error or intent")
    return output.table(columns, rows, title=f"{len(found)} requests", drop=("status",))
