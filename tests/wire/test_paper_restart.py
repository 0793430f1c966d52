"""A program with a paper account is killed with SIGKILL again and again: its orders, fills and money stay whole."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from safety_kit import SYMBOL, local_of

import planar
from planar.models import Amount, OrderState
from planar.paper import file_of
from planar.paper.state import ZERO
from planar.paper.store import PaperStore
from planar.testing.local_venue import LocalVenue as Running
from planar.testing.local_venue import start_local_venue
from planar.transport.local import LocalVenue

KILLS = 6
PAPER = {"data": "local", "latency": 0, "balances": {"USDT": 1_000_000, "BTC": 10}}

PROGRAM = """
import asyncio, json, sys
import msgspec, planar
from planar.transport.local import LocalVenue

async def main():
    local = msgspec.json.decode(sys.argv[1], type=LocalVenue)
    async with planar.open(local_venue=local) as p:
        exchange = await p.exchange("binance", environment="paper", paper=json.loads(sys.argv[2]), enableRateLimit=False)
        number = int(sys.argv[3])
        async with exchange.watch_order_book("BTC/USDT") as books:
            while True:
                book = await anext(books)
                number += 1
                side, price = ("buy", book.bids[0][0]) if number % 2 else ("sell", book.asks[0][0])
                kind = "market" if number % 3 == 0 else "limit"
                order = await exchange.create_order(
                    "BTC/USDT", kind, side, "0.001", None if kind == "market" else price, intent_id=f"wish {number}"
                )
                print(json.dumps([order.client_order_id, order.id]), flush=True)
                if number % 4 == 0:
                    try:
                        await exchange.cancel_order(order.id, "BTC/USDT")
                    except planar.errors.OrderNotFound:
                        pass

asyncio.run(main())
"""


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with start_local_venue(["binance"], seed=9) as venue:
        yield venue


def live_once(running: Running, life: int, wait_s: float) -> list[list[str]]:
    """One life of the program: what it was told of its orders before it was killed."""
    arguments = [msgspec.json.encode(local_of(running)).decode(), json.dumps(PAPER), str(life * 1_000)]
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first, "it ended by itself"
    time.sleep(wait_s)
    process.send_signal(signal.SIGKILL)
    told = [first, *process.stdout]
    process.wait(10)
    process.stdout.close()
    return [json.loads(line) for line in told if line.endswith("\n")]


async def test_after_every_kill_all_is_there_and_nothing_twice(running: Running, tmp_path: Path) -> None:
    moments = random.Random(5)
    told = [row for life in range(KILLS) for row in live_once(running, life, moments.uniform(0.02, 0.25))]
    assert len(told) > KILLS
    check_file(file_of(tmp_path / "state", "local", "binance", ""))
    local: LocalVenue = local_of(running)
    async with planar.open(local_venue=local) as p:
        exchange = await p.exchange("binance", environment="paper", paper=PAPER, enableRateLimit=False)
        found = await exchange.reconcile()
        assert (found.failed, found.orphans, found.foreign) == ((), (), 0)
        assert exchange.readiness.ready
        for order in exchange.orders.history(10_000):
            if order.state is OrderState.UNKNOWN:
                await order.resolved(20)
        known = {order.client_order_id: order for order in exchange.orders.history(10_000)}
        there = {order.client_order_id: order for order in await exchange.fetch_orders(SYMBOL)}
        for client_id, order_id in told:
            assert known[client_id].id == order_id == there[client_id].id
        for client_id, order in known.items():
            if client_id not in there:
                assert order.state is OrderState.NEVER_ACCEPTED
            else:
                assert (order.state, order.filled) == (there[client_id].state, there[client_id].filled)
        assert set(there) <= set(known), "an order that nobody journaled"
        for order in await exchange.fetch_open_orders():
            await exchange.cancel_order(order.id or "", SYMBOL)
        assert (await exchange.fetch_balance())["USDT"].used == 0


def check_file(path: Path) -> None:
    """Every number of the file follows from its fills."""
    store = PaperStore(path)
    assert store.open_to_read()
    summary, fills, orders = store.summary(), store.fills(SYMBOL, 0, 100_000), store.orders(SYMBOL, 0, 100_000)
    store.close()
    assert [fill.number for fill in fills] == list(range(1, summary.fills + 1))
    assert [order.number for order in orders] == list(range(1, summary.orders + 1))
    held = {code: Amount(value) for code, value in summary.start.items()}
    for fill in fills:
        sign = 1 if fill.side == "buy" else -1
        held["BTC"] = held["BTC"] + fill.amount * sign
        held["USDT"] = held["USDT"] - fill.cost * sign
        held[fill.fee_currency] = held[fill.fee_currency] - fill.fee
    assert {code: one.free + one.used for code, one in summary.holdings.items()} == held
    for order in orders:
        assert order.filled == sum((fill.amount for fill in fills if fill.order_id == order.id), ZERO)
    assert {order.id for order in orders if order.stands} == {
        order.id for order in orders if order.status in ("open", "waiting", "triggered")
    }
