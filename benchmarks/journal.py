"""P10: what the journal adds to an order, for both durabilities; and how long a journal of 1,000,000 events takes to read.

python -m benchmarks.journal
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from planar.models import Amount
from planar.orders.events import Acked, AnyEvent, FillSeen, Intent, Seen, Sending
from planar.orders.journal import Journal

ORDERS = 3_000
AT_ONCE = 50
EVENTS = 1_000_000

_REPLAY = """
import resource, sys, time
from pathlib import Path
from planar.orders.journal import Journal
from planar.orders.store import OrderStore
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
journal = Journal(Path(sys.argv[1]))
began = time.perf_counter()
journal.open()
store = OrderStore(journal)
store.replay()
took = time.perf_counter() - began
journal.close()
print(took, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, len(store.unfinished()))
"""


def report() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        _process(Path(name))
        asyncio.run(_disk(Path(name)))
        _replay(Path(name))


def _before(client_id: str) -> tuple[Intent, Sending]:
    intent = Intent(
        client_id, 1, symbol="BTC/USDT", side="buy", type="limit", amount=Amount("0.01"), price=Amount("60000.5")
    )
    return intent, Sending(client_id, 2, expiry_ms=3)


def _after(client_id: str, number: int) -> tuple[Acked, Seen]:
    seen = Seen(client_id, 4, order_id=str(number), state="open", filled=Amount(0), source="answer")
    return Acked(client_id, 4, order_id=str(number)), seen


def _name(number: int) -> str:
    return f"plaaaaaaaa{number:06}bbbb"


def _line(text: str, values: list[float], target: str = "") -> None:
    cuts = statistics.quantiles(values, n=100)
    print(f"    {text:<34}p50 {statistics.median(values):>6.0f}   p99 {cuts[98]:>6.0f}{target}")


def _process(directory: Path) -> None:
    before: list[float] = []
    after: list[float] = []
    journal = Journal(directory / "process.db")
    journal.open()
    for number in range(ORDERS):
        events, answer = _before(_name(number)), _after(_name(number), number)
        began = time.perf_counter_ns()
        for event in events:
            journal.append(event)
        sent = time.perf_counter_ns()
        journal.append(*answer)
        before.append((sent - began) / 1000)
        after.append((time.perf_counter_ns() - sent) / 1000)
    journal.close()
    print(f"\nP10 what the journal adds to an order, microseconds ({ORDERS} orders)")
    _line("process: before the bytes leave", before, "   target: p50 <= 40, p99 <= 400")
    _line("process: after the answer", after)


async def _disk(directory: Path) -> None:
    """One order after the other, and many at once, which share their syncs."""
    journal = Journal(directory / "disk.db", "disk")
    journal.open()
    numbers = iter(range(ORDERS))

    async def intend(times: list[float]) -> None:
        for number in numbers:
            began = time.perf_counter_ns()
            for event in _before(_name(number)):
                journal.append(event)
            waiting = journal.durable()
            assert waiting is not None
            await waiting
            times.append((time.perf_counter_ns() - began) / 1000)
            if len(times) >= ORDERS // 20:
                return

    alone: list[float] = []
    await intend(alone)
    together: list[float] = []
    began_s = time.perf_counter()
    lists: list[list[float]] = [[] for _ in range(AT_ONCE)]
    await asyncio.gather(*(intend(times) for times in lists))
    took_s = time.perf_counter() - began_s
    for times in lists:
        together += times
    journal.close()
    _line("disk: one order after the other", alone)
    _line(f"disk: {AT_ONCE} at once, group commit", together, f"   {len(together) / took_s:,.0f} orders/s")


def _replay(directory: Path) -> None:
    """A journal of orders of five events each, of which each hundredth is open; read by a process of its own."""
    path = directory / "long.db"
    journal = Journal(path)
    journal.open()
    batch: list[AnyEvent] = []
    for number in range(EVENTS // 5):
        client_id, order_id = _name(number), str(number)
        batch += [*_before(client_id), *_after(client_id, number)]
        if number % 100:
            price, fee = Amount(f"{60_000 + number % 9_999}.5"), Amount("0.00001")
            batch.append(FillSeen(client_id, 5, order_id, order_id, price, Amount("0.01"), fee, "BTC"))
        else:
            batch.append(Seen(client_id, 5, order_id=order_id, state="open", filled=Amount("0.005"), source="stream"))
        if len(batch) >= 20_000:
            journal.append(*batch)
            batch.clear()
    journal.append(*batch)
    journal.close()
    done = subprocess.run([sys.executable, "-c", _REPLAY, path], capture_output=True, text=True, check=True)
    took, memory, unfinished = map(float, done.stdout.split())
    print(
        f"\nA journal of {EVENTS:,} events, {EVENTS // 5:,} orders, {unfinished:,.0f} of them open; {_megabytes(path)}"
    )
    print(f"    read and merged in {took:.2f} s, {memory:.0f} MB more   target: < 5 s")


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB"


if __name__ == "__main__":
    report()
