"""Kraken's lists of the past, page after page; mixed in before CCXT's class, which gives one page of 50, the newest.

Source: documentation, Get Closed Orders and Get Trades History: 50 results at a time, newest first, `ofs` skips.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

PAGE = 50
NOTHING: Mapping[str, Any] = {}

Fetch = Callable[..., Awaitable[list[dict[str, Any]]]]


class KrakenHistory:
    """Lists that hold as many rows as are asked for."""

    async def fetch_closed_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
    ) -> list[dict[str, Any]]:
        """Ended orders, oldest first: the first `limit` since then; else the newest, a page without a limit."""
        return await _newest(cast(Any, super()).fetch_closed_orders, symbol, since, limit, params)

    async def fetch_my_trades(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, Any] = NOTHING,
    ) -> list[dict[str, Any]]:
        """Executions, oldest first: the first `limit` since then; else the newest, a page without a limit."""
        return await _newest(cast(Any, super()).fetch_my_trades, symbol, since, limit, params)


async def _newest(
    fetch: Fetch, symbol: str | None, since: int | None, limit: int | None, params: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Pages from the newest on, until there are enough of this market or there is no more. The oldest ones since a moment
    stand on the last page, so that all of them are read."""
    found: dict[str, dict[str, Any]] = {}
    wanted, at = limit or PAGE, int(params.get("ofs") or 0)
    while True:
        page = await fetch(None, since, None, {**params, "ofs": at})
        found |= {row["id"]: row for row in page if symbol is None or row["symbol"] == symbol}
        at += PAGE
        if len(page) < PAGE or (since is None and len(found) >= wanted):
            break
    rows = sorted(found.values(), key=lambda row: row["timestamp"] or 0)
    return rows[-wanted:] if since is None else rows[:limit]
