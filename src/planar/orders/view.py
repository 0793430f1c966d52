"""Between the journal's facts and the models that users see."""

from __future__ import annotations

import planar.runtime as runtime
from planar.models import Amount, Fill, Order, OrderState
from planar.models.orders import Fee, OrderStatus
from planar.orders.events import AnyEvent, FeeSeen, FillSeen, Seen
from planar.orders.machine import Facts, state_of

_STATUS: dict[OrderState, OrderStatus | None] = {
    OrderState.PENDING: None,
    OrderState.UNKNOWN: None,
    OrderState.OPEN: "open",
    OrderState.FILLED: "closed",
    OrderState.CANCELED: "canceled",
    OrderState.EXPIRED: "expired",
    OrderState.REJECTED: "rejected",
    OrderState.NEVER_ACCEPTED: "rejected",
}
"""CCXT's word for each state; it has none for an order that may not exist."""


def order_of(facts: Facts, last: Order | None) -> Order:
    """The order as far as it is known; `last` is what the venue showed last, for what the journal does not keep."""
    intent = facts.intent
    state = state_of(facts)
    known = facts.seen_filled > 0 or bool(facts.fills) or state not in (OrderState.PENDING, OrderState.UNKNOWN)
    filled, cost = (facts.filled, facts.cost) if known else (None, None)
    side = intent.side if intent else (last.side if last else "buy")
    terms = facts.terms
    return Order(
        id=facts.order_id,
        client_order_id=facts.client_id,
        symbol=intent.symbol if intent else (last.symbol if last else ""),
        side="sell" if side == "sell" else "buy",
        type=intent.type if intent else (last.type if last else None),
        state=state,
        status=_STATUS[state],
        time_in_force=(intent.time_in_force if intent else None) or (last.time_in_force if last else None),
        post_only=intent.post_only if intent else (last.post_only if last else None),
        amount=terms.amount or (last.amount if last else None),
        price=terms.price if intent else (last.price if last else None),
        trigger_price=terms.stop_price if intent else (last.trigger_price if last else None),
        take_profit_price=terms.stop_price
        if intent and intent.trigger == "take_profit"
        else (last.take_profit_price if last and not intent else None),
        filled=filled,
        cost=cost,
        average=Amount(cost / filled) if filled and cost else None,
        fees=(last.fees if last else ()) or _fees(facts),
        trades=last.trades if last else (),
        ts_ms=(last.ts_ms if last else None) or (intent.wall_ms if intent else None),
        last_trade_ts_ms=last.last_trade_ts_ms if last else None,
        last_update_ts_ms=facts.updated_ms,
        received_ns=last.received_ns if last else None,
        raw=last.raw if last else None,
    )


def _fees(facts: Facts) -> tuple[Fee, ...]:
    """The fees of the executions that are known, if these are all of them: a part is no answer."""
    if not facts.fills or facts.fills_amount != facts.filled:
        return ()
    sums: dict[str | None, Amount] = {}
    for fill in facts.fills:
        if not fill.all_fees:
            return ()
        for fee in fill.all_fees:
            sums[fee.currency] = Amount(sums.get(fee.currency, Amount(0)) + fee.cost)
    return tuple(Fee(cost=cost, currency=currency) for currency, cost in sums.items())


def events_of(order: Order, client_id: str, source: str) -> list[AnyEvent]:
    """What a sight of the order at the venue proves."""
    now_ms = runtime.wall_ms()
    seen = Seen(
        client_id=client_id,
        wall_ms=now_ms,
        order_id=order.id,
        state=order.state.value,
        filled=order.filled,
        cost=order.cost,
        updated_ms=order.last_update_ts_ms or order.last_trade_ts_ms or order.ts_ms,
        source=source,
    )
    return [seen, *(fill_event(fill, client_id, order.id) for fill in order.trades)]


def fill_event(fill: Fill, client_id: str, order_id: str | None = None) -> FillSeen:
    """What one execution proves; `order_id` is that of the order which showed it, else its own."""
    return FillSeen(
        client_id=client_id,
        wall_ms=runtime.wall_ms(),
        trade_id=fill.id,
        order_id=order_id or fill.order_id,
        price=fill.price,
        amount=fill.amount,
        fee=fill.fee.cost if fill.fee else None,
        fee_currency=fill.fee.currency if fill.fee else None,
        fees=() if fill.fee else tuple(FeeSeen(fee.cost, fee.currency) for fee in fill.fees),
        maker=fill.taker_or_maker == "maker" if fill.taker_or_maker else None,
        ts_ms=fill.ts_ms,
    )
