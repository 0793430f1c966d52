"""The user data stream in Binance's own words: its events against the ledger."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

from judges.kit import Checks, Venue, exact
from judges.raw_data import settled
from judges.words import ledger_fill, ledger_order, reported_fill, reported_order


class Account:
    """What a user data stream said."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind, in the order they came."""
        return [event for event in self.events if event["e"] == kind]


async def judge_account(checks: Checks, venue: Venue, heard: Account, account: str, since_ms: int) -> None:
    """Orders, fills and balances as the stream told them are the ledger's, from `since_ms` on."""
    rows = [row for row in venue.orders(account) if row["updated_ms"] >= since_ms]
    fills = {
        (row["symbol"].replace("/", ""), str(row["trade_id"])): ledger_fill(row)
        for row in venue.fills(account, since_ms=since_ms)
    }
    await settled(lambda: len(_trades(heard)), len(fills))
    told = _trades(heard)
    checks.same("executionReport: fills told once each", len(told), len(fills))
    for event in told:
        checks.rows("executionReport: a fill", reported_fill(event), fills[event["s"], str(event["t"])])
    last = {(event["s"], str(event["i"])): event for event in heard.of("executionReport")}
    checks.same(
        "executionReport: every order was told of",
        sorted(last),
        sorted((r["symbol"].replace("/", ""), str(r["id"])) for r in rows),
    )
    for row in rows:
        key = (row["symbol"].replace("/", ""), str(row["id"]))
        if key in last:
            checks.rows("executionReport: the last state of an order", reported_order(last[key]), ledger_order(row))
    _judge_reports(checks, heard)
    held = venue.balances(account)
    told_balances: dict[str, tuple[Decimal, Decimal]] = {}
    for event in heard.of("outboundAccountPosition"):
        told_balances |= {one["a"]: (exact(one["f"]), exact(one["l"])) for one in event["B"]}
    checks.true("outboundAccountPosition: came", len(told_balances) > 0)
    for asset, said in told_balances.items():
        checks.same(
            f"outboundAccountPosition: {asset}", said, tuple(Decimal(held[asset][name]) for name in ("free", "locked"))
        )


def _trades(heard: Account) -> list[dict[str, Any]]:
    return [event for event in heard.of("executionReport") if event["x"] == "TRADE"]


def _judge_reports(checks: Checks, heard: Account) -> None:
    """What each report adds up to, within the stream alone."""
    filled: dict[tuple[str, int], Decimal] = {}
    reports = heard.of("executionReport")
    checks.true("executionReport: execution ids and times rise", all(a["I"] < b["I"] and a["E"] <= b["E"] for a, b in pairwise(reports)))
    for event in reports:
        key = (event["s"], event["i"])
        filled[key] = filled.get(key, Decimal(0)) + exact(event["l"])
        checks.same("executionReport: z is the sum of l", exact(event["z"]), filled[key])
