"""Which order a request means: by the exchange's id, by the client's, or by both."""

from __future__ import annotations

from planar.venue.engine.rejects import EngineReject
from planar.venue.engine.types import OrderRef
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.desk import Desk
from planar.venue.wire.binance.params import LEGAL_CLIENT_ID, Params


def read_ref(params: Params, id_name: str = "orderId", client_name: str = "origClientOrderId") -> OrderRef:
    """The ids sent.

    Raises:
        ApiError: -1102, neither id was sent.
    """
    order_id = params.integer(id_name)
    client_id = params.text(client_name, LEGAL_CLIENT_ID)
    if order_id is None and client_id is None:
        raise errors.missing_both(client_name, id_name)
    return OrderRef(order_id, client_id)


def check_ids(desk: Desk, account: str, symbol: str, ref: OrderRef) -> None:
    """With both ids sent, the client id must be that of the order with this id.

    Raises:
        ApiError: -2039.
    """
    if ref.order_id is None or ref.client_id is None:
        return
    try:
        found = desk.exchange.order(account, symbol, OrderRef(ref.order_id))
    except EngineReject:
        return  # the operation itself says so
    if found.client_id != ref.client_id:
        raise errors.ids_differ()
