"""What Kraken's errors mean (documentation: General usage, Errors; Support: API error messages).

Errors come with status 200, as texts `ESeverity:Message`; `EService` leaves open what happened to an order.
"""

from planar import errors
from planar.adapters.profile import AnswerRule, ErrorRow
from planar.errors import Outcome

STOPS: dict[int | str, float] = {
    429: 30.0,
    418: 120.0,
    "EAPI:Rate limit exceeded": 3.0,
    "EGeneral:Temporary lockout": 900.0,
}
"""Kraken refuses with status 200 and names no time: the counter of the lowest tier lets a query through after 3 s; a
lockout lasts 15 minutes (Support: API error messages)."""

KEY_STOPS = frozenset({"EAPI:Rate limit exceeded"})
"""Refusals that concern the key's own counter, and not its address."""

_KEY_HINT = (
    "the venue does not know this key: check apiKey (keys of Kraken Futures or of another environment are others), that "
    "it was not deleted and has not expired, and the addresses that it allows"
)
_RIGHT_HINT = (
    "one text for two causes: the key lacks the right for this call, or its list of addresses lacks this one; both are "
    "set on the venue's website (Settings, API)"
)
_NONCE_HINT = "two programs use this key, or the clock went back: give each program a key of its own"
_MARGIN_HINT = "the account cannot borrow this: ask for less, or trade without margin"

CODES = {
    "EAPI:Bad request": ErrorRow(errors.BadRequest),
    "EAPI:Feature disabled": ErrorRow(errors.PermissionDenied),
    "EAPI:Invalid key": ErrorRow(errors.AuthenticationError, hint=_KEY_HINT),
    "EAPI:Invalid signature": ErrorRow(
        errors.AuthenticationError, hint="check secret: it is the long base64 text that was shown with this key"
    ),
    "EAPI:Invalid nonce": ErrorRow(errors.InvalidNonce, hint=_NONCE_HINT),
    "EAPI:Rate limit exceeded": ErrorRow(errors.RateLimitExceeded),
    "EAccount:Invalid permissions": ErrorRow(errors.PermissionDenied),
    "EAuth:Account temporary disabled": ErrorRow(errors.AccountSuspended),
    "EAuth:Account unconfirmed": ErrorRow(errors.AccountSuspended, hint="confirm the account by its e-mail"),
    "EAuth:Rate limit exceeded": ErrorRow(errors.RateLimitExceeded),
    "EAuth:Too many requests": ErrorRow(errors.RateLimitExceeded),
    "EBM:limit exceeded:CAL": ErrorRow(errors.RestrictedLocation, hint="the limit of Canadian accounts is reached"),
    "EDatabase:Internal error": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "EFunding:Insufficient funds": ErrorRow(errors.InsufficientFunds),
    "EFunding:Invalid amount": ErrorRow(errors.BadRequest, hint="the amount is below the least, or above what is free"),
    "EFunding:Invalid withdrawal address": ErrorRow(errors.InvalidAddress),
    "EFunding:Max fee exceeded": ErrorRow(errors.OperationRejected, hint="raise max_fee, or wait for a lower fee"),
    "EFunding:No funding method": ErrorRow(errors.BadRequest),
    "EFunding:Too many addresses": ErrorRow(errors.OperationRejected, hint="use one of the addresses that there are"),
    "EFunding:Unknown asset": ErrorRow(errors.BadSymbol),
    "EFunding:Unknown reference id": ErrorRow(errors.BadRequest),
    "EFunding:Unknown withdraw key": ErrorRow(
        errors.InvalidAddress, hint="name the address as it is called in the account's list of addresses"
    ),
    "EGeneral:Internal error": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "EGeneral:Invalid arguments": ErrorRow(errors.BadRequest),
    "EGeneral:Invalid arguments:Index unavailable": ErrorRow(
        errors.OperationRejected, hint="trigger by the last price"
    ),
    "EGeneral:Invalid arguments:price": ErrorRow(errors.InvalidOrder),
    "EGeneral:Invalid arguments:viqc": ErrorRow(errors.InvalidOrder),
    "EGeneral:Invalid arguments:volume": ErrorRow(errors.InvalidOrder),
    "EGeneral:Invalid arguments:volume minimum not met": ErrorRow(errors.InvalidOrder),
    "EGeneral:Permission denied": ErrorRow(errors.PermissionDenied, hint=_RIGHT_HINT),
    "EGeneral:Temporary lockout": ErrorRow(
        errors.DDoSProtection, hint="too many wrong keys, signatures or nonces: mend them, and wait 15 minutes"
    ),
    "EGeneral:Too many requests": ErrorRow(errors.DDoSProtection),
    "EGeneral:Unknown method": ErrorRow(errors.NotSupported),
    "EOrder:Cannot open opposing position": ErrorRow(errors.OperationRejected, hint=_MARGIN_HINT),
    "EOrder:Cannot open position": ErrorRow(errors.OperationRejected, hint=_MARGIN_HINT),
    "EOrder:Cost minimum not met": ErrorRow(errors.InvalidOrder),
    "EOrder:Deadline elapsed": ErrorRow(errors.RequestTimeout),
    "EOrder:Domain rate limit exceeded": ErrorRow(errors.RateLimitExceeded),
    "EOrder:Insufficient funds": ErrorRow(errors.InsufficientFunds),
    "EOrder:Insufficient margin": ErrorRow(errors.InsufficientFunds, hint=_MARGIN_HINT),
    "EOrder:Invalid order": ErrorRow(errors.OrderNotFound),
    "EOrder:Invalid price": ErrorRow(errors.InvalidOrder),
    "EOrder:Margin allowance exceeded": ErrorRow(errors.InsufficientFunds, hint=_MARGIN_HINT),
    "EOrder:Margin level too low": ErrorRow(errors.InsufficientFunds, hint=_MARGIN_HINT),
    "EOrder:Margin position size exceeded": ErrorRow(errors.OperationRejected, hint=_MARGIN_HINT),
    "EOrder:Order minimum not met": ErrorRow(errors.InvalidOrder),
    "EOrder:Orders limit exceeded": ErrorRow(errors.OperationRejected, hint="cancel some of the open orders"),
    "EOrder:Positions limit exceeded": ErrorRow(errors.OperationRejected, hint="close some of the positions"),
    "EOrder:Post only order": ErrorRow(errors.OrderImmediatelyFillable),
    "EOrder:Rate limit exceeded": ErrorRow(errors.RateLimitExceeded),
    "EOrder:Reduce only": ErrorRow(errors.OperationRejected, hint="there is no position that it could reduce"),
    "EOrder:Scheduled orders limit exceeded": ErrorRow(errors.OperationRejected, hint="cancel some of the stop orders"),
    "EOrder:Tick size check failed": ErrorRow(errors.InvalidOrder),
    "EOrder:Trading agreement required": ErrorRow(errors.PermissionDenied, hint="accept it on the venue's website"),
    "EOrder:Unknown order": ErrorRow(errors.OrderNotFound),
    "EOrder:Unknown position": ErrorRow(errors.OrderNotFound),
    "EQuery:Invalid asset pair": ErrorRow(errors.BadSymbol),
    "EQuery:Unknown asset": ErrorRow(errors.BadSymbol),
    "EQuery:Unknown asset pair": ErrorRow(errors.BadSymbol),
    "EService:Busy": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "EService:Deadline elapsed": ErrorRow(errors.RequestTimeout, Outcome.UNKNOWN),
    "EService:Market in cancel_only mode": ErrorRow(errors.MarketClosed, hint="only cancels are taken now"),
    "EService:Market in limit_only mode": ErrorRow(errors.MarketClosed, hint="only limit orders are taken now"),
    "EService:Market in post_only mode": ErrorRow(errors.MarketClosed, hint="only post-only orders are taken now"),
    "EService:Timeout": ErrorRow(errors.RequestTimeout, Outcome.UNKNOWN),
    "EService:Unavailable": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "ESession:Invalid session": ErrorRow(errors.AuthenticationError, hint="the socket's token has expired"),
    "ETrade:Invalid request": ErrorRow(errors.BadRequest),
    "ETrade:User Locked": ErrorRow(errors.AccountSuspended),
}
"""`EOrder:Deadline elapsed` is the matching engine's own word; `EService:Deadline elapsed` may be that of a door before
it, so it proves nothing."""

UNLISTED = (
    *((f"{category}:", Outcome.REFUSED) for category in ("EAPI", "EAccount", "EAuth", "EBM", "EFunding", "EGeneral")),
    *((f"{category}:", Outcome.REFUSED) for category in ("EOrder", "EQuery", "ESession", "ETrade")),
    ("", Outcome.UNKNOWN),
)
"""What is known after a text that is not listed: of these categories it is a refusal; an error of the service, a warning
(`W...`) or anything new proves nothing."""

_ORDER = ("status", "descr", "vol", "vol_exec")
_FILL = ("ordertxid", "pair", "type", "price", "vol")
_RESULT = AnswerRule(holder="result")
_NEW = AnswerRule(holder="result", fields=("txid",))

ANSWERS = {
    ("public", "GET", "Time"): AnswerRule(holder="result", fields=("unixtime",)),
    ("public", "GET", "Assets"): AnswerRule(holder="result", filled=True),
    ("public", "GET", "AssetPairs"): AnswerRule(holder="result", filled=True),
    ("public", "GET", "Ticker"): AnswerRule(holder="result", filled=True, named_by="pair", each=("a", "b", "c")),
    ("public", "GET", "Depth"): AnswerRule(holder="result", named_by="pair", each=("bids", "asks")),
    ("public", "GET", "OHLC"): AnswerRule(holder="result", named_by="pair"),
    ("public", "GET", "Trades"): AnswerRule(holder="result", named_by="pair"),
    ("private", "POST", "Balance"): _RESULT,
    ("private", "POST", "BalanceEx"): _RESULT,
    ("private", "POST", "OpenOrders"): AnswerRule(holder="result", fields=("open",), inside="open", each=_ORDER),
    ("private", "POST", "ClosedOrders"): AnswerRule(holder="result", fields=("closed",), inside="closed", each=_ORDER),
    ("private", "POST", "TradesHistory"): AnswerRule(holder="result", fields=("trades",), inside="trades", each=_FILL),
    ("private", "POST", "QueryOrders"): AnswerRule(holder="result", filled=True, each=_ORDER),
    ("private", "POST", "QueryTrades"): AnswerRule(holder="result", filled=True),
    ("private", "POST", "GetWebSocketsToken"): AnswerRule(holder="result", fields=("token",)),
    ("private", "POST", "AddOrder"): _NEW,
    ("private", "POST", "CancelOrder"): AnswerRule(holder="result", fields=("count",)),
    ("private", "POST", "CancelAll"): AnswerRule(holder="result", fields=("count",)),
    ("private", "POST", "CancelAllOrdersAfter"): AnswerRule(holder="result", fields=("currentTime", "triggerTime")),
    ("private", "POST", "TradeVolume"): AnswerRule(holder="result", fields=("currency",)),
    ("private", "POST", "AmendOrder"): AnswerRule(holder="result", fields=("amend_id",)),
    ("private", "POST", "AddOrderBatch"): AnswerRule(holder="result", fields=("orders",)),
    ("private", "POST", "CancelOrderBatch"): AnswerRule(holder="result", fields=("count",)),
    ("private", "POST", "EditOrder"): _NEW,
}
"""What the documented answers hold; an account without anything has an empty balance."""
