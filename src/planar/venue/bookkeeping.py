"""What the ledger of any exchange says: the answers that bear no id of the exchange's own.

Postings, balances and the proof of conservation are read from the engine. A wire adds its orders and fills, under the
ids that its clients know, and answers the control API (`Wire.ledger`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from planar.errors import BadRequest
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.engine.types import Fill, Order
from planar.venue.wire import LedgerQuery

ALL_ROWS = 1_000_000_000
"""More rows than there can be, for the engine's lists."""

T = TypeVar("T")
Rows = Callable[[LedgerQuery, list[str], list[str]], list[dict[str, Any]]]
"""Rows of orders or fills for a query, its accounts and its symbols, oldest first."""


def answer(exchange: VirtualExchange, query: LedgerQuery, *, orders: Rows, fills: Rows) -> dict[str, Any]:
    """Answer a question to the ledger; see `Wire.ledger`.

    Args:
        orders, fills: the wire's own rows.

    Raises:
        BadRequest: an unknown account, symbol or asset.
    """
    accounts = _chosen("account", query.account, exchange.accounts())
    symbols = _chosen("symbol", query.symbol, list(exchange.symbols))
    assets = _chosen("asset", query.asset, list(exchange.assets))
    if query.kind == "orders":
        return {"orders": newest(orders(query, accounts, symbols), query.limit)}
    if query.kind == "fills":
        return {"fills": newest(fills(query, accounts, symbols), query.limit)}
    if query.kind == "postings":
        return {"postings": newest(_postings(exchange, query, assets), query.limit)}
    if query.kind == "balances":
        return {"balances": {name: held(exchange, name, assets) for name in accounts}}
    problems = exchange.audit()
    return {"ok": not problems, "problems": problems}


def known(field: str, value: str, values: Sequence[str]) -> str:
    """`value`, if it is one of `values`.

    Raises:
        BadRequest: it is none of them.
    """
    if value not in values:
        raise BadRequest(f"no {field} '{value}'", hint=f"known: {', '.join(values)}")
    return value


def held(exchange: VirtualExchange, account: str, assets: Sequence[str]) -> dict[str, dict[str, str]]:
    """What an account holds of these assets."""
    balances = exchange.balances(account)
    return {
        asset: {"free": plain(balances[asset].free), "locked": plain(balances[asset].locked)}
        for asset in assets
        if asset in balances
    }


def row_of(row: Order | Fill) -> dict[str, Any]:
    """An order or a fill of the engine as JSON values, its numbers without an exponent."""
    values: dict[str, Any] = msgspec.structs.asdict(row)
    return {
        name: plain(value) if isinstance(value, Decimal) else msgspec.to_builtins(value)
        for name, value in values.items()
    }


def plain(value: Decimal) -> str:
    """Shortest decimal form."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def newest(rows: Sequence[T], limit: int | None) -> list[T]:
    """The last `limit` rows, or all."""
    return list(rows if limit is None else rows[max(0, len(rows) - limit) :])


def _postings(exchange: VirtualExchange, query: LedgerQuery, assets: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{entry.id}.{number}",
            "entry": entry.id,
            "ts_ms": entry.ts_ms,
            "kind": entry.kind.value,
            "reference": entry.reference,
            "account": posting.account,
            "asset": posting.asset,
            "amount": plain(posting.amount),
        }
        for entry in exchange.ledger.entries(account=query.account)
        if query.since_ms is None or entry.ts_ms >= query.since_ms
        for number, posting in enumerate(entry.postings, 1)
        if posting.asset in assets and query.account in (None, posting.account)
    ]


def _chosen(field: str, value: str | None, values: list[str]) -> list[str]:
    """All of them, or the one that is named.

    Raises:
        BadRequest: it is none of them.
    """
    return values if value is None else [known(field, value, values)]
