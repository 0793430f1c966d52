"""Signed requests of Planar to the local Kraken: nonces, searches by client id, pages of the past."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from streams_kit import SYMBOL, local_kraken

import planar.runtime as runtime
from planar.adapters.base import OrderRef
from planar.errors import Outcome, RateLimitExceeded, RequestTimeout
from planar.models import OrderState
from planar.orders.sweeps import Sweeps
from planar.transport.context import CallContext, Priority
from planar.transport.lanes import TURN_S, NonceLane
from planar.venue.faults import DelayRequest, FaultRule, ReplaceAnswer


async def test_requests_that_leave_together_arrive_in_the_order_of_their_nonces(tmp_path: Path) -> None:
    async with local_kraken(tmp_path) as local:
        # the first of them is held up on its way
        local.server.faults.add(FaultRule(fault=DelayRequest(delay_ms=50), path="/0/private/*"))
        asked = [local.adapter.fetch_balance({}, timeout_ms=5_000) for _ in range(20)]
        asked += [local.adapter.fetch_open_orders(SYMBOL, {}, timeout_ms=5_000) for _ in range(20)]
        assert len(await asyncio.gather(*asked)) == 40


async def test_a_rate_limit_that_comes_with_status_200_is_obeyed(tmp_path: Path) -> None:
    async with local_kraken(tmp_path) as local:
        refusal = ReplaceAnswer(status=200, body='{"error":["EAPI:Rate limit exceeded"]}')
        local.server.faults.add(FaultRule(fault=refusal, path="/0/private/*", count=None))
        with pytest.raises(RateLimitExceeded) as caught:
            await local.adapter.fetch_balance({}, timeout_ms=2_000)  # too short to wait and ask again
        assert (caught.value.outcome, caught.value.retry_after_s) == (Outcome.REFUSED, 3.0)
        with pytest.raises(RateLimitExceeded, match="told us to wait") as caught:
            await local.adapter.fetch_balance({}, timeout_ms=1_000)
        assert caught.value.outcome is Outcome.NOT_SENT


async def test_a_client_id_is_looked_for_and_nothing_else(tmp_path: Path) -> None:
    """Open orders first, then ended ones, each list narrowed to the id: an order of months ago costs two questions."""
    async with local_kraken(tmp_path) as local:
        await local.buy("pl-find-1", "0.01", "40000")
        before = len(local.meddler.requests)
        found = await local.adapter.query_order(OrderRef(SYMBOL, client_id="pl-find-1"), {}, timeout_ms=5_000)
        assert found is not None
        assert found.state is OrderState.OPEN
        assert local.meddler.requests[before:] == ["POST /0/private/OpenOrders"]
        await local.adapter.cancel(OrderRef(SYMBOL, client_id="pl-find-1"), {}, timeout_ms=5_000)
        before = len(local.meddler.requests)
        found = await local.adapter.query_order(OrderRef(SYMBOL, client_id="pl-find-1"), {}, timeout_ms=5_000)
        assert found is not None
        assert found.state is OrderState.CANCELED
        assert local.meddler.requests[before:] == ["POST /0/private/OpenOrders", "POST /0/private/ClosedOrders"]
        assert await local.adapter.query_order(OrderRef(SYMBOL, client_id="pl-none"), {}, timeout_ms=5_000) is None


async def test_the_past_comes_with_all_its_pages(tmp_path: Path) -> None:
    """Kraken gives 50 rows at a time, the newest first; the oldest ones since a moment are on the last page."""
    async with local_kraken(tmp_path) as local:
        since_ms = runtime.wall_ms() - 1_000
        for number in range(60):
            await local.buy(f"pl-page-{number}", "0.001", "40000")
            await local.adapter.cancel(OrderRef(SYMBOL, client_id=f"pl-page-{number}"), {}, timeout_ms=5_000)
        found = await local.adapter.fetch_orders(SYMBOL, None, 500, {}, timeout_ms=5_000)
        mine = [order.client_order_id for order in found if (order.client_order_id or "").startswith("pl-page")]
        assert mine == [f"pl-page-{number}" for number in range(60)]
        found = await local.adapter.fetch_orders(SYMBOL, since_ms, 55, {}, timeout_ms=5_000)
        mine = [order.client_order_id for order in found if (order.client_order_id or "").startswith("pl-page")]
        assert mine == [f"pl-page-{number}" for number in range(55)]
        swept = await Sweeps(local.adapter, 5_000).sweep(SYMBOL, since_ms, trades=False)
        assert all(swept.named(f"pl-page-{number}") for number in range(60))


async def test_a_turn_passes_on_and_the_urgent_go_first() -> None:
    turns, order = NonceLane(), list[str]()

    async def ask(name: str, priority: Priority, hold_s: float, timeout_ms: int = 5_000) -> None:
        async with turns.turn(CallContext(name, timeout_ms, priority)):
            order.append(name)
            await asyncio.sleep(hold_s)

    began = asyncio.get_running_loop().time()
    first = asyncio.create_task(ask("hangs", Priority.MARKET, 1.0))
    await asyncio.sleep(0)
    with pytest.raises(RequestTimeout) as caught:
        await ask("late", Priority.ORDER, 0, timeout_ms=10)
    assert caught.value.outcome is Outcome.NOT_SENT
    rest = [ask("book", Priority.MARKET, 0), ask("order", Priority.ORDER, 0), ask("cancel", Priority.CANCEL, 0)]
    await asyncio.gather(*rest)
    assert order == ["hangs", "cancel", "order", "book"]
    assert TURN_S * 0.9 < asyncio.get_running_loop().time() - began < 0.9
    await first
