"""P10: what the journal adds to an order: intent and sending before the bytes leave, the answer after them."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from planar.models import Amount
from planar.orders.events import Acked, Intent, Seen, Sending
from planar.orders.journal import Journal

ORDERS = 3_000


def report() -> None:
    """Measure and print."""
    before: list[float] = []
    after: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        journal = Journal(Path(name) / "journal.db")
        journal.open()
        for number in range(ORDERS):
            client_id = f"plaaaaaaaa{number:06}bbbb"
            began = time.perf_counter_ns()
            journal.append(
                Intent(
                    client_id,
                    1,
                    symbol="BTC/USDT",
                    side="buy",
                    type="limit",
                    amount=Amount("0.01"),
                    price=Amount("60000.5"),
                )
            )
            journal.append(Sending(client_id, 2, expiry_ms=3))
            sent = time.perf_counter_ns()
            journal.append(
                Acked(client_id, 4, order_id=str(number)),
                Seen(client_id, 4, order_id=str(number), state="open", filled=Amount(0), source="answer"),
            )
            before.append((sent - began) / 1000)
            after.append((time.perf_counter_ns() - sent) / 1000)
        journal.close()
    print(f"\nP10 what the journal adds to an order, microseconds ({ORDERS} orders; survives the death of the process)")
    for text, values in (("before the bytes leave", before), ("after the answer", after)):
        cuts = statistics.quantiles(values, n=100)
        target = "   target: p50 <= 40, p99 <= 400" if values is before else ""
        print(f"    {text:<24}p50 {statistics.median(values):>6.0f}   p99 {cuts[98]:>6.0f}{target}")
