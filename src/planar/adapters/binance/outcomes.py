"""What Binance's error codes mean (documentation: Error codes for Binance; HTTP Return Codes).

`-1006`, `-1007` and every 5xx leave the execution status unknown. A code that is not listed is a refusal if it comes with
a 4xx status.
"""

from planar import errors
from planar.adapters.profile import AnswerRule, ErrorRow, PartRule
from planar.errors import Outcome

_KEY_HINT = (
    "Binance gives one code for four causes: the key is wrong, this address is not on its list, it lacks the right "
    "(enable trading for it), or it belongs to another environment (testnet keys do not work live, nor the reverse)"
)
_CLOCK_HINT = "this machine's clock differs from the venue's; synchronise it (NTP)"

_ORDER_HINT = "this combination of order kind, time in force and prices is not accepted; see markets[symbol]"

CODES = {
    # general server or network issues
    "-1000": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "-1001": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "-1002": ErrorRow(errors.AuthenticationError, hint=_KEY_HINT),
    "-1003": ErrorRow(errors.RateLimitExceeded),
    "-1004": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "-1006": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "-1007": ErrorRow(errors.RequestTimeout, Outcome.UNKNOWN),
    "-1008": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "-1010": ErrorRow(errors.OperationRejected),
    "-1013": ErrorRow(errors.InvalidOrder),
    "-1014": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1015": ErrorRow(errors.RateLimitExceeded, hint="fewer orders: the limit counts the unfilled ones of the account"),
    "-1016": ErrorRow(errors.ExchangeNotAvailable),
    "-1020": ErrorRow(errors.NotSupported),
    "-1021": ErrorRow(errors.InvalidNonce, hint=_CLOCK_HINT),
    "-1022": ErrorRow(errors.AuthenticationError, hint="the signature was refused: check the secret"),
    "-1099": ErrorRow(errors.AuthenticationError, hint=_KEY_HINT),
    # request issues
    "-1100": ErrorRow(errors.BadRequest),
    "-1101": ErrorRow(errors.BadRequest),
    "-1102": ErrorRow(errors.BadRequest),
    "-1103": ErrorRow(errors.BadRequest),
    "-1104": ErrorRow(errors.BadRequest),
    "-1105": ErrorRow(errors.BadRequest),
    "-1106": ErrorRow(errors.BadRequest),
    "-1108": ErrorRow(errors.BadRequest),
    "-1111": ErrorRow(errors.InvalidOrder),
    "-1112": ErrorRow(errors.InvalidOrder, hint="there is nobody to trade with: use a limit order"),
    "-1114": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1115": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1116": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1117": ErrorRow(errors.InvalidOrder, hint="side is buy or sell"),
    "-1118": ErrorRow(errors.InvalidOrder),
    "-1119": ErrorRow(errors.BadRequest),
    "-1120": ErrorRow(errors.BadRequest, hint="exchange.timeframes lists the intervals"),
    "-1121": ErrorRow(errors.BadSymbol),
    "-1122": ErrorRow(errors.BadRequest),
    "-1125": ErrorRow(
        errors.AuthenticationError, hint="the listen key has expired; a stream takes a new one by itself"
    ),
    "-1127": ErrorRow(errors.BadRequest, hint="ask for a shorter time"),
    "-1128": ErrorRow(errors.BadRequest),
    "-1130": ErrorRow(errors.BadRequest),
    "-1131": ErrorRow(errors.BadRequest, hint="recvWindow is at most 60000"),
    "-1134": ErrorRow(errors.BadRequest),
    "-1135": ErrorRow(errors.BadRequest),
    "-1139": ErrorRow(errors.BadRequest),
    "-1145": ErrorRow(errors.BadRequest),
    "-1151": ErrorRow(errors.BadSymbol, hint="name each symbol once"),
    "-1158": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1160": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1165": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1166": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1168": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1182": ErrorRow(errors.BadRequest),
    "-1194": ErrorRow(errors.BadRequest),
    "-1196": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1197": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1198": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    "-1199": ErrorRow(errors.InvalidOrder, hint=_ORDER_HINT),
    # processing issues
    "-2008": ErrorRow(
        errors.AuthenticationError, hint="the venue does not know this key: check apiKey and environment"
    ),
    "-2010": ErrorRow(errors.InvalidOrder),
    "-2011": ErrorRow(errors.OrderNotFound),
    "-2013": ErrorRow(errors.OrderNotFound),
    "-2014": ErrorRow(errors.AuthenticationError, hint="the key has the wrong form: check apiKey"),
    "-2015": ErrorRow(errors.AuthenticationError, hint=_KEY_HINT),
    "-2016": ErrorRow(errors.MarketClosed),
    "-2021": ErrorRow(errors.OperationRejected, Outcome.UNKNOWN),
    "-2022": ErrorRow(errors.OperationRejected),
    "-2026": ErrorRow(errors.OrderNotFound, hint="the order is older than 90 days and was archived unfilled"),
    "-2038": ErrorRow(errors.OperationRejected, hint="only less of an open limit order is changed in place"),
    "-2039": ErrorRow(errors.BadRequest, hint="both ids were given, and they are those of different orders"),
}
"""Not listed: -1152 to -1161 of SBE and -1169 to -1191 of FIX, which Planar does not speak; refusals like all others."""

CLOCK_ERRORS = frozenset({"-1021"})
"""The timestamp is outside of recvWindow, or more than a second ahead (documentation: Timing security)."""

TEXTS = (
    ("IP banned until", ErrorRow(errors.DDoSProtection)),
    ("Account has insufficient balance", ErrorRow(errors.InsufficientFunds)),
    ("Duplicate order sent", ErrorRow(errors.DuplicateOrderId)),
    ("would immediately match and take", ErrorRow(errors.OrderImmediatelyFillable)),
    ("would trigger immediately", ErrorRow(errors.OrderImmediatelyFillable)),
    ("Market is closed", ErrorRow(errors.MarketClosed)),
    ("This action is disabled on this account", ErrorRow(errors.AccountSuspended)),
    ("may not place or cancel orders", ErrorRow(errors.AccountSuspended)),
    ("This symbol is not permitted for this account", ErrorRow(errors.PermissionDenied)),
    ("This symbol is restricted for this account", ErrorRow(errors.PermissionDenied)),
    ("API trading is not enabled", ErrorRow(errors.PermissionDenied)),
    ("not supported for this symbol", ErrorRow(errors.OperationRejected, hint="markets[symbol] says what it takes")),
    ("not support for this symbol", ErrorRow(errors.OperationRejected, hint="markets[symbol] says what it takes")),
    ("Unknown order sent", ErrorRow(errors.OrderNotFound)),
    ("Cancel order is invalid", ErrorRow(errors.BadRequest)),
    ("not canceled due to cancel restrictions", ErrorRow(errors.OperationRejected)),
    ("Order book liquidity is less than", ErrorRow(errors.OrderNotFillable)),
    ("restricted location", ErrorRow(errors.RestrictedLocation)),
    ("under maintenance", ErrorRow(errors.OnMaintenance, Outcome.UNKNOWN)),
    ("Too many new orders", ErrorRow(errors.RateLimitExceeded)),
)
"""Parts of `msg` that say more than the code."""

PARTS = PartRule(
    codes=("-2021", "-2022"),
    holder="data",
    result="newOrderResult",
    answer="newOrderResponse",
    message="msg",
    outcomes={"SUCCESS": Outcome.OK, "FAILURE": Outcome.REFUSED, "NOT_ATTEMPTED": Outcome.REFUSED},
)
"""The answer to a cancel-replace of which a half failed (documentation: Cancel an Existing Order and Send a New Order)."""

_LIST = AnswerRule(listed=True)
_ORDER = AnswerRule(fields=("symbol", "orderId", "status", "origQty"))

ANSWERS = {
    ("public", "GET", "time"): AnswerRule(fields=("serverTime",)),
    ("public", "GET", "exchangeInfo"): AnswerRule(fields=("symbols",)),
    ("public", "GET", "ticker/24hr"): AnswerRule(
        one_by="symbol", fields=("symbol", "lastPrice", "bidPrice", "askPrice")
    ),
    ("public", "GET", "ticker/bookTicker"): AnswerRule(one_by="symbol", fields=("symbol", "bidPrice", "askPrice")),
    ("public", "GET", "ticker/price"): AnswerRule(one_by="symbol", fields=("symbol", "price")),
    ("public", "GET", "depth"): AnswerRule(fields=("lastUpdateId", "bids", "asks")),
    ("public", "GET", "trades"): _LIST,
    ("public", "GET", "aggTrades"): _LIST,
    ("public", "GET", "historicalTrades"): _LIST,
    ("public", "GET", "klines"): _LIST,
    ("private", "GET", "account"): AnswerRule(fields=("balances",)),
    ("private", "GET", "myTrades"): _LIST,
    ("private", "GET", "openOrders"): _LIST,
    ("private", "GET", "allOrders"): _LIST,
    ("private", "GET", "order"): _ORDER,
    ("private", "POST", "order"): AnswerRule(fields=("symbol", "orderId")),
    # who cancels one order of a list cancels the list, and is answered with it
    ("private", "DELETE", "order"): AnswerRule(
        fields=("symbol", "orderId", "status"), instead=("orderListId", "orderReports")
    ),
    ("private", "PUT", "order/amend/keepPriority"): AnswerRule(
        holder="amendedOrder", fields=("symbol", "orderId", "qty", "executedQty", "status")
    ),
    ("private", "POST", "order/cancelReplace"): AnswerRule(fields=("newOrderResponse",)),
    ("private", "POST", "orderList/oco"): AnswerRule(fields=("orderListId", "orderReports")),
    ("private", "POST", "orderList/otoco"): AnswerRule(fields=("orderListId", "orderReports")),
}
"""What the documented answers hold."""
