"""The parameters of a new order: which belong to which type, and what they mean to the engine.

Source: rest-api.md, "New order" and its table of additional mandatory parameters; errors.md for the refusals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

import planar.runtime as runtime
from planar.venue.engine.enums import SelfTradeMode, Side, TimeInForce
from planar.venue.engine.specs import SymbolSpec
from planar.venue.engine.types import NewOrder, Trailing
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
BASIS_POINT: Final = Decimal("0.0001")
"""`trailingDelta` counts in these."""
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


class Names(msgspec.Struct, frozen=True):
    """What the parameters of an order are called, which differs for the orders of a list.

    The defaults are those of a single order.
    """

    price: str = "price"
    stop_price: str = "stopPrice"
    trailing_delta: str = "trailingDelta"
    iceberg: str = "icebergQty"
    tif: str = "timeInForce"
    client_id: str = "newClientOrderId"
    strategy_id: str = "strategyId"
    strategy_type: str = "strategyType"
    peg_price_type: str = "pegPriceType"


class Basics(msgspec.Struct, frozen=True):
    """What is known of an order before its own parameters are read."""

    account: str
    spec: SymbolSpec
    side: Side
    type: str
    amount: Decimal | None
    self_trade_mode: SelfTradeMode
    quote_amount: Decimal | None = None


PLAIN: Final = Names()


def read_order(params: Params, spec: SymbolSpec, account: str) -> OrderRequest:
    """Read and check the parameters of a new order, `symbol` excepted.

    Raises:
        ApiError: a parameter is missing, wrong, or does not belong to the type.
    """
    side = given("side", params.choice("side", SIDES, lambda: ApiError(-1117, "Invalid side.")))
    word = given("type", params.choice("type", TYPE_WORDS, lambda: ApiError(-1116, "Invalid orderType.")))
    amount, quote_amount = params.decimal("quantity"), params.decimal("quoteOrderQty")
    if word != "MARKET":
        if quote_amount is not None:
            raise errors.not_required("quoteOrderQty")
    elif amount is None and quote_amount is None:
        raise errors.missing_both("quantity", "quoteOrderQty")
    elif amount is not None and quote_amount is not None:
        raise errors.bad_combination()
    basics = Basics(account, spec, side, word, amount, read_self_trade_mode(params, spec), quote_amount)
    return read_leg(
        params,
        basics,
        PLAIN,
        params.choice("newOrderRespType", RESPONSE_TYPES) or ("FULL" if word in ("MARKET", "LIMIT") else "ACK"),
    )


def read_leg(params: Params, basics: Basics, names: Names, response_type: str) -> OrderRequest:
    """Read and check what one order says for itself.

    Raises:
        ApiError: a parameter is missing, wrong, or does not belong to the type.
    """
    word, spec = basics.type, basics.spec
    tif = params.choice(names.tif, TIMES_IN_FORCE, lambda: ApiError(-1115, "Invalid timeInForce."))
    price, stop_price = params.decimal(names.price), params.decimal(names.stop_price)
    delta, iceberg = params.integer(names.trailing_delta), params.decimal(names.iceberg)
    _refuse_foreign(params, names, word)
    if word in TIMED:
        given(names.tif, tif)
    if word != "MARKET":
        given("quantity", basics.amount)
    if word in PRICED:
        given(names.price, price)
    if word in STOPS and stop_price is None and delta is None:
        raise errors.missing_both(names.stop_price, names.trailing_delta)
    client_id = params.text(names.client_id, LEGAL_CLIENT_ID) or new_client_id()
    new = NewOrder(
        account=basics.account,
        symbol=spec.symbol,
        side=basics.side,
        kind=ORDER_KINDS[word],
        tif=tif or TimeInForce.GTC,
        amount=basics.amount,
        quote_amount=basics.quote_amount,
        price=price,
        stop_price=stop_price,
        client_id=client_id,
        self_trade_mode=basics.self_trade_mode,
        iceberg_amount=iceberg or None,
        post_only=word == "LIMIT_MAKER",
        trailing=None if delta is None else Trailing(fraction=delta * BASIS_POINT),
    )
    strategy = _strategy(params, names)
    filters.check_numbers(new, spec)
    return OrderRequest(new, client_id, spec, response_type, strategy)


def new_client_id() -> str:
    """A client order id made by the exchange."""
    return runtime.token(CLIENT_ID_LENGTH, ALPHANUMERIC)


TYPE_WORDS: Final = {word: word for word in ORDER_KINDS}


def _refuse_foreign(params: Params, names: Names, word: str) -> None:
    """Parameters that exist, but not for this order type."""
    foreign = {
        names.tif: word not in TIMED,
        names.price: word not in PRICED,
        names.stop_price: word not in STOPS,
        names.trailing_delta: word not in STOPS,
        names.iceberg: word not in PRICED,
    }
    for name, is_foreign in foreign.items():
        if is_foreign and params.peek(name) is not None:
            raise errors.not_required(name)
    if params.raw(names.peg_price_type) is not None:
        raise ApiError(-1013, "Pegged orders are not supported for this symbol.")


def read_self_trade_mode(params: Params, spec: SymbolSpec) -> SelfTradeMode:
    """`selfTradePreventionMode`, the market's own if it was not sent. Raises ApiError."""
    mode = params.choice("selfTradePreventionMode", {**SELF_TRADE_MODES, "DECREMENT": None, "TRANSFER": None})
    if params.peek("selfTradePreventionMode") is None:
        return spec.default_self_trade_mode
    if mode is None or mode not in spec.self_trade_modes:
        raise ApiError(-1013, "This symbol does not allow the specified self-trade prevention mode.")
    return mode


def _strategy(params: Params, names: Names) -> Strategy:
    kind = params.integer(names.strategy_type)
    if kind is not None and kind < STRATEGY_TYPE_MIN:
        raise ApiError(-1134, "`strategyType` was less than 1000000.")
    return Strategy(params.integer(names.strategy_id), kind)
