"""An exchange that nobody can reach for a while: when it is back, everything goes on by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from streams_kit import SYMBOL, local_binance, until

from planar.errors import Outcome, PlanarError
from planar.models import OrderState
from planar.transport.observe import ExchangeHealth


async def test_reads_orders_streams_and_the_clock_go_on(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        monitor = local.adapter.exchange.planar.monitor
        health, call = ExchangeHealth(monitor), local.adapter.fetch_order_book
        updates: list[int] = []

        async def listen() -> None:
            async with local.hub.order_book(SYMBOL, stale="yield") as books:
                async for book in books:
                    updates.append(book.nonce or 0)

        listener = asyncio.create_task(listen())
        assert (await local.buy("pl-out-1")).state is OrderState.FILLED
        await until(lambda: updates and health.clock.samples)
        await local.meddler.stop()

        async def opened() -> None:
            while health.breaker == "closed":
                with pytest.raises(PlanarError):
                    await call(SYMBOL, 5, {}, timeout_ms=2_000)

        await asyncio.wait_for(opened(), 10)
        with pytest.raises(PlanarError) as refused:
            await local.buy("pl-out-2")
        assert refused.value.outcome is Outcome.NOT_SENT
        seen, samples = len(updates), health.clock.samples
        await local.meddler.start(str(tmp_path / "meddler.sock"))
        async with asyncio.timeout(10):
            while True:
                try:
                    await call(SYMBOL, 5, {}, timeout_ms=2_000)
                    break
                except PlanarError as error:
                    await asyncio.sleep(error.retry_after_s or 0.01)
        assert health.breaker == "closed"
        assert (await local.buy("pl-out-3")).state is OrderState.FILLED
        await local.adapter.fetch_balance({}, timeout_ms=2_000)
        await local.adapter.fetch_time(timeout_ms=2_000)
        assert health.clock.samples > samples
        await until(lambda: len(updates) > seen, 10)
        listener.cancel()
        await asyncio.wait([listener])
