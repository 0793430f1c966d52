"""Answers about what a witness has seen, for the control API."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import Final, TypeVar

from planar.errors import BadRequest
from planar.venue.wire import LedgerQuery
from planar.venue.witness.record import Witness
from planar.venue.witness.rows import CommandRow, Commands, Meters, RequestRow, Requests, Violation, Violations

WITNESSED: Final = ("requests", "violations", "meters", "commands")
"""The kinds of `LedgerQuery` that are answered here; the wire's own ledger answers the others."""
_ORDERS: Final = ("account", "symbol", "order_id", "client_id", "since_ms", "limit")
FILTERS: Final[dict[str, tuple[str, ...]]] = {
    "orders": _ORDERS,
    "fills": _ORDERS,
    "postings": ("account", "asset", "since_ms", "limit"),
    "balances": ("account", "asset"),
    "check": (),
    "requests": (*_ORDERS, "path", "verdict", "since_id"),
    "violations": ("account", "since_id", "since_ms", "limit"),
    "meters": (),
    "commands": ("since_id", "since_ms", "limit"),
}
"""The filters that each kind of question knows."""

Row = TypeVar("Row", RequestRow, Violation, CommandRow)


def require_filters(query: LedgerQuery) -> None:
    """See that no filter was given that would not be heard.

    Raises:
        BadRequest: one was.
    """
    known = FILTERS[query.kind]
    for name in query.__struct_fields__:
        if name not in ("kind", *known) and getattr(query, name) is not None:
            raise BadRequest(
                f"{name} = {getattr(query, name)!r} does not restrict {query.kind}",
                hint=f"{query.kind} takes {', '.join(known) or 'no filter'}",
            )


def answer(witness: Witness, query: LedgerQuery) -> Requests | Violations | Meters | Commands:
    """Answer a question of one of the kinds of WITNESSED."""
    if query.kind == "meters":
        return Meters(meters=witness.meters())
    if query.kind == "violations":
        violations = [row for row in witness.violations if _meant(row, query)]
        return Violations(violations=_page(violations, query), counts=dict(witness.violation_counts))
    if query.kind == "commands":
        commands = [row for row in witness.commands if _late(row, query)]
        return Commands(commands=_page(commands, query), count=witness.commands_count)
    requests = [row for row in witness.requests if _meant(row, query) and _asked_for(row, query)]
    return Requests(
        requests=_page(requests, query),
        counts={name: number for name, number in witness.counts.items() if number},
        oldest_id=witness.requests[0].id if witness.requests else None,
    )


def _meant(row: RequestRow | Violation, query: LedgerQuery) -> bool:
    return _late(row, query) and query.account in (None, row.account)


def _late(row: RequestRow | Violation | CommandRow, query: LedgerQuery) -> bool:
    """Whether it came late enough."""
    since_id, since_ms = query.since_id, query.since_ms
    return (since_id is None or row.id > since_id) and (since_ms is None or row.ts_ms >= since_ms)


def _asked_for(row: RequestRow, query: LedgerQuery) -> bool:
    return (
        query.symbol in (None, row.symbol)
        and query.order_id in (None, row.order_id)
        and query.client_id in (None, row.client_id)
        and query.verdict in (None, row.verdict)
        and (query.path is None or fnmatch.fnmatchcase(row.path, query.path))
    )


def _page(rows: Sequence[Row], query: LedgerQuery) -> list[Row]:
    if query.limit is None:
        return list(rows)
    start = max(0, len(rows) - query.limit) if query.since_id is None else 0
    return list(rows[start : start + query.limit])
