"""Every exception of Planar, in one tree.

    PlanarError
    +-- ConfigError                     the configuration or the secrets are wrong (file, line, remedy)
    +-- WrongLoop                       an object was used on another event loop than its own
    +-- VenueUnavailable                the local venue is not running, or could not be started
    +-- GuardError                      a request was about to leave its environment; nothing was sent
    +-- StaleData                       the price asked for is older than its stream can vouch for
    +-- JournalError                    the order journal cannot be used
    |   +-- JournalLocked               another process is its writer
    +-- OrderUnknown                    an order may or may not exist at the venue; never a NetworkError
    +-- ExchangeError                   the exchange, or Planar before it, said no
    |   +-- AuthenticationError
    |   |   +-- PermissionDenied
    |   |   +-- AccountSuspended
    |   |   +-- MissingCredentials      refused before any request
    |   +-- ArgumentsRequired
    |   +-- BadRequest
    |   |   +-- BadSymbol
    |   +-- OperationRejected
    |   |   +-- NoChange
    |   |   +-- MarketClosed
    |   |   +-- RestrictedLocation
    |   +-- InsufficientFunds
    |   +-- InvalidAddress
    |   +-- InvalidOrder
    |   |   +-- OrderNotFound
    |   |   +-- OrderImmediatelyFillable
    |   |   +-- OrderNotFillable
    |   |   +-- DuplicateOrderId
    |   |   +-- LimitExceeded           a limit of the settings; refused before any request
    |   +-- NotSupported                refused before any request
    +-- OperationFailed                 the call did not come to an answer
        +-- NetworkError
        |   +-- RateLimitExceeded
        |   |   +-- DDoSProtection      a ban; see `retry_after`
        |   +-- ExchangeNotAvailable
        |   |   +-- OnMaintenance
        |   +-- InvalidNonce            the clock or the nonce was refused
        |   +-- RequestTimeout
        +-- BadResponse                 an answer that is no answer: HTML, half a body, a missing field
            +-- NullResponse
            +-- AdapterError            a custom adapter raised, or gave, what no adapter may

Where CCXT has an error of the same meaning the name is CCXT's; the CCXT exception itself is `__cause__`.
Each error says what is known about the request: see `Outcome`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What is known about a request that did not simply succeed."""

    NOT_SENT = "not_sent"
    """Not a byte reached the venue. Sending again is safe."""
    REFUSED = "refused"
    """The venue answered with a definite no; nothing happened there."""
    UNKNOWN = "unknown"
    """The venue may have carried it out. Only evidence from the venue ends this."""
    OK = "ok"
    """The venue carried it out; the error is about what came after."""


class PlanarError(Exception):
    """Base of all errors of Planar.

    Attributes:
        outcome: what is known about the request; None where no request is concerned.
        retryable: True if the same call may be made again unchanged, later.
        retry_after_s: seconds the venue asked to wait, if it did.
        hint: what to do about it, in one sentence.
        exchange: the exchange's id.
        account: the name of the account that was asked with; "" is the one without a name, or none.
        code: the venue's own error code, as text.
        http_status: HTTP status of the answer.
        requests: every request of the call, in the order of sending (`planar.transport.context.RequestRecord`): READ or
            WRITE, when, answered how, with which outcome. Empty if none was begun.
    """

    default_outcome: Outcome | None = None
    default_retryable: bool = False
    requests: Sequence[Any] = ()
    account: str = ""

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome | None = None,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
        hint: str | None = None,
        exchange: str | None = None,
        code: str | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.outcome = self.default_outcome if outcome is None else outcome
        self.retryable = self.default_retryable if retryable is None else retryable
        self.retry_after_s = retry_after_s
        self.hint = hint
        self.exchange = exchange
        self.code = code
        self.http_status = http_status

    def __str__(self) -> str:
        whose = f"{self.exchange}/{self.account}" if self.account else self.exchange
        text = f"{whose}: {self.message}" if self.exchange else self.message
        return f"{text}\n  -> {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, {k: v for k, v in self.__dict__.items() if k != "message"})


def _rebuild(kind: type[PlanarError], message: str, state: dict[str, Any]) -> PlanarError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    error.message = message
    error.__dict__.update(state)
    return error


class ConfigError(PlanarError):
    """The configuration is wrong. The message names file, line, key and the nearest right one."""


class WrongLoop(PlanarError):
    """A workspace belongs to the event loop on which it was opened."""


class VenueUnavailable(PlanarError):
    """The local venue is not running, or could not be started."""

    default_outcome = Outcome.NOT_SENT
    default_retryable = True


class GuardError(PlanarError):
    """A request was about to leave the environment it was meant for. Nothing was sent."""

    default_outcome = Outcome.NOT_SENT


class StaleData(PlanarError):
    """The prices asked for are not vouched for: the stream is stale, resyncing or down."""

    default_retryable = True


class JournalError(PlanarError):
    """The order journal cannot be read or written. No order is sent without it."""

    default_outcome = Outcome.NOT_SENT


class JournalLocked(JournalError):
    """Another process writes this journal."""


class OrderUnknown(PlanarError):
    """The order may or may not exist at the venue.

    Not a NetworkError on purpose: a handler that retries on NetworkError must not send the order again.

    Attributes:
        client_id: the order's client id, by which it can be found.
        order: the order as far as it is known (`planar.models.Order`), or None.
    """

    default_outcome = Outcome.UNKNOWN

    def __init__(self, message: str, *, client_id: str | None = None, order: Any = None, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.client_id = client_id
        self.order = order


class ExchangeError(PlanarError):
    """The exchange, or Planar before it, said no."""

    default_outcome = Outcome.REFUSED


class AuthenticationError(ExchangeError):
    """The key, its signature, its address or its rights were not accepted."""


class PermissionDenied(AuthenticationError):
    """The key is valid but may not do this."""


class AccountSuspended(AuthenticationError):
    """The account is suspended."""


class MissingCredentials(AuthenticationError):
    """A private call without credentials. Nothing was sent; the message says which and where to put them."""

    default_outcome = Outcome.NOT_SENT


class ArgumentsRequired(ExchangeError):
    """An argument is missing. Nothing was sent."""

    default_outcome = Outcome.NOT_SENT


class BadRequest(ExchangeError):
    """A parameter is wrong."""


class BadSymbol(BadRequest):
    """No such market. The message names the nearest."""


class OperationRejected(ExchangeError):
    """The venue understood and refused."""


class NoChange(OperationRejected):
    """The setting already has this value."""


class MarketClosed(OperationRejected):
    """The market does not trade now."""


class RestrictedLocation(OperationRejected):
    """The venue does not serve this address."""


class InsufficientFunds(ExchangeError):
    """The balance does not carry the order."""


class InvalidAddress(ExchangeError):
    """A deposit or withdrawal address is wrong."""


class InvalidOrder(ExchangeError):
    """The order breaks a rule of the market. The message names the rule."""


class OrderNotFound(InvalidOrder):
    """The venue says that it does not know this order."""


class OrderImmediatelyFillable(InvalidOrder):
    """A post-only order would have taken, or a stop would have triggered at once."""


class OrderNotFillable(InvalidOrder):
    """The order could not be filled as asked."""


class DuplicateOrderId(InvalidOrder):
    """The client id is already in use at the venue."""


class LimitExceeded(InvalidOrder):
    """The order is beyond a limit that the settings give the account. Nothing was sent, nothing was journaled."""

    default_outcome = Outcome.NOT_SENT


class NotSupported(ExchangeError):
    """This exchange cannot do this. Nothing was sent."""

    default_outcome = Outcome.NOT_SENT


class OperationFailed(PlanarError):
    """The call did not come to an answer."""

    default_outcome = Outcome.UNKNOWN
    default_retryable = True


class NetworkError(OperationFailed):
    """The network, or the venue's front, failed."""


class RateLimitExceeded(NetworkError):
    """The venue's limit was reached; `retry_after_s` says for how long."""

    default_outcome = Outcome.REFUSED


class DDoSProtection(RateLimitExceeded):
    """The venue banned this address or key for `retry_after_s`."""


class ExchangeNotAvailable(NetworkError):
    """The venue cannot be reached, or its front answered in its place."""


class OnMaintenance(ExchangeNotAvailable):
    """The venue is closed for maintenance."""


class InvalidNonce(NetworkError):
    """The clock or the nonce was refused."""

    default_outcome = Outcome.REFUSED


class RequestTimeout(NetworkError):
    """No answer came before the deadline."""


class BadResponse(OperationFailed):
    """An answer that is no answer: HTML, half a body, a missing field."""


class NullResponse(BadResponse):
    """An empty answer where one was due."""


class AdapterError(BadResponse):
    """The code of a custom adapter failed. The message names its class, method and line.

    It raised what is none of Planar's errors (then that is `__cause__`), or gave what is no answer: None, or a model with
    a field of a wrong kind. Of an order nothing is known but whether it was about to be sent.
    """

    default_retryable = False
