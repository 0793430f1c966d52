"""What a reconciliation finds, as data, and where it is told: hooks, the log, alarms.

The differences of one pass come from `planar.orders.reconcile`, in an order that depends on nothing but themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec

from planar.transport.account_log import account_log
from planar.transport.alarms import AlarmKind, Alarms, Severity

log = account_log("planar.orders")

Policy: TypeAlias = Literal["report", "adopt", "cancel"]
"""What is done with orphans: they are told, become orders of the journal, or become such and are canceled."""

Reason: TypeAlias = Literal["start", "reconnect", "timer", "demand"]
"""Why a reconciliation is made."""


class DifferenceKind(StrEnum):
    """How journal and venue differ, the most serious first."""

    LOST_JOURNAL = "lost_journal"
    """The journal is empty, and orders of another journal of Planar are open at the venue."""
    GHOST = "ghost"
    """The journal has the order open, and the venue says that it knows none of that name."""
    ORPHAN = "orphan"
    """The venue has an order with this journal's id that the journal does not hold."""
    FILL = "fill"
    """The venue shows more, or less, of an order as filled than the journal."""
    STATE = "state"
    """The venue shows another state of an order than the journal."""
    BALANCE = "balance"
    """A balance has changed by what no fill of this journal explains."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between journal and venue.

    Attributes:
        kind: what differs.
        severity: "info": what nobody could have heard of; "warning": what a healthy stream should have told, or what
            changed without this journal; "error": somebody should look.
        account: whose; "" is the account without a name.
        symbol: market; "" for balances.
        client_id, order_id: of the order, where it is about one.
        currency: of the balance, where it is about one.
        journal, venue: what each of the two says.
        text: the same as a sentence.
        action: what was done: "applied" (the journal has it now), "adopted", "canceled", "would be canceled", "none", or
            why it could not be done.
        ts_ms: when it was found, UTC milliseconds.
    """

    kind: DifferenceKind
    severity: Severity
    exchange: str
    account: str
    symbol: str = ""
    client_id: str | None = None
    order_id: str | None = None
    currency: str | None = None
    journal: str
    venue: str
    text: str
    action: str
    ts_ms: int

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for the same difference found again."""
        words = (self.kind, self.symbol, self.client_id, self.order_id, self.currency, self.journal, self.venue)
        return tuple(word or "" for word in words)


class FailedPart(msgspec.Struct, frozen=True):
    """A part of a reconciliation about which nothing is known, since its query failed.

    Attributes:
        part: "open orders", "orders", "history", "trades" or "balances".
        of: client id or market, where it is about one.
        error: why.
    """

    part: str
    of: str
    error: str


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What one reconciliation found. Orders are named by their client ids.

    Attributes:
        reason: why it was made.
        differences: all of them, sorted.
        not_sent: intents that the process left before sending.
        settled: orders whose state changed while nobody looked.
        unknown: orders that are still unknown; their resolver is at work.
        orphans: orders of this journal at the venue that it does not hold, or did not until now.
        foreign: how many open orders are not of this journal. They are never touched.
        failed: what could not be asked; nothing is concluded about it.
        left_out: markets whose history was not asked, since there are too many.
        open_orders: how many of this journal are open now.
        queries: how many requests were made of the venue, each of the lists counted once.
        began_ms: when it began, UTC milliseconds.
        took_ms: how long it took.
    """

    reason: Reason
    differences: tuple[Difference, ...] = ()
    not_sent: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    foreign: int = 0
    failed: tuple[FailedPart, ...] = ()
    left_out: tuple[str, ...] = ()
    open_orders: int = 0
    queries: int = 0
    began_ms: int = 0
    took_ms: float = 0.0


Hook: TypeAlias = Callable[[Difference], None]

_ALARMS: dict[tuple[DifferenceKind, Severity], AlarmKind] = {
    (DifferenceKind.LOST_JOURNAL, "error"): "order_orphan",
    (DifferenceKind.ORPHAN, "error"): "order_orphan",
    (DifferenceKind.GHOST, "error"): "order_ghost",
    (DifferenceKind.STATE, "error"): "order_contradicted",
    (DifferenceKind.FILL, "error"): "fill_missed",
    (DifferenceKind.FILL, "warning"): "fill_missed",
}
"""What is an alarm."""

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Bulletin:
    """Tells the differences of one account. What still stands at the next pass is not told again."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._hooks: list[Hook] = []
        self._told: set[tuple[str, ...]] = set()

    def add(self, hook: Hook) -> Callable[[], None]:
        """Call `hook` with each new difference, until the function that is given back is called."""
        self._hooks.append(hook)

        def remove() -> None:
            if hook in self._hooks:
                self._hooks.remove(hook)

        return remove

    def tell(self, differences: Sequence[Difference], *, complete: bool) -> None:
        """Tell what is new. `complete`: everything was asked, so what is not among them no longer stands."""
        for difference in differences:
            if difference.key not in self._told:
                self._tell_one(difference)
        keys = {difference.key for difference in differences}
        self._told = keys if complete else self._told | keys

    def _tell_one(self, difference: Difference) -> None:
        log.log(_LEVELS[difference.severity], "%s: %s (%s)", difference.exchange, difference.text, difference.action)
        alarm = _ALARMS.get((difference.kind, difference.severity))
        if alarm is not None:
            self._alarms.report(
                alarm,
                difference.severity,
                difference.exchange,
                difference.text,
                account=difference.account,
                of=difference.client_id or difference.order_id or difference.symbol,
                since_ms=difference.ts_ms,
                data=msgspec.to_builtins(difference),
            )
        for hook in list(self._hooks):
            try:
                hook(difference)
            except Exception as error:
                handler = asyncio.get_running_loop().call_exception_handler
                handler({"message": "a hook of on_difference failed", "exception": error})
