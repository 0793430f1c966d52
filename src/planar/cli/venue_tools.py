"""`planar venue ledger | market | balance | fault`: reading and steering a running local venue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import Parameter
from rich.table import Table

from planar.cli import exits, output
from planar.cli.exits import UsageError
from planar.cli.options import Count, Json
from planar.cli.venue import control

if TYPE_CHECKING:
    from planar.venue.faults import FaultRule

Question = Literal["orders", "fills", "balances", "postings", "check"]
FaultKind = Literal[
    "drop-request",
    "delay-request",
    "hang-request",
    "refuse-request",
    "drop-answer",
    "delay-answer",
    "hang-answer",
    "cut-answer",
    "replace-answer",
]
Venue = Annotated[str | None, Parameter(name="--venue")]

_COLUMNS = {
    "orders": ("id", "client_id", "account", "symbol", "side", "kind", "status", ">amount", ">price", ">filled"),
    "fills": (
        "trade_id",
        "order_id",
        "account",
        "symbol",
        "side",
        ">price",
        ">amount",
        ">commission",
        "commission_asset",
    ),
    "postings": ("entry", "kind", "reference", "account", "asset", ">amount"),
}


def ledger(
    question: Question = "check",
    /,
    *,
    account: str | None = None,
    symbol: str | None = None,
    asset: str | None = None,
    order_id: str | None = None,
    client_id: str | None = None,
    since_ms: int | None = None,
    limit: Count | None = None,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Read the venue's ledger, the judge of what really happened.

    Args:
        question: orders, fills, balances, postings; `check` proves that nothing was made or lost.
        account: only this account.
        symbol: only this market.
        asset: only this asset.
        order_id: only this order, by the venue's id.
        client_id: only this order, by the client's id.
        since_ms: only what happened from then on, UTC milliseconds.
        limit: at most so many rows, the newest.
        venue: the exchange, where several run.
    """
    from planar.venue.wire import LedgerQuery

    query = LedgerQuery(
        kind=question,
        account=account,
        symbol=symbol,
        asset=asset,
        order_id=order_id,
        client_id=client_id,
        since_ms=since_ms,
        limit=limit,
    )
    found = control().ledger(query, venue=venue)
    output.show(found, lambda: _ledger_table(question, found), json=json)
    return exits.REFUSED if found.get("ok") is False else exits.OK


def market(
    action: Literal["freeze", "resume", "step"],
    /,
    *,
    ms: Count | None = None,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Freeze the market model, let it run on, or advance a frozen one.

    Args:
        action: freeze, resume or step.
        ms: how far to step, in milliseconds.
        venue: only this exchange, where several run.
    """
    if (action == "step") != (ms is not None):
        raise UsageError("--ms belongs to step, and step needs it", hint="planar venue market step --ms 1000")
    found = control().market(action, ms=ms, venue=venue)

    def render() -> Table:
        return output.facts((name, "frozen" if one["frozen"] else "running") for name, one in found.items())

    return output.show(found, render, json=json)


def balance(account: str, asset: str, amount: str, /, *, venue: Venue = None, json: Json = False) -> int:
    """Set what an account has free of an asset.

    Args:
        account: name of the account, such as alice.
        asset: such as USDT.
        amount: 0 or more, at most eight decimals.
        venue: the exchange, where several run.
    """
    found = control().set_balance(account, asset, amount, venue=venue)
    return output.show(found, lambda: output.facts((name, str(value)) for name, value in found.items()), json=json)


def add(
    kind: FaultKind,
    /,
    *,
    method: str | None = None,
    path: str | None = None,
    host: str | None = None,
    account: str | None = None,
    venue: Venue = None,
    nth: Count = 1,
    count: Count | None = None,
    id: str | None = None,
    delay_ms: int | None = None,
    keep_bytes: int | None = None,
    status: int | None = None,
    body: str | None = None,
    json: Json = False,
) -> int:
    """Make chosen requests or answers fail. `-request` kinds act before the exchange hears of it, `-answer` kinds after.

    Args:
        kind: what happens: the connection drops, the request or answer is delayed or hangs, the answer is cut or
            replaced.
        method: only requests with this HTTP method.
        path: only requests whose path fits this shell pattern.
        host: only requests whose host fits this shell pattern.
        account: only requests with this account's key.
        venue: only requests to this exchange.
        nth: the first matching request that is hit.
        count: how many are hit from there on. [default: 1]
        id: name of the rule.
        delay_ms: for the delays.
        keep_bytes: for cut-answer: how much of the body arrives.
        status: for refuse-request and replace-answer: HTTP status.
        body: for refuse-request and replace-answer: text.
    """
    fault = {
        "kind": kind.replace("-", "_"),
        "delay_ms": delay_ms,
        "keep_bytes": keep_bytes,
        "status": status,
        "body": body,
    }
    rule = {
        "fault": {name: value for name, value in fault.items() if value is not None},
        "method": method.upper() if method is not None else None,
        "path": path,
        "host": host,
        "account": account,
        "venue": venue,
        "nth": nth,
        "count": count or 1,
        "id": id,
    }
    made = control().add_fault(_rule(rule))
    return output.show(made, lambda: f"The rule {made.id} is in force: {kind}.", json=json)


def faults(*, json: Json = False) -> int:
    """List the fault rules and what they have hit."""
    found = control().faults()

    def render() -> Table:
        rows: list[list[str]] = []
        for state in found.rules:
            conditions = (state.rule.venue, state.rule.account, state.rule.method, state.rule.host, state.rule.path)
            which = " ".join(part for part in conditions if part) or "all"
            kind = str(type(state.rule.fault).__struct_config__.tag).replace("_", "-")
            rows.append([state.rule.id or "", kind, which, str(state.seen), str(state.fired)])
        title = f"{len(found.firings)} hits so far"
        return output.table(("rule", "kind", "which requests", ">seen", ">hit"), rows, title=title)

    return output.show(found, render, json=json)


def clear(id: str | None = None, /, *, json: Json = False) -> int:
    """Remove one fault rule, or all.

    Args:
        id: name of the rule; without it all rules are removed.
    """
    cleared = control().clear_faults(id)
    return output.show({"cleared": cleared}, lambda: f"{cleared} rules removed.", json=json)


def _rule(values: dict[str, Any]) -> FaultRule:
    from planar.venue.faults import FaultRule

    try:
        return msgspec.convert(values, FaultRule)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"that is no fault rule: {error}", hint="`planar venue fault add --help` tells what each needs"
        ) from error


def _ledger_table(question: Question, found: dict[str, Any]) -> Table | str:
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
    columns = _COLUMNS[question]
    names = [name.removeprefix(">") for name in columns]
    rows = [[output.NONE if row[name] is None else str(row[name]) for name in names] for row in found[question]]
    return output.table(columns, rows, title=f"{len(rows)} {question}", drop=("kind", "client_id"))
