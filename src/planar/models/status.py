"""What an exchange says of itself, and single prices without a ticker around them.

They come from the adapters (`planar.adapters.unified`) and go to the user.
"""

from __future__ import annotations

from planar.models.base import RawPayload, Sourced, Timed


class ExchangeStatus(Sourced, frozen=True, kw_only=True, gc=False):
    """Whether an exchange says that it works."""

    status: str | None = None
    """`ok`, `shutdown`, `error` or `maintenance`."""
    updated: int | None = None
    """When that was said, in milliseconds UTC."""
    eta: int | None = None
    """When it expects to be back, in milliseconds UTC."""
    url: str | None = None
    raw: RawPayload = None


class LastPrice(Timed, frozen=True, kw_only=True, gc=False):
    """One price of a market, and where it comes from."""

    symbol: str
    price: float | None = None
    side: str | None = None
    """The taker's side of the trade."""
    source: str = "last"
    """`last` (the last trade), `close`, `mid` (the middle of bid and ask), or `none`: nobody knows a price."""
    ts_ms: int | None = None
    received_ns: int | None = None
    raw: RawPayload = None
