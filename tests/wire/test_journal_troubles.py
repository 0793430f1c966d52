"""Orders of the local Binance while the journal cannot be written, and while it waits for the disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import planar
from planar.errors import JournalError, Outcome
from planar.exchange import Exchange
from planar.models import Order, OrderState
from planar.orders import journal_sync
from planar.orders.events import Acked, AnyEvent, Sending
from planar.orders.journal import Journal
from planar.transport.local import LocalVenue
from planar.venue.client import start_private
from planar.venue.registry import VenueRecord

PAIR = "BTC/USDT"


@pytest.fixture(scope="module")
def venue() -> object:
    """One venue for the module; started on a loop of its own, reached by record."""
    loop = asyncio.new_event_loop()
    private = loop.run_until_complete(start_private(["binance"], seed=5))
    loop.run_until_complete(private.__aenter__())
    yield private.record
    loop.run_until_complete(private.__aexit__(None, None, None))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
async def binance(
    venue: VenueRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Exchange]:
    """The exchange; a parameter is its durability."""
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PLANAR__BINANCE__ENVIRONMENT", "local")
    monkeypatch.setenv("PLANAR__BINANCE__DURABILITY", getattr(request, "param", "process"))
    monkeypatch.chdir(tmp_path)
    record = LocalVenue(
        instance=venue.instance, socket=venue.socket, token=venue.token, venues=list(venue.venues), pid=venue.pid
    )
    async with planar.open(local_venue=record) as workspace:
        yield await workspace.exchange("binance")


async def far(binance: Exchange) -> str:
    bid = (await binance.fetch_ticker(PAIR)).bid
    assert bid is not None
    return f"{bid * 0.9:.2f}"


def journal_of(binance: Exchange) -> Journal:
    assert binance._order_manager is not None
    return binance._order_manager.store.journal


async def own_open(binance: Exchange) -> list[Order]:
    """Open orders of this journal at the venue; the account has others."""
    mark = journal_of(binance).id
    return [order for order in await binance.fetch_open_orders(PAIR) if mark in (order.client_order_id or "")]


async def test_with_a_full_disk_new_orders_are_refused_and_cancels_and_queries_go(binance: Exchange) -> None:
    price = await far(binance)
    first = await binance.create_limit_buy_order(PAIR, "0.001", price)
    second = await binance.create_limit_buy_order(PAIR, "0.001", price)
    database = journal_of(binance).connection()
    database.execute("PRAGMA query_only = 1")
    with pytest.raises(JournalError, match="cannot be written") as caught:
        await binance.create_limit_buy_order(PAIR, "0.001", price, intent_id="wish")
    assert caught.value.outcome is Outcome.NOT_SENT
    assert "free disk space" in (caught.value.hint or "")
    assert (await binance.cancel_order(first.id or "", PAIR)).state is OrderState.CANCELED
    assert first.state is OrderState.CANCELED
    assert len(await own_open(binance)) == 1

    database.execute("PRAGMA query_only = 0")
    third = await binance.create_limit_buy_order(PAIR, "0.001", price, intent_id="wish")
    assert third.state is OrderState.OPEN
    seen = [event for event in journal_of(binance).events() if event.client_id == first.client_order_id]
    assert getattr(seen[-1], "state", None) == "canceled"  # what happened meanwhile is journaled now
    for order in (second, third):
        await binance.cancel_order(order.id or "", PAIR)


@pytest.mark.parametrize("kind", [Sending, Acked])
async def test_the_disk_fills_in_the_middle_of_an_order(
    binance: Exchange, kind: type[AnyEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before SENDING is journaled nothing leaves; after it the order is what the venue says."""
    price = await far(binance)
    await binance.reconcile()
    journal = journal_of(binance)
    real, full = journal.append, [True]

    def append(*events: AnyEvent) -> int:
        if full[0] and any(isinstance(event, kind) for event in events):
            journal.connection().execute("PRAGMA query_only = 1")
        return real(*events)

    monkeypatch.setattr(journal, "append", append)
    if kind is Sending:
        with pytest.raises(JournalError) as caught:
            await binance.create_limit_buy_order(PAIR, "0.001", price, intent_id="wish")
        assert caught.value.outcome is Outcome.NOT_SENT
        assert await own_open(binance) == []
    else:
        order = await binance.create_limit_buy_order(PAIR, "0.001", price, intent_id="wish")
        assert order.state is OrderState.OPEN
    full[0] = False
    journal.connection().execute("PRAGMA query_only = 0")
    again = await binance.create_limit_buy_order(PAIR, "0.001", price, intent_id="wish")
    assert again.state is OrderState.OPEN
    assert [one.id for one in await own_open(binance)] == [again.id]
    await binance.cancel_order(again.id or "", PAIR)
    kinds = {type(event) for event in journal.events()}
    assert kind in kinds


@pytest.mark.parametrize("binance", ["disk"], indirect=True)
async def test_durability_disk_sends_nothing_before_the_disk_has_it(
    binance: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = await far(binance)
    await binance.reconcile()
    group = journal_of(binance)._group
    assert group is not None
    began, go, syncs = asyncio.Event(), threading.Event(), [0]
    loop = asyncio.get_running_loop()

    def sync(name: str) -> None:
        syncs[0] += 1
        loop.call_soon_threadsafe(began.set)
        assert go.wait(10)
        journal_sync.sync_file(name)

    monkeypatch.setattr(group, "_sync", sync)
    orders = [asyncio.create_task(binance.create_limit_buy_order(PAIR, "0.001", price)) for _ in range(8)]
    await began.wait()
    assert await own_open(binance) == []  # and the loop goes on
    go.set()
    placed = await asyncio.gather(*orders)
    assert {order.state for order in placed} == {OrderState.OPEN}
    assert syncs[0] <= 8
    for order in placed:
        await binance.cancel_order(order.id or "", PAIR)


@pytest.mark.parametrize("binance", ["disk"], indirect=True)
async def test_a_disk_that_fails_stops_orders_before_they_are_sent(
    binance: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = await far(binance)
    order = await binance.create_limit_buy_order(PAIR, "0.001", price)
    group = journal_of(binance)._group
    assert group is not None

    def sync(name: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(group, "_sync", sync)
    for _ in range(2):
        with pytest.raises(JournalError, match="Input/output error") as caught:
            await binance.create_limit_buy_order(PAIR, "0.001", price)
        assert caught.value.outcome is Outcome.NOT_SENT
    assert len(await own_open(binance)) == 1
    assert (await binance.cancel_order(order.id or "", PAIR)).state is OrderState.CANCELED


async def test_a_restored_copy_numbers_beyond_the_orders_that_it_lacks(
    binance: Exchange, venue: VenueRecord, tmp_path: Path
) -> None:
    price = await far(binance)
    old = await binance.create_limit_buy_order(PAIR, "0.001", price)
    journal = journal_of(binance)
    copy = tmp_path / "copy.db"
    journal.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy.write_bytes(journal.path.read_bytes())
    lacked = [await binance.create_limit_buy_order(PAIR, "0.001", price) for _ in range(3)]
    await binance.close()
    copy.replace(journal.path)

    record = LocalVenue(
        instance=venue.instance, socket=venue.socket, token=venue.token, venues=list(venue.venues), pid=venue.pid
    )
    async with planar.open(local_venue=record) as workspace:
        restored = await workspace.exchange("binance")
        new = await restored.create_limit_buy_order(PAIR, "0.001", price)
        ids = restored._orders()._ids
        assert ids is not None
        taken = [ids.number_of(order.client_order_id) for order in (old, *lacked)]
        assert ids.number_of(new.client_order_id) > max(taken)
        await restored.cancel_all_orders(PAIR)
