"""Orders and fills from CCXT's dictionaries; the table of what is strict stands in `planar.models.from_ccxt`."""

from __future__ import annotations

from typing import Any

import msgspec

from planar.models.data import Side
from planar.models.from_ccxt.data import LIQUIDITY, SIDES
from planar.models.from_ccxt.reader import Reader
from planar.models.orders import Fee, Fill, Order, OrderStatus, order_state

_STATUSES: dict[str, OrderStatus] = {
    "open": "open",
    "canceling": "open",
    "closed": "closed",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
}


def order(data: object, *, exchange: str | None = None, received_ns: int | None = None) -> Order:
    """An order that the exchange describes in full: fetched, listed or streamed.

    An answer that only names the order (as many exchanges answer a create) is for `order_ack`.

    Raises:
        BadResponse: what decides money is missing, unknown, not finite or negative.
    """
    r = Reader(data, "order", exchange)
    order_id, kind = r.identity("id"), r.text("type")
    status: OrderStatus = r.needed("status", r.word("status", _STATUSES))
    amount, price, filled, cost = r.amount("amount"), r.amount("price"), r.amount("filled"), r.amount("cost")
    if amount is None and cost is None:
        raise r.bad("amount", None, "and `cost` are missing")
    if kind == "limit":
        r.needed("price", price)
    symbol: str = r.identity("symbol")
    side: Side = r.needed("side", r.word("side", SIDES))
    return Order(
        id=order_id,
        client_order_id=r.text("clientOrderId"),
        symbol=symbol,
        side=side,
        type=kind,
        state=order_state(status, filled, amount),
        status=status,
        time_in_force=r.text("timeInForce"),
        post_only=r.flag("postOnly"),
        reduce_only=r.flag("reduceOnly"),
        amount=amount,
        price=None if kind == "market" else price,  # CCXT repeats the average there
        trigger_price=r.amount("triggerPrice"),
        stop_loss_price=r.amount("stopLossPrice"),
        take_profit_price=r.amount("takeProfitPrice"),
        filled=r.needed("filled", filled),
        cost=cost,
        average=r.amount("average"),
        fees=_fees(r, exchange),
        trades=_fills(r, exchange, received_ns, symbol=symbol, side=side, order_id=order_id),
        ts_ms=r.time_ms("timestamp"),
        last_trade_ts_ms=r.time_ms("lastTradeTimestamp"),
        last_update_ts_ms=r.time_ms("lastUpdateTimestamp"),
        received_ns=received_ns,
        raw=r.get("info"),
    )


def order_ack(data: object, request: Order, *, exchange: str | None = None, received_ns: int | None = None) -> Order:
    """The order after an exchange acknowledged a request about it (create, edit, cancel).

    Args:
        data: CCXT's answer, which may hold little more than the id.
        request: the order as it was known before. What the answer leaves out stays as it is here.

    The state is what the answer's status proves; OPEN if it has none, since the exchange has named the order.

    Raises:
        BadResponse: no id; an unknown status; a bad number; or another symbol, side or client id than the request's:
            the answer to another question.
    """
    r = Reader(data, "order", exchange)
    order_id = r.identity("id")
    named = {
        "symbol": (r.text("symbol"), request.symbol),
        "side": (r.word("side", SIDES), request.side),
        "clientOrderId": (r.text("clientOrderId"), request.client_order_id),
    }
    for key, (answered, asked) in named.items():
        if answered is not None and asked is not None and answered != asked:
            raise r.bad(key, answered, f"is not that of the request ({asked})")
    status = r.word("status", _STATUSES)
    said: dict[str, Any] = {
        "client_order_id": r.text("clientOrderId"),
        "type": r.text("type") if request.type is None else None,
        "time_in_force": r.text("timeInForce"),
        "post_only": r.flag("postOnly"),
        "reduce_only": r.flag("reduceOnly"),
        "amount": r.amount("amount"),
        "price": None if request.type == "market" else r.amount("price"),
        "trigger_price": r.amount("triggerPrice"),
        "stop_loss_price": r.amount("stopLossPrice"),
        "take_profit_price": r.amount("takeProfitPrice"),
        "filled": r.amount("filled"),
        "cost": r.amount("cost"),
        "average": r.amount("average"),
        "fees": _fees(r, exchange) or None,
        "trades": _fills(r, exchange, received_ns, symbol=request.symbol, side=request.side, order_id=order_id) or None,
        "ts_ms": r.time_ms("timestamp"),
        "last_trade_ts_ms": r.time_ms("lastTradeTimestamp"),
        "last_update_ts_ms": r.time_ms("lastUpdateTimestamp"),
    }
    changes = {name: value for name, value in said.items() if value is not None}
    filled, amount = changes.get("filled", request.filled), changes.get("amount", request.amount)
    return msgspec.structs.replace(
        request,
        id=order_id,
        status=status,
        state=order_state(status, filled, amount),
        received_ns=received_ns,
        raw=r.get("info"),
        **changes,
    )


def fill(data: object, *, exchange: str | None = None, received_ns: int | None = None) -> Fill:
    """One trade of this account.

    Raises:
        BadResponse: what decides money is missing, unknown, not finite or negative.
    """
    r = Reader(data, "fill", exchange)
    return Fill(
        id=r.identity("id"),
        order_id=r.text("order"),
        symbol=r.identity("symbol"),
        side=r.needed("side", r.word("side", SIDES)),
        price=r.needed("price", r.amount("price")),
        amount=r.needed("amount", r.amount("amount")),
        cost=r.amount("cost"),
        fees=_fees(r, exchange),
        type=r.text("type"),
        taker_or_maker=r.known("takerOrMaker", LIQUIDITY),
        ts_ms=r.time_ms("timestamp"),
        received_ns=received_ns,
        raw=r.get("info"),
    )


def _fees(r: Reader, exchange: str | None) -> tuple[Fee, ...]:
    return _each_fee(r.rows("fees"), exchange) or _each_fee([r.get("fee")], exchange)


def _each_fee(entries: list[Any], exchange: str | None) -> tuple[Fee, ...]:
    fees = [fee_of(entry, exchange) for entry in entries]
    return tuple(fee for fee in fees if fee is not None)


def fee_of(entry: Any, exchange: str | None) -> Fee | None:
    """A fee; None where there is none, or it has no cost.

    Raises:
        BadResponse: it is no structure, or its cost is no number.
    """
    if entry is None:
        return None
    r = Reader(entry, "fee", exchange)
    cost = r.signed("cost")
    return None if cost is None else Fee(cost=cost, currency=r.text("currency"), rate=r.detail("rate"))


def _fills(
    r: Reader, exchange: str | None, received_ns: int | None, *, symbol: str, side: str, order_id: str
) -> tuple[Fill, ...]:
    """The order's fills, if the answer has them whole: on some exchanges they come without ids, or as ids alone.

    Inside an order a fill need not repeat what is true of the whole order: its symbol, side and id are the order's.
    """
    entries = r.rows("trades")
    if any(Reader(entry, "fill", exchange).get(key) is None for entry in entries for key in ("id", "price", "amount")):
        return ()
    own = {"symbol": symbol, "side": side, "order": order_id}
    return tuple(
        fill(
            {**entry, **{key: value for key, value in own.items() if entry.get(key) is None}},
            exchange=exchange,
            received_ns=received_ns,
        )
        for entry in entries
    )
