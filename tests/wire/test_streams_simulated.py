"""Venue and client in one seeded loop: the same streams twice, and minutes of waiting in no time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from streams_kit import SYMBOL, Local, Truth, local_binance

import planar.runtime as runtime
from planar.errors import StaleData
from planar.streams import StreamRules, StreamState

T = TypeVar("T")


def play(scene: Callable[[Local], Awaitable[T]], seed: int) -> T:
    async def scenario() -> T:
        with tempfile.TemporaryDirectory() as directory:
            async with local_binance(Path(directory), sockets=Path("/simulated"), limit_s=None) as local:
                return await scene(local)

    return runtime.simulate(scenario, seed=seed, start_wall_ms=1_700_000_000_000)


async def observe(local: Local) -> list[str]:
    """A minute of streams with a lost connection in it."""
    hub, log = local.new_hub(StreamRules()), []
    async with hub.order_book(SYMBOL, 3) as books, hub.trades(SYMBOL) as trades, hub.orders() as orders:
        trades.on_update(lambda trade: log.append(repr(trade)))
        orders.on_update(lambda order: log.append(repr(order)))
        for step in range(40):
            try:
                log.append(repr(await anext(books)))
            except StaleData as error:
                log.append(str(error))
            if step == 10:
                await local.buy("pl-sim-1", "0.5")
            if step == 20:
                await local.meddler.cut()
        while trades.state is not StreamState.LIVE:
            await runtime.sleep(0.1)
        log.append(repr(trades.gaps))
    log.append(f"{runtime.monotonic():.9f}")
    return log


def test_two_runs_of_one_seed_are_the_same() -> None:
    first = play(observe, 5)
    assert first == play(observe, 5)
    assert any("resyncing" in line for line in first)
    assert any("pl-sim-1" in line for line in first)
    assert first != play(observe, 6)


async def resynchronise_late(local: Local) -> list[str]:
    """A lost update after a minute: the deadline of the call that once subscribed is long over."""
    hub, lost = local.new_hub(StreamRules()), []

    def drop_one(url: str, frame: str) -> list[str]:
        if json.loads(frame).get("e") != "depthUpdate" or lost:
            return [frame]
        lost.append(frame)
        return []

    async with hub.order_book(SYMBOL, stale="yield") as books:
        await anext(books)
        await runtime.sleep(60)
        assert books.state is StreamState.LIVE
        local.meddler.alter = drop_one
        states = []
        while len(states) < 3:
            await anext(books)
            if not states or states[-1] != books.state:
                states.append(books.state)
    return [state.value for state in states]


def test_a_late_resynchronisation_has_a_deadline_of_its_own() -> None:
    assert play(resynchronise_late, 1) == ["live", "resyncing", "live"]


async def under_faults(local: Local) -> tuple[int, int, int]:
    """Half a minute of a book, of which one frame in ten is lost, doubled, or comes after its successor."""
    rng = runtime.current().random
    held: list[str] = []

    def meddle(url: str, frame: str) -> list[str]:
        if json.loads(frame).get("e") != "depthUpdate":
            return [frame]
        frames = [frame, *held]
        held.clear()
        chance = rng.random()
        if chance < 0.03:
            frames = frames[1:]
        elif chance < 0.06:
            frames.insert(0, frame)
        elif chance < 0.10:
            held.append(frames.pop(0))
        return frames

    model = local.wire.world.model
    model.frozen = True
    truth = Truth(local.wire)
    truth.begin(await local.adapter.fetch_order_book(SYMBOL, 5_000, {}, timeout_ms=5_000))
    model.frozen = False
    hub = local.new_hub(StreamRules(backoff_s=0.05))
    until_s, right, wrong, losses = runtime.monotonic() + 30, 0, 0, 0
    async with hub.order_book(SYMBOL, 5) as books:
        await anext(books)
        local.meddler.alter = meddle
        while runtime.monotonic() < until_s:
            try:
                book = await anext(books)
            except StaleData:
                losses += 1
                continue
            if book.nonce in truth.tops:
                same = (list(book.bids), list(book.asks)) == truth.tops[book.nonce]
                right, wrong = right + same, wrong + (not same)
    return right, wrong, losses


def test_a_book_under_faults_is_right_or_not_shown() -> None:
    right, wrong, losses = play(under_faults, 2)
    assert wrong == 0
    assert right > 100
    assert losses > 5


async def half_open(local: Local) -> float:
    """Nothing comes any more, and nothing says so."""
    hub = local.new_hub(StreamRules())
    async with hub.orders() as orders:
        while orders.state is not StreamState.LIVE:
            await runtime.sleep(0.1)
        await runtime.sleep(300)  # quiet is no fault
        assert orders.state is StreamState.LIVE
        local.meddler.silent = True
        begun = runtime.monotonic()
        while orders.state is StreamState.LIVE:
            await runtime.sleep(0.1)
        return runtime.monotonic() - begun


def test_a_dead_connection_is_found_within_a_minute() -> None:
    assert 30 <= play(half_open, 1) <= 65
