"""The parameters of a new order: which belong to which type, and what they mean to the engine.

Source: rest-api.md, "New order" and its table of additional mandatory parameters; errors.md for the refusals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

import planar.runtime as runtime
from planar.venue.engine.enums import SelfTradeMode, TimeInForce
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.types import NewOrder
from planar.venue.wire.binance import errors, filters
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.formats import (
    ALPHANUMERIC,
    CLIENT_ID_LENGTH,
    ORDER_KINDS,
    SELF_TRADE_MODES,
    SIDES,
    TIMES_IN_FORCE,
)
from planar.venue.wire.binance.params import LEGAL_CLIENT_ID, Params, given

STRATEGY_TYPE_MIN: Final = 1_000_000
RESPONSE_TYPES: Final = {"ACK": "ACK", "RESULT": "RESULT", "FULL": "FULL"}
PRICED: Final = ("LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
TIMED: Final = ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
STOPS: Final = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


class Strategy(msgspec.Struct, frozen=True):
    """The client's labels of an order, which the exchange only repeats."""

    id: int | None
    type: int | None


class OrderRequest(msgspec.Struct, frozen=True):
    """A new order as asked for, checked as far as the API checks it."""

    new: NewOrder
    client_id: str
    spec: SymbolSpec
    response_type: str
    strategy: Strategy


def read_order(params: Params, spec: SymbolSpec, account: str) -> OrderRequest:
    """Read and check the parameters of a new order, `symbol` excepted.

    Raises:
        ApiError: a parameter is missing, wrong, or does not belong to the type.
    """
    side = given("side", params.choice("side", SIDES, lambda: ApiError(-1117, "Invalid side.")))
    word = given("type", params.choice("type", _TYPE_WORDS, lambda: ApiError(-1116, "Invalid orderType.")))
    tif = params.choice("timeInForce", TIMES_IN_FORCE, lambda: ApiError(-1115, "Invalid timeInForce."))
    amount = params.decimal("quantity")
    quote_amount = params.decimal("quoteOrderQty")
    price = params.decimal("price")
    stop_price = params.decimal("stopPrice")
    iceberg = params.decimal("icebergQty")
    _refuse_foreign(params, word)
    _check_presence(word, tif, amount, quote_amount, price, stop_price)
    new = NewOrder(
        account=account,
        symbol=spec.symbol,
        side=side,
        kind=ORDER_KINDS[word],
        tif=tif or TimeInForce.GTC,
        amount=amount,
        quote_amount=quote_amount,
        price=price,
        stop_price=stop_price,
        client_id=params.text("newClientOrderId", LEGAL_CLIENT_ID) or new_client_id(),
        self_trade_mode=_self_trade_mode(params, spec),
        iceberg_amount=iceberg or None,
        post_only=word == "LIMIT_MAKER",
    )
    request = OrderRequest(
        new,
        given("newClientOrderId", new.client_id),
        spec,
        params.choice("newOrderRespType", RESPONSE_TYPES) or ("FULL" if word in ("MARKET", "LIMIT") else "ACK"),
        _strategy(params),
    )
    filters.check_numbers(new, spec)
    return request


def new_client_id() -> str:
    """A client order id made by the exchange."""
    return runtime.token(CLIENT_ID_LENGTH, ALPHANUMERIC)


_TYPE_WORDS: Final = {word: word for word in ORDER_KINDS}


def _refuse_foreign(params: Params, word: str) -> None:
    """Parameters that exist, but not for this order type."""
    foreign = {
        "timeInForce": word not in TIMED,
        "price": word not in PRICED,
        "stopPrice": word not in STOPS,
        "quoteOrderQty": word != "MARKET",
        "icebergQty": word not in PRICED,
    }
    for name, is_foreign in foreign.items():
        if is_foreign and params.peek(name) is not None:
            raise errors.not_required(name)
    if params.integer("trailingDelta") is not None:
        if word not in STOPS:
            raise errors.not_required("trailingDelta")
        raise ApiError(-1013, "Trailing stop orders are not supported for this symbol.")
    if params.raw("pegPriceType") is not None:
        raise ApiError(-1013, "Pegged orders are not supported for this symbol.")


def _check_presence(
    word: str,
    tif: TimeInForce | None,
    amount: Decimal | None,
    quote_amount: Decimal | None,
    price: Decimal | None,
    stop_price: Decimal | None,
) -> None:
    """The mandatory parameters of each type."""
    if word in TIMED:
        given("timeInForce", tif)
    if word == "MARKET":
        if amount is None and quote_amount is None:
            raise errors.missing_both("quantity", "quoteOrderQty")
        if amount is not None and quote_amount is not None:
            raise errors.bad_combination()
    else:
        given("quantity", amount)
    if word in PRICED:
        given("price", price)
    if word in STOPS and stop_price is None:
        raise errors.missing_both("stopPrice", "trailingDelta")


def _self_trade_mode(params: Params, spec: SymbolSpec) -> SelfTradeMode:
    mode = params.choice("selfTradePreventionMode", {**SELF_TRADE_MODES, "DECREMENT": None, "TRANSFER": None})
    if params.peek("selfTradePreventionMode") is None:
        return spec.default_self_trade_mode
    if mode is None or mode not in spec.self_trade_modes:
        raise ApiError(-1013, "This symbol does not allow the specified self-trade prevention mode.")
    return mode


def _strategy(params: Params) -> Strategy:
    kind = params.integer("strategyType")
    if kind is not None and kind < STRATEGY_TYPE_MIN:
        raise ApiError(-1134, "`strategyType` was less than 1000000.")
    return Strategy(params.integer("strategyId"), kind)
