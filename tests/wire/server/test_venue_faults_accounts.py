"""Faults that a trader meets, over both local exchanges: stale reads, fills before answers, lagging balances, choice by
account on streams, and wrong clocks.
"""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from fault_kit import ANSWER_S, BinanceTrader, Houses, KrakenTrader, Refused, Trader, heard, is_balance, is_trade

from planar.venue.engine import past
from planar.venue.faults import DelayAnswer, DelayFrame, DropFrame, RefuseMessage, ShiftClock, StaleRead

BTC = "0.001"
NOT_THERE = {"binance": -2013, "kraken": "EOrder:Unknown order"}
LAG = StaleRead(lag_ms=past.KEPT_MS)


async def test_an_order_is_not_there_yet(houses: Houses, trader: Trader) -> None:
    before = await trader.open_ids()
    order = await trader.place("buy", BTC, "20000")
    houses.inject(LAG, id="lag", venue=trader.id, account=trader.account.account, count=None)
    with pytest.raises(Refused) as refused:
        await trader.order(order)
    assert refused.value.code == NOT_THERE[trader.id]
    assert await trader.open_ids() == before
    houses.server.faults.clear("lag")
    assert order in await trader.open_ids()
    await trader.order(order)


async def test_an_order_is_still_open_and_its_fill_unseen(houses: Houses, trader: Trader) -> None:
    held, fills = await trader.held("BTC"), await trader.fills()
    houses.inject(LAG, id="lag", venue=trader.id, path="*", count=None)
    order = await trader.place("buy", BTC)
    assert await trader.held("BTC") == held
    assert await trader.fills() == fills
    houses.server.faults.clear("lag")
    assert await trader.held("BTC") > held
    assert order in await trader.fills()


async def test_commands_see_the_truth_where_reads_lag(houses: Houses, trader: Trader) -> None:
    houses.inject(LAG, id="lag", venue=trader.id, path="*", count=None)
    order = await trader.place("buy", BTC, "20000")
    await trader.cancel(order)
    with pytest.raises(Refused) as refused:
        await trader.cancel(order)
    assert refused.value.code == {"binance": -2011, "kraken": "EOrder:Unknown order"}[trader.id]
    houses.server.faults.clear("lag")
    assert str((await trader.order(order))["status"]).lower() == "canceled"


async def test_a_canceled_order_is_read_as_open(houses: Houses, trader: Trader) -> None:
    order = await trader.place("buy", BTC, "20000")
    await asyncio.sleep(0.12)
    await trader.cancel(order)
    houses.inject(StaleRead(lag_ms=60), id="lag", venue=trader.id, count=None)
    assert str((await trader.order(order))["status"]).lower() in ("new", "open")
    assert order in await trader.open_ids()
    await asyncio.sleep(0.08)
    assert str((await trader.order(order))["status"]).lower() == "canceled"
    assert order not in await trader.open_ids()


async def test_the_fill_comes_before_the_answer(houses: Houses, trader: Trader) -> None:
    async with trader.stream() as socket:
        houses.inject(DelayAnswer(delay_ms=250), venue=trader.id, method="POST", path=trader.order_path)
        placing = asyncio.create_task(trader.place("buy", BTC))
        await heard(socket, is_trade)
        assert not placing.done()
        order = await placing
        assert order in await trader.fills()


async def test_the_balance_lags_the_fill(houses: Houses, trader: Trader) -> None:
    async with trader.stream() as socket:
        houses.inject(DelayFrame(delay_ms=200), venue=trader.id, body=trader.balance_frame, count=None)
        await trader.place("buy", BTC)
        await heard(socket, is_trade)
        filled_s = time.monotonic()
        await heard(socket, is_balance)
        assert time.monotonic() - filled_s > 0.1


async def test_frames_are_chosen_by_account(houses: Houses, trader: Trader) -> None:
    other = houses.trader(trader.id, 1)
    async with trader.stream() as mine, other.stream() as theirs:
        account = trader.account.account
        houses.inject(DropFrame(), venue=trader.id, account=account, body=trader.fill_frame, count=None)
        for one in (trader, other):
            await one.place("buy", BTC)
        await heard(theirs, is_trade)
        with pytest.raises(TimeoutError):
            await heard(mine, is_trade, within_s=0.15)
    (state,) = houses.server.faults.states()
    assert state.fired >= 1
    assert {firing.subject.account for firing in houses.server.faults.firings()} == {account}


async def test_messages_of_a_websocket_api_are_chosen_by_account(houses: Houses) -> None:
    trader = houses.trader("binance")
    assert isinstance(trader, BinanceTrader)
    async with houses.session.ws_connect("http://ws-api.binance.com/ws-api/v3") as socket:
        params = {"apiKey": trader.account.apiKey}
        await socket.send_json({"id": 1, "method": "userDataStream.start", "params": params})
        assert (await socket.receive_json(timeout=ANSWER_S))["status"] == 200
        refusal = '{"id":$id,"status":400,"error":{"code":-1000,"msg":"no"}}'
        houses.inject(RefuseMessage(body=refusal), account=trader.account.account)
        await socket.send_json({"id": 2, "method": "time"})
        assert (await socket.receive_json(timeout=ANSWER_S))["error"]["code"] == -1000


async def test_kraken_refuses_a_subscription(houses: Houses) -> None:
    refusal = '{"method":"subscribe","success":false,"error":"ESession:Invalid session","req_id":$id}'
    houses.inject(RefuseMessage(body=refusal), venue="kraken", body='*"subscribe"*"ticker"*')
    async with houses.session.ws_connect("http://ws.kraken.com/v2") as socket:
        params = {"channel": "ticker", "symbol": ["BTC/USDT"]}
        for request_id in (3, 4):
            await socket.send_json({"method": "subscribe", "params": params, "req_id": request_id})
            answer = await heard(socket, lambda frame, wanted=request_id: frame.get("req_id") == wanted)
            assert answer["success"] is (request_id == 4)


async def test_a_wrong_clock_is_wrong_everywhere(houses: Houses, trader: Trader) -> None:
    houses.inject(ShiftClock(skew_ms=-3_600_000), count=None)
    off: dict[str, float] = {}

    async def told(target: str) -> aiohttp.typedefs.LooseHeaders | dict[str, object]:
        async with houses.session.get(f"http://{target}") as response:
            off[f"{target} date"] = parsedate_to_datetime(response.headers["Date"]).timestamp()
            return await response.json(content_type=None)

    if isinstance(trader, BinanceTrader):
        for name in ("time", "exchangeInfo"):
            found = await told(f"api.binance.com/api/v3/{name}")
            off[name] = found["serverTime"] / 1000  # type: ignore[index]
        with pytest.raises(Refused) as refused:
            await trader.place("buy", BTC, "20000")
        assert refused.value.code == -1021
    else:
        found = await told("api.kraken.com/0/public/Time")
        off["time"] = found["result"]["unixtime"]  # type: ignore[index]
        await told("api.kraken.com/0/public/SystemStatus")
        assert isinstance(trader, KrakenTrader)
        deadline = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1800))
        await trader.place("buy", BTC, "20000", deadline=deadline)
        houses.server.faults.clear()
        with pytest.raises(Refused) as late:
            await trader.place("buy", BTC, "20000", deadline=deadline)
        assert late.value.code == "EService:Deadline elapsed"
    assert {name: round((value - time.time()) / 600) for name, value in off.items()} == dict.fromkeys(off, -6)
