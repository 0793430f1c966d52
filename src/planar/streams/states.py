"""What a stream says about itself: its state, the gaps in it, and the rules by which it judges."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from planar.adapters.feed import PRICES, Kind


class StreamState(StrEnum):
    """How far a stream can be trusted at this moment."""

    CONNECTING = "connecting"
    """Nothing has come yet."""
    LIVE = "live"
    """It shows what the venue shows."""
    STALE = "stale"
    """The connection stands, but what it brings is too old: no data within the age budget, or this process lags."""
    RESYNCING = "resyncing"
    """The connection or the order of its updates was lost; the state is being fetched anew."""
    DOWN = "down"
    """The last attempt to connect failed. The next one follows, unless the venue refused for good."""


class Gap(msgspec.Struct, frozen=True):
    """Rows that are missing from a stream.

    Attributes:
        since_ms: up to this moment nothing is missing, UTC milliseconds of this machine.
        until_ms: from this moment on nothing is missing.
        reason: what happened.
        dropped: how many are missing; None if nobody can know.
    """

    since_ms: int
    until_ms: int
    reason: str
    dropped: int | None = None


class StreamRules(msgspec.Struct, frozen=True):
    """By what a hub judges its streams.

    Attributes:
        book_age_ms: how long after its last update a book still counts as live.
        ticker_age_ms: the same for tickers. Rows have no such limit: that nobody trades is no fault, and a dead
            connection is found by its silence.
        max_lag_ms: how late the event loop may run before no stream is trusted.
        check_ms: how often age and lag are looked at.
        connect_s: how long a subscription may take.
        backoff_s: the pause after the first failure; it doubles with each further one. Half of it is random.
        backoff_max_s: the longest pause.
        settled_s: a stream that was live for so long begins again with the shortest pause.
    """

    book_age_ms: int = 30_000
    ticker_age_ms: int = 60_000
    max_lag_ms: int = 1_000
    check_ms: int = 250
    connect_s: float = 30.0
    backoff_s: float = 0.5
    backoff_max_s: float = 30.0
    settled_s: float = 10.0

    def age_budget_ms(self, kind: Kind) -> int | None:
        """How old the data of a kind may be; None without a limit."""
        if kind is Kind.ORDER_BOOK:
            return self.book_age_ms
        return self.ticker_age_ms if kind in PRICES else None


DEFAULT_RULES = StreamRules()
