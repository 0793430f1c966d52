"""One seed's life: a program trades on a local exchange under faults of every kind, and stops and starts on the way.

Everything that the program was told, that its journal holds, that its alarms said, that the exchange's ledger and witness
hold is a line of a log with its moment of virtual time. `wrong` compares the program's orders with the ledger's.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from decimal import Decimal
from pathlib import Path

import planar
import planar.runtime as runtime
from benchmarks.safety.simulated import PLACES, SYMBOL, Stage, simulated, staged
from planar.errors import OrderUnknown, PlanarError
from planar.exchange import Exchange
from planar.models import OrderState
from planar.orders import OrderHandle, Reconciliation
from planar.orders.events import Intent
from planar.orders.journal import Journal
from planar.venue.faults import (
    CloseSocket,
    CutAnswer,
    DelayAnswer,
    DelayFrame,
    DelayRequest,
    DoubleFrame,
    DropAnswer,
    DropFrame,
    DropRequest,
    Fault,
    FaultRule,
    HangAnswer,
    HangRequest,
    RefuseRequest,
    ReorderFrame,
    ReplaceAnswer,
    ResetConnection,
    ResetSocket,
    Silence,
    StaleRead,
)
from planar.venue.wire import LedgerQuery

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
ON_ORDERS: tuple[Fault, ...] = (
    DropRequest(),
    DropAnswer(),
    HangAnswer(),
    HangRequest(),
    DelayAnswer(delay_ms=900),
    DelayRequest(delay_ms=1_500),
    CutAnswer(keep_bytes=40),
    RefuseRequest(status=503, body=HTML),
    ReplaceAnswer(status=200, body=HTML),
    ReplaceAnswer(status=200, body=""),
    ReplaceAnswer(status=503, body=HTML),
)
"""What may happen to a request that places or cancels."""
ON_ALL: tuple[Fault, ...] = (
    DropRequest(),
    DropAnswer(),
    DelayAnswer(delay_ms=400),
    RefuseRequest(status=503, body=HTML),
    StaleRead(lag_ms=900),
    ResetConnection(),
)
"""What may happen to any request."""
ON_FRAMES: tuple[Fault, ...] = (
    DropFrame(),
    DoubleFrame(),
    DelayFrame(delay_ms=300),
    ReorderFrame(),
    Silence(for_ms=2_000),
    CloseSocket(code=1012, reason="restart"),
    ResetSocket(),
)
"""What may happen to a frame of the private stream."""
LIVES = 2
WISHES = 3
"""Orders of each life."""
TIMEOUT_MS = 2_000
CALM_S = 240.0
"""How long after the last fault everything may take to be known: Kraken's counters allow a query every three seconds."""


class Life:
    """The program, its log, and the judgement."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.exchange_id = tuple(PLACES)[seed % len(PLACES)]
        self.lines: list[str] = []
        self.wrong: list[str] = []
        self._random = random.Random(f"life/{seed}")
        self._numbers = iter(range(1_000))

    def tell(self, *words: object) -> None:
        """A line of the log."""
        self.lines.append(" ".join((f"{runtime.monotonic():.6f}", *map(str, words))))

    async def run(self, directory: Path) -> None:
        """Live, then judge."""
        async with staged(directory, self.exchange_id, self.seed) as stage:
            account = stage.wire.accounts()[0].account
            for number in range(LIVES):
                self._add_faults(stage, number)
                async with stage.workspace() as workspace:
                    with contextlib.suppress(PlanarError):  # what could not even be opened sends nothing
                        await self._live(await self._open(workspace))
                self.tell("life", number, "is over")
            stage.server.faults.clear()
            async with stage.workspace() as workspace:
                exchange = await self._open(workspace)
                await self._calm(exchange)
                self._judge(exchange, stage, account)
            self._note(stage, directory, account)

    async def _open(self, workspace: planar.Workspace) -> Exchange:
        return await workspace.exchange(self.exchange_id, environment="local", timeout=TIMEOUT_MS)

    def _add_faults(self, stage: Stage, life: int) -> None:
        rng, faults = self._random, stage.server.faults
        faults.clear()

        def add(fault: Fault, probability: float, path: str | None = None) -> None:
            seed = rng.randrange(1_000_000)
            faults.add(FaultRule(fault=fault, path=path, probability=probability, count=None, seed=seed))

        for fault in rng.sample(ON_ORDERS, 4):
            add(fault, 0.15, "*rder")
        for fault in rng.sample(ON_ALL, 2):
            add(fault, 0.03)
        for fault in rng.sample(ON_FRAMES, 2):
            add(fault, 0.1)

    async def _live(self, exchange: Exchange) -> None:
        """Wishes one after the other and side by side, with a stream of the own orders beside them."""
        following = runtime.spawn(self._follow(exchange), name="follow")
        try:
            book = await exchange.fetch_order_book(SYMBOL, 5)
            assert book.best_bid is not None
            assert book.best_ask is not None
            prices = (book.best_bid, book.best_ask)
            await asyncio.gather(*(self._wish(exchange, next(self._numbers), prices) for _ in range(WISHES)))
        finally:
            following.cancel()
            await asyncio.wait([following])

    async def _follow(self, exchange: Exchange) -> None:
        async with exchange.watch_orders() as stream:
            stream.on_update(lambda order: self.tell("stream", order.client_order_id, order.state, order.filled))
            await runtime.sleep(3_600)

    async def _wish(self, exchange: Exchange, number: int, prices: tuple[float, float]) -> None:
        """One order: placed, perhaps by a caller who leaves, then perhaps canceled or asked for again."""
        rng = random.Random(f"{self.seed}/{number}")
        bid, ask = prices
        await runtime.sleep(rng.uniform(0, 3))
        side = rng.choice(("buy", "sell"))
        near = rng.random() < 0.4
        price = {("buy", True): ask * 1.005, ("buy", False): bid * 0.9}.get(
            (side, near), bid * 0.995 if near else ask * 1.1
        )
        amount = f"{Decimal(200 + number) / 100_000}"

        async def place() -> None:
            await self._place(exchange, number, side, amount, round(price, 1))

        asking = runtime.spawn(place(), name=f"wish {number}")
        if rng.random() < 0.25:
            await asyncio.wait([asking], timeout=rng.uniform(0, 0.1))
            asking.cancel()
        elif rng.random() < 0.3:
            await asyncio.gather(place(), asking)  # the same wish, twice at once
        await asyncio.wait([asking])
        if asking.cancelled():
            self.tell(number, "its caller left")
        elif (error := asking.exception()) is not None:
            raise error
        if rng.random() < 0.6 and f"wish {number}" in exchange.orders:
            await self._cancel(exchange, number)

    async def _place(self, exchange: Exchange, number: int, side: str, amount: str, price: float) -> None:
        try:
            handle = await exchange.create_limit_order(SYMBOL, side, amount, price, intent_id=f"wish {number}")
        except OrderUnknown as error:
            self.tell(number, "unknown", error.order.client_order_id)
        except PlanarError as error:
            self.tell(number, type(error).__name__, error.outcome.value, error.message)
        else:
            self.tell(number, handle.client_order_id, handle.state, handle.filled)

    async def _cancel(self, exchange: Exchange, number: int) -> None:
        handle = exchange.orders[f"wish {number}"]
        try:
            order = await exchange.cancel_order(handle.client_order_id, SYMBOL)
        except PlanarError as error:
            self.tell(number, "cancel", type(error).__name__, error.outcome.value)
        else:
            self.tell(number, "canceled", order.state, order.filled)

    async def _calm(self, exchange: Exchange) -> None:
        """Nothing goes wrong any more: everything becomes known."""
        due_s = runtime.monotonic() + CALM_S
        await self._reconciled(exchange)
        while exchange.orders.unknown and runtime.monotonic() < due_s:
            await runtime.sleep(1)
        await runtime.sleep(20)
        found = await self._reconciled(exchange)
        self.tell("calm", [(one.kind.value, one.text) for one in found.differences])

    async def _reconciled(self, exchange: Exchange) -> Reconciliation:
        """Asked for until it comes: a program that has just started does not know what the last one took of the limits."""
        while True:
            try:
                return await exchange.reconcile()
            except PlanarError as error:
                self.tell("reconcile", type(error).__name__)
                if not error.retryable:
                    raise
                await runtime.sleep(error.retry_after_s or 1.0)

    def _judge(self, exchange: Exchange, stage: Stage, account: str) -> None:
        """The program's orders beside the ledger's."""
        handles = {one.client_order_id: one for one in exchange.orders.history(1_000)}
        rows = _orders(stage, account)
        ledger = {row["client_id"]: row for row in rows}
        self.wrong += [f"{name} is twice at the exchange" for name, n in _counts(rows).items() if n > 1]
        self.wrong += [f"{name} is unknown to the program" for name in ledger if name not in handles]
        for name, handle in handles.items():
            if (text := _difference(handle, ledger.get(name))) is not None:
                self.wrong.append(f"{name}: {text}")

    def _note(self, stage: Stage, directory: Path, account: str) -> None:
        """Write down what journal, alarms, faults and ledger hold."""
        for alarm in stage.told.alarms:
            self.lines.append(f"alarm {alarm}")
        for firing in stage.server.faults.firings():
            self.lines.append(f"fault {firing}")
        for path in sorted(directory.glob("*/journal/local/*/*.db")):
            journal = Journal(path)
            journal.open(read_only=True)
            events = list(journal.events())
            journal.close()
            self.lines += [f"journal {event}" for event in events]
            there = {row["client_id"] for row in _orders(stage, account)}
            wishes = Counter(one.intent_id for one in events if isinstance(one, Intent) and one.client_id in there)
            self.wrong += [f"{wish} has {n} orders" for wish, n in wishes.items() if n > 1]
        for kind in ("orders", "fills", "balances", "check"):
            told = stage.wire.ledger(LedgerQuery(kind=kind, account=account if kind != "check" else None))
            self.lines.append(f"ledger {told}")
            if kind == "check" and not told["ok"]:
                self.wrong.append(f"the ledger itself: {told['problems']}")


def _orders(stage: Stage, account: str) -> list[dict[str, object]]:
    """The orders of the life: the ledger has those of an earlier time too."""
    query = LedgerQuery(kind="orders", account=account, symbol=SYMBOL, since_ms=stage.since_ms)
    return stage.wire.ledger(query)["orders"]


def _counts(rows: list[dict[str, object]]) -> Counter[str]:
    return Counter(str(row["client_id"]) for row in rows)


ENDS = {
    "new": "open",
    "partially_filled": "open",
    "expired_in_match": "expired",
}


def _difference(handle: OrderHandle, row: dict[str, object] | None) -> str | None:
    state = handle.state
    if row is None:
        none = (OrderState.REJECTED, OrderState.NEVER_ACCEPTED)
        return None if state in none else f"{state.value}, and the ledger has no such order"
    theirs = ENDS.get(str(row["status"]), str(row["status"]))
    if state.value != theirs:
        return f"{state.value}, and in the ledger {theirs}"
    if Decimal(handle.filled or 0) != Decimal(str(row["filled"])):
        return f"filled {handle.filled}, and in the ledger {row['filled']}"
    return None


def live(directory: Path, seed: int) -> tuple[str, list[str]]:
    """One seed's life: its log, and what is wrong at its end."""
    one = Life(seed)
    simulated(directory, seed, lambda: one.run(directory))
    return "\n".join(one.lines) + "\n", one.wrong
