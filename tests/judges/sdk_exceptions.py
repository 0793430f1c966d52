"""Where an answer that is right does not fit the models of the typed SDK: each with what the documentation says of it.

Names are "Model.field", or ".field" for every model that has it. An exception that nothing needs fails the run.
"""

from __future__ import annotations

from typing import Final

_CONDITIONAL = "rest-api.md, Conditional fields in Order Responses"
_REPORT = "user-data-stream.md, Conditional Fields in Execution Report"
_SOR = "only on orders that used SOR, which no market here has"
_PEG = "only on pegged orders"

NAMED_ELSEWHERE: Final = frozenset({"e"})
"""The name of an event, by which the SDK chooses the model; some models leave it out."""

NOT_IN_MODEL: Final[dict[str, str]] = {
    **{
        f"{model}.{field}": f"{_CONDITIONAL}: {field}"
        for model in ("NewOrderResponse", "DeleteOpenOrdersResponse")
        for field in ("icebergQty", "strategyId", "strategyType")
    },
    **{
        f"OrderCancelReplaceResponseResultNewOrderResponse.{field}": "trading-requests.md, Cancel and replace order: "
        "the new order is answered as order.place is, by newOrderRespType; its FULL answer has the field"
        for field in ("fills", "workingTime")
    },
    **dict.fromkeys(
        (
            "NewOrderResponse.preventedMatchId",
            "NewOrderResponse.preventedMatches",
            "NewOrderResponse.preventedQuantity",
            "OrderPlaceResponseResult.preventedMatches",
        ),
        "CHANGELOG.md, 2023-01-26: answers to new orders tell of the matches that STP prevented",
    ),
    "MyPreventedMatchesResponse.takerPreventedQuantity": "CHANGELOG.md, 2023-01-26: EXPIRE_TAKER and EXPIRE_BOTH",
    "MyPreventedMatchesResponseResultInner.takerPreventedQuantity": "CHANGELOG.md, 2023-01-26, as by REST",
    "DeleteOrderListResponseOrderReportsInner.selfTradePreventionMode": "rest-api.md, Cancel Order list: its reports "
    "are those of canceled orders, which have the field",
    "OrderListCancelResponseResultOrderReportsInner.origClientOrderId": "web-socket-api.md, Cancel order, of a list: "
    "each report is that of a canceled order, with its origClientOrderId",
    "DeleteOpenOrdersResponse.stopPrice": f"{_CONDITIONAL}: stopPrice",
}
"""Fields that the documentation has and the model lacks."""

NOT_ALWAYS: Final[dict[str, str]] = {
    ".icebergQty": f"{_CONDITIONAL}: only if it was sent",
    ".stopPrice": f"{_CONDITIONAL}: only on stops",
    ".strategyId": f"{_CONDITIONAL}: only if it was sent",
    ".strategyType": f"{_CONDITIONAL}: only if it was sent",
    ".preventedMatchId": f"{_CONDITIONAL}: only on orders that expired because of STP",
    ".preventedQuantity": f"{_CONDITIONAL}: only on orders that expired because of STP",
    **{
        f"{model}.{field}": "rest-api.md, New order: newOrderRespType ACK and RESULT have fewer fields"
        for model in ("NewOrderResponse", "OrderPlaceResponseResult")
        for field in (
            "cummulativeQuoteQty",
            "executedQty",
            "fills",
            "origQty",
            "origQuoteOrderQty",
            "price",
            "selfTradePreventionMode",
            "side",
            "status",
            "timeInForce",
            "type",
            "workingTime",
        )
    },
    **{
        f"{model}.{field}": "rest-api.md, Test new order: only with computeCommissionRates"
        for model in ("OrderTestResponse", "OrderTestResponseResult")
        for field in (
            "discount",
            "specialCommissionForOrder",
            "standardCommissionForOrder",
            "taxCommissionForOrder",
        )
    },
    **{
        f"Ticker24hrResponse1.{field}": "rest-api.md, 24hr ticker price change statistics: type MINI has fewer fields"
        for field in (
            "askPrice",
            "askQty",
            "bidPrice",
            "bidQty",
            "lastQty",
            "prevClosePrice",
            "priceChange",
            "priceChangePercent",
            "weightedAvgPrice",
        )
    },
    "ExecutionReport.W": "user-data-stream.md: Working Time, only visible if the order has been placed on the book",
    **{
        f"ExecutionReport.{field}": f"{_REPORT}: only if a strategy was sent, or the order expired because of STP"
        for field in ("j", "J", "v", "A", "B", "u", "U", "Cs")
    },
}
"""Fields that come under a condition only; the run sees a field of each name at least once."""

NEVER_THERE: Final[dict[str, str]] = {
    "MyFiltersResponse.rateLimits": "web-socket-api.md, Response format: rateLimits stand beside the result",
    **{
        f"OrderAmendKeepPriorityResponse{part}.listStatus": "rest-api.md, Order Amend Keep Priority: of orders in a list"
        for part in ("", "Result")
    },
    ".usedSor": f"{_CONDITIONAL}: {_SOR}",
    ".workingFloor": f"{_CONDITIONAL}: {_SOR}",
    ".pegPriceType": f"{_CONDITIONAL}: {_PEG}",
    ".pegOffsetType": f"{_CONDITIONAL}: {_PEG}",
    ".pegOffsetValue": f"{_CONDITIONAL}: {_PEG}",
    ".peggedPrice": f"{_CONDITIONAL}: {_PEG}",
    ".expiryReason": f"{_CONDITIONAL}: only on orders that expired for a reason that no order here has",
    ".trailingDelta": f"{_CONDITIONAL}: only on trailing stops",
    ".trailingTime": f"{_CONDITIONAL}: only on trailing stops",
    "RateLimits.count": "web-socket-api.md, Exchange information: rateLimits without usage",
    "MyFiltersResponseRateLimitsInner.count": "rest-api.md, Exchange information: rateLimits without usage",
    "PercentPriceBySideFilter.multiplierExponent": "filters.md, PERCENT_PRICE_BY_SIDE: SBE has it, JSON has not",
    "NotionalFilter.priceExponent": "filters.md, NOTIONAL: SBE has it, JSON has not",
    "PriceFilter.priceExponent": "filters.md, PRICE_FILTER: SBE has it, JSON has not",
    "LotSizeFilter.qtyExponent": "filters.md, LOT_SIZE: SBE has it, JSON has not",
    "ExchangeInfoResponse.sors": "rest-api.md, Exchange information: present only when SOR is available",
    **{
        f"{model}.{field}": "rest-api.md, Cancel all open orders: of order lists, which are judged elsewhere"
        for model in ("OpenOrdersCancelAllResponseResultInner", "OrderCancelResponseResult")
        for field in (
            "contingencyType",
            "listClientOrderId",
            "listOrderStatus",
            "listStatusType",
            "orderReports",
            "orders",
            "transactionTime",
        )
    },
    **{
        f"ExecutionReport.{field}": f"{_REPORT}; faqs/stp_faq.md: what mode TRANSFER moved between accounts"
        for field in ("pl", "pL", "pY")
    },
    **{
        f"ExecutionReport.{field}": f"{_REPORT}: only on trailing stops, {_SOR}, {_PEG}"
        for field in ("d", "D", "b", "a", "k", "uS", "gP", "gOT", "gOV", "gp", "eR")
    },
}
"""Fields of the model that no answer to these requests has."""

NO_ENVELOPE: Final[dict[str, str]] = {
    "MyFiltersResponse": "web-socket-api.md, Response format: every answer has id, status and result; the model is result",
    "ExchangeInfoResponse": "web-socket-api.md, Response format: every answer has id, status and result; the model is result",
}
"""Models of the WebSocket API that describe the result without what it comes in."""
