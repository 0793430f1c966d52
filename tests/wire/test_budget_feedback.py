"""What the answers of an exchange do to the budget, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import planar
import planar.runtime as runtime
from planar.errors import InsufficientFunds, Outcome, RateLimitExceeded, RequestTimeout
from planar.exchange import Exchange
from planar.transport.local import LocalVenue
from planar.venue.client import VenueControl, start_private
from planar.venue.faults import DropAnswer, FaultRule, HangAnswer, RefuseRequest
from planar.venue.registry import VenueRecord


@pytest.fixture
async def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[VenueRecord]:
    for name in ("PLANAR_STATE", "PLANAR_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    async with await start_private(["binance"], seed=3) as private:
        yield private.record


@pytest.fixture
def venue(record: VenueRecord) -> LocalVenue:
    return LocalVenue(
        instance=record.instance, socket=record.socket, token=record.token, venues=list(record.venues), pid=record.pid
    )


@pytest.fixture
async def control(record: VenueRecord) -> AsyncIterator[VenueControl]:
    async with VenueControl(record) as opened:
        yield opened


@pytest.fixture
async def binance(venue: LocalVenue) -> AsyncIterator[Exchange]:
    async with planar.open(local_venue=venue) as workspace:
        yield await workspace.exchange("binance", environment="local", timeout=2_000)


async def refuse(control: VenueControl, status: int, body: str, **headers: str) -> None:
    fault = RefuseRequest(status=status, body=body, headers={"Content-Type": "application/json", **headers})
    await control.add_fault(FaultRule(fault=fault, path="/api/v3/*"))


async def test_a_moment_in_the_text_is_obeyed(binance: Exchange, control: VenueControl) -> None:
    until_ms = runtime.wall_ms() + 60_000
    await refuse(control, 418, f'{{"code":-1003,"msg":"Way too many requests; IP banned until {until_ms}."}}')
    with pytest.raises(RateLimitExceeded) as caught:
        await binance.fetch_ticker("BTC/USDT")
    assert caught.value.retry_after_s == pytest.approx(60, abs=2)
    assert binance.stopped_s() == pytest.approx(60, abs=2)


async def test_too_many_orders_stop_orders_and_no_market_data(binance: Exchange, control: VenueControl) -> None:
    await refuse(
        control, 429, '{"code":-1015,"msg":"Too many new orders; current limit is 100."}', **{"Retry-After": "9"}
    )
    with pytest.raises(RateLimitExceeded):
        await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000)
    await binance.fetch_ticker("BTC/USDT")
    with pytest.raises(RateLimitExceeded, match="told us to wait") as caught:
        await binance.create_limit_buy_order("BTC/USDT", "0.001", 20_000)
    assert caught.value.outcome is Outcome.NOT_SENT


async def held(binance: Exchange) -> float:
    """What the weight's meter holds for requests under way."""
    return binance.ccxt.planar.budget._meters["weight"].held()


async def test_what_is_under_way_is_held_and_an_answer_ends_that(binance: Exchange, control: VenueControl) -> None:
    assert await held(binance) == 0
    await control.add_fault(FaultRule(fault=HangAnswer(), path="/api/v3/ticker/24hr"))
    asking = asyncio.create_task(binance.fetch_ticker("BTC/USDT", timeout_ms=500))
    while not await held(binance):
        await asyncio.sleep(0.01)
    with pytest.raises(RequestTimeout):
        await asking
    # nobody knows whether it has arrived
    assert await held(binance) == 2
    store = binance.ccxt.planar.budget._store
    await asyncio.sleep(store.LATE_S + 0.1)
    assert await held(binance) == 0
    with pytest.raises(InsufficientFunds):
        await binance.create_limit_buy_order("BTC/USDT", "50", 20_000)
    assert await held(binance) == 0


async def test_what_could_not_be_signed_is_given_back(binance: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError

    before = binance.budget()["weight"][0]
    monkeypatch.setattr(binance.ccxt, "sign", fail)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        await binance.fetch_ticker("BTC/USDT")
    assert binance.budget()["weight"][0] == before


async def test_two_workspaces_share_what_is_used_of_one_venue(binance: Exchange, venue: LocalVenue) -> None:
    async with planar.open(local_venue=venue) as other:
        its = await other.exchange("binance", environment="local", account="bob")
        used = binance.budget()["weight"][0]
        await its.fetch_order_book("BTC/USDT", 5000)
        assert binance.budget()["weight"][0] >= used + 250
        assert its.budget()["weight"] == binance.budget()["weight"]


async def test_a_dropped_connection_leaves_the_cost_counted(binance: Exchange, control: VenueControl) -> None:
    used = binance.budget()["weight"][0]
    await control.add_fault(FaultRule(fault=DropAnswer(), path="/api/v3/depth", count=None))
    with pytest.raises(
        (planar.errors.ExchangeNotAvailable, RequestTimeout)
    ):  # it is asked again until the time is over
        await binance.fetch_order_book("BTC/USDT", 5000, timeout_ms=300)
    assert binance.budget()["weight"][0] >= used + 250
