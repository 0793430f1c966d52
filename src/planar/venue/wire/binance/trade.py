"""Placing, canceling, replacing and amending orders (rest-api.md, "Trading endpoints")."""

from __future__ import annotations

from typing import Any, Final

import msgspec

import planar.runtime as runtime
from planar.venue.engine.enums import OrderStatus
from planar.venue.engine.rejects import EngineReject
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.types import Order, OrderList, OrderRef
from planar.venue.wire.binance import errors, filters, list_json, order_json, rejects
from planar.venue.wire.binance.account import order_commission
from planar.venue.wire.binance.desk import Amendment, Call, Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.order_params import OrderRequest, new_client_id, read_order
from planar.venue.wire.binance.order_refs import check_ids, read_ref
from planar.venue.wire.binance.params import LEGAL_CLIENT_ID, Params, given

FILLS_MAX: Final = 1_000_000
CANCEL_RESTRICTIONS: Final = {
    "ONLY_NEW": OrderStatus.NEW,
    "ONLY_PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
}


def test_weight(params: Params) -> int:
    """Weight of a test order."""
    return 20 if (params.peek("computeCommissionRates") or "").lower() == "true" else 1


def test_order(desk: Desk, call: Call) -> Any:
    """POST /api/v3/order/test: all that the API checks, nothing that the matching engine would."""
    params = call.params
    spec = params.market(desk.symbols)
    compute = params.boolean("computeCommissionRates")
    request = read_order(params, spec, call.account)
    params.end()
    check_market(desk, request)
    return order_commission(spec) if compute else {}


def new_order(desk: Desk, call: Call) -> Any:
    """POST /api/v3/order."""
    params = call.params
    request = read_order(params, params.market(desk.symbols), call.account)
    params.end()
    now_ms = runtime.wall_ms()
    desk.orders.check(call.account, now_ms)
    check_market(desk, request)
    order = submit(desk, request)
    return placed_json(desk, order, request.response_type)


def check_market(desk: Desk, request: OrderRequest) -> None:
    """The filters that look at the market.

    Raises:
        ApiError: -1013.
    """
    new = request.new
    open_orders = desk.exchange.open_orders(new.account, new.symbol)
    filters.check_market(new, request.spec, desk.average_price(new.symbol), open_orders)


def submit(desk: Desk, request: OrderRequest) -> Order:
    """Hand an order to the engine, and count it if it is accepted.

    Raises:
        ApiError: the engine refused.
    """
    new = request.new
    with desk.labelled(new.account, new.symbol, request.client_id, request.strategy):
        now_ms = runtime.wall_ms()
        desk.orders.placed(new.account, now_ms)  # before its own fills take it off again
        try:
            return desk.exchange.submit(new)
        except EngineReject as reject:
            desk.orders.withdrawn(new.account, now_ms)
            raise rejects.new_order(reject) from reject


def placed_json(desk: Desk, order: Order, response_type: str) -> dict[str, Any]:
    """The answer to a new order in the form asked for."""
    market_id = desk.symbols.ids[order.symbol]
    if response_type == "ACK":
        return order_json.ack(order, market_id)
    strategy = desk.strategy_of(order)
    if response_type == "RESULT":
        return order_json.result(order, market_id, strategy)
    fills = desk.exchange.fills(order.account, order.symbol, order_id=order.id, limit=FILLS_MAX)
    prevented = desk.exchange.prevented_matches(order.account, order.symbol, order_id=order.id, limit=FILLS_MAX)
    own = [match for match in prevented if match.taker_order_id == order.id]
    return order_json.full(order, market_id, strategy, fills, own)


class CancelRequest(msgspec.Struct, frozen=True):
    """A cancel as asked for."""

    account: str
    spec: SymbolSpec
    ref: OrderRef
    cancel_id: str
    only: OrderStatus | None


def cancel_order(desk: Desk, call: Call) -> Any:
    """DELETE /api/v3/order."""
    params = call.params
    request = CancelRequest(
        call.account,
        params.market(desk.symbols),
        read_ref(params),
        params.text("newClientOrderId", LEGAL_CLIENT_ID) or new_client_id(),
        read_restriction(params),
    )
    params.end()
    return cancel(desk, request)


def read_restriction(params: Params) -> OrderStatus | None:
    """`cancelRestrictions`."""
    return params.choice(
        "cancelRestrictions", CANCEL_RESTRICTIONS, lambda: ApiError(-1145, "Invalid cancelRestrictions")
    )


def check_restriction(desk: Desk, request: CancelRequest) -> None:
    """Whether the order's state allows the cancel, where the request depends on it.

    Raises:
        ApiError: -2011.
    """
    if request.only is None:
        return
    try:
        order = desk.exchange.order(request.account, request.spec.symbol, request.ref)
    except EngineReject as reject:
        raise rejects.cancel(reject) from reject
    if order.is_open and order.status is not request.only:
        raise errors.cancel_rejected("Order was not canceled due to cancel restrictions.")


def cancel(desk: Desk, request: CancelRequest) -> dict[str, Any]:
    """Cancel an order; the answer.

    Raises:
        ApiError: -2011, -2039.
    """
    check_ids(desk, request.account, request.spec.symbol, request.ref)
    check_restriction(desk, request)
    try:
        named = desk.exchange.order(request.account, request.spec.symbol, request.ref)
        listed = _list_of(desk, named)
        order = desk.exchange.cancel(request.account, request.spec.symbol, request.ref, request_id=request.cancel_id)
    except EngineReject as reject:
        raise rejects.cancel(reject) from reject
    if listed is None:
        return canceled_json(desk, order, request.cancel_id)
    after = desk.exchange.order_list(listed.account, list_id=listed.id)
    return canceled_list_json(desk, listed, after, request.cancel_id)


def _list_of(desk: Desk, order: Order) -> OrderList | None:
    """The order list of an order, as it is now."""
    return None if order.list_id is None else desk.exchange.order_list(order.account, list_id=order.list_id)


def canceled_list_json(desk: Desk, before: OrderList, after: OrderList, cancel_id: str) -> dict[str, Any]:
    """The answer to what canceled a list: reports of the orders that were open before."""
    was_open = {order.id for order in before.orders if order.is_open}
    answer = list_json.queried(after, desk.symbols.ids[after.symbol])
    reports = [canceled_json(desk, order, cancel_id) for order in after.orders if order.id in was_open]
    return answer | {"orderReports": reports}


def canceled_json(desk: Desk, order: Order, cancel_id: str) -> dict[str, Any]:
    """The answer to a cancel."""
    return order_json.canceled(order, desk.symbols.ids[order.symbol], cancel_id, desk.strategy_of(order))


def cancel_open_orders(desk: Desk, call: Call) -> Any:
    """DELETE /api/v3/openOrders."""
    spec = call.params.market(desk.symbols)
    call.params.end()
    cancel_id = new_client_id()
    lists = [
        found for found in desk.exchange.order_lists(call.account) if found.is_open and found.symbol == spec.symbol
    ]
    orders = desk.exchange.cancel_all(call.account, spec.symbol, request_id=cancel_id)
    if not orders:
        raise errors.cancel_rejected()
    answers = [canceled_json(desk, order, cancel_id) for order in orders if order.list_id is None]
    for before in lists:
        after = desk.exchange.order_list(call.account, list_id=before.id)
        answers.append(canceled_list_json(desk, before, after, cancel_id))
    return answers


def amend_order(desk: Desk, call: Call) -> Any:
    """PUT /api/v3/order/amend/keepPriority."""
    params = call.params
    spec = params.market(desk.symbols)
    ref = read_ref(params)
    client_id = params.text("newClientOrderId", LEGAL_CLIENT_ID) or new_client_id()
    amount = given("newQty", params.decimal("newQty"))
    params.end()
    if amount <= 0:
        raise ApiError(-1013, "Invalid newQty.")
    filters.check_lot(amount, spec)
    check_ids(desk, call.account, spec.symbol, ref)
    try:
        before = desk.exchange.order(call.account, spec.symbol, ref)
        history = desk.amendments.get((spec.symbol, before.id), [])
        if len(history) >= filters.MAX_ORDER_AMENDS:
            raise errors.amend_rejected("Filter failure: MAX_NUM_ORDER_AMENDS")
        if before.is_open and amount == before.amount:
            raise errors.amend_rejected("The requested action would change no state; rejecting.")
        after = desk.exchange.amend_keep_priority(call.account, spec.symbol, ref, amount, client_id=client_id)
    except EngineReject as reject:
        raise rejects.amend(reject) from reject
    execution_id = desk.users.last_execution_id
    done = Amendment(execution_id, before.client_id, after.client_id, before.amount, after.amount, after.updated_ms)
    desk.amendments[spec.symbol, before.id] = [*history, done]
    answer = order_json.amended(after, desk.symbols.ids[spec.symbol], execution_id, before.client_id)
    listed = _list_of(desk, after)
    if listed is not None:
        answer["listStatus"] = list_json.in_amendment(listed, desk.symbols.ids[spec.symbol])
    return answer
