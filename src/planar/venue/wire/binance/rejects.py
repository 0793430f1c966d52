"""The engine's refusals in the exchange's codes and texts (errors.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planar.venue.engine.rejects import EngineReject, RejectReason
from planar.venue.wire.binance import errors
from planar.venue.wire.binance.errors import ApiError

_NEW_ORDER: Final[dict[RejectReason, Callable[[], ApiError]]] = {
    RejectReason.INSUFFICIENT_BALANCE: lambda: errors.rejected(
        "Account has insufficient balance for requested action."
    ),
    RejectReason.DUPLICATE_CLIENT_ID: lambda: errors.rejected("Duplicate order sent."),
    RejectReason.WOULD_TAKE: lambda: errors.rejected("Order would immediately match and take."),
    RejectReason.WOULD_TRIGGER: lambda: errors.rejected("Order would trigger immediately."),
    RejectReason.UNKNOWN_SYMBOL: errors.bad_symbol,
    RejectReason.MARKET_HALTED: lambda: ApiError(-1013, "Market is closed."),
    RejectReason.TOO_MANY_OPEN_ORDERS: lambda: errors.filter_failure("MAX_NUM_ORDERS"),
    RejectReason.TOO_MANY_STOP_ORDERS: lambda: errors.filter_failure("MAX_NUM_ALGO_ORDERS"),
    RejectReason.INVALID_AMOUNT: lambda: errors.filter_failure("LOT_SIZE"),
    RejectReason.INVALID_PRICE: lambda: errors.filter_failure("PRICE_FILTER"),
    RejectReason.INVALID_STOP_PRICE: lambda: errors.filter_failure("PRICE_FILTER"),
    RejectReason.INVALID_ICEBERG: lambda: errors.filter_failure("ICEBERG_PARTS"),
    RejectReason.INVALID_COMBINATION: lambda: ApiError(-1014, "Unsupported order combination."),
    RejectReason.INVALID_TRAILING: lambda: errors.filter_failure("TRAILING_DELTA"),
    RejectReason.BAD_LIST_PRICES: lambda: errors.rejected(
        "The relationship of the prices for the orders is not correct."
    ),
    RejectReason.DUPLICATE_LIST_ID: lambda: errors.rejected("Duplicate order sent."),
    RejectReason.TOO_MANY_LISTS: lambda: errors.filter_failure("MAX_NUM_ORDER_LISTS"),
}

REASON_WORDS: Final = {
    RejectReason.INSUFFICIENT_BALANCE.value: "INSUFFICIENT_BALANCES",
    RejectReason.WOULD_TRIGGER.value: "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY",
    RejectReason.WOULD_TAKE.value: "WOULD_MATCH_IMMEDIATELY",
    RejectReason.BAD_LIST_PRICES.value: "OCO_BAD_PRICES",
}
"""Why a pending order could not begin, as an execution report says it."""

_AMEND: Final[dict[RejectReason, Callable[[], ApiError]]] = {
    RejectReason.UNKNOWN_ORDER: lambda: errors.amend_rejected("Unknown order sent."),
    RejectReason.AMEND_NOT_SMALLER: lambda: errors.amend_rejected("Order amend (quantity increase) is not supported."),
    RejectReason.DUPLICATE_CLIENT_ID: lambda: errors.amend_rejected("Duplicate order sent."),
    RejectReason.INVALID_COMBINATION: lambda: errors.amend_rejected("Unsupported order combination."),
    RejectReason.INVALID_AMOUNT: lambda: errors.filter_failure("LOT_SIZE"),
}


def new_order(reject: EngineReject) -> ApiError:
    """The answer to a new order that the engine refused."""
    return _NEW_ORDER[reject.reason]()


def cancel(reject: EngineReject) -> ApiError:
    """The answer to a cancel that the engine refused: there is no such open order or list."""
    if reject.reason not in (RejectReason.UNKNOWN_ORDER, RejectReason.UNKNOWN_LIST):
        raise reject
    return errors.cancel_rejected()


def amend(reject: EngineReject) -> ApiError:
    """The answer to an amendment that the engine refused."""
    return _AMEND[reject.reason]()
