"""Callers who leave: each call is cancelled after its first step, after its second, and so on until it ends by itself.

    python -m benchmarks.safety.leaving --exchange binance          warm: one workspace; cold: a new one for each step
    python -m benchmarks.safety.leaving --real                      on asyncio's own loop, over real sockets

A step is a pass of the event loop, so whatever the call or one of its tasks awaits is met. Afterwards the wish is wished
again under its name, as a program does: in the ledger there is one order of it, the journal says the same of it, and of
tasks and open files there are as many as before.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec

import planar
import planar.runtime as runtime
from benchmarks.safety.simulated import PLACES, SYMBOL, Stage, own_state, simulated, staged
from benchmarks.safety.venue import PLACES as FREE
from planar.errors import OrderNotFound, OrderUnknown, PlanarError
from planar.exchange import Exchange
from planar.models import OrderState
from planar.venue.faults import DropAnswer, FaultRule
from planar.venue.wire import LedgerQuery

T = TypeVar("T")

CALLS = ("create", "create, answer lost", "cancel", "reconcile")
SETTLED_S = 200.0
"""How long an order may stay unknown here: Kraken's counters allow a query every three seconds."""
BEHIND = ("orders: submit ", "orders: cancel ")
"""Tasks that go on when a caller leaves."""
MOST = 5_000
"""Steps that no call has."""


class Left(msgspec.Struct):
    """What became of the callers who left.

    Attributes:
        steps: after how many different steps each call was left.
        wrong: what the ledger, the journal, tasks or files show that should not be.
    """

    steps: Counter[str] = msgspec.field(default_factory=Counter)
    wrong: list[str] = []


class Steps:
    """Counts the passes of the running loop, and does something after the n-th."""

    def __init__(self) -> None:
        self._loop: Any = asyncio.get_running_loop()
        self._pass = self._loop._run_once
        self._left, self._then = 0, lambda: None
        self._loop._run_once = self._step

    def after(self, count: int, then: Callable[[], object]) -> None:
        """Call `then` when so many more passes are over."""
        self._left, self._then = count, then

    def _step(self) -> None:
        self._pass()
        if self._left:
            self._left -= 1
            if not self._left:
                self._then()

    def end(self) -> None:
        """Count no more."""
        del self._loop._run_once


async def left_after(steps: Steps, count: int, call: Coroutine[Any, Any, Any]) -> bool:
    """Run a call, and cancel it after so many passes; whether it was cancelled before it ended.

    Raises:
        BaseException: what the call raised, if that is nothing of the exchange's.
    """
    task = runtime.spawn(call, name="leaving: call")
    steps.after(count, task.cancel)
    await asyncio.gather(task, return_exceptions=True)
    steps.after(0, lambda: None)
    if task.cancelled():
        return True
    error = task.exception()
    if error is not None and not isinstance(error, PlanarError):
        raise error
    return False


class Leaver:
    """Leaves every call of one exchange at every step."""

    def __init__(self, stage: Stage, found: Left, exchange_id: str, *, stride: int, paced: bool) -> None:
        self._stage = stage
        self._found = found
        self._id = exchange_id
        self._stride = stride
        self._paced = paced
        self._price = 0.0
        self._account = stage.wire.accounts()[0].account
        self._wishes = 0

    # -- one workspace -----------------------------------------------------------------------------------------------
    async def warm(self) -> None:
        """All calls, in one workspace."""
        before = census()
        async with self._stage.workspace() as workspace:
            exchange = await self._open(workspace)
            await insisted(exchange.reconcile)
            bid = (await exchange.fetch_order_book(SYMBOL, 5)).best_bid
            assert bid is not None
            self._price = round(bid * 0.9, 1)
            steps = Steps()
            for call in CALLS:
                for count in range(1, MOST, self._stride):
                    if not await self._once(call, steps, count, exchange):
                        break
                    self._found.steps[call] += 1
            steps.end()
            await self._settle(exchange)
            self._check_tasks(exchange)
        await self._check_census(before)

    async def _once(self, call: str, steps: Steps, count: int, exchange: Exchange) -> bool:
        """One call that is left; False if it ended before that."""
        self._wishes += 1
        intent = f"wish {self._wishes}"
        if call == "create, answer lost":
            rule = FaultRule(fault=DropAnswer(), id=intent, method="POST", path=PLACES[self._id])
            self._stage.server.faults.add(rule)
        if call == "cancel":
            await self._wish(exchange, intent)
            left = await left_after(steps, count, exchange.cancel_order(self._name(exchange, intent), SYMBOL))
        elif call == "reconcile":
            return await left_after(steps, count, exchange.reconcile())
        else:
            left = await left_after(steps, count, self._create(exchange, intent))
        self._stage.server.faults.clear()
        await self._finish(exchange, intent, f"{call}, left after step {count}")
        return left

    # -- a workspace for each step -------------------------------------------------------------------------------------
    async def cold(self) -> None:
        """The first order of a workspace: everything that it opens and asks for is met."""
        for count in range(1, MOST, self._stride):
            before = census()
            self._wishes += 1
            intent = f"wish {self._wishes}"
            async with self._stage.workspace() as workspace:
                steps = Steps()

                async def first(workspace: Any = workspace, intent: str = intent) -> None:
                    await self._create(await self._open(workspace), intent)

                left = await left_after(steps, count, first())
                steps.end()
                exchange = await self._open(workspace)
                await self._finish(exchange, intent, f"first order, step {count}")
                self._check_tasks(exchange)
            await self._check_census(before)
            if not left:
                break
            self._found.steps["first order"] += 1
            if self._paced:
                await runtime.sleep(60)  # a new workspace does not know what the last one took of the counters

    # -- what is done ------------------------------------------------------------------------------------------------
    async def _open(self, workspace: planar.Workspace) -> Exchange:
        return await workspace.exchange(self._id, environment="local", timeout=5_000, enableRateLimit=self._paced)

    async def _create(self, exchange: Exchange, intent: str) -> None:
        await exchange.create_limit_buy_order(SYMBOL, "0.001", self._price, intent_id=intent)

    async def _wish(self, exchange: Exchange, intent: str) -> None:
        """The order of a wish, until it is known."""
        while True:
            with contextlib.suppress(OrderUnknown):
                await insisted(lambda: self._create(exchange, intent))
            order = await exchange.orders[intent].resolved(SETTLED_S)
            if order.state not in (OrderState.PENDING, OrderState.REJECTED, OrderState.NEVER_ACCEPTED):
                return
            await runtime.sleep(0.01)

    async def _finish(self, exchange: Exchange, intent: str, where: str) -> None:
        """Wish again, compare with the ledger, cancel, compare again."""
        while under_way := [task for task in asyncio.all_tasks() if task.get_name().startswith(BEHIND)]:
            await asyncio.wait(under_way)
        await self._wish(exchange, intent)
        if self._paced:
            # an acknowledgement may tell no state, and the query for it may have to wait for the limits
            await insisted(exchange.reconcile)
        self._compare(exchange, intent, where)
        name = self._name(exchange, intent)
        while exchange.orders[name].state is OrderState.OPEN:
            try:
                await insisted(lambda: exchange.cancel_order(name, SYMBOL))
            except OrderNotFound:
                await insisted(lambda: exchange.fetch_order(name, SYMBOL))
        self._compare(exchange, intent, f"{where}, canceled")

    def _name(self, exchange: Exchange, intent: str) -> str:
        return exchange.orders[intent].client_order_id

    def _compare(self, exchange: Exchange, intent: str, where: str) -> None:
        query = LedgerQuery(kind="orders", account=self._account, symbol=SYMBOL, since_ms=self._stage.since_ms)
        rows = self._stage.wire.ledger(query)["orders"]
        mine = {one.client_order_id for one in exchange.orders.history(1_000)}
        open_there = [row["client_id"] for row in rows if row["status"] == "new"]
        name = self._name(exchange, intent)
        state = exchange.orders[name].state
        expected = [name] if state is OrderState.OPEN else []
        if open_there != expected:
            self._found.wrong.append(f"{where}: {name} is {state.value}, and in the ledger {open_there} are open")
        times = [row["client_id"] for row in rows].count(name)
        if times != 1:
            self._found.wrong.append(f"{where}: {name} is {times} times in the ledger")
        if strangers := [row["client_id"] for row in rows if row["client_id"] not in mine] and len(rows) < 1_000:
            self._found.wrong.append(f"{where}: the journal does not have {strangers}")

    async def _settle(self, exchange: Exchange) -> None:
        """Until nothing is looked into any more."""
        await insisted(exchange.reconcile)
        due_s = runtime.monotonic() + SETTLED_S
        while exchange.orders.unknown and runtime.monotonic() < due_s:
            await runtime.sleep(1)

    def _check_tasks(self, exchange: Exchange) -> None:
        if len(exchange.orders):
            self._found.wrong.append(f"{len(exchange.orders)} orders have not ended")
        names = Counter(task.get_name() for task in asyncio.all_tasks() if not task.done())
        under_way = [name for name in names if name.startswith((*BEHIND, "leaving: "))]
        if under_way:
            self._found.wrong.append(f"still under way: {under_way}")

    async def _check_census(self, before: tuple[Counter[str], int]) -> None:
        for _ in range(50):  # the exchange's side of a connection ends a moment later
            if census() == before:
                return
            await runtime.sleep(0.02)
            gc.collect()
        tasks, files = census()
        self._found.wrong.append(
            f"left over: tasks {dict(tasks - before[0])}, {files - before[1]} open files of {before[1]}"
        )


async def insisted(call: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Call until it is not refused for a while."""
    while True:
        try:
            return await call()
        except PlanarError as error:
            if not error.retryable:
                raise
            await runtime.sleep(error.retry_after_s or 1.0)


def census() -> tuple[Counter[str], int]:
    """Tasks by name, without the exchange's own, and how many files are open."""
    tasks = (task for task in asyncio.all_tasks() if not task.done())
    names = Counter(task.get_name() for task in tasks if "planar/venue" not in _file_of(task))
    return names, len(os.listdir("/proc/self/fd"))


def _file_of(task: asyncio.Task[Any]) -> str:
    code = getattr(task.get_coro(), "cr_code", None)
    return "" if code is None else code.co_filename


def leaving(
    directory: Path, exchange_id: str, *, seed: int = 1, stride: int = 1, real: bool = False, cold: bool = True
) -> Left:
    """Leave every call at every `stride`-th step."""
    found = Left()

    async def main() -> None:
        # real minutes are not to be had: nothing is paced there
        async with staged(directory, FREE[exchange_id].factory if real else exchange_id, seed) as stage:
            stage.wire.bench().model.frozen = True  # nobody else trades, which only takes time
            one = Leaver(stage, found, exchange_id, stride=stride, paced=not real)
            await one.warm()
            if cold:
                await one.cold()

    if real:
        with own_state(directory):
            asyncio.run(main())
    else:
        simulated(directory, seed, main)
    return found


def main() -> int:
    """Run and print; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exchange", choices=list(PLACES))
    parser.add_argument("--real", action="store_true", help="real sockets and time")
    parser.add_argument("--stride", type=int, default=1, help="leave out steps in between")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    bad = 0
    for exchange_id in [given.exchange] if given.exchange else PLACES:
        with tempfile.TemporaryDirectory() as name:
            found = leaving(Path(name), exchange_id, seed=given.seed, stride=given.stride, real=given.real)
        told = ", ".join(f"{call}: {count} steps" for call, count in found.steps.items())
        print(f"{exchange_id}, {'real' if given.real else 'simulated'}: {told}; {len(found.wrong)} wrong")
        for text in found.wrong[:20]:
            print(f"  {text}")
        bad += len(found.wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
