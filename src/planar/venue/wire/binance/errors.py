"""The refusals of the Binance spot API: codes and texts, as its documentation (errors.md) lists them.

Handlers raise `ApiError`; the REST and WebSocket-API doors turn it into an answer. Texts are the documented ones, and
where the documentation gives several for one code, the one for the case at hand.
"""

from __future__ import annotations

from typing import Any

from planar.errors import Outcome, PlanarError


class ApiError(PlanarError):
    """An error answer.

    Attributes:
        api_code: Binance's code, negative.
        status: HTTP status, also the `status` of a WebSocket-API answer.
        data: further content of the answer (`data` of cancel-replace); None if there is none.
        retry_at_ms: when the caller may try again (UTC epoch, ms); answered as Retry-After or `retryAfter`.
    """

    default_outcome = Outcome.REFUSED

    def __init__(
        self,
        api_code: int,
        message: str,
        *,
        status: int = 400,
        data: dict[str, Any] | None = None,
        retry_at_ms: int | None = None,
    ) -> None:
        super().__init__(message, code=str(api_code), http_status=status)
        self.api_code = api_code
        self.status = status
        self.data = data
        self.retry_at_ms = retry_at_ms

    def body(self) -> dict[str, Any]:
        """The JSON object that stands in the answer."""
        body: dict[str, Any] = {"code": self.api_code, "msg": self.message}
        if self.data is not None:
            body["data"] = self.data
        return body


def too_much_weight(limit: int, interval: str, retry_at_ms: int) -> ApiError:
    """The address used its request weight for this interval."""
    return ApiError(
        -1003,
        f"Too much request weight used; current limit is {limit} request weight per {interval}."
        " Please use WebSocket Streams for live updates to avoid polling the API.",
        status=429,
        retry_at_ms=retry_at_ms,
    )


def too_many_requests(limit: int, interval: str, retry_at_ms: int) -> ApiError:
    """The address sent more requests than the raw limit allows."""
    return ApiError(
        -1003,
        f"Too many requests; current limit is {limit} requests per {interval}."
        " Please use WebSocket Streams for live updates to avoid polling the API.",
        status=429,
        retry_at_ms=retry_at_ms,
    )


def banned(until_ms: int) -> ApiError:
    """The address went on after 429."""
    return ApiError(
        -1003,
        f"Way too much request weight used; IP banned until {until_ms}."
        " Please use WebSocket Streams for live updates to avoid bans.",
        status=418,
        retry_at_ms=until_ms,
    )


def too_many_orders(limit: int, interval: str, retry_at_ms: int) -> ApiError:
    """The account has too many unfilled orders in this interval."""
    return ApiError(
        -1015,
        f"Too many new orders; current limit is {limit} orders per {interval}.",
        status=429,
        retry_at_ms=retry_at_ms,
    )


def closed_for_maintenance() -> ApiError:
    """The exchange is being maintained."""
    return ApiError(-1016, "This service is no longer available.", status=503)


def late() -> ApiError:
    """The request is older than its window allows."""
    return ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def early() -> ApiError:
    """The client's clock is a second or more ahead."""
    return ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def bad_signature() -> ApiError:
    """The signature does not fit the payload."""
    return ApiError(-1022, "Signature for this request is not valid.")


def bad_key_format() -> ApiError:
    """The key is missing, or is none by its form."""
    return ApiError(-2014, "API-key format invalid.", status=401)


def bad_key() -> ApiError:
    """The key is unknown, or lacks the right."""
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


def illegal_characters(name: str, legal: str) -> ApiError:
    """The value does not match the parameter's pattern."""
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def duplicate_parameter() -> ApiError:
    """The same parameter came twice."""
    return ApiError(-1101, "Duplicate values for a parameter detected.")


def too_many_parameters(expected: int, received: int) -> ApiError:
    """Parameters for an endpoint that takes none."""
    return ApiError(-1101, f"Too many parameters; expected '{expected}' and received '{received}'.")


def missing(name: str) -> ApiError:
    """A mandatory parameter was not sent."""
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def missing_both(first: str, second: str) -> ApiError:
    """One of two parameters is needed."""
    return ApiError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def too_great(name: str, limit: int) -> ApiError:
    """The value is above what is allowed."""
    return ApiError(-1102, f"'{name}' contains unexpected value. Cannot be greater than {limit}.")


def unread(read: int, sent: int) -> ApiError:
    """Parameters the endpoint does not know."""
    return ApiError(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.")


def empty(name: str) -> ApiError:
    """A parameter without a value."""
    return ApiError(-1105, f"Parameter '{name}' was empty.")


def not_required(name: str) -> ApiError:
    """A parameter that does not belong to this order type."""
    return ApiError(-1106, f"Parameter '{name}' sent when not required.")


def overflowed(name: str) -> ApiError:
    """A number that is too large for its field."""
    return ApiError(-1108, f"Parameter '{name}' overflowed.")


def too_precise(name: str) -> ApiError:
    """More decimals than the asset has."""
    return ApiError(-1111, f"Parameter '{name}' has too much precision.")


def bad_combination() -> ApiError:
    """Optional parameters that do not go together."""
    return ApiError(-1128, "Combination of optional parameters invalid.")


def lookup_too_long(hours: int) -> ApiError:
    """The asked period is longer than the endpoint allows."""
    return ApiError(-1127, f"More than {hours} hours between startTime and endTime.")


def not_valid(name: str) -> ApiError:
    """A value outside the parameter's set."""
    return ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")


def bad_json(text: str) -> ApiError:
    """A WebSocket-API frame that is no request."""
    return ApiError(-1135, text)


def bad_symbol() -> ApiError:
    """No such market."""
    return ApiError(-1121, "Invalid symbol.")


def bad_interval() -> ApiError:
    """No such candle interval."""
    return ApiError(-1120, "Invalid interval.")


def filter_failure(name: str) -> ApiError:
    """The order breaks a filter of `exchangeInfo`."""
    return ApiError(-1013, f"Filter failure: {name}")


def rejected(message: str) -> ApiError:
    """The matching engine refused the order."""
    return ApiError(-2010, message)


def cancel_rejected(message: str = "Unknown order sent.") -> ApiError:
    """The matching engine refused the cancel."""
    return ApiError(-2011, message)


def no_such_order() -> ApiError:
    """A query found nothing."""
    return ApiError(-2013, "Order does not exist.")


def amend_rejected(message: str) -> ApiError:
    """The matching engine refused the amendment."""
    return ApiError(-2038, message)


def ids_differ() -> ApiError:
    """Both ids were sent, and they belong to different orders."""
    return ApiError(-2039, "Client order ID is not correct for this order ID.")


def no_listen_key() -> ApiError:
    """The listen key is unknown or has run out."""
    return ApiError(-1125, "This listenKey does not exist.")
