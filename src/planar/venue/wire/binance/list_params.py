"""The parameters of new order lists: which belong to which order of the list, and what goes together.

Source: rest-api.md, "New Order list" of each kind and the deprecated "New OCO"; errors.md for the refusals.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from planar.venue.engine.enums import Contingency, SelfTradeMode, Side
from planar.venue.engine.specs import SymbolSpec
from planar.venue.wire.binance.errors import ApiError
from planar.venue.wire.binance.formats import SIDES
from planar.venue.wire.binance.order_params import (
    RESPONSE_TYPES,
    TYPE_WORDS,
    Basics,
    Names,
    OrderRequest,
    new_client_id,
    read_leg,
    read_self_trade_mode,
)
from planar.venue.wire.binance.params import LEGAL_CLIENT_ID, Params, given

WORKING_TYPES: Final = {word: word for word in ("LIMIT", "LIMIT_MAKER")}
_LOSSES: Final = ("STOP_LOSS", "STOP_LOSS_LIMIT")
_PROFITS: Final = ("TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
PAIR_TYPES: Final = {word: word for word in ("LIMIT_MAKER", *_LOSSES, *_PROFITS)}


def _names(prefix: str) -> Names:
    """What the parameters of an order are called that all begin with a word."""
    return Names(
        price=f"{prefix}Price",
        stop_price=f"{prefix}StopPrice",
        trailing_delta=f"{prefix}TrailingDelta",
        iceberg=f"{prefix}IcebergQty",
        tif=f"{prefix}TimeInForce",
        client_id=f"{prefix}ClientOrderId",
        strategy_id=f"{prefix}StrategyId",
        strategy_type=f"{prefix}StrategyType",
        peg_price_type=f"{prefix}PegPriceType",
    )


ABOVE: Final = _names("above")
BELOW: Final = _names("below")
WORKING: Final = _names("working")
PENDING: Final = _names("pending")
PENDING_ABOVE: Final = _names("pendingAbove")
PENDING_BELOW: Final = _names("pendingBelow")
OLD_LIMIT: Final = Names(
    stop_price="",
    trailing_delta="",
    tif="",
    iceberg="limitIcebergQty",
    client_id="limitClientOrderId",
    strategy_id="limitStrategyId",
    strategy_type="limitStrategyType",
)
OLD_STOP: Final = Names(
    price="stopLimitPrice",
    iceberg="stopIcebergQty",
    tif="stopLimitTimeInForce",
    client_id="stopClientOrderId",
    strategy_id="stopStrategyId",
    strategy_type="stopStrategyType",
)
"""Those of the deprecated OCO, which has one order of each kind; an empty name: the order has no such parameter."""


class ListRequest(msgspec.Struct, frozen=True):
    """A new order list as asked for, checked as far as the API checks it."""

    contingency: Contingency
    legs: tuple[OrderRequest, ...]
    client_id: str
    spec: SymbolSpec
    response_type: str


class _Common(msgspec.Struct, frozen=True):
    account: str
    spec: SymbolSpec
    client_id: str
    response_type: str
    mode: SelfTradeMode


Reader = Callable[[Params, SymbolSpec, str], ListRequest]


def _common(params: Params, spec: SymbolSpec, account: str) -> _Common:
    return _Common(
        account,
        spec,
        params.text("listClientOrderId", LEGAL_CLIENT_ID) or new_client_id(),
        params.choice("newOrderRespType", RESPONSE_TYPES) or "RESULT",
        read_self_trade_mode(params, spec),
    )


def _side(params: Params, name: str) -> Side:
    return given(name, params.choice(name, SIDES, lambda: ApiError(-1117, "Invalid side.")))


def _leg(
    params: Params, common: _Common, names: Names, word: str, side: Side, quantity: tuple[str, Decimal | None]
) -> OrderRequest:
    amount = given(*quantity)
    basics = Basics(common.account, common.spec, side, word, amount, common.mode)
    return read_leg(params, basics, names, common.response_type)


def _quantity(params: Params, name: str) -> tuple[str, Decimal | None]:
    return name, params.decimal(name)


def _request(common: _Common, contingency: Contingency, *legs: OrderRequest) -> ListRequest:
    return ListRequest(contingency, legs, common.client_id, common.spec, common.response_type)


def read_oco(params: Params, spec: SymbolSpec, account: str) -> ListRequest:
    """`orderList/oco`. Raises ApiError."""
    common, side, quantity = _common(params, spec, account), _side(params, "side"), _quantity(params, "quantity")
    pair = _read_pair(params, common, side, quantity, (("aboveType", ABOVE), ("belowType", BELOW)))
    return _request(common, Contingency.OCO, *pair)


def read_oto(params: Params, spec: SymbolSpec, account: str) -> ListRequest:
    """`orderList/oto`. Raises ApiError."""
    common = _common(params, spec, account)
    working = _read_working(params, common)
    word = given("pendingType", params.choice("pendingType", TYPE_WORDS, _bad_type))
    side, quantity = _side(params, "pendingSide"), _quantity(params, "pendingQuantity")
    return _request(common, Contingency.OTO, working, _leg(params, common, PENDING, word, side, quantity))


def read_otoco(params: Params, spec: SymbolSpec, account: str) -> ListRequest:
    """`orderList/otoco`. Raises ApiError."""
    common = _common(params, spec, account)
    working = _read_working(params, common)
    side, quantity = _side(params, "pendingSide"), _quantity(params, "pendingQuantity")
    legs = (("pendingAboveType", PENDING_ABOVE), ("pendingBelowType", PENDING_BELOW))
    return _request(common, Contingency.OTOCO, working, *_read_pair(params, common, side, quantity, legs))


def read_old_oco(params: Params, spec: SymbolSpec, account: str) -> ListRequest:
    """`order/oco`: a limit order and a stop-loss. Raises ApiError."""
    common, side, quantity = _common(params, spec, account), _side(params, "side"), _quantity(params, "quantity")
    stop_word = "STOP_LOSS" if params.peek("stopLimitPrice") is None else "STOP_LOSS_LIMIT"
    stop = _leg(params, common, OLD_STOP, stop_word, side, quantity)
    limit = _leg(params, common, OLD_LIMIT, "LIMIT_MAKER", side, quantity)
    return _request(common, Contingency.OCO, stop, limit)


def _bad_type() -> ApiError:
    return ApiError(-1116, "Invalid orderType.")


def _read_working(params: Params, common: _Common) -> OrderRequest:
    word = given("workingType", params.choice("workingType", WORKING_TYPES, _bad_type))
    side, quantity = _side(params, "workingSide"), _quantity(params, "workingQuantity")
    return _leg(params, common, WORKING, word, side, quantity)


def _read_pair(
    params: Params,
    common: _Common,
    side: Side,
    quantity: tuple[str, Decimal | None],
    legs: tuple[tuple[str, Names], tuple[str, Names]],
) -> tuple[OrderRequest, OrderRequest]:
    """The orders above and below the price; the one that stops a loss comes first in the list."""
    words = [given(name, params.choice(name, PAIR_TYPES, _not_in_oco)) for name, _ in legs]
    _check_places(side, *words)
    above, below = (
        _leg(params, common, names, word, side, quantity) for word, (_, names) in zip(words, legs, strict=True)
    )
    return (above, below) if words[0] in _LOSSES else (below, above)


def _not_in_oco() -> ApiError:
    return ApiError(-1158, "Order type not supported in OCO.")


def _check_places(side: Side, above: str, below: str) -> None:
    """Which kind may lie above the price and which below (errors.md, -1165 to -1199)."""
    if above == below == "LIMIT_MAKER":
        raise ApiError(-1168, "At least one OCO order must be contingent.")
    if side is Side.BUY:
        rules = (
            (above == "LIMIT_MAKER", -1165, "A limit order in a buy OCO must be below."),
            (below in _LOSSES, -1196, "A stop loss order in a buy OCO must be above."),
            (above in _PROFITS, -1198, "A take profit order in a buy OCO must be below."),
        )
    else:
        rules = (
            (below == "LIMIT_MAKER", -1166, "A limit order in a sell OCO must be above."),
            (above in _LOSSES, -1197, "A stop loss order in a sell OCO must be below."),
            (below in _PROFITS, -1199, "A take profit order in a sell OCO must be above."),
        )
    for broken, code, text in rules:
        if broken:
            raise ApiError(code, text)
