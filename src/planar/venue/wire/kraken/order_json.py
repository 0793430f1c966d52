"""Orders, trades and ledger entries as REST shows them."""

from __future__ import annotations

from typing import Any

from planar.venue.engine.types import Fill
from planar.venue.wire.kraken.formats import ZERO, fixed, seconds
from planar.venue.wire.kraken.journal import Line
from planar.venue.wire.kraken.names import Names
from planar.venue.wire.kraken.tickets import Draft, Ticket, View, fee_in_quote


def description(draft: Draft, names: Names) -> str:
    """Such as: buy 0.02100000 ETHUSDT @ limit 330.00."""
    pair = names.pairs[draft.symbol]
    places = pair.price_decimals
    text = f"{draft.side.value} {fixed(draft.volume)} {pair.altname} @ "
    if not draft.is_stop:
        return text + (draft.ordertype if draft.price is None else f"limit {fixed(draft.price, places)}")
    text += draft.ordertype.removesuffix("-limit").replace("-", " ") + f" {fixed(draft.price or ZERO, places)}"
    return text if draft.price2 is None else f"{text} -> limit {fixed(draft.price2, places)}"


def flags(draft: Draft) -> str:
    """The flags, with where the fee is taken: from what is received."""
    given = [word for word in draft.oflags if word not in ("fcib", "fciq")]
    return ",".join([*given, "fcib" if draft.side.value == "buy" else "fciq"])


def order(view: View, names: Names, trade_ids: list[str] | None = None) -> dict[str, Any]:
    """One order of OpenOrders, ClosedOrders and QueryOrders. `trade_ids` None: they were not asked for."""
    ticket, draft = view.ticket, view.ticket.draft
    pair = names.pairs[draft.symbol]
    places = pair.price_decimals
    found: dict[str, Any] = {"refid": None, "userref": draft.userref}
    if draft.cl_ord_id is not None:
        found["cl_ord_id"] = draft.cl_ord_id
    found["status"] = view.status
    if ticket.closed:
        found["reason"] = ticket.reason
    found["opentm"] = seconds(ticket.opened_ms)
    if ticket.closed:
        found["closetm"] = seconds(view.order.updated_ms)
    found |= {
        "starttm": 0,
        "expiretm": 0 if draft.expire_ms is None else seconds(draft.expire_ms),
        "descr": {
            "pair": pair.altname,
            "type": draft.side.value,
            "ordertype": draft.ordertype,
            "price": "0" if draft.price is None else fixed(draft.price, places),
            "price2": "0" if draft.price2 is None else fixed(draft.price2, places),
            "leverage": "none",
            "order": description(draft, names),
            "close": "",
        },
        "vol": fixed(draft.volume),
        "vol_exec": fixed(view.filled),
        "cost": fixed(view.cost),
        "fee": fixed(view.fee),
        "price": fixed(view.average),
        "stopprice": fixed((draft.price if draft.is_stop else None) or ZERO),
        "limitprice": fixed(draft.price2 or ZERO),
        "misc": "",
        "oflags": flags(draft),
    }
    if draft.is_stop:
        found["trigger"] = "last"
    if trade_ids is not None:
        found["trades"] = trade_ids
    return found


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
