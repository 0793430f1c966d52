"""Executions that a stream or a query of the user brings are journaled with their orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import planar
from planar.exchange import Exchange
from planar.transport.local import LocalVenue
from planar.venue.client import start_private


@pytest.fixture
async def kraken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Exchange]:
    """Its answer to an order tells no execution."""
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    async with await start_private(["kraken"], seed=4) as private:
        record = private.record
        venue = LocalVenue(
            instance=record.instance,
            socket=record.socket,
            token=record.token,
            venues=list(record.venues),
            pid=record.pid,
        )
        async with planar.open(local_venue=venue) as workspace:
            yield await workspace.exchange("kraken", environment="local", timeout=5_000)


async def test_a_query_of_own_trades_feeds_the_journal(kraken: Exchange) -> None:
    handle = await kraken.create_market_order("BTC/USDT", "buy", "0.01")
    fills = [fill for fill in await kraken.fetch_my_trades("BTC/USDT") if fill.order_id == handle.id]
    assert fills
    facts = kraken._orders().store.facts(handle.client_order_id)
    assert {fill.trade_id for fill in facts.fills} == {fill.id for fill in fills}
    assert facts.filled == sum(fill.amount for fill in fills)


async def test_a_stream_of_own_trades_feeds_the_journal(kraken: Exchange) -> None:
    async with kraken.watch_my_trades("BTC/USDT") as stream:
        async with asyncio.timeout(10):
            while stream.state.value != "live":
                await asyncio.sleep(0.01)
            handle = await kraken.create_market_order("BTC/USDT", "buy", "0.01")
            store = kraken._orders().store
            while not store.facts(handle.client_order_id).fills:
                await store.changed(handle.client_order_id)
    facts = store.facts(handle.client_order_id)
    assert all(fill.order_id == handle.id for fill in facts.fills)
