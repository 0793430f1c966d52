"""From CCXT's exceptions to Planar's, with what is known about the request.

CCXT's exceptions carry a string and a class. The class gives the meaning unless the venue's own table knows the code
better; the outcome comes from the requests that the call really sent, never from the class.
"""

from __future__ import annotations

from decimal import DecimalException

import planar.errors as errors
from planar.adapters.profile import ErrorRow, Profile
from planar.errors import Outcome, PlanarError
from planar.transport.context import CallContext, Effect
from planar.transport.redact import redact

_BY_NAME: dict[str, type[PlanarError]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, PlanarError)
}
# names of CCXT without a class of the same name here, at the nearest meaning
_BY_NAME.update(
    {
        "BaseError": errors.ExchangeError,
        "AccountNotEnabled": errors.PermissionDenied,
        "AddressPending": errors.InvalidAddress,
        "MarginModeAlreadySet": errors.NoChange,
        "ManualInteractionNeeded": errors.OperationRejected,
        "OrderNotCached": errors.OrderNotFound,
        "ContractUnavailable": errors.MarketClosed,
        "InvalidProxySettings": errors.ConfigError,
        "ExchangeClosedByUser": errors.ExchangeNotAvailable,
        "ChecksumError": errors.StaleData,
        "CancelPending": errors.OperationRejected,
        "UnsubscribeError": errors.ExchangeError,
    }
)


_NOT_THERE = "() is not supported yet"
"""How CCXT says that nobody has written a method for an exchange, with NotSupported, and once with BadRequest."""


def planar_class(error: BaseException) -> type[PlanarError]:
    """The class of Planar for an exception of CCXT, by the nearest ancestor of the same name."""
    for kind in type(error).__mro__:
        found = _BY_NAME.get(kind.__name__)
        if found is not None:
            return found
    return errors.BadResponse


def row_for(profile: Profile, code: str | None, text: str) -> ErrorRow | None:
    """What the venue's tables say about this error, or None. What follows a code after a colon only explains it."""
    for part, row in profile.texts:
        if part in text:
            return row
    while code:
        if code in profile.errors:
            return profile.errors[code]
        code = code.rpartition(":")[0]
    return None


def translate(error: Exception, call: CallContext, exchange: str) -> PlanarError:
    """The error of Planar for anything that CCXT's code raised around the requests of `call`."""
    if isinstance(error, PlanarError):
        return error
    kind = planar_class(error)
    if not call.requests:
        # CCXT refused by itself
        text = redact(str(error))
        if isinstance(error, DecimalException):  # CCXT computes with 28 digits
            kind, text = errors.InvalidOrder, f"{call.name}: an amount or a price has more digits than any market takes"
        if text.endswith(_NOT_THERE):
            kind, text = errors.NotSupported, f"{call.name} is not offered by this exchange"
        return kind(text or type(error).__name__, outcome=Outcome.NOT_SENT, exchange=exchange, retryable=False)
    text = redact(f"{type(error).__name__}: {error}" if kind is errors.BadResponse else str(error))
    if kind is errors.BadResponse:
        text = f"the answer to {call.name} could not be read ({text})"
    made = kind(text, outcome=_known(call), exchange=exchange)
    made.requests = tuple(call.requests)
    return made


def unsignable(error: ValueError, exchange: str) -> errors.AuthenticationError:
    """The secret is none of the kind that the exchange signs with: no base64, no key in PEM, too short."""
    return errors.AuthenticationError(
        f"the request cannot be signed: {redact(str(error))}",
        outcome=Outcome.NOT_SENT,
        exchange=exchange,
        hint="the secret is not of the form that this exchange issues: copy it again, whole, into user/secrets.toml",
    )


def _known(call: CallContext) -> Outcome:
    """What is known after the requests of a call; a query whose answer could not be used is not answered."""
    if any(request.effect is Effect.WRITE for request in call.requests):
        return call.outcome()
    last = call.requests[-1].outcome
    return Outcome.UNKNOWN if last in (None, Outcome.OK) else last
