"""Venue and client in one seeded loop: the same streams twice, and an hour of waiting in no time."""

from __future__ import annotations

import tempfile
from pathlib import Path

from streams_kit import SYMBOL, Local, local_binance

import planar.runtime as runtime
from planar.errors import StaleData
from planar.streams import StreamRules, StreamState


def play(seed: int) -> list[str]:
    async def scenario() -> list[str]:
        with tempfile.TemporaryDirectory() as directory:
            async with local_binance(Path(directory), sockets=Path("/simulated"), limit_s=None) as local:
                return await observe(local)

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
    first = play(5)
    assert first == play(5)
    assert any("resyncing" in line for line in first)
    assert any("pl-sim-1" in line for line in first)
    assert first != play(6)
