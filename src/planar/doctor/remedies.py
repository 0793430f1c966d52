"""What to do about an error: its own hint, else what its class says. And how far a call came, by what stopped it."""

from __future__ import annotations

from typing import Literal

import planar.errors as errors
from planar.adapters.ccxt_verdict import hint_of
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


def remedy(error: PlanarError) -> str | None:
    """What to do about an error."""
    return error.hint or hint_of(type(error))


def described(error: PlanarError) -> str:
    """What an error says, and how long the venue wants to hear nothing."""
    wait = f" (wait {error.retry_after_s:.0f} s)" if error.retry_after_s and "another" not in error.message else ""
    return f"{error.message}{wait}"


def stage_of(error: PlanarError, *, proxied: bool) -> Stage:
    """How far the call came that ended with `error`.

    Args:
        proxied: it went through a proxy, whose port is then the one that could not be reached in time.
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
            return "proxy" if proxied and stage == "connect" else stage
    return "silence"


def _names(cause: BaseException | None) -> list[str]:
    """The class of an exception; where it was replaced by a text without secrets, the text begins with the class."""
    if cause is None:
        return []
    return [type(cause).__name__, str(cause).partition(":")[0]]
