"""Two exchanges and a client in one process, one seed, faults by chance all the time: twice the same bytes.

Streams of both exchanges run beside orders on both, while requests, answers and frames are dropped, delayed, doubled,
cut and garbled. What the client was told and what the ledgers hold is written down; two runs write the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import planar
import planar.runtime as runtime
from planar.errors import OrderUnknown, PlanarError
from planar.exchange import Exchange
from planar.transport.local import LocalVenue
from planar.venue.faults import (
    CloseSocket,
    CutAnswer,
    DelayAnswer,
    DelayFrame,
    DoubleFrame,
    DropAnswer,
    DropFrame,
    DropRequest,
    Fault,
    FaultRule,
    RefuseRequest,
    ReorderFrame,
    ReplaceAnswer,
    Silence,
)
from planar.venue.server import VenueServer
from planar.venue.wire import LedgerQuery, load_wire

VENUES = ("binance", "kraken")
SYMBOL = "BTC/USDT"
ORDERS = 4
REQUEST_FAULTS: tuple[Fault, ...] = (
    DropRequest(),
    DropAnswer(),
    DelayAnswer(delay_ms=700),
    CutAnswer(keep_bytes=20),
    RefuseRequest(status=503, body="<html>busy</html>"),
    ReplaceAnswer(status=200, body=""),
)
FRAME_FAULTS: tuple[Fault, ...] = (
    DropFrame(),
    DoubleFrame(),
    DelayFrame(delay_ms=150),
    ReorderFrame(),
    Silence(for_ms=400),
    CloseSocket(code=1012, reason="restart"),
)


def add_faults(server: VenueServer, seed: int) -> None:
    """Each kind by chance, with a seed of its own."""
    for number, fault in enumerate(REQUEST_FAULTS):
        server.faults.add(
            FaultRule(fault=fault, method="POST", path="*rder*", probability=0.08, count=None, seed=seed + number)
        )
    for number, fault in enumerate(FRAME_FAULTS):
        server.faults.add(FaultRule(fault=fault, probability=0.002, count=None, seed=seed + 50 + number))


class Diary:
    """What the client was told, in the order in which it was."""

    def __init__(self) -> None:
        self.lines: list[Any] = []
        self.updates = hashlib.sha256()
        self.count = 0

    def tell(self, *words: object) -> None:
        """Something about an order."""
        self.lines.append([round(runtime.monotonic(), 6), *(str(word) for word in words)])

    async def follow(self, exchange: Exchange) -> None:
        """Every book that is published."""
        async with exchange.watch_order_book(SYMBOL, 5, stale="yield") as books:
            async for book in books:
                self.updates.update(msgspec.json.encode(book))
                self.count += 1


async def trade(exchange: Exchange, diary: Diary) -> None:
    """Orders that rest and are canceled; whatever happens to them is written down."""
    book = None
    while book is None:
        try:
            book = await exchange.fetch_order_book(SYMBOL, 5)
        except PlanarError as error:
            diary.tell(exchange.id, type(error).__name__)
    price = round(book.bids[0][0] * 0.9, 1)
    for number in range(ORDERS):
        try:
            handle = await exchange.create_limit_buy_order(SYMBOL, "0.01", price + number)
        except OrderUnknown as error:
            diary.tell(exchange.id, number, "unknown")
            handle = await error.order.resolved(60)
        except PlanarError as error:
            diary.tell(exchange.id, number, type(error).__name__, error.outcome)
            continue
        diary.tell(exchange.id, number, handle.client_order_id, handle.state)
        try:
            diary.tell(exchange.id, number, (await exchange.cancel_order(handle.client_order_id, SYMBOL)).state)
        except PlanarError as error:
            diary.tell(exchange.id, number, "cancel", type(error).__name__, error.outcome)
        await runtime.sleep(0.5)


async def session(directory: Path, seed: int) -> bytes:
    """Play; everything that happened, as bytes."""
    wires = [load_wire(name, seed=seed, activity=True) for name in VENUES]
    server = VenueServer(wires)
    record = await server.start(unix_path=str(directory / "venue.sock"))
    venue = LocalVenue(
        instance=record.instance, socket=record.socket, token=record.token, venues=list(record.venues), pid=record.pid
    )
    diary = Diary()
    try:
        async with planar.open(local_venue=venue) as p:
            exchanges = [await p.exchange(name, environment="local", timeout=2_000) for name in VENUES]
            following = [runtime.spawn(diary.follow(one), name=f"follow {one.id}") for one in exchanges]
            await runtime.sleep(1)
            add_faults(server, seed)
            await asyncio.gather(*(trade(one, diary) for one in exchanges))
            await runtime.sleep(2)
            for task in following:
                task.cancel()
            await asyncio.wait(following)
        firings = [(one.kind, one.ts_ms, one.subject.venue) for one in server.faults.firings()]
        told = {"updates": diary.updates.hexdigest(), "count": diary.count, "lines": diary.lines, "firings": firings}
        ledgers = [
            [wire.ledger(LedgerQuery(kind=kind)) for kind in ("orders", "fills", "balances", "check")] for wire in wires
        ]
    finally:
        await server.stop()
    return json.dumps([told, ledgers], indent=1, default=str).encode()


def run(directory: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> bytes:
    directory.mkdir()
    monkeypatch.setenv("PLANAR_STATE", str(directory / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(directory / "cache"))
    monkeypatch.chdir(directory)
    return runtime.simulate(lambda: session(directory, seed), seed=seed)


@pytest.mark.parametrize("seed", [3, 4])
def test_faults_by_chance_and_the_same_bytes_twice(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(tmp_path / "a", seed, monkeypatch)
    assert run(tmp_path / "b", seed, monkeypatch) == first, f"seed {seed}"
    told, ledgers = json.loads(first)
    assert told["count"] > 20
    kinds = {kind for kind, _, _ in told["firings"]}
    assert len(kinds) >= 5, kinds
    assert any(kind.endswith(("_request", "_answer")) for kind in kinds)
    assert all(ledger[-1]["ok"] for ledger in ledgers)
