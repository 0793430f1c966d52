"""Both exchanges under many faults inside the seeded loop: two runs of one seed give the same bytes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
from fault_kit import TRADERS, Houses, KrakenTrader, Refused, Trader, open_houses

import planar.runtime as runtime
from planar.venue.faults import (
    CutAnswer,
    DelayAnswer,
    DelayFrame,
    DropAnswer,
    DropFrame,
    Fault,
    GarbleAnswer,
    RefuseRequest,
    ReorderFrame,
    ResetConnection,
    ShiftClock,
    StaleRead,
)
from planar.venue.steering.state import Halt, Reopen
from planar.venue.wire import LedgerQuery

START_MS = 1_780_000_000_000
ROUNDS = 25
CHANCES: tuple[tuple[Fault, float], ...] = (
    (DropAnswer(), 0.06),
    (DelayAnswer(delay_ms=400), 0.1),
    (CutAnswer(keep_bytes=20), 0.05),
    (GarbleAnswer(flips=2), 0.05),
    (RefuseRequest(status=503, body="busy"), 0.05),
    (StaleRead(lag_ms=5_000), 0.4),
    (ShiftClock(skew_ms=900), 0.3),
    (ResetConnection(), 0.3),
    (DropFrame(), 0.1),
    (DelayFrame(delay_ms=300), 0.2),
    (ReorderFrame(), 0.2),
)


async def day() -> list[object]:
    """What two traders saw, and what the ledgers say."""
    KrakenTrader.nonce = 0
    log: list[object] = []
    async with open_houses(Path("/simulated")) as houses:
        for number, (fault, probability) in enumerate(CHANCES):
            host = "*" if fault.part in ("frame",) else "api.*"
            houses.inject(fault, probability=probability, seed=number, host=host, count=None)
        await asyncio.gather(*(trade(houses, houses.trader(venue), log) for venue in TRADERS))
        for venue, wire in houses.wires.items():
            log += [venue, wire.ledger(LedgerQuery(kind="orders")), wire.ledger(LedgerQuery(kind="check"))]
        log += [(firing.kind, firing.ts_ms, firing.subject.path) for firing in houses.server.faults.firings()]
    return log


async def trade(houses: Houses, trader: Trader, log: list[object]) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector("/simulated/houses.sock")) as session:
        trader.session = session
        for number in range(ROUNDS):
            if number % 10 == 5:
                await houses.control.command(Halt(symbol="BTC/USDT"), venue=trader.id)
            if number % 10 == 7:
                await houses.control.command(Reopen(symbol="BTC/USDT"), venue=trader.id)
            for attempt in (trader.place("buy", "0.001", f"{20_000 + number}"), trader.open_ids(), listen(trader)):
                try:
                    log.append((trader.id, runtime.wall_ms(), await attempt))
                except (aiohttp.ClientError, TimeoutError, Refused, ValueError, TypeError, KeyError) as error:
                    log.append((trader.id, runtime.wall_ms(), type(error).__name__, str(error)))
            await runtime.sleep(1)


async def listen(trader: Trader) -> list[str]:
    """Frames that follow an order."""
    seen: list[str] = []
    async with asyncio.timeout(5):
        try:
            async with trader.stream() as socket:
                placing = asyncio.create_task(trader.place("sell", "0.0005"))
                await asyncio.gather(placing, return_exceptions=True)
                while True:
                    message = await socket.receive(timeout=0.5)
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        break
                    seen.append(message.data)
        except TimeoutError:
            seen.append("silence")
    return seen


def test_two_runs_of_one_seed_are_the_same() -> None:
    first = runtime.simulate(day, seed=5, start_wall_ms=START_MS)
    assert json.dumps(first, default=str) == json.dumps(
        runtime.simulate(day, seed=5, start_wall_ms=START_MS), default=str
    )
    kinds = {entry[0] for entry in first if isinstance(entry, tuple) and len(entry) == 3 and isinstance(entry[1], int)}
    assert {type(fault).__struct_config__.tag for fault, _ in CHANCES} <= kinds
    checks = [entry for entry in first if isinstance(entry, dict) and "ok" in entry]
    assert [entry["ok"] for entry in checks] == [True, True]
