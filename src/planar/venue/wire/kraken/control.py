"""The orders and fills of the Kraken wire for the control API, under Kraken's ids."""

from __future__ import annotations

from typing import Any

from planar.venue import bookkeeping
from planar.venue.bookkeeping import ALL_ROWS, plain, row_of
from planar.venue.wire import LedgerQuery
from planar.venue.wire.kraken.desk import Desk
from planar.venue.wire.kraken.tickets import Ticket


def ledger(desk: Desk, query: LedgerQuery) -> dict[str, Any]:
    """Answer a question to the ledger; see `Wire.ledger`.

    Raises:
        BadRequest: an unknown account, symbol or asset.
    """

    def orders(query: LedgerQuery, accounts: list[str], symbols: list[str]) -> list[dict[str, Any]]:
        return _orders(desk, query, accounts, symbols)

    def fills(query: LedgerQuery, accounts: list[str], symbols: list[str]) -> list[dict[str, Any]]:
        return _fills(desk, query, accounts, symbols)

    return bookkeeping.answer(desk.exchange, query, orders=orders, fills=fills)


def _orders(desk: Desk, query: LedgerQuery, accounts: list[str], symbols: list[str]) -> list[dict[str, Any]]:
    """One row for each Kraken order, with the engine's order that carries it now and the figures of all that did."""
    rows: list[dict[str, Any]] = []
    for ticket in (ticket for account in accounts for ticket in desk.register.tickets(account)):
        draft = ticket.draft
        wanted = draft.symbol in symbols and _matches(query, ticket)
        if wanted and (query.since_ms is None or ticket.opened_ms >= query.since_ms):
            view = desk.register.view(ticket)
            names = {"id": ticket.txid, "client_id": draft.cl_ord_id, "created_ms": ticket.opened_ms}
            figures = {"filled": plain(view.filled), "quote_filled": plain(view.cost)}
            if "viqc" not in draft.oflags:  # else the volume is in quote
                figures["amount"] = plain(draft.volume)
            rows.append(row_of(view.order) | names | figures)
    return sorted(rows, key=lambda row: row["created_ms"])


def _fills(desk: Desk, query: LedgerQuery, accounts: list[str], symbols: list[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for account in accounts:
        for symbol in symbols:
            for fill in desk.exchange.fills(account, symbol, start_ms=query.since_ms, limit=ALL_ROWS):
                ticket = desk.register.of(symbol, fill.order_id)
                if _matches(query, ticket):
                    names = {"order_id": ticket.txid, "client_id": ticket.draft.cl_ord_id}
                    execution = desk.ids.trade(symbol, fill.order_id, fill.trade_id)
                    rows.append(row_of(fill) | names | {"id": execution})
    return sorted(rows, key=lambda row: row["ts_ms"])


def _matches(query: LedgerQuery, ticket: Ticket) -> bool:
    return query.order_id in (None, ticket.txid) and query.client_id in (None, ticket.draft.cl_ord_id)
