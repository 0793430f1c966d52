"""Orders and fills as the REST and WebSocket APIs answer them (rest-api.md, "New order", "Query order", ...).

One function per shape. Fields that appear only under conditions are those of "Conditional fields in Order Responses".
"""

from __future__ import annotations

from typing import Any, Final

from planar.venue.engine.enums import OrderKind
from planar.venue.engine.types import Fill, Order, PreventedMatch
from planar.venue.wire.binance.filters import STOP_KINDS
from planar.venue.wire.binance.formats import STATUSES, amount, optional_amount
from planar.venue.wire.binance.order_params import BASIS_POINT, Strategy

NO_LIST: Final = -1
NO_STRATEGY: Final = Strategy(None, None)


def type_word(order: Order) -> str:
    """The exchange's word for the order's type."""
    if order.kind is OrderKind.LIMIT and order.post_only:
        return "LIMIT_MAKER"
    return order.kind.name


def list_id(order: Order) -> int:
    """`orderListId`."""
    return NO_LIST if order.list_id is None else order.list_id


def ack(order: Order, market_id: str) -> dict[str, Any]:
    """Answer of type ACK."""
    return {
        "symbol": market_id,
        "orderId": order.id,
        "orderListId": list_id(order),
        "clientOrderId": order.client_id,
        "transactTime": order.updated_ms,
    }


def result(order: Order, market_id: str, strategy: Strategy) -> dict[str, Any]:
    """Answer of type RESULT."""
    return {
        **ack(order, market_id),
        **_numbers(order),
        **conditional(order, strategy),
        "workingTime": _working_ms(order),
        "selfTradePreventionMode": order.self_trade_mode.name,
    }


def full(
    order: Order, market_id: str, strategy: Strategy, fills: list[Fill], prevented: list[PreventedMatch]
) -> dict[str, Any]:
    """Answer of type FULL: RESULT, the fills, and the matches that self-trade prevention stopped."""
    answer = result(order, market_id, strategy)
    mode = answer.pop("selfTradePreventionMode")
    answer["fills"] = [
        {
            "price": amount(fill.price),
            "qty": amount(fill.amount),
            "commission": amount(fill.commission),
            "commissionAsset": fill.commission_asset,
            "tradeId": fill.trade_id,
        }
        for fill in fills
    ]
    if prevented:
        answer["preventedMatches"] = [_prevented_in_order(match) for match in prevented]
    answer["selfTradePreventionMode"] = mode
    return answer


def canceled(order: Order, market_id: str, cancel_id: str, strategy: Strategy) -> dict[str, Any]:
    """Answer to a cancel. `clientOrderId` is the id of the cancel, `origClientOrderId` the order's."""
    return {
        "symbol": market_id,
        "origClientOrderId": order.client_id,
        "orderId": order.id,
        "orderListId": list_id(order),
        "clientOrderId": cancel_id,
        "transactTime": order.updated_ms,
        **_numbers(order),
        **conditional(order, strategy),
        "selfTradePreventionMode": order.self_trade_mode.name,
    }


def queried(order: Order, market_id: str, strategy: Strategy) -> dict[str, Any]:
    """An order in the answer to a query."""
    numbers = _numbers(order)
    quote_asked = numbers.pop("origQuoteOrderQty")
    extra = conditional(order, strategy)
    extra.pop("stopPrice", None)
    extra.pop("icebergQty", None)
    return {
        "symbol": market_id,
        "orderId": order.id,
        "orderListId": list_id(order),
        "clientOrderId": order.client_id,
        **numbers,
        "stopPrice": optional_amount(order.stop_price),
        "icebergQty": optional_amount(order.iceberg_amount),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.working_ms is not None,
        "workingTime": _working_ms(order),
        "origQuoteOrderQty": quote_asked,
        "selfTradePreventionMode": order.self_trade_mode.name,
        **extra,
    }


def amended(order: Order, market_id: str, execution_id: int, previous_client_id: str) -> dict[str, Any]:
    """Answer to an amendment."""
    return {
        "transactTime": order.updated_ms,
        "executionId": execution_id,
        "amendedOrder": {
            "symbol": market_id,
            "orderId": order.id,
            "orderListId": list_id(order),
            "origClientOrderId": previous_client_id,
            "clientOrderId": order.client_id,
            "price": optional_amount(order.price),
            "qty": amount(order.amount),
            "executedQty": amount(order.filled),
            "preventedQty": amount(order.prevented_amount),
            "quoteOrderQty": optional_amount(order.quote_amount),
            "cumulativeQuoteQty": amount(order.quote_filled),
            "status": STATUSES[order.status],
            "timeInForce": order.tif.name,
            "type": type_word(order),
            "side": order.side.name,
            "workingTime": _working_ms(order),
            "selfTradePreventionMode": order.self_trade_mode.name,
        },
    }


def my_trade(fill: Fill, market_id: str) -> dict[str, Any]:
    """A fill in `myTrades`."""
    return {
        "symbol": market_id,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": NO_LIST if fill.list_id is None else fill.list_id,
        "price": amount(fill.price),
        "qty": amount(fill.amount),
        "quoteQty": amount(fill.quote),
        "commission": amount(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.ts_ms,
        "isBuyer": fill.side.name == "BUY",
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def prevented_match(match: PreventedMatch, market_id: str) -> dict[str, Any]:
    """A stopped match in `myPreventedMatches`."""
    answer: dict[str, Any] = {
        "symbol": market_id,
        "preventedMatchId": match.id,
        "takerOrderId": match.taker_order_id,
        "makerSymbol": market_id,
        "makerOrderId": match.maker_order_id,
        "tradeGroupId": -1,
        "selfTradePreventionMode": match.mode.name,
        "price": amount(match.price),
    }
    answer.update(_prevented_amounts(match))
    answer["transactTime"] = match.ts_ms
    return answer


def conditional(order: Order, strategy: Strategy) -> dict[str, Any]:
    """The fields that appear only under conditions."""
    fields: dict[str, Any] = {}
    if order.iceberg_amount is not None:
        fields["icebergQty"] = amount(order.iceberg_amount)
    if order.prevented_match_id is not None and order.prevented_amount:
        fields["preventedMatchId"] = order.prevented_match_id
        fields["preventedQuantity"] = amount(order.prevented_amount)
    if order.kind in STOP_KINDS:
        fields["stopPrice"] = optional_amount(order.stop_price)
    delta = trailing_delta(order)
    if delta is not None:
        fields["trailingDelta"] = delta
        fields["trailingTime"] = -1 if order.trailing_since_ms is None else order.trailing_since_ms
    if strategy.id is not None:
        fields["strategyId"] = strategy.id
    if strategy.type is not None:
        fields["strategyType"] = strategy.type
    return fields


def trailing_delta(order: Order) -> int | None:
    """`trailingDelta`, in basis points; None for an order that does not trail."""
    fraction = None if order.trailing is None else order.trailing.fraction
    return None if fraction is None else int(fraction / BASIS_POINT)


def _numbers(order: Order) -> dict[str, Any]:
    return {
        "price": optional_amount(order.price),
        "origQty": amount(order.amount),
        "executedQty": amount(order.filled),
        "origQuoteOrderQty": optional_amount(order.quote_amount),
        "cummulativeQuoteQty": amount(order.quote_filled),
        "status": STATUSES[order.status],
        "timeInForce": order.tif.name,
        "type": type_word(order),
        "side": order.side.name,
    }


def _working_ms(order: Order) -> int:
    return -1 if order.working_ms is None else order.working_ms


def _prevented_in_order(match: PreventedMatch) -> dict[str, Any]:
    return {
        "preventedMatchId": match.id,
        "makerOrderId": match.maker_order_id,
        "price": amount(match.price),
        **_prevented_amounts(match),
    }


def _prevented_amounts(match: PreventedMatch) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if match.taker_prevented is not None:
        fields["takerPreventedQuantity"] = amount(match.taker_prevented)
    if match.maker_prevented is not None:
        fields["makerPreventedQuantity"] = amount(match.maker_prevented)
    return fields
