"""The WebSocket v2 as it is on the wire: status, acknowledgements, every channel, checksums, orders."""

from __future__ import annotations

import json
import time
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from kraken_kit import PRIVATE, PUBLIC, REST, SYMBOL, LocalKraken, ask, next_frame

from planar.venue.faults import DropFrame, FaultRule, ShiftClock

Side = dict[Decimal, Decimal]


def apply(book: tuple[Side, Side], row: Any, depth: int) -> int:
    """A client's own book after a frame, and its checksum (prices with 2 decimals, amounts with 5)."""
    for side, changes, best_first in ((book[0], row["bids"], True), (book[1], row["asks"], False)):
        for change in changes:
            price, amount = Decimal(change["price"]), Decimal(change["qty"])
            side.pop(price, None)
            if amount:
                side[price] = amount
        for price in sorted(side, reverse=best_first)[depth:]:
            del side[price]
    text = ""
    for side, best_first in ((book[1], False), (book[0], True)):
        for price in sorted(side, reverse=best_first)[:10]:
            text += f"{price:.2f}".replace(".", "").lstrip("0") + f"{side[price]:.5f}".replace(".", "").lstrip("0")
    return zlib.crc32(text.encode())


@pytest.mark.parametrize("depth", [10, 100])
async def test_the_checksum_is_always_right(living_kraken: LocalKraken, depth: int) -> None:
    async with living_kraken.ws(PUBLIC) as ws:
        assert (await next_frame(ws))["channel"] == "status"
        ack = await ask(ws, "subscribe", channel="book", symbol=[SYMBOL], depth=depth)
        assert ack["result"] == {"channel": "book", "depth": depth, "symbol": SYMBOL, "snapshot": True}
        book: tuple[Side, Side] = ({}, {})
        for number in range(15):
            frame = await next_frame(ws, "book")
            assert frame["type"] == ("update" if number else "snapshot")
            assert apply(book, frame["data"][0], depth) == frame["data"][0]["checksum"]
        assert len(book[0]) <= depth


async def test_subscriptions_are_acknowledged_or_refused(kraken: LocalKraken) -> None:
    async with kraken.ws(PUBLIC) as ws:
        assert (await ask(ws, "ping"))["method"] == "pong"
        assert (await ask(ws, "subscribe", channel="trade", symbol=[SYMBOL]))["success"] is True
        assert (await ask(ws, "subscribe", 2, channel="trade", symbol=[SYMBOL]))["error"] == "Already subscribed"
        bad = await ask(ws, "subscribe", 3, channel="trade", symbol=["XBT/USDT"])
        assert (bad["error"], bad["symbol"]) == ("Currency pair not supported XBT/USDT", "XBT/USDT")
        for request, text in (
            ({"channel": "book", "symbol": [SYMBOL], "depth": 7}, "Subscription depth not supported"),
            ({"channel": "nothing", "symbol": [SYMBOL]}, "Subscription name invalid"),
            ({"channel": "ohlc", "symbol": [SYMBOL], "interval": 2}, "Subscription ohlc interval not supported"),
        ):
            assert (await ask(ws, "subscribe", 4, **request))["error"] == text
        assert "ws-auth" in (await ask(ws, "subscribe", 5, channel="executions", token="x"))["error"]
        assert (await ask(ws, "unsubscribe", 6, channel="trade", symbol=[SYMBOL]))["success"] is True
        assert (await ask(ws, "unsubscribe", 7, channel="trade", symbol=[SYMBOL]))["success"] is False
        for text in (
            '{"method":"\\ud800"}',
            "{",
            "[]",
            '{"method": 5}',
            "[" * 100_000,
            '{"method":"x","params":[1],"req_id":"a"}',
        ):
            await ws.send_str(text)
            assert (await next_frame(ws))["success"] is False


async def test_market_channels(living_kraken: LocalKraken) -> None:
    exchange = living_kraken.exchange
    async with living_kraken.ws(PUBLIC) as ws:
        await ask(ws, "subscribe", channel="instrument")
        instruments = (await next_frame(ws, "instrument"))["data"]
        assert {pair["symbol"]: Decimal(pair["price_increment"]) for pair in instruments["pairs"]} == {
            symbol: spec.tick for symbol, spec in exchange.symbols.items()
        }
        await ask(ws, "subscribe", 2, channel="ticker", symbol=[SYMBOL], event_trigger="bbo")
        assert (await next_frame(ws, "ticker"))["data"][0]["bid"] > 0
        assert (await next_frame(ws, "ticker"))["type"] == "update"
        await ask(ws, "subscribe", 3, channel="ohlc", symbol=[SYMBOL], interval=5)
        candles = (await next_frame(ws, "ohlc"))["data"]
        assert [row["interval_begin"] for row in candles] == sorted(row["interval_begin"] for row in candles)
        await ask(ws, "subscribe", 4, channel="trade", symbol=[SYMBOL])
        seen = (await next_frame(ws, "trade"))["data"]
        while (frame := await next_frame(ws, "trade"))["type"] != "update":
            pass
        assert frame["data"][0]["trade_id"] == seen[-1]["trade_id"] + 1
        candle = (await next_frame(ws, "ohlc"))["data"][-1]
        assert candle["interval_begin"] >= candles[-1]["interval_begin"]


async def types(ws: Any, until: str) -> list[Any]:
    """The executions up to one of a type."""
    rows: list[Any] = []
    while not rows or rows[-1]["exec_type"] != until:
        rows += (await next_frame(ws, "executions"))["data"]
    return rows


async def test_executions_tell_the_life_of_an_order(kraken: LocalKraken) -> None:
    token = await kraken.token()
    async with kraken.ws(PRIVATE) as ws:
        refused = await ask(ws, "subscribe", channel="executions", token="wrong")
        assert refused["error"] == "ESession:Invalid session"
        assert (await ask(ws, "subscribe", 2, channel="executions", token=token, snap_trades=True))["success"]
        trades = await next_frame(ws, "executions")
        orders = await next_frame(ws, "executions")
        assert (trades["sequence"], orders["sequence"]) == (1, 2)
        fills = [fill for symbol in kraken.exchange.symbols for fill in kraken.exchange.fills("alice", symbol)]
        assert sorted(row["trade_id"] for row in trades["data"]) == sorted(fill.trade_id for fill in fills)
        known = {ticket.txid for ticket in kraken.wire.desk.register.open("alice")}
        assert {row["order_id"] for row in orders["data"]} == known
        await kraken.placed(ordertype="market", userref="9")
        rows = await types(ws, "filled")
        assert [row["exec_type"] for row in rows] == ["pending_new", "new", "trade", "filled"]
        fill = kraken.exchange.fills("alice", SYMBOL)[-1]
        assert (rows[2]["last_price"], rows[2]["last_qty"]) == (fill.price, fill.amount)
        assert rows[2]["fees"] == [{"asset": "USDT", "qty": fill.commission}]
        txid = await kraken.placed(volume="0.002")
        await kraken.private("AmendOrder", txid=txid, order_qty="0.001")
        await kraken.private("AmendOrder", txid=txid, limit_price=kraken.price("0.7"))
        await kraken.private("CancelOrder", txid=txid)
        rows = await types(ws, "canceled")
        assert [row["exec_type"] for row in rows] == ["pending_new", "new", "amended", "amended", "canceled"]
        assert {row["order_id"] for row in rows} == {txid}
        assert rows[3]["limit_price"] == Decimal(kraken.price("0.7"))


async def test_executions_without_every_status(kraken: LocalKraken) -> None:
    token = await kraken.token()
    async with kraken.ws(PRIVATE) as ws:
        wishes = {"snap_orders": False, "order_status": False}
        assert (await ask(ws, "subscribe", channel="executions", token=token, **wishes))["success"]
        txid = await kraken.placed(volume="0.002")
        await kraken.private("AmendOrder", txid=txid, order_qty="0.001")
        await kraken.private("CancelOrder", txid=txid)
        rows = await types(ws, "canceled")
        assert [row["exec_type"] for row in rows] == ["new", "canceled"]


async def test_balances_are_the_ledgers(kraken: LocalKraken) -> None:
    token = await kraken.token()
    async with kraken.ws(PRIVATE) as ws:
        await ask(ws, "subscribe", channel="balances", token=token)
        held = {row["asset"]: row["balance"] for row in (await next_frame(ws, "balances"))["data"]}
        await kraken.placed(ordertype="market")
        for _ in range(2):
            frame = await next_frame(ws, "balances")
            row = frame["data"][0]
            assert row["balance"] == held[row["asset"]] + row["amount"] - row["fee"]
            held[row["asset"]] = row["balance"]
        assert held == {a: b.total for a, b in kraken.exchange.balances("alice").items() if b.total}
        assert frame["sequence"] == 3


async def test_order_methods(kraken: LocalKraken) -> None:
    token = await kraken.token()
    price = float(kraken.price("0.8"))
    base = {"order_type": "limit", "side": "buy", "order_qty": 0.001, "limit_price": price}
    async with kraken.ws(PRIVATE) as ws:
        order_id = (await ask(ws, "add_order", symbol=SYMBOL, token=token, **base))["result"]["order_id"]
        amended = await ask(ws, "amend_order", 2, order_id=order_id, order_qty=0.002, token=token)
        assert amended["result"]["order_id"] == order_id
        edited = (await ask(ws, "edit_order", 3, order_id=order_id, symbol=SYMBOL, order_qty=0.003, token=token))[
            "result"
        ]
        assert edited["original_order_id"] == order_id
        done = await ask(ws, "cancel_order", 4, order_id=[edited["order_id"]], token=token)
        assert done["result"] == {"order_id": edited["order_id"]}
        again = await ask(ws, "cancel_order", 5, order_id=[edited["order_id"]], token=token)
        assert (again["success"], again["error"]) == (False, "EOrder:Unknown order")
        for odd in ({"order_userref": 10**30}, {"symbol": "\ud800"}, {"order_qty": "NaN"}, {"side": ["buy"]}):
            request = {"symbol": SYMBOL, **base, **odd, "token": token}
            assert (await ask(ws, "add_order", 12, **request))["success"] is False
        named = await ask(ws, "add_order", 13, symbol=SYMBOL, token=token, cl_ord_id="\ud800", **base)
        assert named["result"]["cl_ord_id"] == "?"
        poor = await ask(ws, "add_order", 6, symbol=SYMBOL, token=token, **{**base, "order_qty": 1000})
        assert (poor["success"], poor["error"]) == (False, "EOrder:Insufficient funds")
        batch = (await ask(ws, "batch_add", 7, symbol=SYMBOL, token=token, orders=[base, base]))["result"]
        ids = [row["order_id"] for row in batch]
        assert (await ask(ws, "batch_cancel", 8, orders=ids, token=token))["orders_cancelled"] == 2
        stop = {"order_type": "stop-loss", "side": "sell", "order_qty": 0.001, "triggers": {"price": price}}
        placed = (await ask(ws, "add_order", 9, symbol=SYMBOL, token=token, **stop))["result"]["order_id"]
        assert (await kraken.query(placed))["descr"]["ordertype"] == "stop-loss"
        count = (await ask(ws, "cancel_all", 10, token=token))["result"]["count"]
        assert count
        assert kraken.exchange.open_orders("alice") == []
        after = await ask(ws, "cancel_all_orders_after", 11, timeout=60, token=token)
        assert after["result"]["triggerTime"] > after["result"]["currentTime"]
    assert kraken.exchange.audit() == []


async def test_a_plain_request_is_no_websocket(kraken: LocalKraken) -> None:
    async with kraken.session.get(PUBLIC.replace("wss", "https")) as response:
        assert response.status == 400
    async with kraken.session.get(f"{REST}/elsewhere") as response:
        assert json.loads(await response.text()) == {"error": ["EGeneral:Unknown method"]}


async def test_frame_faults_meet_the_streams(kraken: LocalKraken) -> None:
    token = await kraken.token()
    async with kraken.ws(PRIVATE) as ws:
        await ask(ws, "subscribe", channel="executions", token=token)
        kraken.server.faults.add(FaultRule(fault=DropFrame(), body='*"exec_type":"pending_new"*'))
        await kraken.placed()
        frames = [await next_frame(ws, "executions") for _ in range(2)]
        assert [(frame["type"], frame["sequence"]) for frame in frames] == [("snapshot", 1), ("update", 3)]


async def test_a_shifted_clock_is_told_and_judges_deadlines(kraken: LocalKraken) -> None:
    kraken.server.faults.add(FaultRule(fault=ShiftClock(skew_ms=60_000), count=None))
    ahead_s = (await kraken.public("Time"))["result"]["unixtime"] - time.time()
    assert 58 < ahead_s < 62
    soon = datetime.fromtimestamp(time.time() + 5, UTC).isoformat()
    refused = await kraken.order(deadline=soon)
    assert refused["error"] == ["EService:Deadline elapsed"]
    async with kraken.ws(PUBLIC) as ws:
        answer = await ask(ws, "ping")
        assert 58 < datetime.fromisoformat(answer["time_in"]).timestamp() - time.time() < 62
    kraken.server.faults.clear()
    await kraken.placed(deadline=soon)
