"""A paper account and the exchange that it listens to in one seeded loop: one seed, the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import planar
import planar.runtime as runtime
from planar.models.codec import to_json
from planar.paper.store import PaperStore
from planar.transport.local import LocalVenue
from planar.venue.server import VenueServer
from planar.venue.wire import load_wire

SYMBOL = "BTC/USDT"
PAPER = {"data": "local", "balances": {"USDT": 10_000, "BTC": 1}, "latency": "80ms"}


async def trade(directory: Path) -> bytes:
    """Minutes at a market that moves; all that the account has become, as bytes."""
    wire = load_wire("binance", seed=7, activity=True)
    server = VenueServer([wire])
    record = await server.start(unix_path=str(directory / "venue.sock"))
    venue = LocalVenue(
        instance=record.instance, socket=record.socket, token=record.token, venues=list(record.venues), pid=record.pid
    )
    log: list[object] = []
    try:
        async with planar.open(local_venue=venue) as p:
            exchange = await p.exchange("binance", environment="paper", paper=PAPER)
            async with exchange.watch_orders() as orders, exchange.watch_my_trades() as fills:
                orders.on_update(lambda order: log.append(("order", runtime.monotonic(), repr(order), order.info)))
                fills.on_update(lambda fill: log.append(("fill", runtime.monotonic(), repr(fill))))
                for number in range(8):
                    book = await exchange.fetch_order_book(SYMBOL, 5)
                    side, price = ("buy", book.bids[0][0]) if number % 2 else ("sell", book.asks[0][0])
                    await exchange.create_limit_order(SYMBOL, side, "0.003", price)
                    if number % 4 == 0:
                        await exchange.create_market_order(SYMBOL, side, "0.002")
                        stop = round(book.bids[0][0] * 0.9995, 2)
                        await exchange.create_stop_market_order(SYMBOL, "sell", "0.001", stop)
                    await runtime.sleep(30)
                await exchange.cancel_all_orders(SYMBOL)
            log.append(repr(await exchange.fetch_balance()))
    finally:
        await server.stop()
    store = PaperStore(directory / "state" / "paper" / "local" / "binance.db")
    assert store.open_to_read()
    log += [
        to_json(one).decode() for one in (store.summary(), store.orders(SYMBOL, 0, 999), store.fills(SYMBOL, 0, 999))
    ]
    store.close()
    return json.dumps(log, default=str, indent=1).encode()


def run(directory: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> bytes:
    directory.mkdir()
    monkeypatch.setenv("PLANAR_STATE", str(directory / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(directory / "cache"))
    monkeypatch.chdir(directory)
    return runtime.simulate(lambda: trade(directory), seed=seed)


def test_one_seed_gives_the_same_account_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(tmp_path / "a", 21, monkeypatch)
    assert first == run(tmp_path / "b", 21, monkeypatch)
    for part in (b"maker", b"taker", b"stop_price", b'"canceled'):
        assert part in first.replace(b'\\"', b'"'), part
    assert first != run(tmp_path / "c", 22, monkeypatch)
