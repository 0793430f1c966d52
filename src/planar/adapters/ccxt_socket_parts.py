"""What a guarded socket is made of besides its connection: its pace of sending, and what its errors mean."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, cast

import aiohttp

import planar.runtime as runtime
from planar.adapters.ccxt_errors import planar_class
from planar.errors import (
    ArgumentsRequired,
    BadResponse,
    BadSymbol,
    ExchangeNotAvailable,
    NotSupported,
    PlanarError,
    RequestTimeout,
)
from planar.transport.redact import redact
from planar.transport.stops import seconds_of

_NO_MARKET = "does not have market symbol"
"""In the text of CCXT's own `BadSymbol`, which no venue says."""


class Pace:
    """Spaces what is sent: no more than `per_s` messages within any second; the first of them leave at once."""

    def __init__(self, per_s: float) -> None:
        burst = max(1, int(per_s))
        self._window_s = burst / per_s
        self._sent: deque[float] = deque(maxlen=burst)

    def wait_s(self) -> float:
        """Take the next slot; seconds until it comes."""
        now = runtime.monotonic()
        full = len(self._sent) == self._sent.maxlen
        at = max(now, self._sent[0] + self._window_s) if full else now
        self._sent.append(at)
        return at - now


def mute(*_: Any) -> None:
    """In the place of CCXT's `log`, which prints frames with keys and signatures."""


def read_quietly(future: asyncio.Future[Any]) -> None:
    """Mark the exception of a future as seen: every failure reaches its listeners, whoever awaits the future or not."""
    if not future.cancelled():
        future.exception()


def request_ids(message: Any) -> list[str]:
    """The ids under which exchanges answer a request."""
    if not isinstance(message, dict):
        return []
    fields = cast("dict[str, Any]", message)
    return [str(fields[name]) for name in ("id", "req_id", "reqid") if name in fields]


def retry_after_s(error: Exception) -> float | None:
    headers: Mapping[str, str] = getattr(error, "headers", None) or {}
    return seconds_of(headers.get("Retry-After", "").strip())


def dial_error(error: Exception, url: str) -> PlanarError:
    """Why no connection came about. Nothing was sent over it in any case."""
    host = url.partition("://")[2].partition("/")[0]
    if isinstance(error, PlanarError):
        return error
    if isinstance(error, TimeoutError):
        made: PlanarError = RequestTimeout(f"no connection to {host} could be opened in time")
    elif isinstance(error, aiohttp.WSServerHandshakeError):
        status = error.status
        made = ExchangeNotAvailable(f"{host} refused the stream: HTTP {status}", http_status=status)
        made.retry_after_s = retry_after_s(error)
    else:
        made = ExchangeNotAvailable(f"no connection to {host} could be opened: {redact(str(error))}")
    made.__cause__ = error
    return made


def poison(error: Exception) -> Exception:
    """A frame that broke its handler. An error that CCXT makes of the venue's words stays what it is; one that it raises
    over what it found in the frame (no symbol, a market that there is not) would end a stream for good."""
    kind = planar_class(error)
    own = issubclass(kind, ArgumentsRequired | NotSupported) or (kind is BadSymbol and _NO_MARKET in str(error))
    if kind is not BadResponse and not own:
        return error
    made = BadResponse(f"a frame could not be read ({type(error).__name__}: {redact(str(error))})")
    made.__cause__ = error
    return made
