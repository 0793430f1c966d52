"""`python -m benchmarks.safety`: kill and swallow, then let the venue's ledger judge.

    --kills 500        lives that end by kill -9: half at a named point of the order path, half at any moment
    --swallowed 1000   orders whose answer is dropped, held, cut, replaced by HTML or by a 503; every 20th request itself
    --exchange kraken  which local exchange; both, one after the other, without it
    --entry websocket  orders over the venue's socket, and faults of it; REST without it
    --bare             the same with bare CCXT, as its users write it
    --seed 1           decides wishes, points, moments and faults
    --json             one final object

While it runs, standard error tells how far it is and how long it will take.

The exit code is 0 only if no order of Planar was lost, doubled, misreported or left unknown.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from benchmarks.safety import ccxt_bot, entry, planar_bot
from benchmarks.safety.venue import PLACES
from benchmarks.safety.wishes import SYMBOL, Belief, Diary, Verdict, crash_self, judge
from planar.orders import points
from planar.transport.local import LocalVenue
from planar.venue.client import VenueControl
from planar.venue.faults import CutAnswer, DropAnswer, DropRequest, Fault, FaultRule, HangAnswer, ReplaceAnswer
from planar.venue.registry import VenueRecord
from planar.venue.wire import LedgerQuery

ACCOUNTS = ("alice", "bob", "carol")
BOTS: dict[str, ModuleType] = {"planar": planar_bot, "bare ccxt": ccxt_bot}

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
SWALLOWING: tuple[Fault, ...] = (
    DropAnswer(),
    HangAnswer(),
    CutAnswer(keep_bytes=40),
    ReplaceAnswer(status=200, body=HTML),
    ReplaceAnswer(status=503, body=HTML),
    ReplaceAnswer(status=200, body=""),
    ReplaceAnswer(status=200, body="{}", headers={"Content-Type": "application/json"}),
)


def start_venue(directory: Path, exchange: str, seed: int) -> tuple[subprocess.Popen[bytes], VenueRecord]:
    """A venue of this run's own."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "planar.venue", "--venues", PLACES[exchange].factory),
            *("--seed", str(seed), "--socket", str(directory / "venue.sock"), "--no-registry", "--die-with-parent"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    return process, msgspec.json.decode(process.stdout.readline(), type=VenueRecord)


def local(record: VenueRecord) -> LocalVenue:
    """The record as Planar's transport knows it."""
    return LocalVenue(
        instance=record.instance, socket=record.socket, token=record.token, venues=list(record.venues), pid=record.pid
    )


async def fund(record: VenueRecord) -> tuple[float, float]:
    """Make everybody rich; the prices from which wishes are made."""
    async with VenueControl(record) as control:
        for account in ACCOUNTS:
            await control.set_balance(account, "USDT", "1000000000")
            await control.set_balance(account, "BTC", "100000")
    import planar

    async with planar.open(local_venue=local(record)) as workspace:
        book = await (await workspace.exchange(record.venues[0], environment="local")).fetch_order_book(SYMBOL, 5)
    assert book.best_bid is not None
    assert book.best_ask is not None
    return book.best_bid, book.best_ask


async def orders_since(record: VenueRecord, account: str, since_ms: int) -> list[dict[str, Any]]:
    """The ledger's orders of one account in this run."""
    async with VenueControl(record) as control:
        answer = await control.ledger(LedgerQuery(kind="orders", account=account, symbol=SYMBOL, since_ms=since_ms))
    return answer["orders"]


def in_child(run: Callable[[], Coroutine[Any, Any, None]], keep: int) -> int:
    """Fork; the child runs and exits. The pipe `keep` to the venue stays the parent's alone."""
    child = os.fork()
    if child == 0:
        os.close(keep)
        try:
            asyncio.run(run())
        except BaseException as error:
            print(f"a life ended by {type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return child


class Crasher:
    """Kills the process when a named point is reached for the n-th time."""

    def __init__(self, point: str | None, nth: int) -> None:
        self._point, self._left = point, nth

    def __call__(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left <= 0:
                crash_self()


def kill_lives(bot: str, record: VenueRecord, directory: Path, kills: int, seed: int, prices: Any, pipe: int) -> int:
    """Lives in three lanes, one per account, each ended by kill -9. How many ended so."""
    rng = random.Random(f"{seed}/kills")
    names = points.ALL if bot == "planar" else ("before", "after")
    lanes: dict[int, tuple[str, float | None]] = {}
    free, started, killed = list(ACCOUNTS), 0, 0
    progress = Progress(f"{record.venues[0]}, {bot}, kill -9", kills)
    while killed < kills:
        while free and started < kills:
            account = free.pop()
            by_name = started % 2 == 0
            crash = Crasher(names[(started // 2) % len(names)] if by_name else None, rng.randint(1, 3))
            diary = Diary(directory / f"{account}.jsonl")
            module = BOTS[bot]
            child = in_child(
                lambda m=module, a=account, d=diary, c=crash: m.live(local(record), a, d, seed, prices, c), pipe
            )
            lanes[child] = (account, None if by_name else time.monotonic() + rng.uniform(0.05, 0.6))
            started += 1
        for child, (_, at) in list(lanes.items()):
            if at is not None and time.monotonic() >= at:
                os.kill(child, 9)
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            time.sleep(0.005)
            continue
        if child in lanes:
            free.append(lanes.pop(child)[0])
            if not os.WIFSIGNALED(status):
                raise SystemExit("a life ended by itself; see above")
            killed += 1
            progress(killed)
    return killed


class Progress:
    """How far a scenario is, and when it will end: a line that overwrites itself on a terminal, else one now and then."""

    EVERY_S = 30.0

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._began = self._told = time.monotonic()

    def __call__(self, done: int) -> None:
        """So many are done."""
        now = time.monotonic()
        live = sys.stderr.isatty()
        if not live and now - self._told < self.EVERY_S:
            return
        self._told = now
        left_s = (now - self._began) / max(done, 1) * (self._total - done)
        line = f"{self._what}: {done}/{self._total}, {left_s // 60:.0f} min {left_s % 60:.0f} s left"
        print(f"\r{line}   " if live else line, end="" if live else "\n", file=sys.stderr, flush=True)


def add(total: Verdict, one: Verdict) -> None:
    """Sum two verdicts."""
    for name in Verdict.__struct_fields__:
        setattr(total, name, getattr(total, name) + getattr(one, name))


def run_kills(bot: str, exchange: str, kills: int, seed: int) -> dict[str, Any]:
    """All lives of one bot, then its last one, then the judgement."""
    total = Verdict()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        os.environ["PLANAR_STATE"], os.environ["PLANAR_CACHE"] = str(directory / "state"), str(directory / "cache")
        venue, record = start_venue(directory, exchange, seed)
        assert venue.stdin is not None
        try:
            prices, since_ms, began = asyncio.run(fund(record)), int(time.time() * 1000), time.monotonic()
            asyncio.run(_count(record))
            killed = kill_lives(bot, record, directory, kills, seed, prices, venue.stdin.fileno())
            for account in ACCOUNTS:
                diary = Diary(directory / f"{account}.jsonl")
                beliefs: list[Belief] = asyncio.run(BOTS[bot].finish(local(record), account, diary, seed, prices))
                add(total, judge(beliefs, asyncio.run(orders_since(record, account, since_ms))))
            ways = asyncio.run(_ways(record))
        finally:
            venue.stdin.close()
            venue.wait()
    took_s = round(time.monotonic() - began, 1)
    return {"bot": bot, "faults": killed, "seconds": took_s, **msgspec.to_builtins(total), **ways}


async def _count(record: VenueRecord) -> None:
    async with VenueControl(record) as control:
        await entry.count_ways(control, record.venues[0])


async def _ways(record: VenueRecord) -> dict[str, int]:
    async with VenueControl(record) as control:
        return await entry.ways(control)


async def _swallowed(bot: str, record: VenueRecord, count: int, seed: int, prices: Any) -> list[Belief]:
    rng = random.Random(f"{seed}/swallow")
    async with VenueControl(record) as control:
        await entry.count_ways(control, record.venues[0])
        if os.environ.get(entry_variable(record.venues[0])) == "websocket":
            await entry.swallow(control, record.venues[0], count, rng)
        # every request to place an order meets a fault of its own
        for number in range(count):
            fault = DropRequest() if number % 20 == 19 else rng.choice(SWALLOWING)
            path = PLACES[record.venues[0]].order_path
            await control.add_fault(FaultRule(fault=fault, method="POST", path=path, nth=number + 1))
        return await BOTS[bot].swallow(
            local(record),
            ACCOUNTS[0],
            seed,
            prices,
            count,
            Progress(f"{record.venues[0]}, {bot}, swallowed", count),
        )


def entry_variable(exchange: str) -> str:
    """The environment variable that says how orders are sent."""
    return f"PLANAR__{exchange.upper()}__ORDER_ENTRY"


def run_swallowed(bot: str, exchange: str, count: int, seed: int) -> dict[str, Any]:
    """Swallowed answers of one bot, then the judgement."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        os.environ["PLANAR_STATE"], os.environ["PLANAR_CACHE"] = str(directory / "state"), str(directory / "cache")
        venue, record = start_venue(directory, exchange, seed)
        assert venue.stdin is not None
        try:
            prices, since_ms, began = asyncio.run(fund(record)), int(time.time() * 1000), time.monotonic()
            beliefs = asyncio.run(_swallowed(bot, record, count, seed, prices))
            verdict = judge(beliefs, asyncio.run(orders_since(record, ACCOUNTS[0], since_ms)))
            ways, met = asyncio.run(_ways(record)), asyncio.run(_met(record))
        finally:
            venue.stdin.close()
            venue.wait()
    took_s = round(time.monotonic() - began, 1)
    return {"bot": bot, "faults": met, "seconds": took_s, **msgspec.to_builtins(verdict), **ways}


async def _met(record: VenueRecord) -> int:
    exchange = record.venues[0]
    over = os.environ.get(entry_variable(exchange)) == "websocket"
    async with VenueControl(record) as control:
        return await entry.swallowed(control, entry.DOORS[exchange].path if over else PLACES[exchange].order_path)


def main() -> int:
    """Run what was asked for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--swallowed", type=int, default=1000)
    parser.add_argument("--exchange", choices=list(PLACES))
    parser.add_argument("--entry", choices=("rest", "websocket"), default="rest")
    parser.add_argument("--bare", action="store_true", help="bare CCXT beside it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    rows: list[dict[str, Any]] = []
    for exchange in [given.exchange] if given.exchange else PLACES:
        os.environ[entry_variable(exchange)] = given.entry
        for bot in BOTS if given.bare else ["planar"]:
            if given.kills:
                row = run_kills(bot, exchange, given.kills, given.seed)
                rows.append({"exchange": exchange, "scenario": "kill -9", **row})
            if given.swallowed:
                row = run_swallowed(bot, exchange, given.swallowed, given.seed)
                rows.append({"exchange": exchange, "scenario": "swallowed", **row})
    if given.json:
        print(msgspec.json.encode({"seed": given.seed, "rows": rows}).decode())
    else:
        columns = list(rows[0]) if rows else []
        print(f"\nseed {given.seed}; judged by the venue's ledger")
        print("  ".join(f"{column:>11}" for column in columns))
        for row in rows:
            print("  ".join(f"{row[column]!s:>11}" for column in columns))
    wrong = ("lost", "doubled", "unknown", "misreported", "strangers")
    return 1 if any(row[name] for row in rows if row["bot"] == "planar" for name in wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
