"""The answers of a local venue's ledger as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table

from planar.cli import output

if TYPE_CHECKING:
    from planar.venue.checker import Report

_ORDERS = ("id", "client_id", "account", "symbol", "side", "kind", "status", ">amount", ">price", ">filled")
_FILLS = ("trade_id", "order_id", "account", "symbol", "side", ">price", ">amount", ">commission", "commission_asset")
_COLUMNS = {
    "orders": _ORDERS,
    "fills": _FILLS,
    "postings": ("entry", "kind", "reference", "account", "asset", ">amount"),
}
_REQUESTS = ("id", "time", "account", "request", "parameters", "verdict", ">status", ">sent", "error", "faults", ">ms")
_VIOLATIONS = ("id", "time", "account", "meter", "subject", ">used", ">limit", "followed", "request")
_METERS = ("meter", "scope", "subject", ">used", ">limit", "free again")


def ledger_table(question: str, found: dict[str, Any]) -> Table | str:
    """What the ledger answered to a question of `planar venue ledger`."""
    if question == "check":
        if found["ok"]:
            return "The ledger is sound: every posting is balanced, no balance is negative."
        return "The ledger has problems:\n" + "\n".join(found["problems"])
    if question == "balances":
        rows = [
            (account, asset, one["free"], one["locked"])
            for account, assets in found["balances"].items()
            for asset, one in assets.items()
        ]
        return output.table(("account", "asset", ">free", ">locked"), rows)
    if question == "requests":
        return _requests(found)
    if question == "violations":
        rows = [_violation(row) for row in found["violations"]]
        return output.table(_VIOLATIONS, rows, title=f"{sum(found['counts'].values())} violations ever")
    if question == "commands":
        rows = [_command(row) for row in found["commands"]]
        return output.table(("id", "time", "command", "with"), rows, title=f"{found['count']} commands ever")
    if question == "meters":
        return output.table(_METERS, [_meter(row) for row in found["meters"]])
    columns = _COLUMNS[question]
    names = [name.removeprefix(">") for name in columns]
    cells = [[_text(row[name]) for name in names] for row in found[question]]
    return output.table(columns, cells, title=f"{len(cells)} {question}", drop=("kind", "client_id"))


def ledger_tables(question: str, found: dict[str, dict[str, Any]]) -> Group:
    """What the ledgers of several exchanges answered, each below the exchange's id."""
    return Group(*(Group(name, ledger_table(question, one)) for name, one in found.items()))


def findings_table(report: Report) -> Table | str:
    """The verdict of `planar venue check`."""
    run = "" if report.seed is None else f", seed {report.seed}"
    title = f"{report.operations} operations, {report.orders} orders{run}: {len(report.findings)} findings"
    if not report.findings:
        honest = f"\n{len(report.unknown)} orders of which the client does not know." if report.unknown else ""
        return f"{title}. Nothing lost, doubled, made up or misreported.{honest}"
    rows = [(one.problem, one.client_id, one.symbol, one.detail) for one in report.findings]
    return output.table(("problem", "client id", "symbol", "what"), rows, title=title)


def _requests(found: dict[str, Any]) -> Table:
    counts = found["counts"]
    kinds = ", ".join(f"{counts.get(kind, 0)} {name}" for kind, name in _KINDS.items())
    verdicts = ", ".join(f"{counts[name]} {name}" for name in _VERDICTS if name in counts)
    rows = [
        (
            str(row["id"]),
            output.clock(row["ts_ms"]),
            _text(row["account"]),
            _what(row),
            " ".join(row["parameters"]) or output.NONE,
            row["verdict"],
            _text(row["status"]),
            _text(row["sent"]),
            " ".join(part for part in (row["code"], row["error"]) if part) or output.NONE,
            ", ".join(row["faults"]) or output.NONE,
            output.NONE if row["duration_us"] is None else f"{row['duration_us'] / 1000:.1f}",
        )
        for row in found["requests"]
    ]
    title = f"ever: {kinds}; {verdicts}" if verdicts else f"ever: {kinds}"
    return output.table(_REQUESTS, rows, title=title, drop=("parameters", "time", "ms", "faults"))


_KINDS = {"http": "HTTP requests", "connect": "WebSocket connections", "message": "WebSocket messages"}
_VERDICTS = ("done", "refused", "unheard", "failed", "pending")


def _what(row: dict[str, Any]) -> str:
    """`POST api.binance.com/api/v3/order`, or what a message asked for."""
    if row["kind"] == "message":
        return f"{row['method'] or 'message'} (connection {row['connection']})"
    verb = "WebSocket" if row["kind"] == "connect" else row["method"]
    return f"{verb} {row['host']}{row['path']}"


def _violation(row: dict[str, Any]) -> tuple[str, ...]:
    meter = row["meter"]
    until = "" if row["until_ms"] is None else f", until {output.clock(row['until_ms'])}"
    return (
        str(row["id"]),
        output.clock(row["ts_ms"]),
        _text(row["account"]),
        meter["meter"],
        meter["subject"],
        output.number(meter["used"]),
        output.number(meter["limit"]),
        f"{row['followed']}{until}",
        _text(row["request"]),
    )


def _command(row: dict[str, Any]) -> tuple[str, ...]:
    fields = {name: value for name, value in row["command"].items() if name != "action" and value is not None}
    given = ", ".join(f"{name} {value}" for name, value in fields.items()) or output.NONE
    return str(row["id"]), output.clock(row["ts_ms"]), row["command"]["action"], given


def _meter(row: dict[str, Any]) -> tuple[str, ...]:
    decay = row["decay_per_s"]
    again = output.clock(row["resets_ms"]) if decay is None else f"{output.number(decay)} a second"
    return (row["meter"], row["scope"], row["subject"], output.number(row["used"]), output.number(row["limit"]), again)


def _text(value: Any) -> str:
    return output.NONE if value is None else str(value)
