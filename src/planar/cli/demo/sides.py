"""The two sides of an account of the demo: what the client knows, and what the venue's ledger says. Exact, and compared.

The client's side is read from its order journal after everything was closed, and from what the exchange's own API told it
(executions, balances). The ledger's side comes from the venue's control API, which the client never uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec

from planar.cli.demo.stage import ORDER_PATHS, Stage
from planar.exchange import Exchange
from planar.models import AccountBalance, Amount, Fill
from planar.orders.journal import Journal
from planar.orders.machine import Facts, merge, state_of
from planar.venue.wire import LedgerQuery

Sums = dict[str, str]
"""Asset -> amount, as plain decimal text."""

_NOT_TAKEN = frozenset({"absent", "refused", "not_sent"})
"""Marks of orders in the journal that never were orders at the venue."""
_LEDGER_STATES = {"new": "open", "partially_filled": "open", "expired_in_match": "expired"}


class OrderLine(msgspec.Struct, frozen=True):
    """One order that the venue took: its state, and what it traded in base and quote currency."""

    state: str
    filled: str
    cost: str


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One side's account of what happened. Two sides that agree are equal.

    Attributes:
        orders: orders that the venue took, by client id.
        placed, filled, canceled, expired, open: how many of them, by state.
        answers_swallowed: orders whose answer never came and which were there all the same.
        requests_lost: orders that never reached the venue.
        bought, sold: filled amounts, by base asset.
        paid, received: quote amounts of these, by quote asset.
        fees: by asset.
        executions: number of fills.
        balance_changes: by asset.
    """

    orders: dict[str, OrderLine]
    placed: int
    filled: int
    canceled: int
    expired: int
    open: int
    answers_swallowed: int
    requests_lost: int
    executions: int
    bought: Sums
    sold: Sums
    paid: Sums
    received: Sums
    fees: Sums
    balance_changes: Sums


class Before(msgspec.Struct, frozen=True):
    """How both sides stood when the demo began.

    Attributes:
        since_ms: the venue's time.
        balance: as the client was told.
        entry: the ledger's newest entry of the account.
    """

    since_ms: int
    balance: AccountBalance
    entry: int


class Told(msgspec.Struct, frozen=True):
    """What the exchange's API told the client at the end."""

    fills: tuple[Fill, ...]
    balance: AccountBalance


async def before(stage: Stage, exchange: Exchange) -> Before:
    """Note how things stand."""
    since_ms = (await stage.control.status()).now_ms
    query = LedgerQuery(kind="postings", account=stage.accounts[exchange.id])
    postings = (await stage.control.ledger(query, venue=exchange.id))["postings"]
    return Before(since_ms, await exchange.fetch_balance(), max((row["entry"] for row in postings), default=-1))


async def told(exchange: Exchange, symbols: Iterable[str], start: Before) -> Told:
    """Ask the exchange for executions and balances."""
    fills: list[Fill] = []
    for symbol in symbols:
        fills += await exchange.fetch_my_trades(symbol, start.since_ms, 1000)
    return Told(tuple(fills), await exchange.fetch_balance())


def client_side(journals: Path, exchange: str, start: Before, end: Told) -> Side:
    """The client's account: its journal as it lies on the disk, executions and balances as it was told."""
    orders = list(_journaled(journals, exchange))
    taken = [facts for facts in orders if not _NOT_TAKEN.intersection(facts.marks)]
    found = {
        facts.client_id: OrderLine(state_of(facts).value, plain(facts.filled), plain(facts.cost)) for facts in taken
    }
    rows = [
        _Execution(fill.symbol, fill.side, fill.amount, fill.amount * fill.price, _fees(fill)) for fill in end.fills
    ]
    changes = {
        code: _total(end.balance, code) - _total(start.balance, code)
        for code in {**start.balance.balances, **end.balance.balances}
    }
    swallowed = sum("unknown" in facts.marks for facts in taken)
    return _side(found, rows, changes, swallowed=swallowed, lost=sum("absent" in facts.marks for facts in orders))


async def is_sound(stage: Stage, exchange: str) -> bool:
    """True if every posting of the exchange's ledger is balanced and no balance is negative."""
    return (await stage.control.ledger(LedgerQuery(kind="check"), venue=exchange))["ok"]


async def ledger_side(stage: Stage, exchange: str, start: Before) -> Side:
    """The ledger's account."""

    async def ask(query: LedgerQuery) -> dict[str, Any]:
        return await stage.control.ledger(query, venue=exchange)

    query = LedgerQuery(kind="orders", account=stage.accounts[exchange], since_ms=start.since_ms)
    found = {
        row["client_id"]: OrderLine(
            _LEDGER_STATES.get(row["status"], str(row["status"])), plain(row["filled"]), plain(row["quote_filled"])
        )
        for row in (await ask(query))["orders"]
    }
    fills = (await ask(msgspec.structs.replace(query, kind="fills")))["fills"]
    rows = [
        _Execution(
            row["symbol"],
            row["side"],
            Amount(row["amount"]),
            Amount(row["quote"]),
            {row["commission_asset"]: Amount(row["commission"])},
        )
        for row in fills
    ]
    changes: dict[str, Decimal] = {}
    for row in (await ask(LedgerQuery(kind="postings", account=stage.accounts[exchange])))["postings"]:
        if row["entry"] > start.entry:
            changes[row["asset"]] = changes.get(row["asset"], Amount(0)) + Amount(row["amount"])
    firings = (await stage.control.faults()).firings
    hits = [one.kind for one in firings if (one.subject.venue, one.subject.path) == (exchange, ORDER_PATHS[exchange])]
    swallowed = sum(kind.endswith("_answer") for kind in hits)
    return _side(found, rows, changes, swallowed=swallowed, lost=len(hits) - swallowed)


def differences(client: Side, ledger: Side) -> list[str]:
    """Where the two sides do not say the same, in words; empty if they agree."""
    found: list[str] = []
    for name in Side.__struct_fields__:
        mine, other = getattr(client, name), getattr(ledger, name)
        if isinstance(mine, dict):
            found += _different_keys(name, cast("dict[str, Any]", mine), other)
        elif mine != other:
            found.append(f"{name}: client {mine}, ledger {other}")
    return found


def _different_keys(name: str, mine: dict[str, Any], other: dict[str, Any]) -> list[str]:
    keys = [key for key in {**mine, **other} if mine.get(key) != other.get(key)]
    return [f"{name} {key}: client {mine.get(key)}, ledger {other.get(key)}" for key in keys]


def plain(value: Decimal | str) -> str:
    """A number as text that is the same for equal numbers."""
    exact = Decimal(value)
    return f"{exact.normalize():f}" if exact else "0"


class _Execution(msgspec.Struct, frozen=True):
    symbol: str
    side: str
    amount: Decimal
    cost: Decimal
    fees: Mapping[str, Decimal]


def _side(
    orders: dict[str, OrderLine], fills: list[_Execution], changes: Mapping[str, Decimal], *, swallowed: int, lost: int
) -> Side:
    states = [order.state for order in orders.values()]
    sums: dict[str, dict[str, Decimal]] = {name: {} for name in ("bought", "sold", "paid", "received", "fees")}
    for fill in fills:
        base, quote = fill.symbol.split("/")
        in_base, in_quote = ("bought", "paid") if fill.side == "buy" else ("sold", "received")
        fees = [("fees", asset, fee) for asset, fee in fill.fees.items()]
        for name, asset, value in ((in_base, base, fill.amount), (in_quote, quote, fill.cost), *fees):
            sums[name][asset] = sums[name].get(asset, Decimal(0)) + value
    return Side(
        orders=dict(sorted(orders.items())),
        placed=len(orders),
        filled=states.count("filled"),
        canceled=states.count("canceled"),
        expired=states.count("expired"),
        open=states.count("open"),
        answers_swallowed=swallowed,
        requests_lost=lost,
        executions=len(fills),
        bought=_texts(sums["bought"]),
        sold=_texts(sums["sold"]),
        paid=_texts(sums["paid"]),
        received=_texts(sums["received"]),
        fees=_texts(sums["fees"]),
        balance_changes=_texts(changes),
    )


def _texts(values: Mapping[str, Decimal]) -> Sums:
    """Without zeros, in the order of the alphabet."""
    return {asset: plain(value) for asset, value in sorted(values.items()) if value}


def _journaled(journals: Path, exchange: str) -> Iterable[Facts]:
    for path in sorted(journals.rglob(f"{exchange}-*.db")):
        journal = Journal(path)
        journal.open()
        try:
            orders: dict[str, Facts] = {}
            for event in journal.events():
                orders[event.client_id] = merge(orders.get(event.client_id) or Facts(event.client_id), event)
            yield from orders.values()
        finally:
            journal.close()


def _fees(fill: Fill) -> Mapping[str, Decimal]:
    return {fee.currency or "": fee.cost for fee in fill.fees}


def _total(balance: AccountBalance, code: str) -> Amount:
    found = balance.balances.get(code)
    return found.total if found is not None and found.total is not None else Amount(0)
