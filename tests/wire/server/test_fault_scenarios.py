"""The thirty situations in which programs that trade have lost money, each made on demand and seen on the wire.

They are numbered as in docs/faults.md, which names the rule or command for each. Number 30, a program killed between
its journal and the wire, and between sending and the answer, is played by tests/chaos with real processes.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from decimal import Decimal

import aiohttp
import pytest
from fault_kit import ANSWER_S, BROKEN, BinanceTrader, Houses, KrakenTrader, Refused, Trader, heard, is_trade

from planar.venue.faults import (
    CloseDoors,
    DelayRequest,
    DropAnswer,
    DropFrame,
    DropRequest,
    RefuseRequest,
    ReplaceAnswer,
    ReplaceFrame,
    ShiftClock,
    Silence,
    StaleRead,
)
from planar.venue.steering.state import Delist, ExpireTokens, Halt, RestrictAddresses, SetFilters, SetRights

BTC = "0.001"
FAR = "20000"
SYMBOL = "BTC/USDT"
PAIR = {"binance": "BTCUSDT", "kraken": "XBTUSDT"}
CANCEL = {"binance": {"method": "DELETE"}, "kraken": {"path": "/0/private/CancelOrder"}}


def on_order(trader: Trader) -> dict[str, str]:
    """The rule that means a new order."""
    return {"venue": trader.id, "method": "POST", "path": trader.order_path}


async def join_best_bid(houses: Houses, trader: Trader, amount: str) -> tuple[str, Decimal]:
    """Place a bid as the last one at the best price; its id, and what is before it there."""
    level = houses.wires[trader.id].bench().exchange.depth(SYMBOL, 1).bids[0]
    return await trader.place("buy", amount, f"{level.price:f}"), level.amount


async def status(trader: Trader, order: str) -> str:
    return str((await trader.order(order))["status"]).lower()


async def filled(trader: Trader, order: str) -> float:
    found = await trader.order(order)
    return float(found["executedQty"] if isinstance(trader, BinanceTrader) else found["vol_exec"])


async def test_01_the_answer_is_lost_after_the_order_was_accepted(houses: Houses, trader: Trader) -> None:
    houses.inject(DropAnswer(), **on_order(trader))
    with pytest.raises(BROKEN):
        await trader.place("buy", BTC, FAR, client_id="scenario-1")
    assert len(houses.orders(trader.id, "scenario-1")) == 1


async def test_02_the_request_is_lost_before_that(houses: Houses, trader: Trader) -> None:
    houses.inject(DropRequest(), **on_order(trader))
    with pytest.raises(BROKEN):
        await trader.place("buy", BTC, FAR, client_id="scenario-2")
    assert houses.orders(trader.id, "scenario-2") == []


async def test_03_a_second_attempt_under_the_same_client_id_is_refused(houses: Houses, trader: Trader) -> None:
    houses.inject(DropAnswer(), **on_order(trader))
    with pytest.raises(BROKEN):
        await trader.place("buy", BTC, FAR, client_id="scenario-3")
    with pytest.raises(Refused) as refused:
        await trader.place("buy", BTC, FAR, client_id="scenario-3")
    assert str(refused.value.code).startswith({"binance": "-2010", "kraken": "E"}[trader.id])
    assert len(houses.orders(trader.id, "scenario-3")) == 1


async def test_04_filled_at_once_and_not_among_the_open_orders(houses: Houses, trader: Trader) -> None:
    houses.inject(DropAnswer(), **on_order(trader))
    with pytest.raises(BROKEN):
        await trader.place("buy", BTC, client_id="scenario-4")
    (row,) = houses.orders(trader.id, "scenario-4")
    order = str(row["id"])
    assert row["status"] == "filled"
    assert order not in await trader.open_ids()
    assert order in await trader.fills()


async def test_05_an_order_is_not_visible_for_two_seconds(houses: Houses, trader: Trader) -> None:
    houses.inject(StaleRead(lag_ms=2000), venue=trader.id, until_ms=300, count=None)
    order = await trader.place("buy", BTC, FAR)
    with pytest.raises(Refused):
        await trader.order(order)
    await asyncio.sleep(0.31)
    assert await status(trader, order) in ("new", "open")


async def test_06_a_cancel_comes_too_late(houses: Houses, trader: Trader) -> None:
    order, before = await join_best_bid(houses, trader, BTC)
    houses.inject(DelayRequest(delay_ms=200), venue=trader.id, **CANCEL[trader.id])
    canceling = asyncio.create_task(trader.cancel(order))
    while not houses.server.faults.firings():
        await asyncio.sleep(0.005)
    await houses.trader(trader.id, 1).place("sell", f"{before + Decimal('0.01'):f}")
    with pytest.raises(Refused) as refused:
        await canceling
    assert refused.value.code == {"binance": -2011, "kraken": "EOrder:Unknown order"}[trader.id]
    assert await status(trader, order) in ("filled", "closed")


async def test_07_filled_in_part_then_canceled(houses: Houses, trader: Trader) -> None:
    order, before = await join_best_bid(houses, trader, "0.01")
    await houses.trader(trader.id, 1).place("sell", f"{before + Decimal('0.004'):f}")
    await trader.cancel(order)
    assert (await status(trader, order), await filled(trader, order)) == ("canceled", 0.004)


async def test_08_the_answer_to_a_cancel_is_lost(houses: Houses, trader: Trader) -> None:
    order = await trader.place("buy", BTC, FAR)
    houses.inject(DropAnswer(), venue=trader.id, **CANCEL[trader.id])
    if isinstance(trader, BinanceTrader):  # aiohttp itself sends a DELETE again, on a kept connection that broke
        with pytest.raises(Refused):
            await trader.cancel(order)
    else:
        with pytest.raises(BROKEN):
            await trader.cancel(order)
    with pytest.raises(Refused):
        await trader.cancel(order)
    assert await status(trader, order) == "canceled"


async def test_09_replaced_by_nothing(houses: Houses) -> None:
    """On Binance the cancel stands when the new order is refused; Kraken's edit leaves the old order as it was."""
    binance, kraken = houses.trader("binance"), houses.trader("kraken")
    order = await binance.place("buy", BTC, FAR)
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": FAR}
    params |= {"quantity": "50", "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": order}
    with pytest.raises(Refused) as refused:
        await binance.call("POST", "/api/v3/order/cancelReplace", params)
    assert (refused.value.code, refused.value.status) == (-2021, 409)
    assert await status(binance, order) == "canceled"
    order = await kraken.place("buy", BTC, FAR)
    with pytest.raises(Refused):
        await kraken.call("POST", "/0/private/EditOrder", {"pair": "XBTUSDT", "txid": order, "volume": "50"})
    assert await status(kraken, order) == "open"


async def test_10_no_way_to_the_exchange_with_six_live_orders(houses: Houses, trader: Trader) -> None:
    orders = [await trader.place("buy", BTC, f"{20000 + number}") for number in range(6)]
    houses.inject(CloseDoors(for_ms=300), venue=trader.id)
    connector = aiohttp.UnixConnector(houses.record.socket or "")
    async with aiohttp.ClientSession(connector=connector) as session:
        cut_off = type(trader)(session, trader.account)
        with pytest.raises(BROKEN):
            await cut_off.open_ids()
        with pytest.raises(aiohttp.ClientConnectorError):
            await cut_off.open_ids()
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            try:
                assert set(orders) <= set(await cut_off.open_ids())
                return
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)
    pytest.fail("the doors did not open again")


@pytest.mark.parametrize(
    ("status_code", "headers"), [(418, {"Retry-After": "120"}), (429, {})], ids=["11 banned", "12 no word how long"]
)
async def test_11_and_12_banned_or_told_to_slow_down(
    houses: Houses, trader: Trader, status_code: int, headers: dict[str, str]
) -> None:
    body = '{"code":-1003,"msg":"Way too much request weight used; IP banned until 1795000000000."}'
    houses.inject(RefuseRequest(status=status_code, body=body, headers=headers), venue=trader.id, count=None)
    host = {"binance": "api.binance.com/api/v3/time", "kraken": "api.kraken.com/0/public/Time"}[trader.id]
    async with houses.session.get(f"http://{host}") as response:
        assert (response.status, response.headers.get("Retry-After")) == (status_code, headers.get("Retry-After"))
        assert "banned until" in await response.text()


@pytest.mark.parametrize("taken", [False, True])
async def test_13_a_page_where_json_should_be(houses: Houses, trader: Trader, taken: bool) -> None:
    page = "<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"
    fault = ReplaceAnswer(status=200, body=page) if taken else RefuseRequest(status=502, body=page)
    houses.inject(fault, **on_order(trader))
    with pytest.raises(json.JSONDecodeError):
        await trader.place("buy", BTC, FAR, client_id="scenario-13")
    assert len(houses.orders(trader.id, "scenario-13")) == taken


@pytest.mark.parametrize(("skew_ms", "drift_ppm"), [(-3000, 0), (3000, 0), (0, 900_000)])
async def test_14_a_clock_that_is_wrong_or_drifts(houses: Houses, trader: Trader, skew_ms: int, drift_ppm: int) -> None:
    houses.inject(ShiftClock(skew_ms=skew_ms, drift_ppm=drift_ppm), venue=trader.id, count=None)
    target = {"binance": "api.binance.com/api/v3/time", "kraken": "api.kraken.com/0/public/Time"}[trader.id]

    async def ahead_s() -> float:
        async with houses.session.get(f"http://{target}") as response:
            told = await response.json(content_type=None)
        now_s = told["serverTime"] / 1000 if trader.id == "binance" else told["result"]["unixtime"]
        return now_s - time.time()

    first = await ahead_s()
    assert abs(first - skew_ms / 1000) < 1.1
    if drift_ppm:
        await asyncio.sleep(0.2)
        assert trader.id == "kraken" or await ahead_s() > first + 0.1
    elif trader.id == "binance":
        with pytest.raises(Refused) as refused:
            await trader.place("buy", BTC, FAR, recvWindow="2000")
        assert refused.value.code == -1021


async def test_15_a_stream_that_is_silent_and_answers_pings(houses: Houses, trader: Trader) -> None:
    houses.inject(Silence(), venue=trader.id, body=trader.fill_frame)
    async with trader.stream() as socket:
        await trader.place("buy", BTC)
        with pytest.raises(TimeoutError):
            await heard(socket, is_trade, within_s=0.15)
        pong = await asyncio.wait_for(_pong(socket), ANSWER_S)
        assert pong == b"there?"


async def _pong(socket: aiohttp.ClientWebSocketResponse) -> bytes:
    socket._autoping = False  # else aiohttp keeps the pong to itself
    await socket.ping(b"there?")
    while True:
        message = await socket.receive()
        if message.type is aiohttp.WSMsgType.PONG:
            return bytes(message.data)


async def test_16_one_event_of_an_order_is_lost(houses: Houses, trader: Trader) -> None:
    houses.inject(DropFrame(), venue=trader.id, body=trader.fill_frame)
    async with trader.stream() as socket:
        lost = await trader.place("buy", BTC)
        seen = await trader.place("buy", BTC)
        frame = await heard(socket, is_trade)
    assert seen in json.dumps(frame)
    assert lost in await trader.fills()


async def test_17_a_gap_in_the_book_and_a_crossed_book(houses: Houses) -> None:
    async with houses.session.ws_connect("http://stream.binance.com/ws/btcusdt@depth@100ms") as socket:
        houses.inject(DropFrame(), id="gap", venue="binance", path="/ws/*", nth=2)
        seen: list[tuple[int, int]] = []
        while len(seen) < 2:
            await houses.control.market("step", ms=300, venue="binance")
            frame = await heard(socket, lambda frame: frame.get("e") == "depthUpdate")
            seen.append((frame["U"], frame["u"]))
            if len(seen) == 1:
                await houses.control.market("step", ms=300, venue="binance")
                while not houses.server.faults.firings():
                    await asyncio.sleep(0.01)
        assert seen[1][0] > seen[0][1] + 1
    crossed = '{"channel":"book","type":"update","data":[{"symbol":"BTC/USDT","bids":[{"price":2,"qty":1}],"asks":[]}]}'
    houses.inject(ReplaceFrame(body=crossed), venue="kraken", body='*"book"*"update"*')
    async with houses.session.ws_connect("http://ws.kraken.com/v2") as socket:
        await socket.send_json({"method": "subscribe", "params": {"channel": "book", "symbol": [SYMBOL]}})
        await heard(socket, lambda frame: frame.get("channel") == "book" and frame["type"] == "snapshot")
        await houses.control.market("step", ms=1000, venue="kraken")
        frame = await heard(socket, lambda frame: frame.get("channel") == "book")
    assert frame == json.loads(crossed)


async def test_18_what_lets_a_program_listen_runs_out(houses: Houses, trader: Trader) -> None:
    async with trader.stream() as socket:
        answer = await houses.control.command(ExpireTokens(account=trader.account.account), venue=trader.id)
        assert answer[trader.id]["ended"] >= 1
        if isinstance(trader, BinanceTrader):
            assert (await socket.receive_json(timeout=ANSWER_S))["e"] == "listenKeyExpired"


async def test_19_prices_become_coarser_in_mid_session(houses: Houses, trader: Trader) -> None:
    await trader.place("buy", BTC, "20000.37")
    await houses.control.command(SetFilters(symbol=SYMBOL, tick="1"), venue=trader.id)
    with pytest.raises(Refused) as refused:
        await trader.place("buy", BTC, "20000.37")
    assert str(refused.value.code).startswith({"binance": "-1013", "kraken": "EOrder:Invalid price"}[trader.id])


async def test_20_one_filter_refuses_with_the_text_of_another(houses: Houses) -> None:
    trader = houses.trader("binance")
    text = '{"code":-1013,"msg":"Filter failure: LOT_SIZE"}'
    houses.inject(ReplaceAnswer(status=400, body=text), **on_order(trader))
    with pytest.raises(Refused) as refused:
        await trader.place("buy", "0.00001", FAR, client_id="scenario-20")
    assert (refused.value.code, houses.orders("binance", "scenario-20")) == (-1013, [])


async def test_21_the_fee_is_taken_from_the_coin_bought(houses: Houses) -> None:
    trader = houses.trader("binance")
    before = await trader.held("BTC")
    await trader.place("buy", "0.01")
    rows = await trader.call("GET", "/api/v3/myTrades", {"symbol": "BTCUSDT", "limit": "1"})
    assert rows[0]["commissionAsset"] == "BTC"
    assert 0 < await trader.held("BTC") - before < 0.01


async def test_22_each_side_knows_an_order_that_the_other_does_not(houses: Houses, trader: Trader) -> None:
    houses.inject(DropAnswer(), **on_order(trader))
    houses.inject(DropRequest(), nth=2, **on_order(trader))
    for name in ("theirs", "mine"):
        with pytest.raises(BROKEN):
            await trader.place("buy", BTC, FAR, client_id=name)
    assert [len(houses.orders(trader.id, name)) for name in ("theirs", "mine")] == [1, 0]


HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("name", "opens"),
    [("hole", [0, 21]), ("doubled", [0, 1, 1, 2]), ("unsorted", [2, 0, 1]), ("empty", [])],
)
async def test_23_candles_that_are_not_what_they_should_be(houses: Houses, name: str, opens: list[int]) -> None:
    blank = ["1", "1", "1", "1", "1"]
    rows = [[hour * HOUR_MS, *blank, (hour + 1) * HOUR_MS - 1, "1", 1, "1", "1", "0"] for hour in opens]
    body = json.dumps(rows)
    headers = {"Content-Type": "application/json"}
    houses.inject(ReplaceAnswer(status=200, body=body, headers=headers), id=name, path="/api/v3/klines")
    url = "http://api.binance.com/api/v3/klines?symbol=BTCUSDT&interval=1h"
    async with houses.session.get(url) as response:
        assert [row[0] // HOUR_MS for row in await response.json()] == opens
    async with houses.session.get(url) as response:
        times = [row[0] for row in await response.json()]
    assert all(later - earlier == HOUR_MS for earlier, later in itertools.pairwise(times))


async def test_24_a_key_of_the_sandbox_at_the_live_exchange(houses: Houses, trader: Trader) -> None:
    strange = type(trader)(houses.session, _with_key(trader, trader.account.apiKey.swapcase()))
    with pytest.raises(Refused) as refused:
        await strange.place("buy", BTC, FAR)
    assert refused.value.code == {"binance": -2015, "kraken": "EAPI:Invalid key"}[trader.id]


def _with_key(trader: Trader, key: str) -> object:
    account = trader.account
    return type(account)(exchange=account.exchange, account=account.account, apiKey=key, secret=account.secret)


async def test_25_a_key_without_the_right_or_at_the_wrong_address(houses: Houses, trader: Trader) -> None:
    account = trader.account.account
    code = {"binance": -2015, "kraken": "EGeneral:Permission denied"}[trader.id]
    rights = houses.wires[trader.id].bench().keys.right_names
    reading = tuple(right for right in rights if right.lower() != "trade")
    await houses.control.command(SetRights(account=account, rights=reading), venue=trader.id)
    with pytest.raises(Refused) as refused:
        await trader.place("buy", BTC, FAR)
    assert refused.value.code == code
    await houses.control.command(RestrictAddresses(account=account, addresses=("10.0.0.1",)), venue=trader.id)
    with pytest.raises(Refused) as refused:
        await trader.open_ids()
    assert refused.value.code == code


async def test_26_two_processes_share_a_key_and_its_nonces(houses: Houses) -> None:
    """The request with the older nonce comes second, as when two processes count by one clock."""
    trader = houses.trader("kraken")
    assert isinstance(trader, KrakenTrader)
    houses.inject(DelayRequest(delay_ms=100), venue="kraken", path="/0/private/Balance")
    slow = asyncio.create_task(trader.private("Balance", {}))
    while not houses.server.faults.firings():
        await asyncio.sleep(0.005)
    await trader.open_ids()
    with pytest.raises(Refused) as refused:
        await slow
    assert refused.value.code == "EAPI:Invalid nonce"


async def test_27_the_balance_lags_three_seconds_behind_the_fill(houses: Houses, trader: Trader) -> None:
    path = {"binance": "/api/v3/account", "kraken": "/0/private/Balance"}[trader.id]
    before = await trader.held("BTC")
    houses.inject(StaleRead(lag_ms=3000), venue=trader.id, path=path)
    order = await trader.place("buy", BTC)
    assert order in await trader.fills()
    assert await trader.held("BTC") == before
    assert await trader.held("BTC") > before


async def test_28_a_market_is_gone(houses: Houses, trader: Trader) -> None:
    await trader.place("buy", BTC, FAR, client_id="scenario-28")
    await houses.control.command(Delist(symbol=SYMBOL), venue=trader.id)
    assert PAIR[trader.id] not in await trader.symbols()
    with pytest.raises(Refused) as refused:
        await trader.place("buy", BTC, FAR)
    assert refused.value.code == {"binance": -1121, "kraken": "EQuery:Unknown asset pair"}[trader.id]
    assert [row["status"] for row in houses.orders(trader.id, "scenario-28")] == ["canceled"]


async def test_29_the_second_leg_is_refused_after_the_first_was_filled(houses: Houses) -> None:
    binance, kraken = houses.trader("binance"), houses.trader("kraken")
    bought = await binance.place("buy", BTC)
    assert await status(binance, bought) == "filled"
    await houses.control.command(Halt(symbol=SYMBOL), venue="kraken")
    with pytest.raises(Refused) as refused:
        await kraken.place("sell", BTC)
    assert refused.value.code == "EService:Market in cancel_only mode"
