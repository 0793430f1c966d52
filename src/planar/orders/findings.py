"""The differences of one pass, in words and as data. Sorted at the end by what they are about."""

from __future__ import annotations

from collections.abc import Sequence

import planar.runtime as runtime
from planar.models import Amount, Order
from planar.orders.differences import Difference, DifferenceKind
from planar.transport.alarms import Severity

_RANK = {kind: rank for rank, kind in enumerate(DifferenceKind)}


class Findings:
    """Collects them.

    Args:
        unheard: the severity of what a live stream should have told.
    """

    def __init__(self, exchange: str, account: str, unheard: Severity) -> None:
        self._exchange = exchange
        self._account = account
        self._unheard: Severity = unheard
        self._found: list[Difference] = []
        self._settled: dict[str, None] = {}

    @property
    def settled(self) -> tuple[str, ...]:
        """Orders whose state changed, in the order in which it was found."""
        return tuple(self._settled)

    def sorted(self) -> tuple[Difference, ...]:
        """All of them, the most serious kinds first, then by market and order: the same whatever came first."""
        return tuple(sorted(self._found, key=lambda one: (_RANK[one.kind], *one.key)))

    def settled_now(self, before: Order, after: Order) -> None:
        """The venue's state of an order was not the journal's, and is now."""
        self._settled[after.client_order_id or ""] = None
        self._add(DifferenceKind.STATE, self._unheard, after, before.state.value, after.state.value, "applied")

    def contradicted(self, known: Order, shown: Order) -> None:
        """The venue shows a state that cannot follow from the journal's."""
        self._add(DifferenceKind.STATE, "error", known, known.state.value, shown.state.value, "none")

    def filled_more(self, before: Order, after: Order) -> None:
        """The venue knew of fills that the journal did not hold."""
        self._add(
            DifferenceKind.FILL, self._unheard, after, f"filled {_text(before.filled)}", _text(after.filled), "applied"
        )

    def filled_less(self, known: Order, shown: Order) -> None:
        """The journal holds fills that the venue does not show."""
        self._add(
            DifferenceKind.FILL, "error", known, f"filled {_text(known.filled)}", f"{_text(shown.filled)}", "none"
        )

    def ghost(self, known: Order) -> None:
        """The venue says that it knows no order of that name, which it once had."""
        self._add(DifferenceKind.GHOST, "error", known, known.state.value, "unknown to it", "none")

    def orphan(self, shown: Order, action: str) -> None:
        """The venue has an order of this journal that the journal does not hold."""
        self._add(DifferenceKind.ORPHAN, "error", shown, "not in it", shown.state.value, action)

    def other_journal(self, rows: Sequence[Order]) -> None:
        """The journal is empty, and the venue has open orders of another one."""
        names = ", ".join(sorted(row.client_order_id or "" for row in rows)[:3])
        text = f"the journal is empty, and {len(rows)} open orders carry the id of another journal of Planar: {names}"
        self._put(DifferenceKind.LOST_JOURNAL, "error", "empty", f"{len(rows)} orders of another journal", text, "none")

    def balance(self, currency: str, change: Amount, expected: Amount) -> None:
        """A balance has changed by what no fill explains."""
        text = (
            f"the balance of {currency} has changed by {change:f}, and the fills of this journal explain {expected:f}"
        )
        self._put(
            *(DifferenceKind.BALANCE, "warning", f"{expected:f}", f"{change:f}", text, "none"),
            currency=currency,
        )

    def _add(
        self, kind: DifferenceKind, severity: Severity, order: Order, journal: str, venue: str, action: str
    ) -> None:
        text = f"{kind}: {order.side} {order.symbol} {order.client_order_id}: the journal says {journal}, "
        self._put(
            *(kind, severity, journal, venue, f"{text}the venue {venue}", action),
            symbol=order.symbol,
            client_id=order.client_order_id,
            order_id=order.id,
        )

    def _put(
        self,
        kind: DifferenceKind,
        severity: Severity,
        journal: str,
        venue: str,
        text: str,
        action: str,
        *,
        symbol: str = "",
        client_id: str | None = None,
        order_id: str | None = None,
        currency: str | None = None,
    ) -> None:
        self._found.append(
            Difference(
                kind=kind,
                severity=severity,
                exchange=self._exchange,
                account=self._account,
                symbol=symbol,
                client_id=client_id,
                order_id=order_id,
                currency=currency,
                journal=journal,
                venue=venue,
                text=text,
                action=action,
                ts_ms=runtime.wall_ms(),
            )
        )


def _text(amount: Amount | None) -> str:
    return "nothing" if not amount else f"{amount:f}"
