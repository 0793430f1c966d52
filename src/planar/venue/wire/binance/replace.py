"""Cancel and replace (rest-api.md, "Cancel an Existing Order and Send a New Order")."""

from __future__ import annotations

from typing import Any, Final

import msgspec

import planar.runtime as runtime
from planar.venue.wire.binance.desk import Call, Desk
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.order_params import OrderRequest, new_client_id, read_order
from planar.venue.wire.binance.order_refs import read_ref
from planar.venue.wire.binance.params import LEGAL_CLIENT_ID, given
from planar.venue.wire.binance.trade import CancelRequest, cancel, check_market, placed_json, read_restriction, submit

STOP_ON_FAILURE: Final = {"STOP_ON_FAILURE": True, "ALLOW_FAILURE": False}
CANCEL_ONLY: Final = {"DO_NOTHING": False, "CANCEL_ONLY": True}


class _Half(msgspec.Struct):
    """What became of the cancel, or of the new order."""

    result: str = "NOT_ATTEMPTED"
    answer: dict[str, Any] | None = None


def cancel_replace(desk: Desk, call: Call) -> Any:
    """POST /api/v3/order/cancelReplace. Filters and order count are checked before anything happens."""
    params = call.params
    spec = params.market(desk.symbols)
    stop = given("cancelReplaceMode", params.choice("cancelReplaceMode", STOP_ON_FAILURE))
    cancel_only = params.choice("orderRateLimitExceededMode", CANCEL_ONLY) or False
    cancel_request = CancelRequest(
        call.account,
        spec,
        read_ref(params, "cancelOrderId", "cancelOrigClientOrderId"),
        params.text("cancelNewClientOrderId", LEGAL_CLIENT_ID) or new_client_id(),
        read_restriction(params),
    )
    request = read_order(params, spec, call.account)
    params.end()
    over = _over_limit(desk, call.account)
    if over is not None and not cancel_only:
        raise over
    check_market(desk, request)
    canceled = _attempt_cancel(desk, cancel_request)
    created = _Half()
    if canceled.result == "SUCCESS" or not stop:
        created = _refused(over) if over is not None else _attempt_order(desk, request)
    else:
        desk.orders.placed(call.account, runtime.wall_ms())  # an order not attempted counts all the same
    return _answer(canceled, created, over if stop else None)


def _over_limit(desk: Desk, account: str) -> ApiError | None:
    try:
        desk.orders.check(account, runtime.wall_ms())
    except ApiError as error:
        return error
    return None


def _refused(error: ApiError) -> _Half:
    return _Half("FAILURE", error.body())


def _attempt_cancel(desk: Desk, request: CancelRequest) -> _Half:
    try:
        return _Half("SUCCESS", cancel(desk, request))
    except ApiError as error:
        return _refused(error)


def _attempt_order(desk: Desk, request: OrderRequest) -> _Half:
    try:
        return _Half("SUCCESS", placed_json(desk, submit(desk, request), request.response_type))
    except ApiError as error:
        return _refused(error)


def _answer(canceled: _Half, created: _Half, over: ApiError | None) -> dict[str, Any]:
    """The answer; `over` gives the status of one that was refused for the order limit (STOP_ON_FAILURE only)."""
    data: dict[str, Any] = {
        "cancelResult": canceled.result,
        "newOrderResult": created.result,
        "cancelResponse": canceled.answer,
        "newOrderResponse": created.answer,
    }
    successes = (canceled.result, created.result).count("SUCCESS")
    if successes == 2:
        return data
    if successes == 1:
        code, message, status = -2021, "Order cancel-replace partially failed.", 409
    else:
        code, message, status = -2022, "Order cancel-replace failed.", 400
    if over is not None:
        status = over.status
    raise ApiError(code, message, status=status, data=data, retry_at_ms=over.retry_at_ms if over else None)
