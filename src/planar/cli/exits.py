"""How a command ends: exit codes, and one clear message for each error, as text or as JSON. Never a traceback."""

from __future__ import annotations

import signal
import sys
from typing import Any

import planar.errors as errors
from planar.errors import PlanarError

OK = 0
REFUSED = 1
USAGE = 2
UNKNOWN = 3
DIFFERENT = 4
FAULT = 70
INTERRUPTED = 130
READER_GONE = 141

TABLE: tuple[tuple[int, str], ...] = (
    (OK, "done"),
    (REFUSED, "the exchange, the network or the local venue said no"),
    (USAGE, "the command line, the configuration or the credentials are wrong"),
    (UNKNOWN, "an order may or may not exist at the exchange; do not send it again"),
    (DIFFERENT, "`planar reconcile` found differences between the journal and the exchange"),
    (FAULT, "a fault in Planar itself; PLANAR_DEBUG=1 shows where"),
    (INTERRUPTED, "interrupted with Ctrl-C (143: ended by SIGTERM)"),
    (READER_GONE, "the reader of the output went away"),
)
"""What each code means; the help and docs/cli.md show it."""

WHERE = "PLANAR_DEBUG=1 shows where"


class UsageError(PlanarError):
    """The command line does not say what to do."""


class Interrupted(Exception):
    """A signal ended the command; everything was closed.

    Attributes:
        code: exit code, 128 + the signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


_USAGE_KINDS = (UsageError, errors.ConfigError, errors.MissingCredentials, errors.WrongLoop)


def code_of(error: PlanarError) -> int:
    """The exit code of an error."""
    if isinstance(error, errors.OrderUnknown):
        return UNKNOWN
    return USAGE if isinstance(error, _USAGE_KINDS) else REFUSED


def as_json(error: PlanarError) -> dict[str, Any]:
    """An error for machines. The keys are the same for every error."""
    return {
        "error": {
            "class": type(error).__name__,
            "message": error.message,
            "hint": error.hint,
            "outcome": error.outcome.value if error.outcome else None,
            "code": error.code,
            "exchange": error.exchange,
            "retryable": error.retryable,
            "retry_after_s": error.retry_after_s,
            "client_order_id": error.client_id if isinstance(error, errors.OrderUnknown) else None,
        }
    }


def tell(error: PlanarError, *, json: bool) -> int:
    """Tell an error on standard error, or as JSON on standard output; its exit code."""
    if json:
        import msgspec

        sys.stdout.write(msgspec.json.encode(as_json(error)).decode() + "\n")
        sys.stdout.flush()
    else:
        notes = "".join(f"\n  -> {note}" for note in getattr(error, "__notes__", ()))
        sys.stderr.write(f"planar: {error}{notes}\n")
    return code_of(error)
