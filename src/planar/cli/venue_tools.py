"""`planar venue ledger | market | balance`: reading and steering a running local venue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from planar.cli import exits, output
from planar.cli.exits import UsageError
from planar.cli.options import Count, Json
from planar.cli.venue import control

Question = Literal["orders", "fills", "balances", "postings", "check", "requests", "violations", "meters", "commands"]
VerdictName = Literal["pending", "done", "refused", "unheard", "failed"]
REQUESTS_SHOWN = 100
"""Requests in a table where no limit is given: there may be 100,000."""
Venue = Annotated[str | None, Parameter(name="--venue")]


def ledger(
    question: Question = "check",
    /,
    *,
    account: str | None = None,
    symbol: str | None = None,
    asset: str | None = None,
    order_id: str | None = None,
    client_id: str | None = None,
    path: str | None = None,
    verdict: VerdictName | None = None,
    since_id: int | None = None,
    since_ms: int | None = None,
    limit: Count | None = None,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Read the venue's ledger, the judge of what really happened.

    Args:
        question: orders, fills, balances, postings; `check` proves that nothing was made or lost; requests with their
            verdicts, meters, and violations: each time that a meter was exceeded; the commands given to the exchange.
        account: only this account.
        symbol: only this market.
        asset: only this asset.
        order_id: only this order, by the venue's id.
        client_id: only this order, by the client's id.
        path: only requests whose path fits this shell pattern.
        verdict: only requests of which this became.
        since_id: only requests or violations after the one of this id, the first ones first.
        since_ms: only what happened from then on, UTC milliseconds.
        limit: at most so many rows, the newest. [default: all; of requests in a table 100]
        venue: only this exchange. [default: each that runs; where several do, --json is by exchange]
    """
    from planar.cli.venue_rows import ledger_table, ledger_tables
    from planar.venue.wire import LedgerQuery

    query = LedgerQuery(
        kind=question,
        account=account,
        symbol=symbol,
        asset=asset,
        order_id=order_id,
        client_id=client_id,
        path=path,
        verdict=verdict,
        since_id=since_id,
        since_ms=since_ms,
        limit=REQUESTS_SHOWN if limit is None and question == "requests" and not json else limit,
    )
    running = control()
    asked = list(running.status().venues) if venue is None else [venue]
    found = {name: running.ledger(query, venue=name) for name in asked}
    if len(found) == 1:
        (only,) = found.values()
        output.show(only, lambda: ledger_table(question, only), json=json)
    else:
        output.show(found, lambda: ledger_tables(question, found), json=json)
    return exits.REFUSED if any(one.get("ok") is False for one in found.values()) else exits.OK


def check(
    history: Path,
    /,
    *,
    account: str | None = None,
    ledger: Path | None = None,
    since_ms: int | None = None,
    seed: int | None = None,
    venue: Venue = None,
    json: Json = False,
) -> int:
    """Judge a client's history by the ledger: which orders were lost, doubled, made up or misreported.

    Exit code 1 if there is any. Both must be at rest.

    Args:
        history: JSON lines, one for each thing that the client asked; docs/venue.md tells what they hold.
        account: whose history it is. Not with --ledger.
        ledger: a file with the ledger's orders and fills, instead of the running venue.
        since_ms: orders made before do not count, UTC milliseconds. [default: the venue's start]
        seed: of the run, for the report. [default: the venue's]
        venue: the exchange, where several run.
    """
    from planar.cli.venue_rows import findings_table
    from planar.venue import checker

    operations = checker.read_history(history)
    if ledger is not None:
        if account is not None or since_ms is not None or venue is not None:
            raise UsageError("--account, --since-ms and --venue ask a running venue, --ledger reads a file")
        facts = checker.read_ledger(ledger)
    elif account is None:
        raise UsageError("whose history is it?", hint=f"planar venue check {history} --account alice")
    else:
        running = control()
        facts = checker.ask(running, account, venue=venue, since_ms=since_ms)
        seed = running.status().seed if seed is None else seed
    report = checker.check(operations, facts, seed=seed)
    output.show(report, lambda: findings_table(report), json=json)
    return exits.REFUSED if report.findings else exits.OK


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
