"""Orders, trades and ledger entries as REST shows them."""

from __future__ import annotations

from typing import Any

from planar.venue.engine.enums import FeeAsset
from planar.venue.engine.types import Fill
from planar.venue.wire.kraken.formats import ZERO, fixed, seconds
from planar.venue.wire.kraken.journal import Line
from planar.venue.wire.kraken.names import Names
from planar.venue.wire.kraken.tickets import Close, Draft, Ticket, View, fee_in_quote


def description(draft: Draft, names: Names) -> str:
    """Such as: buy 0.02100000 ETHUSDT @ limit 330.00."""
    pair = names.pairs[draft.symbol]
    return f"{draft.side.value} {fixed(draft.volume)} {pair.altname} @ {_terms(draft, pair.price_decimals)}"


def close_description(close: Close, names: Names, symbol: str) -> str:
    """Such as: close position @ stop loss 300.00 -> limit 299.00."""
    return f"close position @ {_terms(close, names.pairs[symbol].price_decimals)}"


def _terms(draft: Draft | Close, places: int) -> str:
    words = draft.ordertype.removesuffix("-limit").replace("-", " ")
    price, limit = price_text(draft, places), price2_text(draft, places)
    if draft.ordertype in ("market", "limit", "iceberg"):
        return words if draft.price is None else f"{words or 'limit'} {price}"
    return f"{words} {price}" if limit == "0" else f"{words} {price} -> limit {limit}"


def price_text(draft: Draft | Close, places: int) -> str:
    """`price`: a number, or the distance of a trailing stop; 0 without."""
    return draft.price_text or ("0" if draft.price is None else fixed(draft.price, places))


def price2_text(draft: Draft | Close, places: int) -> str:
    """`price2`, likewise."""
    return draft.price2_text or ("0" if draft.price2 is None else fixed(draft.price2, places))


def flags(draft: Draft) -> str:
    """The flags, with where the fee is taken."""
    given = [word for word in draft.oflags if word not in ("fcib", "fciq")]
    return ",".join([*given, "fcib" if draft.fee_asset is FeeAsset.BASE else "fciq"])


def order(view: View, names: Names, trade_ids: list[str] | None = None) -> dict[str, Any]:
    """One order of OpenOrders, ClosedOrders and QueryOrders. `trade_ids` None: they were not asked for."""
    ticket, draft = view.ticket, view.ticket.draft
    pair = names.pairs[draft.symbol]
    places = pair.price_decimals
    found: dict[str, Any] = {"refid": ticket.refid, "userref": draft.userref}
    if draft.cl_ord_id is not None:
        found["cl_ord_id"] = draft.cl_ord_id
    found["status"] = view.status
    if ticket.closed:
        found["reason"] = ticket.reason
    found["opentm"] = seconds(ticket.opened_ms)
    if ticket.closed:
        found["closetm"] = seconds(view.order.updated_ms)
    found |= {
        "starttm": 0 if draft.start_ms is None else seconds(draft.start_ms),
        "expiretm": 0 if draft.expire_ms is None else seconds(draft.expire_ms),
        "descr": {
            "pair": pair.altname,
            "type": draft.side.value,
            "ordertype": draft.ordertype,
            "price": price_text(draft, places),
            "price2": price2_text(draft, places),
            "leverage": "none",
            "order": description(draft, names),
            "close": "" if draft.close is None else close_description(draft.close, names, draft.symbol),
        },
        "vol": fixed(draft.volume),
        "vol_exec": fixed(view.filled),
        "cost": fixed(view.cost),
        "fee": fixed(view.fee),
        "price": fixed(view.average),
        "stopprice": fixed((view.order.trigger_price or draft.price if draft.is_stop else None) or ZERO),
        "limitprice": fixed(draft.price2 or (view.order.price if draft.trailing else None) or ZERO),
        "misc": "",
        "oflags": flags(draft),
    }
    if draft.is_stop:
        found["trigger"] = draft.trigger
    if trade_ids is not None:
        found["trades"] = trade_ids
    return found


def amends(ticket: Ticket, names: Names) -> list[dict[str, Any]]:
    """The versions of an order, the first as it was accepted."""
    places = names.pairs[ticket.draft.symbol].price_decimals
    rows: list[dict[str, Any]] = []
    for index, version in enumerate(ticket.history):
        draft = version.draft
        row: dict[str, Any] = {"amend_id": version.amend_id, "amend_type": "user" if index else "original"}
        row |= {"order_qty": fixed(draft.volume), "remaining_qty": fixed(version.remaining)}
        if draft.display is not None:
            row["display_qty"] = fixed(draft.display)
        if draft.limit_price is not None:
            row["limit_price"] = fixed(draft.limit_price, places)
        if draft.is_stop and draft.price is not None:
            row["trigger_price"] = fixed(draft.price, places)
        rows.append(row | {"timestamp": version.ts_ms})
    return rows


def trade(fill: Fill, ticket: Ticket, names: Names) -> dict[str, Any]:
    """One trade of TradesHistory and QueryTrades."""
    return {
        "ordertxid": ticket.txid,
        "postxid": "",
        "pair": names.pairs[fill.symbol].id,
        "time": seconds(fill.ts_ms),
        "type": fill.side.value,
        "ordertype": ticket.draft.ordertype,
        "price": fixed(fill.price),
        "cost": fixed(fill.quote),
        "fee": fixed(fee_in_quote(fill)),
        "vol": fixed(fill.amount),
        "margin": fixed(ZERO),
        "leverage": "0",
        "misc": "",
        "trade_id": fill.trade_id,
        "maker": fill.is_maker,
    }


def ledger_line(line: Line, names: Names) -> dict[str, Any]:
    """One entry of Ledgers and QueryLedgers."""
    asset = names.assets[line.asset]
    return {
        "refid": line.refid,
        "time": seconds(line.ts_ms),
        "type": line.kind,
        "subtype": "",
        "aclass": "currency",
        "asset": asset.id,
        "amount": fixed(line.amount, asset.decimals),
        "fee": fixed(line.fee, asset.decimals),
        "balance": fixed(line.balance, asset.decimals),
    }
