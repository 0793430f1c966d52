"""The orders and fills of the Binance wire for the control API."""

from __future__ import annotations

from typing import Any

from planar.venue import bookkeeping
from planar.venue.bookkeeping import ALL_ROWS, row_of
from planar.venue.engine.exchange import VirtualExchange
from planar.venue.wire import LedgerQuery


def ledger(exchange: VirtualExchange, query: LedgerQuery) -> dict[str, Any]:
    """Answer a question to the ledger; see `Wire.ledger`. Binance's ids are the engine's own.

    Raises:
        BadRequest: an unknown account, symbol or asset.
    """

    def orders(query: LedgerQuery, accounts: list[str], symbols: list[str]) -> list[dict[str, Any]]:
        found = [
            order
            for account in accounts
            for symbol in symbols
            for order in exchange.orders(account, symbol, start_ms=query.since_ms, limit=ALL_ROWS)
            if query.order_id in (None, str(order.id)) and query.client_id in (None, order.client_id)
        ]
        return [row_of(order) for order in sorted(found, key=lambda order: order.created_ms)]

    def fills(query: LedgerQuery, accounts: list[str], symbols: list[str]) -> list[dict[str, Any]]:
        found = [
            fill
            for account in accounts
            for symbol in symbols
            for fill in exchange.fills(account, symbol, start_ms=query.since_ms, limit=ALL_ROWS)
            if query.order_id in (None, str(fill.order_id)) and query.client_id in (None, fill.client_id)
        ]
        found.sort(key=lambda fill: fill.ts_ms)
        return [row_of(fill) | {"id": f"{fill.symbol} {fill.trade_id}.{fill.order_id}"} for fill in found]

    return bookkeeping.answer(exchange, query, orders=orders, fills=fills)
