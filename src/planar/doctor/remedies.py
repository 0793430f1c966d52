"""What to do about an error: its own hint, else what its class says. And how far a call came, by what stopped it."""

from __future__ import annotations

from typing import Literal

import planar.errors as errors
from planar.errors import PlanarError

Stage = Literal["guard", "budget", "dns", "proxy", "connect", "tls", "silence", "answer"]
"""How far a call came: `guard` and `budget` are before the network, `answer` means that the venue, or something in its
place, answered; `silence` that a connection stood and brought none."""

_STAGES: tuple[tuple[str, Stage], ...] = (
    ("Proxy", "proxy"),
    ("DNSError", "dns"),
    ("gaierror", "dns"),
    ("CertificateError", "tls"),
    ("SSL", "tls"),
    ("ClientConnectorError", "connect"),
    ("ConnectionTimeoutError", "connect"),
)
"""Part of the name of the exception behind an error -> how far the call came; the first that fits."""

_REMEDIES: tuple[tuple[type[PlanarError], str], ...] = (
    (
        errors.RateLimitExceeded,
        "wait; leave enable_rate_limit on, ask less often, watch streams instead of asking again and again, and let all "
        "programs of this machine share the budget ([budget] shared)",
    ),
    (errors.OnMaintenance, "wait until the maintenance is over; the exchange's status page tells"),
    (errors.RequestTimeout, "look at the network; a slow one needs a longer timeout in [{id}]"),
    (errors.InvalidNonce, "synchronise this machine's clock (NTP), and give each program a key of its own"),
    (
        errors.PermissionDenied,
        "give the key the right to read the account, and allow this machine's address, on the exchange's website",
    ),
    (
        errors.AuthenticationError,
        "compare the key and the secret with the exchange's website, and see whether this machine's address is allowed",
    ),
    (errors.RestrictedLocation, "the exchange does not serve the country of this address"),
    (
        errors.ExchangeNotAvailable,
        "the exchange, or the way to it, is down or in maintenance; its status page tells. Planar goes on by itself "
        "when it is back",
    ),
    (errors.BadResponse, "something else than the exchange answered: a proxy, a login page of the network, a filter"),
)


def remedy(error: PlanarError, exchange: str) -> str | None:
    """What to do about an error."""
    if error.hint is not None:
        return error.hint
    found = next((text for kind, text in _REMEDIES if isinstance(error, kind)), None)
    return found.format(id=exchange) if found is not None else None


def described(error: PlanarError) -> str:
    """What an error says, and how long the venue wants to hear nothing."""
    wait = f" (wait {error.retry_after_s:.0f} s)" if error.retry_after_s and "another" not in error.message else ""
    return f"{error.message}{wait}"


def stage_of(error: PlanarError, *, proxied: bool) -> Stage:
    """How far the call came that ended with `error`.

    Args:
        proxied: it went through a proxy, whose name and port are then those that could not be reached.
    """
    if isinstance(error, errors.GuardError):
        return "guard"
    if isinstance(error, errors.RateLimitExceeded) and error.outcome is errors.Outcome.NOT_SENT:
        return "budget"
    if error.http_status is not None or isinstance(error, errors.BadResponse | errors.ExchangeError):
        return "answer"
    names = " ".join(_names(error.__cause__))
    for part, stage in _STAGES:
        if part in names:
            return "proxy" if proxied and stage in ("dns", "connect") else stage
    return "silence"


def _names(cause: BaseException | None) -> list[str]:
    """The class of an exception; where it was replaced by a text without secrets, the text begins with the class."""
    if cause is None:
        return []
    return [type(cause).__name__, str(cause).partition(":")[0]]
