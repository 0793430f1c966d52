"""Stream connections: subscriptions, events, sequence, and how connections end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from binance_kit import STREAM, WS_API, LocalBinance, ask, eventually, local_binance, next_json, now_ms

from planar.venue.engine.enums import OrderKind, Side
from planar.venue.engine.types import Depth, Level, NewOrder, OrderRef
from planar.venue.wire.binance import Settings, stream_json
from planar.venue.wire.binance.feed_books import BestPrices, DiffDepth
from planar.venue.wire.binance.stream_names import Kind, parse

TRADE = {"e", "E", "s", "t", "p", "q", "T", "m", "M"}
AGGREGATE = {"e", "E", "s", "a", "p", "q", "f", "l", "T", "m", "M"}


def buy(binance: LocalBinance, amount: str = "0.2", account: str = "bob") -> Any:
    """A market order that takes from the book."""
    new = NewOrder(account=account, symbol="BTC/USDT", side=Side.BUY, kind=OrderKind.MARKET, amount=Decimal(amount))
    return binance.exchange.submit(new)


async def subscribed(ws: Any, *names: str) -> None:
    assert await ask(ws, "SUBSCRIBE", list(names)) == {"result": None, "id": 1}


async def drain(ws: Any) -> None:
    """Read until the connection ends, which raises ConnectionError."""
    while True:
        await next_json(ws)


async def test_subscribe_list_unsubscribe(binance: LocalBinance) -> None:
    async with binance.ws(f"{STREAM}/ws") as ws:
        await subscribed(ws, "btcusdt@trade", "btcusdt@aggTrade", "nosuch@trade")
        listed = await ask(ws, "LIST_SUBSCRIPTIONS", request_id="abc")
        assert listed == {"result": ["btcusdt@trade", "btcusdt@aggTrade", "nosuch@trade"], "id": "abc"}
        assert await ask(ws, "UNSUBSCRIBE", ["btcusdt@trade", "other@trade"], None) == {"result": None, "id": None}
        buy(binance, "0.001")
        assert (await next_json(ws))["e"] == "aggTrade"


@pytest.mark.asyncio(loop_scope="module")
async def test_properties(shared: LocalBinance) -> None:
    async with shared.ws(f"{STREAM}/ws/btcusdt@trade") as ws:
        assert await ask(ws, "GET_PROPERTY", ["combined"]) == {"result": False, "id": 1}
        assert await ask(ws, "SET_PROPERTY", ["combined", True]) == {"result": None, "id": 1}
        buy(shared, "0.001")
        frame = await next_json(ws)
        assert (frame["stream"], frame["data"]["e"]) == ("btcusdt@trade", "trade")
    async with shared.ws(f"{STREAM}/stream") as ws:
        assert await ask(ws, "GET_PROPERTY", ["combined"]) == {"result": True, "id": 1}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}),
        (
            '{"id":1,"method":"SUBSCRIBE","params":[bad]}',
            {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 40"},
        ),
        ('{"id":1}', {"code": 2, "msg": "Invalid request: missing field `method` at line 1 column 8"}),
        (
            '{"method":"SUBSCRIBE","params":[]}',
            {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"},
        ),
        (
            '{"id":1.5,"method":"SUBSCRIBE","params":[]}',
            {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"},
        ),
        ('{"id":1,"method":"SUBSCRIBE","params":["no stream"]}', {"code": 2, "msg": "Invalid request: invalid stream"}),
        (
            '{"id":1,"method":"SUBSCRIBE","params":"btcusdt@trade"}',
            {"code": 2, "msg": "Invalid request: invalid stream"},
        ),
        (
            '{"id":1,"method":"GET_PROPERTY","params":[]}',
            {"code": 2, "msg": "Invalid request: property name must be a string"},
        ),
        ('{"id":1,"method":"GET_PROPERTY","params":["colour"]}', {"code": 0, "msg": "Unknown property"}),
        (
            '{"id":1,"method":"GET_PROPERTY","params":["combined",true]}',
            {"code": 2, "msg": "Invalid request: too many parameters"},
        ),
        (
            '{"id":1,"method":"SET_PROPERTY","params":["combined","yes"]}',
            {"code": 1, "msg": "Invalid value type: expected Boolean"},
        ),
        (
            '{"id":1,"method":"SUBSCRIB"}',
            {
                "code": 2,
                "msg": "Invalid request: unknown variant `SUBSCRIB`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`,"
                " `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 27",
            },
        ),
    ],
)
async def test_bad_requests(shared: LocalBinance, text: str, error: dict[str, Any]) -> None:
    async with shared.ws(f"{STREAM}/ws") as ws:
        await ws.send_str(text)
        frame = await next_json(ws)
        assert frame["error"] == error
        assert frame.get("id") == (
            1 if text.startswith('{"id":1') and error["code"] != 3 and "1.5" not in text else None
        )
        await subscribed(ws, "btcusdt@trade")


async def test_trades_and_aggregates(binance: LocalBinance) -> None:
    async with binance.ws(f"{STREAM}/stream?streams=btcusdt@trade/btcusdt@aggTrade/ethusdt@trade") as ws:
        await ask(ws, "LIST_SUBSCRIPTIONS")
        order = buy(binance)
        fills = binance.exchange.fills("bob", "BTC/USDT", order_id=order.id)
        frames = [await next_json(ws) for _ in range(2 * len(fills))]
        trades = [f["data"] for f in frames if f["stream"] == "btcusdt@trade"]
        aggregates = [f["data"] for f in frames if f["stream"] == "btcusdt@aggTrade"]
        assert [(t["t"], t["p"], t["q"], t["m"]) for t in trades] == [
            (f.trade_id, f"{f.price:.8f}", f"{f.amount:.8f}", False) for f in fills
        ]
        assert set(trades[0]) == TRADE
        assert set(aggregates[0]) == AGGREGATE
        assert aggregates[0]["f"] == fills[0].trade_id
        assert aggregates[-1]["l"] == fills[-1].trade_id
        assert sum(Decimal(a["q"]) for a in aggregates) == Decimal("0.2")


async def test_microseconds(binance: LocalBinance) -> None:
    plain, fine = f"{STREAM}/ws/btcusdt@trade", f"{STREAM}/ws/btcusdt@trade?timeUnit=MICROSECOND"
    async with binance.ws(plain) as slow, binance.ws(fine) as fast:
        await ask(slow, "LIST_SUBSCRIPTIONS")
        await ask(fast, "LIST_SUBSCRIPTIONS")
        buy(binance, "0.001")
        one, other = await next_json(slow), await next_json(fast)
        assert (other["T"], other["E"]) == (one["T"] * 1000, one["E"] * 1000)
        assert abs(one["E"] - now_ms()) < 5000


async def test_book_ticker(binance: LocalBinance) -> None:
    async with binance.ws(f"{STREAM}/ws/btcusdt@bookTicker") as ws:
        await ask(ws, "LIST_SUBSCRIPTIONS")
        top = binance.exchange.depth("BTC/USDT", 1)
        spec = binance.exchange.symbols["BTC/USDT"]
        price = top.bids[0].price + spec.tick
        limit = {"account": "bob", "symbol": "BTC/USDT", "side": Side.BUY, "kind": OrderKind.LIMIT}
        deep = binance.exchange.submit(NewOrder(amount=Decimal("0.01"), price=Decimal(50000), **limit))
        binance.exchange.submit(NewOrder(amount=Decimal("0.01"), price=price, **limit))
        frame = await next_json(ws)
        assert frame == {
            "u": binance.exchange.depth("BTC/USDT", 1).update_id,
            "s": "BTCUSDT",
            "b": f"{price:.8f}",
            "B": "0.01000000",
            "a": f"{top.asks[0].price:.8f}",
            "A": f"{top.asks[0].amount:.8f}",
        }
        binance.exchange.cancel("bob", "BTC/USDT", OrderRef(deep.id))


def test_an_empty_side_has_zeros_for_its_best() -> None:
    level = Level(Decimal("50000.5"), Decimal("0.4"))
    both, one = Depth("BTC/USDT", 1, [level], [level]), Depth("BTC/USDT", 2, [level], [])
    best = BestPrices(both)
    assert best.update(one) is one
    assert best.update(one) is None
    assert stream_json.book_ticker(one, "BTCUSDT")(1) == {
        "u": 2,
        "s": "BTCUSDT",
        "b": "50000.50000000",
        "B": "0.40000000",
        "a": "0.00000000",
        "A": "0.00000000",
    }


class Book:
    """A book kept as the documentation tells a client to."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.last_id = snapshot["lastUpdateId"]
        self.sides = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}

    def apply(self, event: dict[str, Any]) -> None:
        if event["u"] <= self.last_id:
            return
        assert event["U"] <= self.last_id + 1, "a gap"
        for side in "ba":
            for price, amount in event[side]:
                if Decimal(amount):
                    self.sides[side][price] = amount
                else:
                    self.sides[side].pop(price, None)
        self.last_id = event["u"]

    def levels(self, side: str, limit: int) -> list[list[str]]:
        ordered = sorted(self.sides[side].items(), key=lambda level: Decimal(level[0]), reverse=side == "b")
        return [list(level) for level in ordered[:limit]]


async def test_diff_depth_follows_the_book_exactly(living: LocalBinance) -> None:
    async with living.ws(f"{STREAM}/ws/btcusdt@depth@100ms") as ws:
        events = [await next_json(ws)]
        snapshot = (await living.get("/api/v3/depth", symbol="BTCUSDT", limit=5000)).json
        book = Book(snapshot)
        async with living.ws(f"{STREAM}/ws/btcusdt@depth@100ms") as late:
            while len(events) < 12:
                events.append(await next_json(ws))
            joined = await next_json(late)
        living.freeze()
        target = living.exchange.depth("BTC/USDT", 5000)
        while events[-1]["u"] < target.update_id:
            events.append(await next_json(ws))
        assert all(set(event) == {"e", "E", "s", "U", "u", "b", "a"} for event in events)
        assert all(b["U"] == a["u"] + 1 for a, b in pairwise(events))
        assert joined in events
        for event in events:
            book.apply(event)
        assert book.last_id == target.update_id
        assert book.levels("b", 5000) == [[f"{x.price:.8f}", f"{x.amount:.8f}"] for x in target.bids]
        assert book.levels("a", 5000) == [[f"{x.price:.8f}", f"{x.amount:.8f}"] for x in target.asks]


def test_diff_depth_begins_where_the_book_is() -> None:
    depth = DiffDepth(10)
    assert depth.take() is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("btcusdt@depth", Kind.DEPTH),
        ("btcusdt@depth@100ms", Kind.DEPTH),
        ("btcusdt@depth10@1000ms", Kind.PARTIAL_DEPTH),
        ("btcusdt@kline_1M", Kind.KLINE),
        ("btcusdt@depth7", None),
        ("btcusdt@depth@50ms", None),
        ("btcusdt@kline_2m", None),
        ("BTCUSDT@trade", None),
        ("btcusdt@ticker_2h", None),
        ("!bookTicker", None),
        ("0", None),
    ],
)
def test_names(name: str, kind: Kind | None) -> None:
    stream = parse(name)
    assert (stream.kind if stream else None) == kind


@pytest.mark.asyncio(loop_scope="module")
async def test_streams_of_the_url(shared: LocalBinance) -> None:
    async with shared.ws(f"{STREAM}/ws/btcusdt%40trade/ethusdt@trade/0") as ws:
        assert (await ask(ws, "LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@trade", "ethusdt@trade", "0"]


async def test_too_many_streams(socket_path: str) -> None:
    settings = Settings(streams_per_connection=2)
    async with local_binance(socket_path, settings=settings) as venue, venue.ws(f"{STREAM}/ws") as ws:
        await subscribed(ws, "btcusdt@trade", "ethusdt@trade")
        refused = await ask(ws, "SUBSCRIBE", ["bnbusdt@trade"])
        assert refused["error"]["code"] == 2
        assert len((await ask(ws, "LIST_SUBSCRIPTIONS"))["result"]) == 2


@pytest.mark.asyncio(loop_scope="module")
async def test_too_many_messages(shared: LocalBinance) -> None:
    async with shared.ws(f"{STREAM}/ws") as ws:
        with contextlib.suppress(ConnectionError):
            for number in range(12):
                await ws.send_str(json.dumps({"id": number, "method": "LIST_SUBSCRIPTIONS"}))
        with pytest.raises(ConnectionError, match="1008 'Too many requests'"):
            await drain(ws)


async def test_pings_and_pongs(socket_path: str) -> None:
    settings = Settings(ping_s=0.05, pong_s=0.2, messages_per_s=1000)
    async with local_binance(socket_path, settings=settings) as venue:
        venue.freeze()
        async with venue.ws(f"{STREAM}/ws") as polite, venue.ws(f"{STREAM}/ws") as silent, venue.ws(WS_API) as wrong:

            async def answer() -> None:
                while True:
                    message = await polite.receive()
                    assert message.type is aiohttp.WSMsgType.PING
                    assert message.data.isdigit()
                    await polite.pong(message.data)

            async def last(ws: Any, payload: bytes | None) -> Any:
                while True:
                    message = await ws.receive()
                    if message.type is not aiohttp.WSMsgType.PING:
                        return message
                    if payload is not None:
                        await ws.pong(payload)

            task = asyncio.create_task(answer())
            for ws, payload in ((silent, None), (wrong, b"unasked")):
                message = await asyncio.wait_for(last(ws, payload), 3)
                assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, 1008, "Pong timeout")
            assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await polite.ping(b"mine")
            while (await polite.receive()).type is not aiohttp.WSMsgType.PONG:
                pass


async def test_connections_end_after_their_time(socket_path: str) -> None:
    settings = Settings(connection_s=0.1)
    async with local_binance(socket_path, settings=settings) as venue, venue.ws(f"{STREAM}/ws") as ws:
        with pytest.raises(ConnectionError, match="CLOSE 1001"):
            await next_json(ws)


async def test_slow_reader_is_dropped_and_nobody_else(socket_path: str) -> None:
    async with local_binance(socket_path, settings=Settings(queue_frames=50)) as venue:
        venue.freeze()
        async with venue.ws(f"{STREAM}/ws/btcusdt@trade") as slow, venue.ws(f"{STREAM}/ws/btcusdt@trade") as good:
            await ask(slow, "LIST_SUBSCRIPTIONS")
            await ask(good, "LIST_SUBSCRIPTIONS")
            slow._conn.transport.pause_reading()
            venue.exchange.credit("bob", "USDT", Decimal(10**9), "test")
            received, connections = 0, venue.server.status().connections
            async with asyncio.timeout(20):
                while venue.server.status().connections == connections:
                    order = buy(venue, "0.0005")
                    fills = len(venue.exchange.fills("bob", "BTC/USDT", order_id=order.id))
                    if not fills:
                        venue.wire.world.model.advance(1000)
                        continue
                    for _ in range(fills):
                        while (await next_json(good))["e"] != "trade":
                            pass
                        received += 1
                    if received > 50_000:
                        raise AssertionError("the slow reader was never dropped")
            buy(venue, "0.0005")
            assert (await next_json(good))["e"] == "trade"


async def test_farewell(socket_path: str) -> None:
    frames: dict[str, Any] = {}
    async with local_binance(socket_path) as venue:
        sockets = {url: await venue.ws(url) for url in (f"{STREAM}/ws", f"{STREAM}/stream", WS_API)}
        await eventually(lambda: venue.server.status().connections == 3)

        async def read(url: str) -> None:
            frames[url] = await next_json(sockets[url])
            message = await sockets[url].receive()
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)

        readers = [asyncio.create_task(read(url)) for url in sockets]
        await venue.wire.stop()
        await asyncio.gather(*readers)
        for ws in sockets.values():
            await ws.close()
    raw, combined, api = frames.values()
    assert (set(raw), raw["e"]) == ({"e", "E"}, "serverShutdown")
    assert (combined["stream"], combined["data"]["e"]) == ("!serverShutdown", "serverShutdown")
    assert api["event"]["e"] == "serverShutdown"
