"""Judges a client's history by the venue's ledger, in the manner of Jepsen: what was lost, doubled, made up or misread.

A history is a file of JSON lines, one `Operation` each, written by whoever drove the client; docs/venue.md tells how.
The ledger's rows come from a running venue (`ask`) or from a file. `planar venue check` is this on the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from planar.errors import BadRequest
from planar.venue.wire import LedgerQuery

if TYPE_CHECKING:
    from planar.venue.client import SyncVenueControl

Problem = Literal["lost", "doubled", "phantom", "misreported"]
State = Literal["open", "filled", "closed", "canceled", "expired", "rejected"]

STATES: dict[str, str] = {
    "PENDING_NEW": "open",
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
    "REJECTED": "rejected",
}
"""The client's word for each status of the ledger."""
_AMOUNTS = ("amount", "filled", "cost")


class Operation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client asked, what it was told, and what it believes about the order from then on.

    Of the beliefs, the last one about an order counts, each on its own; None: it says nothing here.

    Attributes:
        kind: what it asked for.
        client_id: the client's order id; the new one, where an amendment or an edit gives one.
        symbol: unified symbol.
        result: "ok" done; "failed" certainly not done; "unknown": the client does not know.
        order_id: the venue's order id, as the client was told.
        state: what it believes the order to be; "closed" is CCXT's word for "filled".
        amount: how much was ordered, in base.
        filled: how much of it traded.
        cost: how much that came to, in quote.
        fees: what was paid for it, by asset.
    """

    kind: Literal["create", "amend", "cancel"]
    client_id: str
    symbol: str
    result: Literal["ok", "failed", "unknown"]
    order_id: str | None = None
    state: State | None = None
    amount: Decimal | None = None
    filled: Decimal | None = None
    cost: Decimal | None = None
    fees: dict[str, Decimal] | None = None


class LedgerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What the checker reads of an order in the ledger. An order without a client id was never one of the client's."""

    id: str | int
    client_id: str | None
    symbol: str
    status: str
    amount: Decimal
    filled: Decimal
    quote_filled: Decimal

    @property
    def name(self) -> tuple[str, str]:
        """Symbol, and client id or what stands for it."""
        return self.symbol, f"(none, order {self.id})" if self.client_id is None else self.client_id

    @property
    def state(self) -> str:
        """The client's word for its status."""
        return STATES[self.status.upper()]


class LedgerFill(msgspec.Struct, frozen=True, kw_only=True):
    """What the checker reads of a fill in the ledger."""

    order_id: str | int
    symbol: str
    amount: Decimal
    quote: Decimal
    commission: Decimal
    commission_asset: str


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger's answers about one account."""

    orders: list[LedgerOrder]
    fills: list[LedgerFill]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One order with which something is wrong.

    Attributes:
        problem: "lost": the client was told that it exists, the venue has none; "doubled": more of one client id than
            were asked for; "phantom": at the venue, and the client never asked for it or holds it for not made;
            "misreported": its id, state or amounts are not as the client, or the ledger's own fills, say.
        detail: what was expected and what is the case.
    """

    problem: Problem
    client_id: str
    symbol: str
    detail: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict.

    Attributes:
        seed: of the run that is judged; with it the run can be repeated.
        operations, orders: how many were compared.
        unknown: client ids of which the client does not know whether they were made. That is honest, and no problem.
        findings: what is wrong.
    """

    seed: int | None
    operations: int
    orders: int
    unknown: list[str]
    findings: list[Finding]


def check(history: Sequence[Operation], ledger: Ledger, *, seed: int | None = None) -> Report:
    """Compare a client's history with the ledger of its account; both must be at rest.

    Raises:
        BadRequest: the ledger has a status of which the checker does not know what it means to a client.
    """
    made: dict[tuple[str, str], list[LedgerOrder]] = {}
    for order in ledger.orders:
        if order.status.upper() not in STATES:
            raise BadRequest(f"order {order.id} has the status '{order.status}'", hint=f"known: {', '.join(STATES)}")
        made.setdefault(order.name, []).append(order)
    asked: dict[tuple[str, str], list[Operation]] = {}
    for operation in history:
        asked.setdefault((operation.symbol, operation.client_id), []).append(operation)
    fills: dict[tuple[str, str], list[LedgerFill]] = {}
    for fill in ledger.fills:
        fills.setdefault((fill.symbol, str(fill.order_id)), []).append(fill)
    findings: list[Finding] = []
    for key in dict.fromkeys([*asked, *made]):
        for problem, detail in _judge(asked.get(key, []), made.get(key, []), fills):
            findings.append(Finding(problem=problem, client_id=key[1], symbol=key[0], detail=detail))
    unknown = [key[1] for key, operations in asked.items() if _result(operations) == "unknown"]
    return Report(seed=seed, operations=len(history), orders=len(ledger.orders), unknown=unknown, findings=findings)


def _judge(
    operations: list[Operation], orders: list[LedgerOrder], fills: dict[tuple[str, str], list[LedgerFill]]
) -> list[tuple[Problem, str]]:
    """All that is wrong with one client id."""
    creates = sum(operation.kind == "create" and operation.result != "failed" for operation in operations)
    result = _result(operations)
    state = _belief(operations, "state")
    found: list[tuple[Problem, str]] = []
    if result == "ok" and not orders:
        found.append(("lost", "the client was told that it exists; the venue has no such order"))
    elif not orders and state not in (None, "rejected"):
        found.append(("lost", f"the client believes it {state}; the venue has no such order"))
    if len(orders) > max(creates, 1):
        ids = ", ".join(str(order.id) for order in orders)
        found.append(("doubled", f"asked for {max(creates, 1)}, the venue has {len(orders)}: {ids}"))
    if orders and result in (None, "failed"):
        heard = "the client never asked for it" if result is None else "the client holds it for not made"
        found.append(("phantom", f"{heard}; the venue has {orders[0].id}, {orders[0].state}"))
    for order in orders:
        found += _against_itself(order, fills.get((order.symbol, str(order.id)), []))
    if orders:
        own = [fill for order in orders[-1:] for fill in fills.get((order.symbol, str(order.id)), [])]
        found += _misread(operations, orders, own)
    return found


def _against_itself(order: LedgerOrder, fills: list[LedgerFill]) -> list[tuple[Problem, str]]:
    """Where an order is not the sum of its fills."""
    sums = sum((fill.amount for fill in fills), Decimal(0)), sum((fill.quote for fill in fills), Decimal(0))
    if sums == (order.filled, order.quote_filled):
        return []
    says = f"filled {order.filled} for {order.quote_filled}"
    return [("misreported", f"order {order.id} says {says}, its fills {sums[0]} for {sums[1]}")]


def _misread(
    operations: list[Operation], orders: list[LedgerOrder], fills: list[LedgerFill]
) -> list[tuple[Problem, str]]:
    """Where the client's belief is not what is the case. Of several orders of one client id the last one is meant."""
    found: list[tuple[Problem, str]] = []
    order = orders[-1]
    state = _belief(operations, "state")
    if state is not None and {"closed": "filled"}.get(state, state) != order.state:
        found.append(("misreported", f"the client believes it {state}, it is {order.state}"))
    facts = dict(zip(_AMOUNTS, (order.amount, order.filled, order.quote_filled), strict=True))
    for field, fact in facts.items():
        belief = _belief(operations, field)
        if belief is not None and belief != fact:
            found.append(("misreported", f"the client believes {field} {belief}, it is {fact}"))
    fees: dict[str, Decimal] = {}
    for fill in fills:
        fees[fill.commission_asset] = fees.get(fill.commission_asset, Decimal(0)) + fill.commission
    believed = _belief(operations, "fees")
    if believed is not None and _paid(believed) != _paid(fees):
        found.append(("misreported", f"the client believes fees {_words(believed)}, they are {_words(fees)}"))
    told = _belief(operations, "order_id")
    if told is not None and told not in (ids := [str(one.id) for one in orders]):
        found.append(("misreported", f"the client was told the id {told}, it is {', '.join(ids)}"))
    canceled = any(operation.kind == "cancel" and operation.result == "ok" for operation in operations)
    if canceled and order.state == "open":
        found.append(("misreported", "the client was told that it is canceled, it is open"))
    return found


def _result(operations: list[Operation]) -> str | None:
    """How the making of an order ended; None: it was never asked for. One success outweighs all else, then doubt."""
    results = Counter(operation.result for operation in operations if operation.kind == "create")
    return next((result for result in ("ok", "unknown", "failed") if results[result]), None)


def _belief(operations: list[Operation], field: str) -> Any:
    """What the client believes; None: nothing. It believes what it learned last."""
    return next((value for one in reversed(operations) if (value := getattr(one, field)) is not None), None)


def _paid(fees: dict[str, Decimal]) -> dict[str, Decimal]:
    return {asset: amount for asset, amount in fees.items() if amount}


def _words(fees: dict[str, Decimal]) -> str:
    return ", ".join(f"{amount} {asset}" for asset, amount in sorted(_paid(fees).items())) or "none"


def read_history(path: Path) -> list[Operation]:
    """The operations of a JSON-lines file.

    Raises:
        BadRequest: it cannot be read, or a line is no operation; the message names the line.
    """
    operations: list[Operation] = []
    for number, line in enumerate(_read(path).splitlines(), 1):
        if line.strip():
            try:
                operations.append(msgspec.json.decode(line, type=Operation))
            except msgspec.MsgspecError as error:
                raise BadRequest(f"line {number} of {path} is no operation: {error}", hint=_HINT) from error
    return operations


def read_ledger(path: Path) -> Ledger:
    """The ledger's answers from a file: `{"orders": [...], "fills": [...]}`.

    Raises:
        BadRequest: it cannot be read, or holds something else.
    """
    try:
        return msgspec.json.decode(_read(path), type=Ledger)
    except msgspec.MsgspecError as error:
        raise BadRequest(f"{path} holds no ledger: {error}", hint='{"orders": [...], "fills": [...]}') from error


_HINT = "the section on the checker in docs/venue.md tells what a line holds"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror or error}", hint="name a file") from error


def ask(control: SyncVenueControl, account: str, *, venue: str | None = None, since_ms: int | None = None) -> Ledger:
    """The ledger of an account of a running venue.

    Args:
        since_ms: orders made before do not count; None: those that the venue was seeded with, before it started.

    Raises:
        VenueUnavailable, BadRequest: as the methods of `control`.
    """
    since = control.status().started_ms if since_ms is None else since_ms
    orders = control.ledger(LedgerQuery(kind="orders", account=account, since_ms=since), venue=venue)
    fills = control.ledger(LedgerQuery(kind="fills", account=account, since_ms=since), venue=venue)
    return msgspec.convert({**orders, **fills}, Ledger)
