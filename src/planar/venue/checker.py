"""Judges a client's history by the venue's ledger, in the manner of Jepsen: what was lost, doubled, made up or misread.

    python -m planar.venue.checker HISTORY.jsonl --ledger FILE [--seed N]
    python -m planar.venue.checker HISTORY.jsonl --socket PATH --token TOKEN [--venue ID] [--account NAME] [--seed N]

A line of the history is an `Operation`. FILE holds the ledger's answers, `{"orders": [...], "fills": [...]}`; through a
socket they are asked of the running venue. Prints a JSON `Report`; the exit status is 1 if it holds a problem.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from planar.errors import PlanarError

Problem = Literal["lost", "doubled", "phantom", "misreported"]
State = Literal["open", "filled", "canceled", "expired"]

STATES: dict[str, State] = {
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}
"""The client's word for each status of the ledger, upper case; another one is compared as it is, lower case."""


class Operation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client asked, what it was told, and what it believes at the end.

    Attributes:
        kind: what it asked for.
        client_id: the client's order id.
        symbol: unified symbol.
        result: "ok" done; "fail" certainly not done; "info" the client does not know.
        state: what the client believes the order to be; None: it believes nothing.
        filled: how much it believes filled, in base; None: it believes nothing.
    """

    kind: Literal["create", "cancel"]
    client_id: str
    symbol: str
    result: Literal["ok", "fail", "info"]
    state: str | None = None
    filled: Decimal | None = None


class LedgerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What the checker reads of an order in the ledger."""

    id: str | int
    client_id: str
    symbol: str
    status: str
    filled: Decimal


class LedgerFill(msgspec.Struct, frozen=True, kw_only=True):
    """What the checker reads of a fill in the ledger."""

    trade_id: str | int
    order_id: str | int
    symbol: str
    amount: Decimal


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger's answers about one account."""

    orders: list[LedgerOrder]
    fills: list[LedgerFill]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One order with which something is wrong.

    Attributes:
        problem: "lost": the client was told it exists, the venue has none; "doubled": two of one client id; "phantom":
            at the venue, and the client does not know of it or holds it for not made; "misreported": its state or
            amounts are not as the client, or the ledger's own fills, say.
        detail: what was expected and what is the case.
    """

    problem: Problem
    client_id: str
    symbol: str
    detail: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict. `unknown`: client ids of which the client does not know whether they were made; no problem."""

    seed: int | None
    operations: int
    orders: int
    unknown: list[str]
    findings: list[Finding]


def check(history: Sequence[Operation], ledger: Ledger, *, seed: int | None = None) -> Report:
    """Compare a client's history with the ledger of its account; both must be at rest."""
    made: dict[tuple[str, str], list[LedgerOrder]] = {}
    for order in ledger.orders:
        made.setdefault((order.symbol, order.client_id), []).append(order)
    asked: dict[tuple[str, str], list[Operation]] = {}
    for operation in history:
        asked.setdefault((operation.symbol, operation.client_id), []).append(operation)
    fills: dict[tuple[str, str], Decimal] = {}
    for fill in ledger.fills:
        key = (fill.symbol, str(fill.order_id))
        fills[key] = fills.get(key, Decimal(0)) + fill.amount
    findings: list[Finding] = []
    for key in dict.fromkeys([*asked, *made]):
        for problem, detail in _judge(asked.get(key, []), made.get(key, []), fills):
            findings.append(Finding(problem=problem, client_id=key[1], symbol=key[0], detail=detail))
    unknown = [key[1] for key, operations in asked.items() if _result(operations) == "info"]
    return Report(seed=seed, operations=len(history), orders=len(ledger.orders), unknown=unknown, findings=findings)


def _judge(
    operations: list[Operation], orders: list[LedgerOrder], fills: dict[tuple[str, str], Decimal]
) -> list[tuple[Problem, str]]:
    """All that is wrong with one client id."""
    creates = sum(operation.kind == "create" and operation.result != "fail" for operation in operations)
    result = _result(operations)
    found: list[tuple[Problem, str]] = []
    if result == "ok" and not orders:
        found.append(("lost", "the client was told that it exists; the venue has no such order"))
    elif not orders and (claim := _belief(operations)) is not None and claim.state is not None:
        found.append(("lost", f"the client believes it {claim.state}; the venue has no such order"))
    if len(orders) > max(creates, 1):
        ids = ", ".join(str(order.id) for order in orders)
        found.append(("doubled", f"asked for {max(creates, 1)}, the venue has {len(orders)}: {ids}"))
    if orders and result in (None, "fail"):
        heard = "the client never asked for it" if result is None else "the client holds it for not made"
        found.append(("phantom", f"{heard}; the venue has {orders[0].id}, {_state(orders[0])}"))
    for order in orders:
        sum_of_fills = fills.get((order.symbol, str(order.id)), Decimal(0))
        if sum_of_fills != order.filled:
            found.append(("misreported", f"order {order.id} says filled {order.filled}, its fills {sum_of_fills}"))
    if orders:
        found += _misread(operations, orders[-1])
    return found


def _misread(operations: list[Operation], order: LedgerOrder) -> list[tuple[Problem, str]]:
    """Where the client's belief is not what is the case."""
    found: list[tuple[Problem, str]] = []
    belief = _belief(operations)
    if belief is not None and belief.state is not None and belief.state != _state(order):
        found.append(("misreported", f"the client believes it {belief.state}, it is {_state(order)}"))
    if belief is not None and belief.filled is not None and belief.filled != order.filled:
        found.append(("misreported", f"the client believes {belief.filled} filled, it is {order.filled}"))
    canceled = any(operation.kind == "cancel" and operation.result == "ok" for operation in operations)
    if canceled and _state(order) == "open":
        found.append(("misreported", "the client was told that it is canceled, it is open"))
    return found


def _result(operations: list[Operation]) -> str | None:
    """How the making of an order ended; None: it was never asked for. One success outweighs all else, then doubt."""
    results = Counter(operation.result for operation in operations if operation.kind == "create")
    return next((result for result in ("ok", "info", "fail") if results[result]), None)


def _belief(operations: list[Operation]) -> Operation | None:
    """The last operation that holds a belief; the client believes what it learned last."""
    holding = [one for one in operations if one.state is not None or one.filled is not None]
    return holding[-1] if holding else None


def _state(order: LedgerOrder) -> str:
    return STATES.get(order.status.upper(), order.status.lower())


def read_history(path: Path) -> list[Operation]:
    """The operations of a JSON-lines file.

    Raises:
        OSError: it cannot be read.
        msgspec.MsgspecError: a line is no operation.
    """
    return msgspec.json.Decoder(Operation).decode_lines(path.read_bytes())


def _ask(options: argparse.Namespace) -> Ledger:
    """The ledger of a running venue."""
    from planar.venue.client import SyncVenueControl
    from planar.venue.registry import VenueRecord
    from planar.venue.wire import LedgerQuery

    record = VenueRecord(
        instance="", pid=0, port=None, socket=options.socket, token=options.token, ca=None, venues=(), started_ms=0
    )
    control = SyncVenueControl(record)
    orders = control.ledger(LedgerQuery(kind="orders", account=options.account), venue=options.venue)
    fills = control.ledger(LedgerQuery(kind="fills", account=options.account), venue=options.venue)
    return msgspec.convert({**orders, **fills}, Ledger)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status: 0 nothing wrong, 1 something, 2 it could not be checked."""
    parser = argparse.ArgumentParser(prog="python -m planar.venue.checker", description="Judge a history by a ledger.")
    parser.add_argument("history", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--ledger", type=Path, help="file with the ledger's answers")
    source.add_argument("--socket", help="Unix socket of a running venue")
    parser.add_argument("--token", default="", help="the venue's token, with --socket")
    parser.add_argument("--venue", help="id of the exchange, with --socket")
    parser.add_argument("--account", help="name of the account, with --socket")
    parser.add_argument("--seed", type=int, help="seed of the run, for the report")
    options = parser.parse_args(arguments)
    try:
        history = read_history(options.history)
        ledger = _read_ledger(options.ledger) if options.ledger else _ask(options)
    except (OSError, msgspec.MsgspecError, PlanarError) as error:
        sys.stderr.write(f"cannot be checked: {error}\n")
        return 2
    report = check(history, ledger, seed=options.seed)
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    return 1 if report.findings else 0


def _read_ledger(path: Path) -> Ledger:
    return msgspec.json.decode(path.read_bytes(), type=Ledger)


if __name__ == "__main__":
    raise SystemExit(main())
