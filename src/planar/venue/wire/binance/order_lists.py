"""Order lists: placing, canceling, asking (rest-api.md, "Order lists" and "Account Endpoints").

Who cancels one order of a list cancels the list, and is answered with it.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import planar.runtime as runtime
from planar.venue.engine.rejects import EngineReject
from planar.venue.engine.types import NewOrderList, Order, OrderList
from planar.venue.wire.binance import errors, list_json, list_params, rejects
from planar.venue.wire.binance.account import read_period
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.list_params import ListRequest, Reader
from planar.venue.wire.binance.market_data import ROWS_DEFAULT, ROWS_MAX
from planar.venue.wire.binance.order_params import new_client_id
from planar.venue.wire.binance.params import LEGAL_CLIENT_ID, Params
from planar.venue.wire.binance.trade import canceled_list_json, check_market, placed_json


def oco(desk: Desk, call: Call) -> Any:
    """POST /api/v3/orderList/oco."""
    return _place(desk, call, list_params.read_oco)


def oto(desk: Desk, call: Call) -> Any:
    """POST /api/v3/orderList/oto."""
    return _place(desk, call, list_params.read_oto)


def otoco(desk: Desk, call: Call) -> Any:
    """POST /api/v3/orderList/otoco."""
    return _place(desk, call, list_params.read_otoco)


def old_oco(desk: Desk, call: Call) -> Any:
    """POST /api/v3/order/oco, and `orderList.place`."""
    return _place(desk, call, list_params.read_old_oco)


def _place(desk: Desk, call: Call, read: Reader) -> dict[str, Any]:
    request = read(call.params, call.params.market(desk.symbols), call.account)
    call.params.end()
    desk.orders.check(call.account, runtime.wall_ms())
    for leg in request.legs:
        check_market(desk, leg)
    found = _submit(desk, request)

    def report(order: Order) -> dict[str, Any]:
        return placed_json(desk, order, request.response_type)

    return list_json.reported(found, desk.symbols.ids[found.symbol], report)


def _submit(desk: Desk, request: ListRequest) -> OrderList:
    """Hand a list to the engine; every order of it counts. Raises ApiError."""
    new = NewOrderList(
        contingency=request.contingency, orders=tuple(leg.new for leg in request.legs), client_id=request.client_id
    )
    account, symbol = request.legs[0].new.account, request.spec.symbol
    now_ms = runtime.wall_ms()
    with ExitStack() as labels:
        for leg in request.legs:
            labels.enter_context(desk.labelled(account, symbol, leg.client_id, leg.strategy))
            desk.orders.placed(account, now_ms)
        try:
            return desk.exchange.submit_list(new)
        except EngineReject as reject:
            for _ in request.legs:
                desk.orders.withdrawn(account, now_ms)
            raise rejects.new_order(reject) from reject


def _read_list_ref(params: Params, client_name: str) -> tuple[int | None, str | None]:
    list_id, client_id = params.integer("orderListId"), params.text(client_name, LEGAL_CLIENT_ID)
    if list_id is None and client_id is None:
        raise errors.missing_both(client_name, "orderListId")
    return list_id, client_id


def cancel_list(desk: Desk, call: Call) -> Any:
    """DELETE /api/v3/orderList."""
    params = call.params
    spec = params.market(desk.symbols)
    list_id, client_id = _read_list_ref(params, "listClientOrderId")
    cancel_id = params.text("newClientOrderId", LEGAL_CLIENT_ID) or new_client_id()
    params.end()
    try:
        before = desk.exchange.order_list(call.account, list_id=list_id, client_id=client_id)
        after = desk.exchange.cancel_list(call.account, spec.symbol, list_id=before.id, request_id=cancel_id)
    except EngineReject as reject:
        raise rejects.cancel(reject) from reject
    return canceled_list_json(desk, before, after, cancel_id)


def query_list(desk: Desk, call: Call) -> Any:
    """GET /api/v3/orderList."""
    list_id, client_id = _read_list_ref(call.params, "origClientOrderId")
    call.params.end()
    try:
        found = desk.exchange.order_list(call.account, list_id=list_id, client_id=client_id)
    except EngineReject as reject:
        raise errors.no_such_order() from reject
    return list_json.queried(found, desk.symbols.ids[found.symbol])


def all_lists(desk: Desk, call: Call) -> Any:
    """GET /api/v3/allOrderList."""
    params = call.params
    from_id = params.integer("fromId")
    start_ms, end_ms = read_period(params)
    limit = params.limit(ROWS_DEFAULT, ROWS_MAX)
    params.end()
    if from_id is not None and (start_ms is not None or end_ms is not None):
        raise errors.bad_combination()
    rows = [
        found
        for found in desk.exchange.order_lists(call.account)
        if (from_id is None or found.id >= from_id)
        and (start_ms is None or found.created_ms >= start_ms)
        and (end_ms is None or found.created_ms <= end_ms)
    ]
    rows = rows[:limit] if from_id is not None or start_ms is not None else rows[-limit:]
    return [list_json.queried(found, desk.symbols.ids[found.symbol]) for found in rows]


def open_lists(desk: Desk, call: Call) -> Any:
    """GET /api/v3/openOrderList."""
    call.params.end()
    rows = [found for found in desk.exchange.order_lists(call.account) if found.is_open]
    return [list_json.queried(found, desk.symbols.ids[found.symbol]) for found in rows]


def not_offered(desk: Desk, call: Call) -> Any:
    """POST /api/v3/orderList/opo and opoco: no market takes them (`opoAllowed` is false)."""
    call.params.market(desk.symbols)
    raise ApiError(-1013, "OPO orders are not supported for this symbol.")
