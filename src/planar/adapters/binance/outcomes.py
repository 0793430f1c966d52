"""What Binance's error codes mean (documentation: Error codes for Binance; HTTP Return Codes).

`-1006`, `-1007` and every 5xx leave the execution status unknown. A code that is not listed is a refusal if it comes with
a 4xx status.
"""

from planar import errors
from planar.adapters.profile import ErrorRow, PartRule
from planar.errors import Outcome

_KEY_HINT = (
    "Binance gives one code for four causes: the key is wrong, this address is not on its list, it lacks the right "
    "(enable trading for it), or it belongs to another environment (testnet keys do not work live, nor the reverse)"
)
_CLOCK_HINT = "this machine's clock differs from the venue's; synchronise it (NTP)"

CODES = {
    "-1000": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "-1001": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "-1002": ErrorRow(errors.AuthenticationError, hint=_KEY_HINT),
    "-1003": ErrorRow(errors.DDoSProtection),
    "-1006": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "-1007": ErrorRow(errors.RequestTimeout, Outcome.UNKNOWN),
    "-1008": ErrorRow(errors.ExchangeNotAvailable, Outcome.UNKNOWN),
    "-1013": ErrorRow(errors.InvalidOrder),
    "-1015": ErrorRow(errors.RateLimitExceeded),
    "-1016": ErrorRow(errors.ExchangeNotAvailable),
    "-1020": ErrorRow(errors.NotSupported),
    "-1021": ErrorRow(errors.InvalidNonce, hint=_CLOCK_HINT),
    "-1022": ErrorRow(errors.AuthenticationError, hint="the signature was refused: check the secret"),
    "-1099": ErrorRow(errors.AuthenticationError, hint=_KEY_HINT),
    "-1100": ErrorRow(errors.BadRequest),
    "-1102": ErrorRow(errors.BadRequest),
    "-1104": ErrorRow(errors.BadRequest),
    "-1106": ErrorRow(errors.BadRequest),
    "-1111": ErrorRow(errors.InvalidOrder),
    "-1112": ErrorRow(errors.InvalidOrder),
    "-1121": ErrorRow(errors.BadSymbol),
    "-1131": ErrorRow(errors.BadRequest),
    "-2010": ErrorRow(errors.InvalidOrder),
    "-2011": ErrorRow(errors.OrderNotFound),
    "-2013": ErrorRow(errors.OrderNotFound),
    "-2014": ErrorRow(errors.AuthenticationError, hint="the key has the wrong form: check apiKey"),
    "-2015": ErrorRow(errors.AuthenticationError, hint=_KEY_HINT),
    "-2016": ErrorRow(errors.MarketClosed),
    "-2021": ErrorRow(errors.OperationRejected, Outcome.UNKNOWN),
    "-2022": ErrorRow(errors.OperationRejected),
    "-2026": ErrorRow(errors.OrderNotFound, hint="the order is older than 90 days and was archived unfilled"),
}

CLOCK_ERRORS = frozenset({"-1021"})
"""The timestamp is outside of recvWindow, or more than a second ahead (documentation: Timing security)."""

TEXTS = (
    ("Account has insufficient balance", ErrorRow(errors.InsufficientFunds)),
    ("Duplicate order sent", ErrorRow(errors.DuplicateOrderId)),
    ("would immediately match and take", ErrorRow(errors.OrderImmediatelyFillable)),
    ("would trigger immediately", ErrorRow(errors.OrderImmediatelyFillable)),
    ("Market is closed", ErrorRow(errors.MarketClosed)),
    ("This action is disabled on this account", ErrorRow(errors.AccountSuspended)),
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
