"""The user data stream in Binance's own words: its events against the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from judges.kit import Checks, Venue, exact
from judges.raw_data import settled
from judges.words import ledger_fill, ledger_order, market_id, reported_fill, reported_order


class Account:
    """What a user data stream said."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind, in the order they came."""
        return [event for event in self.events if event["e"] == kind]


async def judge_account(checks: Checks, venue: Venue, heard: Account, account: str, since_ms: int) -> None:
    """Orders, fills and balances as the stream told them are the ledger's, from `since_ms` on."""
    orders = {_key(row, "id"): row for row in venue.orders(account) if row["updated_ms"] >= since_ms}
    fills = {_key(row, "trade_id"): ledger_fill(row) for row in venue.fills(account, since_ms=since_ms)}
    await settled(checks, lambda: len(_trades(heard)), len(fills))
    told = _trades(heard)
    checks.same("executionReport: fills told once each", len(told), len(fills))
    for event in told:
        checks.rows("executionReport: a fill", reported_fill(event), fills[event["s"], str(event["t"])])
    statuses = {key: row["status"].upper() for key, row in orders.items()}
    said = await settled(checks, lambda: {key: event["X"] for key, event in _last(heard).items()}, statuses)
    checks.same("executionReport: every order and how it ended", said, statuses)
    for key, event in _last(heard).items():
        if key in orders:
            checks.rows("executionReport: the last state", reported_order(event), ledger_order(orders[key]))
    _judge_reports(checks, heard)
    for asset, row in venue.balances(account).items():
        held = (Decimal(row["free"]), Decimal(row["locked"]))
        if asset in _told_balances(heard):
            told_of = await settled(checks, lambda a=asset: _told_balances(heard)[a], held)
            checks.same(f"outboundAccountPosition: {asset}", told_of, held)
    checks.true("outboundAccountPosition: of both assets", {"BTC", "USDT"} <= set(_told_balances(heard)))


def _key(row: Mapping[str, Any], name: str) -> tuple[str, str]:
    return market_id(row["symbol"]), str(row[name])


def _last(heard: Account) -> dict[tuple[str, str], dict[str, Any]]:
    """The last report of each order."""
    return {(event["s"], str(event["i"])): event for event in heard.of("executionReport")}


def _told_balances(heard: Account) -> dict[str, tuple[Decimal, Decimal]]:
    """Free and locked of each asset, as last told."""
    rows = [row for event in heard.of("outboundAccountPosition") for row in event["B"]]
    return {row["a"]: (exact(row["f"]), exact(row["l"])) for row in rows}


def _trades(heard: Account) -> list[dict[str, Any]]:
    return [event for event in heard.of("executionReport") if event["x"] == "TRADE"]


def _judge_reports(checks: Checks, heard: Account) -> None:
    """What each report adds up to, within the stream alone."""
    filled: dict[tuple[str, int], Decimal] = {}
    reports = heard.of("executionReport")
    checks.true(
        "executionReport: execution ids and times rise",
        all(a["I"] < b["I"] and a["E"] <= b["E"] for a, b in pairwise(reports)),
    )
    for event in reports:
        key = (event["s"], event["i"])
        filled[key] = filled.get(key, Decimal(0)) + exact(event["l"])
        checks.same("executionReport: z is the sum of l", exact(event["z"]), filled[key])
