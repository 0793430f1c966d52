"""Answers that are lost after the exchange acted, an exchange that is silent, reads that lag: in virtual time, seeded.

    python -m benchmarks.safety.unknown --lost 2500 --silent 50 --lagging 50

The exchange's own ledger is the judge. Lost: each order meets a fault of its own, alone and five at once, and must end in
the ledger's state in time. Silent: nothing answers any more; the order stays unknown, its funds reserved, somebody is told
within ten seconds, and it ends when the exchange is back. Lagging: reads show the past; a lag up to `settle_ms` proves
nothing false, and what a longer one denied is taken back with an alarm.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

import planar.runtime as runtime
from benchmarks.safety.life import HTML
from benchmarks.safety.simulated import PLACES, SYMBOL, Stage, simulated, staged
from planar.adapters.profile import load_profile
from planar.errors import OrderUnknown, PlanarError
from planar.exchange import Exchange
from planar.models import Amount, OrderState
from planar.venue.faults import (
    CutAnswer,
    DropAnswer,
    DropRequest,
    Fault,
    FaultRule,
    HangAnswer,
    RefuseRequest,
    ReplaceAnswer,
    StaleRead,
)
from planar.venue.wire import LedgerQuery

FAULTS: tuple[Fault, ...] = (
    DropAnswer(),
    HangAnswer(),
    CutAnswer(keep_bytes=40),
    ReplaceAnswer(status=200, body=HTML),
    ReplaceAnswer(status=503, body=HTML),
    ReplaceAnswer(status=200, body=""),
    DropRequest(),
)
AT_ONCE = 5
DEADLINE_S = 10.0
LIMIT_S = {
    "binance": DEADLINE_S + 5.0 + 2 * (1.0 + 1.0) + 2 * 2.0,
    "kraken": DEADLINE_S + 5.0 + 2 * (2.0 + 2.0) + 2 * 8.0 + 16 * 3.0,
}
"""In how long the end of an order is known: its deadline, the longest window, the proof with its margins, and two pauses of
the slowest pace. On Kraken that and what the proof and the rounds before it cost, of a counter with nothing left on it."""
MORE_S = {"binance": 1.0, "kraken": 6.0}
"""For each more at once: one list that is asked for before its own, two points of a counter that gives one back in 3 s."""
ALARM_S = 10.0
SILENT_S = 120.0
LAGS_MS = {"binance": (300, 900, 20_000), "kraken": (500, 1_900, 20_000)}
"""Two up to `settle_ms`, which is 1 s and 2 s, and one beyond."""


class Found(msgspec.Struct):
    """What became of the orders.

    Attributes:
        orders: how many were placed.
        there, absent: how many of them the ledger had, and had not.
        wrong: what is not as it must be, with the order.
        took_s: until the end of each was known.
        alarmed_s: after how long somebody was told of each that stayed unknown.
        corrected: how many were denied first, and taken back.
    """

    orders: int = 0
    there: int = 0
    absent: int = 0
    wrong: list[str] = []
    took_s: list[float] = []
    alarmed_s: list[float] = []
    corrected: int = 0

    def add(self, other: Found) -> None:
        """Sum them."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Trial:
    """One exchange, one account, one price that nobody trades at."""

    def __init__(self, stage: Stage, exchange: Exchange, price: float) -> None:
        self.stage = stage
        self.exchange = exchange
        self.price = price
        self.found = Found()
        self._account = stage.wire.accounts()[0].account

    @property
    def path(self) -> str:
        """Where orders are placed."""
        return PLACES[self.exchange.id]

    def meets(self, fault: Fault, **words: object) -> None:
        """A rule of faults."""
        self.stage.server.faults.add(FaultRule(fault=fault, **words))  # pyright: ignore[reportArgumentType]

    def is_there(self, client_id: str) -> bool:
        """Whether the ledger has it."""
        query = LedgerQuery(kind="orders", account=self._account, symbol=SYMBOL, client_id=client_id)
        return bool(self.stage.wire.ledger(query)["orders"])

    def alarms(self, kind: str, client_id: str) -> list[float]:
        """The moments (UTC seconds) since which somebody was told of this about the order."""
        return [
            one.since_ms / 1000
            for one in self.stage.told.alarms
            if one.kind == kind and one.data.get("client_id") == client_id
        ]

    def judge(self, client_id: str) -> None:
        """The order's state beside the ledger."""
        state, there = self.exchange.orders[client_id].state, self.is_there(client_id)
        self.found.orders += 1
        self.found.there += there
        self.found.absent += not there
        if (state is OrderState.OPEN) != there:
            self.found.wrong.append(f"{client_id} is {state.value}, and the ledger {'has' if there else 'lacks'} it")


Play = Callable[[Trial], Awaitable[None]]


def played(name: str, directory: Path, seed: int, play: Play) -> Found:
    """A trial in a seeded loop of its own."""

    async def main() -> Found:
        async with staged(directory, name, seed) as stage, stage.workspace() as workspace:
            exchange = await workspace.exchange(name, environment="local", timeout=int(DEADLINE_S * 1000))
            bid = (await exchange.fetch_order_book(SYMBOL, 5)).best_bid
            assert bid is not None
            stage.wire.bench().model.frozen = True  # nobody else trades, which only takes time
            await exchange.reconcile()
            trial = Trial(stage, exchange, round(bid * 0.9, 1))
            await play(trial)
            return trial.found

    return simulated(directory, seed, main)


async def _place(trial: Trial, **options: int) -> tuple[str, float]:
    """An order until its end is known: its client id, and how long that took."""
    began_s = runtime.monotonic()
    wish = runtime.token(10)
    try:
        await trial.exchange.create_limit_buy_order(SYMBOL, "0.001", trial.price, intent_id=wish, **options)
    except OrderUnknown as error:
        await error.order.resolved(600)
    except PlanarError as error:
        if error.outcome.value not in ("refused", "not_sent"):
            trial.found.wrong.append(f"{wish}: {type(error).__name__} says {error.outcome.value}")
    return trial.exchange.orders[wish].client_order_id, runtime.monotonic() - began_s


def lost_answers(name: str, directory: Path, seed: int, count: int) -> Found:
    """`count` orders, each with a fault of its own: one by one, then `AT_ONCE` at a time, in turn."""
    rng = random.Random(seed)

    async def play(trial: Trial) -> None:
        alone = True
        while trial.found.orders < count:
            batch = 1 if alone else min(AT_ONCE, count - trial.found.orders)
            for number in range(batch):
                trial.meets(rng.choice(FAULTS), method="POST", path=trial.path, nth=number + 1)
            results = await asyncio.gather(*(_place(trial) for _ in range(batch)))
            trial.stage.server.faults.clear()
            limit_s = LIMIT_S[name] + (batch - 1) * MORE_S[name]
            for client_id, took_s in results:
                trial.judge(client_id)
                trial.found.took_s.append(took_s)
                if took_s > limit_s:
                    trial.found.wrong.append(f"{client_id} took {took_s:.1f} s, {batch} at once")
            await runtime.sleep(60)  # what looking for them took of the limits comes back
            for client_id, _ in results:
                if trial.exchange.orders[client_id].state is OrderState.OPEN:
                    await trial.exchange.cancel_order(client_id, SYMBOL)
            alone = not alone

    return played(name, directory, seed, play)


def silence(name: str, directory: Path, seed: int) -> Found:
    """The exchange takes an order and is not heard of for two minutes."""

    async def play(trial: Trial) -> None:
        exchange, found = trial.exchange, trial.found
        trial.meets(DropAnswer(), id="lost", method="POST", path=trial.path)
        trial.meets(RefuseRequest(status=503, body=HTML), after="lost", count=None)
        sent_s = runtime.monotonic()
        asking = runtime.spawn(_place(trial), name="place")
        while not exchange.orders.unknown:
            await runtime.sleep(0.01)
        (order,) = exchange.orders.unknown
        name, unknown_s = order.client_order_id, runtime.monotonic()
        while runtime.monotonic() - sent_s < SILENT_S:
            if not found.alarmed_s and trial.alarms("order_unknown", name):
                found.alarmed_s.append(runtime.monotonic() - unknown_s)
            if order.state is not OrderState.UNKNOWN:
                found.wrong.append(f"{name} became {order.state.value} while nothing answered")
            if exchange.reserved().get("USDT", Amount(0)) < Amount("0.001") * Amount(trial.price):
                found.wrong.append(f"{name}: its funds are not reserved")
            await runtime.sleep(0.25)
        if not found.alarmed_s or found.alarmed_s[0] > ALARM_S:
            found.wrong.append(f"{name}: told after {found.alarmed_s} s")
        trial.stage.server.faults.clear()
        await asking
        trial.judge(name)

    return played(name, directory, seed, play)


def lag(name: str, directory: Path, seed: int, lag_ms: int) -> Found:
    """Reads show the account as it was `lag_ms` ago, while the answer to an order is lost."""

    async def play(trial: Trial) -> None:
        settle_ms = load_profile(name).expiry.settle_ms
        trial.meets(DropAnswer(), method="POST", path=trial.path)
        trial.meets(StaleRead(lag_ms=lag_ms), count=None)
        client_id, _ = await _place(trial, timeout_ms=400)
        order = trial.exchange.orders[client_id]
        await order.resolved(120)
        denied = order.state is OrderState.NEVER_ACCEPTED
        if denied and lag_ms <= settle_ms:
            trial.found.wrong.append(f"{client_id}: a lag of {lag_ms} ms proved that it is not there")
        if denied:
            trial.found.corrected += 1
            await runtime.sleep(lag_ms / 1000 + 45)
        told = len(trial.alarms("order_contradicted", client_id))
        if told != denied:
            trial.found.wrong.append(f"{client_id}: denied {denied}, and {told} alarms say that it was taken back")
        trial.judge(client_id)

    return played(name, directory, seed, play)


def main() -> int:
    """Run and print; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lost", type=int, default=2_500, help="orders on each exchange")
    parser.add_argument("--silent", type=int, default=50, help="runs on each exchange")
    parser.add_argument("--lagging", type=int, default=50, help="runs of each lag on each exchange")
    parser.add_argument("--exchange", choices=list(PLACES))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    wrong = 0
    for name in [given.exchange] if given.exchange else PLACES:
        wrong += tried(name, given.seed, given.lost, given.silent, given.lagging)
    return 1 if wrong else 0


def tried(name: str, seed: int, lost: int, silent: int, lagging: int) -> int:
    """All trials of one exchange, with a line for each kind; how many orders were wrong."""
    wrong = 0
    runs: dict[str, list[Callable[[Path, int], Found]]] = {
        "lost answers": [lambda d, s, n=n: lost_answers(name, d, s, n) for n in _parts(lost, 100)],
        "silence": [lambda d, s: silence(name, d, s)] * silent,
    }
    for lag_ms in LAGS_MS[name]:
        runs[f"reads {lag_ms} ms late"] = [lambda d, s, lag_ms=lag_ms: lag(name, d, s, lag_ms)] * lagging
    for what, parts in runs.items():
        total = Found()
        for number, part in enumerate(parts):
            with tempfile.TemporaryDirectory() as directory:
                total.add(part(Path(directory), seed + number))
        print(f"{name}, {what}, seed {seed}: {told(total)}", flush=True)
        wrong += len(total.wrong)
    return wrong


def _parts(count: int, size: int) -> list[int]:
    return [min(size, count - at) for at in range(0, count, size)]


def told(found: Found) -> str:
    """One line, and one for each that is wrong."""
    words = [f"{found.orders} orders, {found.there} in the ledger, {found.absent} not; {len(found.wrong)} wrong"]
    if len(found.took_s) > 1:
        cuts = statistics.quantiles(found.took_s, n=100)
        words.append(f"known after {cuts[49]:.1f} s (p50), {cuts[98]:.1f} s (p99), {max(found.took_s):.1f} s (longest)")
    if found.alarmed_s:
        words.append(f"told after {max(found.alarmed_s):.1f} s at the latest")
    if found.corrected:
        words.append(f"{found.corrected} denied and taken back")
    return "; ".join(words) + "".join(f"\n  {text}" for text in found.wrong[:10])


if __name__ == "__main__":
    raise SystemExit(main())
