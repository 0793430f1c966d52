"""Orders, market data and pollers that share one limit: the venue's own count is kept, and no order waits for data."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.safety.simulated import SYMBOL, simulated, staged

import planar.runtime as runtime
from planar.errors import RateLimitExceeded
from planar.exchange import Exchange

POLLERS = 30
FOR_S = 150.0


class Count:
    """What became of the calls."""

    def __init__(self) -> None:
        self.polls = 0
        self.held = 0
        self.waits_s: list[float] = []


async def poll(exchange: Exchange, count: Count, number: int) -> None:
    """Ask as often as is allowed."""
    while True:
        try:
            if number % 3:
                await exchange.fetch_order_book(SYMBOL, 1_000)
            else:
                await exchange.fetch_open_orders()
            count.polls += 1
        except RateLimitExceeded as error:
            assert error.outcome.value == "not_sent", error
            count.held += 1
            await runtime.sleep(min(error.retry_after_s or 1.0, 5.0))
        await runtime.sleep(0.05)


async def order(exchange: Exchange, count: Count, price: float) -> None:
    began_s = runtime.monotonic()
    placed = await exchange.create_limit_buy_order(SYMBOL, "0.001", price)
    count.waits_s.append(runtime.monotonic() - began_s)
    began_s = runtime.monotonic()
    await exchange.cancel_order(placed.id, SYMBOL)
    count.waits_s.append(runtime.monotonic() - began_s)


def test_no_limit_is_exceeded_and_no_order_waits_for_data(tmp_path: Path) -> None:
    async def main() -> Count:
        count = Count()
        async with staged(tmp_path, "binance", 1) as stage, stage.workspace() as workspace:
            exchange = await workspace.exchange("binance", environment="local")
            stage.wire.bench().model.frozen = True
            refused: list[int | None] = []
            workspace.on_request(lambda name, record: refused.append(record.http_status))
            bid = (await exchange.fetch_order_book(SYMBOL, 5)).best_bid
            assert bid is not None
            await order(exchange, count, round(bid * 0.9, 2))
            pollers = [runtime.spawn(poll(exchange, count, n), name=f"poll {n}") for n in range(POLLERS)]
            due_s = runtime.monotonic() + FOR_S
            while runtime.monotonic() < due_s:
                await order(exchange, count, round(bid * 0.9, 2))
                await runtime.sleep(1)
            for task in pollers:
                task.cancel()
            await asyncio.gather(*pollers, return_exceptions=True)
            assert not {429, 418} & set(refused)
        return count

    count = simulated(tmp_path, 1, main)
    assert count.held > 100, "the limit was never reached, so nothing was shown"
    assert count.polls > 100
    assert len(count.waits_s) > 200
    assert sorted(count.waits_s)[int(len(count.waits_s) * 0.99)] < 0.5, max(count.waits_s)
