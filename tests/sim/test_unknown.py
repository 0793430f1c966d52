"""Answers that are lost after the venue acted, a venue that is silent, reads that lag: in virtual time, seeded.

The venue's own ledger is the judge. `lost_answers` is what longer runs call with other seeds and counts.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

import planar
import planar.runtime as runtime
from planar.errors import OrderUnknown, PlanarError
from planar.exchange import Exchange
from planar.models import Amount, OrderState
from planar.transport.alarms import Alarm
from planar.transport.local import LocalVenue
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
from planar.venue.server import VenueServer
from planar.venue.wire import LedgerQuery, load_wire

PLACES = {"binance": "/api/v3/order", "kraken": "/0/private/AddOrder"}
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
FAULTS: tuple[Fault, ...] = (
    DropAnswer(),
    HangAnswer(),
    CutAnswer(keep_bytes=40),
    ReplaceAnswer(status=200, body=HTML),
    ReplaceAnswer(status=503, body=HTML),
    ReplaceAnswer(status=200, body=""),
    DropRequest(),
)
LIMIT_S = {"binance": 10.0 + 5.0 + 2 * (2.0 + 2.0) + 2 * 2.0, "kraken": 120.0}
"""The deadline of an order, the longest window, the proof with its margins, and two polls of the slowest pace. On Kraken the
dozen queries of a proof wait for a counter that forgets one in three seconds."""


class Lost(msgspec.Struct):
    """What became of orders whose answers were lost.

    Attributes:
        wrong: orders whose final state is not the ledger's, with why.
        slow: orders that took longer than allowed, with how long.
        contradicted: alarms that told so.
    """

    orders: int = 0
    wrong: list[str] = []
    slow: list[str] = []
    contradicted: int = 0


class Told:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.alarms: list[Alarm] = []

    async def send(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)

    async def close(self) -> None:
        pass


async def staged(name: str, directory: Path, seed: int, play: Callable[..., Awaitable[None]]) -> None:
    wire = load_wire(name, seed=seed, activity=False)
    server = VenueServer([wire])
    record = await server.start(unix_path=str(directory / "venue.sock"))
    venue = LocalVenue(
        instance=record.instance, socket=record.socket, token=record.token, venues=list(record.venues), pid=record.pid
    )
    try:
        async with planar.open(local_venue=venue) as p:
            exchange = await p.exchange(name, environment="local", timeout=10_000)
            bid = (await exchange.fetch_order_book("BTC/USDT", 5)).best_bid
            assert bid is not None
            told = Told()
            p.alarms.add(told)
            await play(told, server, wire, exchange, round(bid * 0.9, 1))
    finally:
        await server.stop()


def ledger(wire, exchange: Exchange) -> dict[str, object]:
    account = exchange.account or wire.accounts()[0].account
    rows = wire.ledger(LedgerQuery(kind="orders", account=account, symbol="BTC/USDT"))["orders"]
    return {row["client_id"]: row for row in rows}


async def one_lost(server: VenueServer, exchange: Exchange, name: str, fault: Fault, price: float) -> tuple[str, float]:
    """An order whose answer is lost: its client id, and how long its end took."""
    server.faults.add(FaultRule(fault=fault, method="POST", path=PLACES[name], count=1))
    began = runtime.monotonic()
    try:
        order = await exchange.create_limit_buy_order("BTC/USDT", "0.001", price)
        client_id = order.client_order_id
    except OrderUnknown as error:
        await error.order.resolved(600)
        client_id = error.order.client_order_id
    except PlanarError as error:
        client_id = exchange.orders.history(1)[0].client_order_id
        assert error.outcome.value in ("refused", "not_sent")
    return client_id, runtime.monotonic() - began


def lost_answers(name: str, directory: Path, seed: int, count: int) -> Lost:
    """`count` orders, each with a fault of its own, by one seed."""
    found, rng = Lost(), random.Random(seed)

    async def play(told: Told, server: VenueServer, wire, exchange: Exchange, price: float) -> None:
        for _ in range(count):
            fault = rng.choice(FAULTS)
            client_id, took_s = await one_lost(server, exchange, name, fault, price)
            server.faults.clear()
            await runtime.sleep(20)  # what looking for it took of the venue's limits comes back
            found.orders += 1
            state, truth = exchange.orders[client_id].state, ledger(wire, exchange).get(client_id)
            if (state is OrderState.OPEN) != (truth is not None):
                found.wrong.append(f"{client_id}: {state.value} after {fault}, the ledger has {truth}")
            if took_s > LIMIT_S[name]:
                found.slow.append(f"{client_id}: {took_s:.1f} s after {fault}")
            if state is OrderState.OPEN:
                await exchange.cancel_order(client_id, "BTC/USDT")

    runtime.simulate(lambda: staged(name, directory, seed, play), seed=seed)
    return found


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", PLACES)
def test_no_lost_answer_ends_in_a_wrong_state(name: str, tmp_path: Path) -> None:
    found = lost_answers(name, tmp_path, 5, 40)
    assert (found.orders, found.wrong, found.slow) == (40, [], [])


@pytest.mark.parametrize("name", PLACES)
def test_a_silent_venue_is_never_guessed_about(name: str, tmp_path: Path) -> None:
    async def play(told: Told, server: VenueServer, wire, exchange: Exchange, price: float) -> None:
        await exchange.reconcile()
        server.faults.add(FaultRule(fault=DropAnswer(), id="lost", method="POST", path=PLACES[name], count=1))
        server.faults.add(FaultRule(fault=RefuseRequest(status=503, body=HTML), after="lost", count=None))
        with pytest.raises(OrderUnknown) as caught:
            await exchange.create_limit_buy_order("BTC/USDT", "0.001", price)
        order = caught.value.order
        unknown_s = runtime.monotonic()
        await runtime.sleep(10 - (runtime.monotonic() - unknown_s))
        assert [alarm.kind for alarm in told.alarms if alarm.kind == "order_unknown"] == ["order_unknown"]
        await runtime.sleep(120)
        assert order.state is OrderState.UNKNOWN
        assert exchange.reserved()["USDT"] >= Amount("0.001") * Amount(price)
        server.faults.clear()
        assert (await order.resolved(600)).state is OrderState.OPEN
        assert "USDT" not in exchange.reserved() or order.state is OrderState.OPEN

    runtime.simulate(lambda: staged(name, tmp_path, 3, play), seed=3)


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("lag_ms", [500, 900, 20_000])
def test_reads_that_lag_prove_nothing_false_or_are_corrected(name: str, lag_ms: int, tmp_path: Path) -> None:
    async def play(told: Told, server: VenueServer, wire, exchange: Exchange, price: float) -> None:
        await exchange.reconcile()
        server.faults.add(FaultRule(fault=DropAnswer(), id="lost", method="POST", path=PLACES[name], count=1))
        server.faults.add(FaultRule(fault=StaleRead(lag_ms=lag_ms), count=None))
        with pytest.raises(PlanarError):
            await exchange.create_limit_buy_order("BTC/USDT", "0.001", price, timeout_ms=400)
        order = exchange.orders.history(1)[0]
        # the answers may come late enough to show it, where the limits are short
        denied = (await order.resolved(60)).state is OrderState.NEVER_ACCEPTED
        if denied:
            assert lag_ms > 2_000
            await runtime.sleep(45)
            assert [alarm.kind for alarm in told.alarms if alarm.kind == "order_contradicted"]
        else:
            assert not [alarm for alarm in told.alarms if alarm.kind == "order_contradicted"]
        assert order.state is OrderState.OPEN

    runtime.simulate(lambda: staged(name, tmp_path, 4, play), seed=4)
