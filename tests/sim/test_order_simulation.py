"""Client and venue in one process, one seed, virtual time: an order is placed, filled, lost and found; twice the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import planar
import planar.runtime as runtime
from planar.errors import OrderUnknown
from planar.orders.journal import Journal
from planar.transport.local import LocalVenue
from planar.venue.faults import FaultRule, HangAnswer
from planar.venue.server import VenueServer
from planar.venue.wire import LedgerQuery, load_wire


async def trade(directory: Path) -> bytes:
    """A limit order filled, one canceled, one whose answer is swallowed; everything that happened, as bytes."""
    wire = load_wire("binance", seed=7, activity=False)
    server = VenueServer([wire])
    record = await server.start(unix_path=str(directory / "venue.sock"))
    venue = LocalVenue(
        instance=record.instance, socket=record.socket, token=record.token, venues=list(record.venues), pid=record.pid
    )
    log: list[object] = []
    try:
        async with planar.open(local_venue=venue) as p:
            binance = await p.exchange("binance", environment="local", timeout=2_000)
            book = await binance.fetch_order_book("BTC/USDT", 5)
            filled = await binance.create_limit_buy_order("BTC/USDT", "0.02", book.asks[0][0] + 50)
            log.append((await filled.settled(10)).state)
            resting = await binance.create_limit_buy_order("BTC/USDT", "0.02", round(book.bids[0][0] * 0.9, 2))
            log.append((await binance.cancel_order(resting.id, "BTC/USDT")).state)
            server.faults.add(FaultRule(fault=HangAnswer(), method="POST", path="/api/v3/order", count=1))
            with pytest.raises(OrderUnknown) as caught:
                await binance.create_limit_buy_order("BTC/USDT", "0.03", round(book.bids[0][0] * 0.9, 2))
            lost = await caught.value.order.resolved(20)
            log.append((lost.state, lost.id, runtime.monotonic()))
            journal = next(Path(directory).glob("state/journal/local/*/*.db"))
            account = binance.account or wire.accounts()[0].account
        for kind in ("orders", "fills", "balances", "check"):
            log.append(wire.ledger(LedgerQuery(kind=kind, account=account if kind != "check" else None)))
    finally:
        await server.stop()
    again = Journal(journal)
    again.open()
    log.extend(str(event) for event in again.events())
    again.close()
    return json.dumps(log, default=str, indent=1).encode()


def run(directory: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> bytes:
    directory.mkdir()
    monkeypatch.setenv("PLANAR_STATE", str(directory / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(directory / "cache"))
    monkeypatch.chdir(directory)
    return runtime.simulate(lambda: trade(directory), seed=seed)


def test_one_seed_gives_the_same_bytes_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(tmp_path / "a", 11, monkeypatch)
    second = run(tmp_path / "b", 11, monkeypatch)
    assert first == second
    assert b'"filled"' in first
    assert b"Unknown(" in first
    assert b"Seen(" in first


def test_another_seed_gives_another_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tmp_path / "a", 11, monkeypatch) != run(tmp_path / "b", 12, monkeypatch)
