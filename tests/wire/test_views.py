"""`exchange.orders` shows what the journal holds, without a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import planar
from planar.errors import JournalError, OrderNotFound, OrderUnknown
from planar.exchange import Exchange
from planar.exchange.views import portfolio
from planar.models import AccountBalance, Amount, Balance
from planar.transport.local import LocalVenue
from planar.venue.client import VenueControl, start_private
from planar.venue.faults import DropRequest, FaultRule


@pytest.fixture
async def binance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Exchange, VenueControl]]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    async with await start_private(["binance"], seed=4) as private, VenueControl(private.record) as control:
        record = private.record
        venue = LocalVenue(
            instance=record.instance,
            socket=record.socket,
            token=record.token,
            venues=list(record.venues),
            pid=record.pid,
        )
        async with planar.open(local_venue=venue) as workspace:
            yield await workspace.exchange("binance", environment="local", timeout=2_000), control


async def test_before_the_journal_is_open_nothing_is_claimed(binance: tuple[Exchange, VenueControl]) -> None:
    exchange, _ = binance
    with pytest.raises(JournalError, match="not open yet") as caught:
        len(exchange.orders)
    assert "reconcile" in str(caught.value.hint)
    await exchange.reconcile()
    assert len(exchange.orders) == 0


async def test_orders_by_state_and_by_every_name(binance: tuple[Exchange, VenueControl]) -> None:
    exchange, control = binance
    first = await exchange.create_limit_buy_order("BTC/USDT", "0.001", 20_000, intent_id="grid-1")
    second = await exchange.create_limit_buy_order("ETH/USDT", "0.1", 1_000)
    view = exchange.orders
    assert [order.id for order in view.open] == [first.id, second.id]
    for name in ("grid-1", first.id, first.client_order_id):
        assert view[name].client_order_id == first.client_order_id
        assert name in view
    with pytest.raises(OrderNotFound, match="no order 'other'"):
        view["other"]
    await exchange.cancel_order(first.id, "BTC/USDT")
    assert [order.id for order in view] == [second.id]
    assert [order.id for order in view.history()] == [second.id, first.id]
    assert [order.id for order in view.history(symbol="BTC/USDT")] == [first.id]
    assert len(view.history(1)) == 1
    await control.add_fault(FaultRule(fault=DropRequest(), method="POST", path="/api/v3/order"))
    with pytest.raises(OrderUnknown) as caught:
        await exchange.create_limit_buy_order("BTC/USDT", "0.001", 20_000)
    assert [order.client_order_id for order in view.unknown] == [caught.value.client_id]


async def test_changes_are_told_as_they_come(binance: tuple[Exchange, VenueControl]) -> None:
    exchange, _ = binance
    await exchange.reconcile()
    listening = len(exchange._orders().store.listeners)
    changes = exchange.orders.changes()
    first = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    order = await exchange.create_limit_buy_order("BTC/USDT", "0.001", 20_000)
    async with asyncio.timeout(5):
        assert (await first).client_order_id == order.client_order_id
        await exchange.cancel_order(order.id, "BTC/USDT")
        while not (await anext(changes)).is_done:
            pass
    await changes.aclose()
    assert len(exchange._orders().store.listeners) == listening


def test_a_portfolio_takes_reservations_off() -> None:
    balance = AccountBalance(
        balances={
            "USDT": Balance(free=Amount(100), used=Amount(20), total=Amount(120)),
            "XRP": Balance(free=Amount(0), used=Amount(0), total=Amount(0)),
            "SOL": Balance(free=None, used=None, total=Amount(3)),
        },
        ts_ms=5,
    )
    found = portfolio(balance, {"USDT": Amount(30), "BTC": Amount(1)})
    assert list(found.holdings) == ["BTC", "SOL", "USDT", "XRP"]
    assert found["USDT"].available == 70
    assert found["USDT"].total == 120
    assert (found["BTC"].reserved, found["BTC"].available) == (1, None)
    assert found["SOL"].available is None
    assert found["XRP"].total == 0
    assert found.ts_ms == 5
    with pytest.raises(KeyError):
        found["DOGE"]
