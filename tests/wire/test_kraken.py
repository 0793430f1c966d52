"""The facade against the local Kraken: the same words, another venue's tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import planar
from planar.errors import InsufficientFunds, NotSupported, OrderUnknown, Outcome
from planar.exchange import Exchange
from planar.models import OrderState
from planar.transport.local import LocalVenue
from planar.venue.client import VenueControl, start_private
from planar.venue.faults import DropAnswer, FaultRule, ReplaceAnswer
from planar.venue.registry import VenueRecord
from planar.venue.wire import LedgerQuery


@pytest.fixture(scope="module")
def venue() -> object:
    loop = asyncio.new_event_loop()
    private = loop.run_until_complete(start_private(["kraken"], seed=3))
    loop.run_until_complete(private.__aenter__())
    yield private.record
    loop.run_until_complete(private.__aexit__(None, None, None))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
async def kraken(venue: VenueRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Exchange]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    local = LocalVenue(
        instance=venue.instance, socket=venue.socket, token=venue.token, venues=list(venue.venues), pid=venue.pid
    )
    async with planar.open(local_venue=local) as workspace:
        # the venue's own tier allows what the careful default budget would make a test wait for
        yield await workspace.exchange("kraken", environment="local", timeout=5_000, enableRateLimit=False)


@pytest.fixture
async def control(venue: VenueRecord) -> AsyncIterator[VenueControl]:
    async with VenueControl(venue) as opened:
        await opened.clear_faults()
        yield opened
        await opened.clear_faults()


async def test_the_life_of_orders_agrees_with_the_ledger(kraken: Exchange, control: VenueControl) -> None:
    book = await kraken.fetch_order_book("XBTUSDT")
    assert book.symbol == "BTC/USDT"
    assert book.best_bid is not None
    resting = await kraken.create_limit_buy_order("BTC/USDT", "0.01", round(book.best_bid * 0.9, 1))
    assert resting.state is OrderState.OPEN
    assert len(resting.client_order_id) <= 18
    bought = await kraken.create_market_buy_order("BTC/USDT", "0.01")
    assert (await bought.settled(10)).filled == planar.Amount("0.01")
    assert (await kraken.cancel_order(resting.client_order_id, "BTC/USDT")).state is OrderState.CANCELED
    for order in (resting, bought):
        rows = await control.ledger(LedgerQuery(kind="orders", account="alice", client_id=order.client_order_id))
        (row,) = rows["orders"]
        assert planar.Amount(row["filled"]) == order.filled
        assert row["status"] == order.state.value


async def test_what_kraken_does_not_have_is_refused_before_anything_is_sent(kraken: Exchange) -> None:
    with pytest.raises(NotSupported, match="FOK") as caught:
        await kraken.create_limit_buy_order("BTC/USDT", "0.01", 20_000, params={"timeInForce": "FOK"})
    assert caught.value.outcome is Outcome.NOT_SENT


async def test_a_stop_waits(kraken: Exchange) -> None:
    """CCXT's own `triggerPrice` would execute at once on Kraken."""
    bid = (await kraken.fetch_order_book("BTC/USDT")).best_bid
    assert bid is not None
    stop = await kraken.create_stop_market_order("BTC/USDT", "sell", "0.01", round(bid * 0.9, 1))
    await kraken.fetch_order(stop.id, "BTC/USDT")
    assert stop.state is OrderState.OPEN
    assert stop.filled == 0
    await kraken.cancel_order(stop.id, "BTC/USDT")


async def test_a_swallowed_answer_is_found_by_searching(kraken: Exchange, control: VenueControl) -> None:
    await kraken.reconcile()
    for fault in (DropAnswer(), ReplaceAnswer(status=200, body="<html>"), ReplaceAnswer(status=200, body="{}")):
        await control.add_fault(FaultRule(fault=fault, method="POST", path="/0/private/AddOrder"))
        try:
            order = await kraken.create_limit_buy_order("BTC/USDT", "0.01", 20_000)
        except OrderUnknown as error:
            order = error.order
            await order.resolved(10)
        assert order.state is OrderState.OPEN
        await kraken.cancel_order(order.id, "BTC/USDT")


async def test_a_refusal_is_the_venues_own_word(kraken: Exchange) -> None:
    with pytest.raises(InsufficientFunds) as caught:
        await kraken.create_limit_buy_order("BTC/USDT", "40", 50_000)
    assert (caught.value.outcome, caught.value.code) == (Outcome.REFUSED, "EOrder:Insufficient funds")


async def test_orders_fills_and_balances_stream(kraken: Exchange) -> None:
    async with (
        asyncio.timeout(20),
        kraken.watch_orders() as orders,
        kraken.watch_my_trades("BTC/USDT") as fills,
        kraken.watch_balance(stale="yield") as balances,
    ):
        before = await anext(balances)
        bought = await kraken.create_market_buy_order("BTC/USDT", "0.02")
        async for order in orders:
            if order.client_order_id == bought.client_order_id and order.state is OrderState.FILLED:
                break
        assert (bought.state, bought.filled) == (OrderState.FILLED, planar.Amount("0.02"))
        total = planar.Amount(0)
        async for fill in fills:
            if fill.order_id == bought.id:
                total = planar.Amount(total + fill.amount)
            if total == bought.filled:
                break
        async for balance in balances:
            if balance["BTC"].total != before["BTC"].total:
                break


async def test_a_book_streams(kraken: Exchange) -> None:
    async with asyncio.timeout(20), kraken.watch_order_book("BTC/USDT") as books:
        async for book in books:
            assert book.best_bid is not None
            break
