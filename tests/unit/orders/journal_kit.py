"""Journals with orders of all kinds in them, for tests."""

from __future__ import annotations

from pathlib import Path

from planar.models import Amount
from planar.orders.events import Absent, Acked, AnyEvent, FillSeen, Intent, NotSent, Refused, Seen, Sending, Unknown
from planar.orders.journal import Journal

DAY_MS = 86_400_000
KINDS = 7


def opened(path: Path) -> Journal:
    """A journal that is open."""
    journal = Journal(path)
    journal.open()
    return journal


def life(client_id: str, kind: int, start_ms: int) -> list[AnyEvent]:
    """The events of one order: filled in two parts, canceled after a part, unknown and absent, not sent, refused, open,
    or unknown."""
    order_id = f"v{client_id}"
    events: list[AnyEvent] = [
        Intent(
            client_id,
            start_ms,
            intent_id=f"wish {client_id}",
            symbol="BTC/USDT",
            side="buy",
            type="limit",
            amount=Amount("0.3"),
            price=Amount("50000"),
        )
    ]
    if kind == 3:
        return [*events, NotSent(client_id, start_ms + 1, reason="budget")]
    events.append(Sending(client_id, start_ms + 1, expiry_ms=start_ms + 5_000))
    if kind == 2:
        return [*events, Unknown(client_id, start_ms + 2, reason="timeout"), Absent(client_id, start_ms + 3)]
    if kind == 4:
        return [*events, Refused(client_id, start_ms + 2, code="-2010", reason="no funds")]
    if kind == 6:
        return [*events, Unknown(client_id, start_ms + 2, reason="timeout")]

    def seen(state: str, filled: str) -> Seen:
        cost = Amount(filled) * 50_000
        return Seen(client_id, start_ms + 4, order_id=order_id, state=state, filled=Amount(filled), cost=Amount(cost))

    def fill(number: int, amount: str) -> FillSeen:
        return FillSeen(
            client_id,
            start_ms + 5,
            trade_id=f"t{client_id}{number}",
            order_id=order_id,
            price=Amount("50000"),
            amount=Amount(amount),
            fee=Amount("0.0001"),
            fee_currency="BTC",
        )

    events += [Acked(client_id, start_ms + 3, order_id=order_id), seen("open", "0")]
    if kind == 0:
        return [*events, seen("open", "0.1"), fill(1, "0.1"), seen("filled", "0.3"), fill(2, "0.2")]
    if kind == 1:
        return [*events, seen("open", "0.1"), fill(1, "0.1"), seen("canceled", "0.1")]
    return events


def filled_journal(path: Path, orders: int, *, days_apart: float = 0.0) -> Journal:
    """A journal with so many orders, of each kind in turn; it is open."""
    journal = opened(path)
    for number in range(orders):
        client_id = f"pl{journal.id}{number + 1:06}abcd"
        for event in life(client_id, number % KINDS, int(1_000 + number * days_apart * DAY_MS)):
            journal.append(event)
    return journal
