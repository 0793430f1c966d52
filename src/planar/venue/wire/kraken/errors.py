"""Kraken's refusals: texts of its documentation (guides, "Error messages"), and the engine's reasons in them."""

from __future__ import annotations

from typing import Final

from planar.errors import PlanarError
from planar.venue.engine.rejects import EngineReject, RejectReason

INVALID_KEY: Final = "EAPI:Invalid key"
INVALID_SIGNATURE: Final = "EAPI:Invalid signature"
INVALID_NONCE: Final = "EAPI:Invalid nonce"
CALL_LIMIT: Final = "EAPI:Rate limit exceeded"
ORDER_LIMIT: Final = "EOrder:Rate limit exceeded"
PERMISSION: Final = "EGeneral:Permission denied"
ARGUMENTS: Final = "EGeneral:Invalid arguments"
UNKNOWN_METHOD: Final = "EGeneral:Unknown method"
UNKNOWN_PAIR: Final = "EQuery:Unknown asset pair"
UNKNOWN_ASSET: Final = "EQuery:Unknown asset"
UNKNOWN_ORDER: Final = "EOrder:Unknown order"
FUNDS: Final = "EOrder:Insufficient funds"
PRICE: Final = "EOrder:Invalid price"
ORDER_MINIMUM: Final = "EGeneral:Invalid arguments:volume minimum not met"
COST_MINIMUM: Final = "EOrder:Cost minimum not met"
POST_ONLY: Final = "EOrder:Post only order"
ORDERS: Final = "EOrder:Orders limit exceeded"
POSITION: Final = "EOrder:Unknown position"
MARGIN: Final = "EOrder:Cannot open position"
DEADLINE: Final = "EService:Deadline elapsed"
CANCEL_ONLY: Final = "EService:Market in cancel_only mode"
POST_ONLY_MODE: Final = "EService:Market in post_only mode"
LIMIT_ONLY_MODE: Final = "EService:Market in limit_only mode"
UNAVAILABLE: Final = "EService:Unavailable"
SESSION: Final = "ESession:Invalid session"
WITHDRAW_KEY: Final = "EFunding:Unknown withdraw key"
WITHDRAW_ADDRESS: Final = "EFunding:Invalid withdrawal address"
WITHDRAW_FEE: Final = "EFunding:Max fee exceeded"
WITHDRAW_AMOUNT: Final = "EFunding:Invalid amount"
WITHDRAW_FUNDS: Final = "EFunding:Insufficient funds"
UNKNOWN_REFERENCE: Final = "EFunding:Unknown reference id"
NO_METHOD: Final = "EFunding:No funding method"

_TEXTS: Final = {
    RejectReason.UNKNOWN_SYMBOL: UNKNOWN_PAIR,
    RejectReason.UNKNOWN_ASSET: UNKNOWN_ASSET,
    RejectReason.UNKNOWN_ORDER: UNKNOWN_ORDER,
    RejectReason.MARKET_HALTED: CANCEL_ONLY,
    RejectReason.MARKET_POST_ONLY: POST_ONLY_MODE,
    RejectReason.MARKET_LIMIT_ONLY: LIMIT_ONLY_MODE,
    RejectReason.INVALID_AMOUNT: f"{ARGUMENTS}:volume",
    RejectReason.INVALID_PRICE: PRICE,
    RejectReason.INVALID_STOP_PRICE: PRICE,
    RejectReason.INVALID_ICEBERG: f"{ARGUMENTS}:displayvol",
    RejectReason.INVALID_COMBINATION: ARGUMENTS,
    RejectReason.INSUFFICIENT_BALANCE: FUNDS,
    RejectReason.DUPLICATE_CLIENT_ID: f"{ARGUMENTS}:cl_ord_id",
    RejectReason.INVALID_TRAILING: PRICE,
    RejectReason.WOULD_TAKE: POST_ONLY,
    RejectReason.WOULD_TRIGGER: PRICE,
    RejectReason.TOO_MANY_OPEN_ORDERS: ORDERS,
    RejectReason.TOO_MANY_STOP_ORDERS: ORDERS,
}


class ApiError(PlanarError):
    """Kraken says no, in its own words: `text`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def invalid(field: str) -> ApiError:
    """EGeneral:Invalid arguments, naming the field."""
    return ApiError(f"{ARGUMENTS}:{field}")


def text_of(reason: str) -> str:
    """Why an order that was accepted could not begin, in the words of an error without its category."""
    return _TEXTS[RejectReason(reason)].partition(":")[2]


def of(reject: EngineReject) -> ApiError:
    """The engine's refusal in Kraken's words; raises the refusal itself if Kraken has none for it."""
    text = _TEXTS.get(reject.reason)
    if text is None:
        raise reject
    return ApiError(text)
