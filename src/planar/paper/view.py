"""What a paper account holds, in the words of `planar.models`. Each object says in its `info` that it is simulated."""

from __future__ import annotations

import planar.runtime as runtime
from planar.models import AccountBalance, Amount, Balance, Fee, Fill, Order, OrderState
from planar.models.orders import OrderStatus
from planar.paper.state import PaperFill, PaperOrder, Status, Summary

_STATES: dict[Status, tuple[OrderState, OrderStatus]] = {
    "waiting": (OrderState.OPEN, "open"),
    "triggered": (OrderState.OPEN, "open"),
    "open": (OrderState.OPEN, "open"),
    "closed": (OrderState.FILLED, "closed"),
    "canceled": (OrderState.CANCELED, "canceled"),
    "expired": (OrderState.EXPIRED, "expired"),
}


def order_of(order: PaperOrder, fills: tuple[PaperFill, ...] = ()) -> Order:
    """An order as users see it.

    Args:
        fills: its executions, where they are told with it.
    """
    state, status = _STATES[order.status]
    told: dict[str, object] = {"paper": True, "status": order.status}
    if order.queue is not None:
        told["queueAhead"] = str(_short(order.queue))
    if order.reason:
        told["reason"] = order.reason
    return Order(
        id=order.id,
        client_order_id=order.client_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        state=state,
        status=status,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        amount=order.amount,
        price=order.price,
        trigger_price=order.stop_price,
        filled=_short(order.filled),
        cost=_short(order.spent),
        average=_short(order.spent / order.filled) if order.filled else None,
        fees=tuple(Fee(cost=_short(cost), currency=currency) for currency, cost in order.fees),
        trades=tuple(fill_of(fill) for fill in fills),
        ts_ms=order.created_ms,
        last_trade_ts_ms=order.last_trade_ms,
        last_update_ts_ms=order.updated_ms,
        received_ns=runtime.wall_ns(),
        raw=told,
    )


def fill_of(fill: PaperFill) -> Fill:
    """An execution as users see it."""
    return Fill(
        id=fill.id,
        order_id=fill.order_id,
        symbol=fill.symbol,
        side=fill.side,
        type=fill.type,
        price=fill.price,
        amount=_short(fill.amount),
        cost=_short(fill.cost),
        fees=(Fee(cost=_short(fill.fee), currency=fill.fee_currency),),
        taker_or_maker=fill.role,
        ts_ms=fill.ts_ms,
        received_ns=runtime.wall_ns(),
        raw={"paper": True},
    )


def balance_of(summary: Summary, now_ms: int) -> AccountBalance:
    """The balances as users see them."""
    return AccountBalance(
        balances={
            currency: Balance(free=_short(held.free), used=_short(held.used), total=_short(held.free + held.used))
            for currency, held in summary.holdings.items()
        },
        ts_ms=now_ms,
        received_ns=runtime.wall_ns(),
        raw={"paper": True},
    )


def _short(value: Amount) -> Amount:
    """The same number without zeros at its end, which sums and products leave."""
    return value.normalize()
