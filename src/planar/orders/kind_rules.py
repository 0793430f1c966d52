"""What a kind of order demands of the rest of the order, and what the venue's table says about it.

Part of the rules that are checked before anything is journaled (`planar.orders.rules`). An order whose words contradict
each other is refused: what CCXT or a venue would make of it is not what was asked (a stop that is post-only, for one, goes
out without its trigger).
"""

from __future__ import annotations

from collections.abc import Iterator

import planar.runtime as runtime
from planar.adapters.base import OrderRequest
from planar.adapters.kinds import KindRow, KindTable, kinds_of
from planar.errors import InvalidOrder, NotSupported, OrderImmediatelyFillable, Outcome
from planar.models import Amount, Market

TIMES = ("GTC", "IOC", "FOK", "GTD")
TRIGGERS = ("stop", "take_profit")
WHOLE = Amount(100)
"""Percent."""


def check_kinds(request: OrderRequest, market: Market, exchange: str, table: KindTable) -> None:
    """Refuse contradictions within an order, and kinds that the market does not take.

    Raises:
        InvalidOrder, NotSupported: both NOT_SENT.
    """
    for problem, remedy in _contradictions(request):
        raise InvalidOrder(problem, exchange=exchange, outcome=Outcome.NOT_SENT, hint=remedy)
    for kind in kinds_of(request):
        row = table.get(kind)
        if row is None or row.how != "native":
            raise unsupported(kind, market.symbol, exchange, row)
        if request.side not in row.sides:
            raise unsupported(
                kind, market.symbol, exchange, KindRow("refused", f"it is for {row.sides[0]} orders only")
            )
        if row.step is not None:
            _check_step(request, row.step, exchange)


def unsupported(kind: str, symbol: str, exchange: str, row: KindRow | None) -> NotSupported:
    """The refusal of a kind that a venue does not have."""
    why = "" if row is None else row.why
    if row is not None and row.how == "emulated":
        remedy = f"emulate=True has Planar do it: {why}"
    else:
        remedy = f"{why}; exchange.order_kinds({symbol!r}) lists what there is".removeprefix("; ")
    return NotSupported(
        f"{kind} orders of {symbol} are not offered by this exchange",
        exchange=exchange,
        outcome=Outcome.NOT_SENT,
        hint=remedy,
    )


def _contradictions(request: OrderRequest) -> Iterator[tuple[str, str]]:
    """(what contradicts what, what to do about it)."""
    limit, lived = request.type == "limit", request.time_in_force
    if lived is not None and lived not in TIMES:
        yield f"time_in_force is {lived!r}", f"one of {', '.join(TIMES)}; post_only=True for orders that must rest"
    if lived is not None and not limit:
        yield f"time_in_force {lived} belongs to limit orders", "leave time_in_force out"
    if (lived == "GTD") != (request.expire_at_ms is not None):
        yield "GTD and expire_at_ms belong together", 'give both: time_in_force="GTD", expire_at_ms=...'
    if request.expire_at_ms is not None and request.expire_at_ms <= runtime.wall_ms():
        yield f"expire_at_ms {request.expire_at_ms} has passed", "UTC milliseconds of a time to come"
    if request.cost is not None and (limit or request.waits):
        yield "only market orders are sized by cost", "give an amount"
    if request.post_only and (not limit or request.waits or lived in ("IOC", "FOK")):
        yield "post_only needs a limit order that may rest", "leave the time in force or the trigger out"
    if request.trigger not in TRIGGERS:
        yield f"trigger is {request.trigger!r}", f"one of {', '.join(TRIGGERS)}"
    triggers = (request.stop_price, request.trailing_percent, request.trailing_amount)
    if sum(value is not None for value in triggers) > 1:
        yield "an order waits for one thing", "give one of trigger_price, trailing_percent, trailing_amount"
    percent = request.trailing_percent
    if percent is not None and not 0 < percent < WHOLE:
        yield f"trailing_percent is {percent}", "more than 0 and less than 100: 1.5 is 1.5 %"


def _check_step(request: OrderRequest, step: Amount, exchange: str) -> None:
    for name, value in (("trailing_percent", request.trailing_percent), ("expire_at_ms", request.expire_at_ms)):
        if value is not None and Amount(value) % step:
            raise InvalidOrder(
                f"{name} {value} is no multiple of {step}",
                exchange=exchange,
                outcome=Outcome.NOT_SENT,
                hint=f"the nearest below is {Amount(value) - Amount(value) % step}",
            )


def check_trigger(request: OrderRequest, last_price: Amount, exchange: str, table: KindTable) -> None:
    """Refuse a trigger that the market has passed, where the venue would take it and execute it at once.

    Raises:
        OrderImmediatelyFillable: NOT_SENT.
    """
    row, stop = table.get(kinds_of(request)[0]), request.stop_price
    if row is None or not row.at_once or stop is None:
        return
    below = (request.side == "sell") == (request.trigger == "stop")
    if stop < last_price if below else stop > last_price:
        return
    where = "below" if below else "above"
    raise OrderImmediatelyFillable(
        f"the trigger price {stop} of this {request.trigger} {request.side} is not {where} the last price {last_price}: "
        "it would execute at once",
        exchange=exchange,
        outcome=Outcome.NOT_SENT,
        hint=f"give a trigger price {where} the market, or a market order",
    )
