"""One run: local exchanges in a process of their own, calls in lanes, faults by parts, the ledger's judgement."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

import planar
from benchmarks.mixed import census, garbled, table
from benchmarks.mixed.calls import CALLS, RICH, STREAM_S, SYMBOL, Side, Untrue
from benchmarks.mixed.judge import AFTER_MS, End, Judge
from benchmarks.mixed.machine import Machine
from benchmarks.safety.__main__ import local
from benchmarks.safety.planar_bot import PROVEN_S
from benchmarks.safety.venue import PLACES
from planar import runtime
from planar.adapters import binance, kraken
from planar.errors import OrderNotFound, OrderUnknown, Outcome, PlanarError
from planar.exchange import Exchange
from planar.orders import OrderHandle
from planar.transport.store import Store
from planar.venue import checker
from planar.venue.checker import Ledger, Operation
from planar.venue.client import VenueControl
from planar.venue.registry import VenueRecord
from planar.venue.wire import LedgerQuery

T = TypeVar("T")

LANES = 64
CHUNK = 1_000
OVER_MS = 500
"""A call may end so much after its deadline, besides the time in which the process did not run at all."""
TIMEOUTS_MS = (80, 400, 1_500)
PEACE_MS = 10_000
"""Of calls that are made without faults."""
GROWTH_MIB = 4.0
"""More than this for 10,000 calls in the second half of a long run is no flat memory."""
LONG = 50_000
"""Calls of a long run: in a shorter one what is kept on purpose is still filling."""
MANY = 1_000_000_000.0
RELEASED_S = 15.0
"""After so long without calls nothing may be reserved: longer than any request in the background takes."""
LATE_S = Store.LATE_S + 0.5
"""So long what a request without an answer took is held."""
NAMES = [name for name, (_, weight) in CALLS.items() for _ in range(weight)]


class Result(msgspec.Struct):
    """What a run found.

    Attributes:
        seconds: from before the exchanges were opened until the last call was judged, the ledger asked.
        most_over_ms: how long after its deadline a call ended at the latest.
        orders: how many the ledger judged.
        growth_mib: resident memory that the second half took, for 10,000 calls.
        memory: (calls, MiB) after each part.
        endings: "ok", "canceled" or the class of the error -> call -> how many.
        injected: kind of fault -> how many requests or frames it hit.
        kept_share: share of the time in which client or exchange could not run, since the machine was busy.
        misread: orders that the client holds for something else, since answers about them were damaged on their way.
        violations: what is wrong, one line each.
    """

    seed: int
    calls: int = 0
    seconds: float = 0.0
    most_over_ms: float = 0.0
    orders: int = 0
    growth_mib: float = 0.0
    memory: list[tuple[int, float]] = []
    endings: dict[str, dict[str, int]] = {}
    injected: dict[str, int] = {}
    kept_share: float = 0.0
    misread: list[str] = []
    violations: list[str] = []


def roomy() -> None:
    """Meters that pace nothing at this speed, and still count, so that what is reserved can be seen to be given back."""
    for package in (binance, kraken):
        meters = tuple(msgspec.structs.replace(spec, limit=MANY) for spec in package.PROFILE.meters)
        package.PROFILE = msgspec.structs.replace(package.PROFILE, meters=meters)


class Run:
    """A run on an open workspace."""

    def __init__(self, result: Result, directory: Path, control: VenueControl, machine: Machine) -> None:
        self._result, self._directory, self._control, self._machine = result, directory, control, machine
        self._judge = Judge()
        self._damages = garbled.Damages(directory / "damage.jsonl")
        self._sides: list[Side] = []
        self._accounts: dict[Exchange, tuple[str, str]] = {}
        self._began = time.monotonic()
        self._kept = machine.kept()

    async def open(self, workspace: planar.Workspace, venues: list[str]) -> None:
        """Make everybody rich, and place Carol's order."""
        for venue in venues:
            exchanges: dict[str, Exchange] = {}
            for account in ("alice", "bob", "carol"):
                for asset, amount in RICH.items():
                    await self._control.set_balance(account, asset, str(amount), venue=venue)
                exchanges[account] = await workspace.exchange(venue, environment="local", account=account)
                self._accounts[exchanges[account]] = (venue, account)
            book = await exchanges["carol"].fetch_order_book(SYMBOL, 5)
            assert book.best_bid is not None
            assert book.best_ask is not None
            side = Side(venue, exchanges["carol"], [exchanges["alice"], exchanges["bob"]], book.best_bid, book.best_ask)
            side.resting = await side.carol.create_limit_order(SYMBOL, "buy", "0.01", f"{book.best_bid * 0.6:.1f}")
            self._sides.append(side)

    async def calls(self, count: int) -> None:
        """All calls, part by part; each part has faults of its own."""
        for first in range(0, count, CHUNK):
            for rule in table.draw(self._result.seed, first):
                await self._control.add_fault(rule)
            ends: list[End] = []
            numbers = iter(range(first, min(first + CHUNK, count)))
            await asyncio.gather(*(self._lane(numbers, ends) for _ in range(LANES)))
            self._damages.add(self._judge.hear((await self._control.faults()).firings))
            await self._control.clear_faults()
            for end in ends:
                self._judge.end(end)
            self._judge.forget(min(end.began_ms for end in ends) - AFTER_MS)
            self._result.calls += len(ends)
            await self._tidy()
            self._result.memory.append((self._result.calls, round(census.rss_mib(), 2)))
            self._progress(count)

    async def _lane(self, numbers: Any, ends: list[End]) -> None:
        for number in numbers:
            ends.append(await self._one(number))

    async def _one(self, number: int) -> End:
        rng = random.Random(f"{self._result.seed}/{number}")
        name, side, timeout_ms = rng.choice(NAMES), rng.choice(self._sides), rng.choice(TIMEOUTS_MS)
        leave_s = rng.uniform(0, 0.03) if rng.random() < 0.03 else None
        began_ms, began, before = runtime.wall_ms(), time.monotonic(), self._machine.kept()
        task = asyncio.create_task(_finish(CALLS[name][0](side, rng, timeout_ms, number)), name=f"call {number}")
        left = leave_s is not None and not (await asyncio.wait([task], timeout=leave_s))[0]
        due = began + (STREAM_S + 1 if name == "stream" else timeout_ms / 1000)
        if left:
            due = time.monotonic()
            task.cancel()
        await asyncio.wait([task], timeout=30)
        kept = self._machine.kept().since(before)
        over_ms = (time.monotonic() - due - kept.client_s) * 1000
        error: BaseException | None
        if not task.done():
            error = Untrue("it never ended")
            task.cancel()
        else:
            error = None if task.cancelled() else task.result()
        self._result.most_over_ms = max(self._result.most_over_ms, round(over_ms, 1))
        if over_ms > OVER_MS:
            self._judge.violations.append(
                f"call {number} ({side.id} {name}, {timeout_ms} ms) ended {over_ms:.0f} ms late"
            )
        kept_ms = (kept.client_s + kept.exchange_s) * 1000
        return End(
            number, side.id, name, began_ms, runtime.wall_ms(), timeout_ms, left and error is None, error, kept_ms
        )

    async def _tidy(self) -> None:
        """Without faults: ask again for orders whose asker left, look at those that may have traded, note what ended."""
        for side in self._sides:
            for intent, (trader, wish) in list(side.again.items()):
                side.again.pop(intent)
                handle = await self._in_peace(_settled(trader, wish, intent))
                if handle is not None:
                    side.handles[handle.client_order_id] = (trader, handle)
            for name, (trader, handle) in list(side.handles.items()):
                if handle.is_open:
                    await self._in_peace(trader.fetch_order(name, SYMBOL, timeout_ms=PEACE_MS))
                if handle.is_done:
                    self._note(side, name)

    async def _in_peace(self, call: Awaitable[T]) -> T | None:
        """What a call gives while no fault is there: then none fails."""
        try:
            return await call
        except OrderNotFound:
            return None  # it is unknown yet, and its resolver asks until it has evidence
        except PlanarError as error:
            self._judge.violations.append(f"without any fault: {error!r}")
            return None

    def _note(self, side: Side, name: str) -> None:
        trader, handle = side.handles.pop(name)
        order = handle.snapshot
        absent = order.state.value in ("rejected", "never_accepted")
        line = Operation(
            kind="create",
            client_id=name,
            symbol=SYMBOL,
            result="failed" if absent else "ok" if order.state.value != "unknown" else "unknown",
            order_id=order.id,
            state=None if absent or order.state.value == "unknown" else order.state.value,  # type: ignore[arg-type]
            filled=None if absent or order.filled is None else Decimal(str(order.filled)),
        )
        lines = [line]
        if name in side.canceled:
            side.canceled.discard(name)
            lines.append(Operation(kind="cancel", client_id=name, symbol=SYMBOL, result="ok"))
        venue, account = self._accounts[trader]
        with (self._directory / f"history-{venue}-{account}.jsonl").open("ab") as file:
            file.writelines(msgspec.json.encode(one) + b"\n" for one in lines)

    async def close(self) -> None:
        """Wait until every order is known, then let the ledger judge."""
        await asyncio.sleep(LATE_S)  # a request that was delayed changes something now, after its call has ended
        for side in self._sides:
            for name, (trader, handle) in list(side.handles.items()):
                try:
                    await handle.resolved(PROVEN_S)
                except OrderUnknown:
                    self._judge.violations.append(f"order {name} at {side.id} is unknown to the end")
                if handle.is_open:
                    await self._in_peace(trader.fetch_order(name, SYMBOL, timeout_ms=PEACE_MS))
                self._note(side, name)
        await asyncio.sleep(LATE_S)
        for exchange, (venue, account) in self._accounts.items():
            await self._reservations(exchange, f"{venue} {account}")
            await self._ledger(venue, account)

    async def _reservations(self, exchange: Exchange, whose: str) -> None:
        budget = exchange.ccxt.planar.budget
        meters = {name: meter for name, meter in budget._meters.items() if meter.WIDTH > meter.HELD}
        for _ in range(int(RELEASED_S / 0.05)):  # a question in the background may be on its way
            if all(meter.held() <= 1e-6 for meter in meters.values()):
                break
            await asyncio.sleep(0.05)
        for name, meter in meters.items():
            if meter.held() > 1e-6:
                self._judge.violations.append(f"{whose}: {meter.held():g} of meter {name} is still reserved")
        if budget._turnstile._lanes:
            self._judge.violations.append(f"{whose}: somebody still waits for the budget")

    async def _ledger(self, venue: str, account: str) -> None:
        path = self._directory / f"history-{venue}-{account}.jsonl"
        if not path.exists():
            return
        since = (await self._control.status()).started_ms
        answers: dict[str, Any] = {}
        for kind in ("orders", "fills"):
            query = LedgerQuery(kind=kind, account=account, since_ms=since)  # type: ignore[arg-type]
            answers |= await self._control.ledger(query, venue=venue)
        ledger = msgspec.convert(answers, Ledger)
        report = checker.check(checker.read_history(path), ledger, seed=self._result.seed)
        self._result.orders += report.orders
        names: dict[str, set[str]] = {one.client_id: {one.client_id} for one in report.findings}
        for row in answers["orders"]:
            if row["client_id"] in names:
                names[row["client_id"]].add(str(row["id"]))
        misread = garbled.excused(report.findings, self._damages.near(names))
        for one in report.findings:
            line = f"{venue} {account} order {one.client_id}: {one.problem}: {one.detail}"
            (self._result.misread if one in misread else self._judge.violations).append(line)

    def tell(self) -> None:
        """Put what was seen into the result."""
        result, judge = self._result, self._judge
        result.seconds = round(time.monotonic() - self._began, 1)
        for (name, ending), count in sorted(judge.table.items()):
            result.endings.setdefault(ending, {})[name] = count
        kept = self._machine.kept().since(self._kept)
        result.kept_share = round(max(kept.client_s, kept.exchange_s) / result.seconds, 3)
        result.injected = dict(judge.injected.most_common())
        result.violations += judge.violations
        result.growth_mib = round(census.slope(result.memory), 2)

    def _progress(self, count: int) -> None:
        done, spent = self._result.calls, time.monotonic() - self._began
        print(
            f"\r{done}/{count} calls, {done / spent:.0f} a second, {(count - done) * spent / done:.0f} s left,"
            f" {len(self._judge.violations)} violations, {self._result.memory[-1][1]:.0f} MiB  ",
            end="" if sys.stderr.isatty() else "\n",
            file=sys.stderr,
            flush=True,
        )


async def _finish(call: Any) -> BaseException | None:
    """A call's error is its result, so that none is left unread."""
    try:
        await call
    except Exception as error:
        return error
    return None


async def _settled(trader: Exchange, wish: tuple[Any, ...], intent: str) -> OrderHandle | None:
    """The order of a wish; None if it is certain that there is none."""
    try:
        return await trader.create_limit_order(*wish, intent_id=intent, timeout_ms=PEACE_MS)
    except OrderUnknown as error:
        return error.order
    except PlanarError as error:
        if error.outcome in (Outcome.NOT_SENT, Outcome.REFUSED):
            return None
        raise


async def venue_process(
    directory: Path, venues: list[str], seed: int
) -> tuple[asyncio.subprocess.Process, VenueRecord]:
    """Exchanges of this run's own, that end with it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "planar.venue", "--venues", ",".join(PLACES[venue].factory for venue in venues)),
        *("--seed", str(seed), "--socket", str(directory / "venue.sock"), "--no-registry", "--die-with-parent"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    return process, msgspec.json.decode(await process.stdout.readline(), type=VenueRecord)


async def run(directory: Path, venues: list[str], calls: int, seed: int) -> Result:
    """All of it; what was found."""
    roomy()
    result = Result(seed=seed)
    process, record = await venue_process(directory, venues, seed)
    try:
        with Machine(process.pid) as machine:
            async with VenueControl(record) as control:
                await control.status()
                before = census.take()
                async with planar.open(local_venue=local(record)) as workspace:
                    judged = Run(result, directory, control, machine)
                    await judged.open(workspace, venues)
                    await judged.calls(calls)
                    await judged.close()
                    judged.tell()
                result.violations += await _left_over(before)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
    if calls >= LONG and result.growth_mib > GROWTH_MIB:
        result.violations.append(f"memory grows by {result.growth_mib} MiB for 10,000 calls")
    return result


async def _left_over(before: census.Census) -> list[str]:
    """What is there beyond what was there before, after what closes by itself had five seconds for it."""
    left = census.more(before, census.take())
    for _ in range(50):
        if not left:
            break
        await asyncio.sleep(0.1)
        left = census.more(before, census.take())
    return left
