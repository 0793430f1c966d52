"""What Kraken's errors mean (documentation: General usage, Errors; Support: API error messages).

Errors come with status 200, as texts `ESeverity:Message`; `EService` leaves open what happened to an order.
"""

from planar import errors
from planar.adapters.profile import ErrorRow
from planar.errors import Outcome

STOPS: dict[int | str, float] = {429: 30.0, "EAPI:Rate limit exceeded": 3.0, "EGeneral:Temporary lockout": 900.0}
"""Kraken refuses with status 200 and names no time: the counter of the lowest tier lets a query through after 3 s; a
lockout lasts 15 minutes (Support: API error messages)."""

KEY_STOPS = frozenset({"EAPI:Rate limit exceeded"})
"""Refusals that concern the key's own counter, and not its address."""

CODES = {
    "EAPI:Invalid key": ErrorRow(errors.AuthenticationError, hint="check apiKey, and the addresses that it allows"),
    "EAPI:Invalid signature": ErrorRow(errors.AuthenticationError, hint="check secret: it is the long base64 text"),
    "EAPI:Invalid nonce": ErrorRow(
        errors.InvalidNonce,
        hint="two programs use this key, or the clock went back: give each program a key of its own",
    ),
    "EAPI:Rate limit exceeded": ErrorRow(errors.RateLimitExceeded),
    "EOrder:Rate limit exceeded": ErrorRow(errors.RateLimitExceeded),
    "EGeneral:Permission denied": ErrorRow(errors.PermissionDenied, hint="give the key the right for this call"),
    "EGeneral:Temporary lockout": ErrorRow(errors.DDoSProtection),
    "EGeneral:Invalid arguments": ErrorRow(errors.BadRequest),
    "EGeneral:Invalid arguments:volume minimum not met": ErrorRow(errors.InvalidOrder),
    "EGeneral:Unknown method": ErrorRow(errors.NotSupported),
    "EGeneral:Internal error": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "EQuery:Unknown asset pair": ErrorRow(errors.BadSymbol),
    "EOrder:Insufficient funds": ErrorRow(errors.InsufficientFunds),
    "EOrder:Unknown order": ErrorRow(errors.OrderNotFound),
    "EOrder:Invalid order": ErrorRow(errors.OrderNotFound),
    "EOrder:Order minimum not met": ErrorRow(errors.InvalidOrder),
    "EOrder:Cost minimum not met": ErrorRow(errors.InvalidOrder),
    "EOrder:Tick size check failed": ErrorRow(errors.InvalidOrder),
    "EOrder:Invalid price": ErrorRow(errors.InvalidOrder),
    "EOrder:Post only order": ErrorRow(errors.OrderImmediatelyFillable),
    "EOrder:Deadline elapsed": ErrorRow(errors.RequestTimeout),
    "EOrder:Orders limit exceeded": ErrorRow(errors.OperationRejected),
    "EOrder:Positions limit exceeded": ErrorRow(errors.OperationRejected),
    "EOrder:Scheduled orders limit exceeded": ErrorRow(errors.OperationRejected),
    "EService:Unavailable": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "EService:Busy": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "EService:Timeout": ErrorRow(errors.RequestTimeout, Outcome.UNKNOWN),
    "EService:Deadline elapsed": ErrorRow(errors.RequestTimeout),
    "EService:Market in cancel_only mode": ErrorRow(errors.MarketClosed),
    "EService:Market in post_only mode": ErrorRow(errors.MarketClosed),
    "EService:Market in limit_only mode": ErrorRow(errors.MarketClosed),
    "ETrade:User Locked": ErrorRow(errors.AccountSuspended),
}
