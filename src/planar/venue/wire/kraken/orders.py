"""REST, trading: AddOrder, AmendOrder, EditOrder, CancelOrder, their batches, CancelAll, CancelAllOrdersAfter."""

from __future__ import annotations

import re
from typing import Any, Final, cast

import msgspec

from planar.venue import clock
from planar.venue.wire.kraken import drafts, errors, order_json
from planar.venue.wire.kraken import params as p
from planar.venue.wire.kraken.desk import Call, Desk
from planar.venue.wire.kraken.errors import ApiError
from planar.venue.wire.kraken.formats import fixed, rfc3339_seconds
from planar.venue.wire.kraken.tickets import Draft, Ticket

BATCH: Final = range(2, 16)
"""How many orders AddOrderBatch and batch_add take."""
CANCEL_BATCH: Final = range(1, 51)
_USERREF: Final = re.compile(r"-?[0-9]{1,10}\Z")


def add_order(desk: Desk, call: Call) -> dict[str, Any]:
    """AddOrder."""
    p.check_deadline(call.params)
    draft = desk.reader(call.account).rest(call.params)
    ticket = desk.trading.place(draft, validate=p.flag(call.params, "validate"))
    return _placed(desk, draft, ticket, as_list=True)


def _placed(desk: Desk, draft: Draft, ticket: Ticket | None, *, as_list: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"descr": {"order": order_json.description(draft, desk.names)}}
    if ticket is not None:
        found["txid"] = [ticket.txid] if as_list else ticket.txid
        if draft.cl_ord_id is not None and not as_list:
            found["cl_ord_id"] = draft.cl_ord_id
    return found


def add_order_batch(desk: Desk, call: Call) -> dict[str, Any]:
    """AddOrderBatch: all are read before any is placed; afterwards each fares for itself."""
    p.check_deadline(call.params)
    rows = call.params.get("orders")
    if not isinstance(rows, list) or len(cast("list[Any]", rows)) not in BATCH:
        raise errors.invalid("orders")
    pair = call.params.get("pair")
    drafts = [
        desk.reader(call.account).rest({**cast("dict[str, Any]", row), "pair": pair})
        for row in cast("list[Any]", rows)
        if isinstance(row, dict)
    ]
    if len(drafts) != len(cast("list[Any]", rows)):
        raise errors.invalid("orders")
    for draft in drafts:
        desk.trading.check(draft)
    results: list[dict[str, Any]] = []
    for draft in drafts:
        try:
            ticket = desk.trading.place(draft, validate=p.flag(call.params, "validate"), count=0.5)
            results.append(_placed(desk, draft, ticket, as_list=False))
        except ApiError as error:
            results.append({"descr": {"order": order_json.description(draft, desk.names)}, "error": error.text})
    return {"orders": results}


def named(desk: Desk, account: str, txid: str | None, client_id: str | None) -> Ticket:
    """The order of an id or of the client's id, the newest open one of these. Raises ApiError."""
    if txid is not None:
        return desk.register.get(account, txid)
    for ticket in reversed(desk.register.open(account)):
        if client_id is not None and ticket.draft.cl_ord_id == client_id:
            return ticket
    raise ApiError(errors.UNKNOWN_ORDER if client_id is not None else errors.ARGUMENTS)


def amend_order(desk: Desk, call: Call) -> dict[str, Any]:
    """AmendOrder."""
    p.check_deadline(call.params)
    ticket = named(desk, call.account, p.text(call.params, "txid"), p.text(call.params, "cl_ord_id"))
    return {"amend_id": desk.trading.amend(ticket, drafts.amendment(call.params))}


def edit_order(desk: Desk, call: Call) -> dict[str, Any]:
    """EditOrder: fields not given are those of the order before, but for the reference."""
    p.check_deadline(call.params)
    ticket = desk.register.get(call.account, p.text(call.params, "txid"))
    old = ticket.draft
    volume = p.decimal(call.params, "volume")
    draft = msgspec.structs.replace(
        old,
        volume=old.volume if volume is None else volume,
        price=p.decimal(call.params, "price") or old.price,
        price2=p.decimal(call.params, "price2") or old.price2,
        oflags=tuple(p.words(call.params, "oflags")) or old.oflags,
        userref=p.integer(call.params, "userref"),
        cl_ord_id=None,
    )
    new = desk.trading.edit(ticket, draft)
    found: dict[str, Any] = {
        "status": "ok",
        "txid": None if new is None else new.txid,
        "originaltxid": ticket.txid,
        "volume": fixed(draft.volume),
        "price": "0" if draft.price is None else fixed(draft.price, desk.names.pairs[draft.symbol].price_decimals),
        "orders_cancelled": 1,
        "descr": {"order": order_json.description(draft, desk.names)},
    }
    return found


def cancel_tickets(desk: Desk, account: str, reference: str) -> list[Ticket]:
    """What a `txid` of CancelOrder names: an order, or all open ones of a user reference. Raises ApiError."""
    if _USERREF.match(reference):
        found = [ticket for ticket in desk.register.open(account) if ticket.draft.userref == int(reference)]
    else:
        ticket = desk.register.get(account, reference)
        found = [] if ticket.closed else [ticket]
    if not found:
        raise ApiError(errors.UNKNOWN_ORDER)
    return found


def cancel_order(desk: Desk, call: Call) -> dict[str, Any]:
    """CancelOrder."""
    client_id = p.text(call.params, "cl_ord_id")
    if client_id is not None:
        tickets = [named(desk, call.account, None, client_id)]
    else:
        reference = p.text(call.params, "txid")
        if reference is None:
            raise errors.invalid("txid")
        tickets = cancel_tickets(desk, call.account, reference)
    for ticket in tickets:
        desk.trading.cancel(ticket)
    return {"count": len(tickets)}


def cancel_order_batch(desk: Desk, call: Call) -> dict[str, Any]:
    """CancelOrderBatch: unknown orders are passed over."""
    references = p.words(call.params, "orders") + p.words(call.params, "cl_ord_ids")
    if len(references) not in CANCEL_BATCH:
        raise errors.invalid("orders")
    count = 0
    for row in p.words(call.params, "orders"):
        count += _try_cancel(desk, call.account, row, None)
    for client_id in p.words(call.params, "cl_ord_ids"):
        count += _try_cancel(desk, call.account, None, client_id)
    return {"count": count}


def _try_cancel(desk: Desk, account: str, reference: str | None, client_id: str | None) -> int:
    try:
        tickets = (
            [named(desk, account, None, client_id)] if reference is None else cancel_tickets(desk, account, reference)
        )
    except ApiError:
        return 0
    for ticket in tickets:
        desk.trading.cancel(ticket)
    return len(tickets)


def cancel_all(desk: Desk, call: Call) -> dict[str, Any]:
    """CancelAll."""
    return {"count": desk.cancel_all(call.account)}


def cancel_all_after(desk: Desk, call: Call) -> dict[str, Any]:
    """CancelAllOrdersAfter."""
    timeout = p.integer(call.params, "timeout")
    if timeout is None:
        raise errors.invalid("timeout")
    times = desk.cancel_all_after(call.account, timeout)
    trigger_ms = times["triggerTime"]
    return {
        "currentTime": rfc3339_seconds(clock.wall_ms()),
        "triggerTime": rfc3339_seconds(trigger_ms) if trigger_ms else "0",
    }
