"""Streams of the local Binance when something between it and the client goes wrong: nothing silent, nothing for ever."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from pathlib import Path

import pytest
from streams_kit import SYMBOL, Local, Truth, local_binance, until

import planar.runtime as runtime
from planar.errors import ExchangeNotAvailable, RequestTimeout, StaleData
from planar.models import OrderBook, Trade
from planar.streams import StreamRules, StreamState

LIVE, STALE, RESYNCING, DOWN = StreamState.LIVE, StreamState.STALE, StreamState.RESYNCING, StreamState.DOWN


def event(frame: str) -> str:
    data = json.loads(frame)
    return data.get("event", data).get("e", "") if isinstance(data, dict) else ""


def subscriptions(local: Local) -> list[str]:
    frames = [json.loads(frame) for _, frame in local.meddler.sent]
    return [name for frame in frames if frame["method"] == "SUBSCRIBE" for name in frame["params"]]


async def test_a_lost_connection_is_told_and_comes_back(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        local.wire.world.model.frozen = True  # no trade comes but our own
        hub = local.hub
        async with (
            hub.order_book(SYMBOL) as books,
            hub.trades(SYMBOL) as trades,
            hub.trades(SYMBOL) as witness,
            hub.orders() as orders,
        ):
            await anext(books)
            await until(lambda: trades.state is orders.state is LIVE)
            waiting = asyncio.create_task(anext(trades))
            before, begun_ms = subscriptions(local), runtime.wall_ms()
            local.meddler.sent.clear()
            await local.meddler.cut()
            with pytest.raises(StaleData, match=r"binance: order_book BTC/USDT is resyncing: .*1006") as lost:
                while True:
                    await anext(books)
            assert isinstance(lost.value.__cause__, ExchangeNotAvailable)
            with pytest.raises(StaleData):
                _ = books.book
            with pytest.raises(StaleData):
                books.snapshot()
            assert isinstance(await anext(books), OrderBook)
            assert books.book.best_bid is not None
            await until(lambda: trades.state is orders.state is LIVE)
            assert sorted(subscriptions(local)) == sorted(before)
            assert not waiting.done()  # a consumer of rows just goes on waiting
            for rows in (trades, orders):
                (gap,) = rows.gaps
                assert begun_ms - 1_000 <= gap.since_ms <= gap.until_ms <= runtime.wall_ms()
                assert gap.dropped is None
                assert "1006" in gap.reason
            await local.buy("pl-fault-1")
            await waiting
            assert (await anext(orders)).client_order_id == "pl-fault-1"
            inband = witness.with_gaps()
            assert await anext(inband) == trades.gaps[0] == witness.gaps[0]
            assert isinstance(await anext(inband), Trade)
            await inband.aclose()  # type: ignore[attr-defined]


async def test_a_frame_that_cannot_be_read_ends_its_connection_and_no_other(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        async with local.hub.trades(SYMBOL) as trades, local.hub.order_book(SYMBOL) as books:
            await until(lambda: trades.state is books.state is LIVE)
            url = next(url for url, frame in local.meddler.sent if "btcusdt@trade" in frame)
            (socket,) = (one for one in local.adapter.exchange.clients.values() if one.url.endswith(url[-5:]))
            await local.meddler.push('{"e":"trade","s":"BTCUSDT","p":', url)
            await until(lambda: trades.gaps and trades.state is LIVE)
            assert socket.poisoned == 1
            assert "could not be read" in trades.gaps[0].reason
            assert books.gaps == ()
            await local.buy("pl-poison-1")
            await anext(trades)
            assert books.state is LIVE
            assert await anext(books)


async def test_a_lost_update_of_a_book_is_noticed_and_never_shown(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        model = local.wire.world.model
        model.frozen = True
        whole = await local.adapter.fetch_order_book(SYMBOL, 5_000, {}, timeout_ms=5_000)
        truth = Truth(local.wire)
        truth.begin(whole)
        model.frozen = False
        async with local.hub.order_book(SYMBOL, 5, policy="every", stale="yield") as books:
            for _ in range(2):
                await anext(books)
            lost: list[str] = []

            def drop_one(url: str, frame: str) -> list[str]:
                if event(frame) != "depthUpdate" or lost:
                    return [frame]
                lost.append(frame)
                return []

            connections = local.meddler.requests.count("GET /ws/0")
            local.meddler.alter = drop_one
            states, compared = [], 0
            while not (states and states[-1] is LIVE and RESYNCING in states):
                book = await anext(books)
                states.append(books.state)
                if book.nonce in truth.tops:
                    assert (list(book.bids), list(book.asks)) == truth.tops[book.nonce]
                    compared += 1
            assert lost
            assert compared
            # the same connection, a new subscription
            assert local.meddler.requests.count("GET /ws/0") == connections
            assert subscriptions(local) == ["btcusdt@depth@100ms"] * 2


async def test_a_crossed_book_is_not_shown(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, local.hub.order_book(SYMBOL, policy="every") as books:
        await anext(books)
        local.wire.world.model.frozen = True

        def cross(url: str, frame: str) -> list[str]:
            data = json.loads(frame)
            if data.get("e") == "depthUpdate":
                data["b"] = [["999999.00", "1"]]
            return [json.dumps(data)]

        local.meddler.alter = cross
        local.wire.world.model.frozen = False
        with pytest.raises(StaleData, match="crossed: bid 999999"):
            while True:
                book = await anext(books)
                assert not book.crossed
        local.meddler.alter = lambda url, frame: [frame]
        assert not (await anext(books)).crossed


async def test_silence_makes_a_state_stale_although_pongs_come(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        hub = local.new_hub(StreamRules(book_age_ms=400, check_ms=20, backoff_s=0.02))
        async with hub.order_book(SYMBOL) as strict, hub.order_book(SYMBOL, stale="yield") as lenient:
            first = await anext(strict)
            local.meddler.alter = lambda url, frame: []
            with pytest.raises(StaleData, match=r"is stale: no data for 0\.[45]"):
                while True:
                    await anext(strict)
            assert strict.state is STALE
            with pytest.raises(StaleData):
                _ = strict.book
            while lenient.state is LIVE:
                await anext(lenient)
            assert (await anext(lenient)).nonce >= first.nonce  # type: ignore[operator]
            assert lenient.book.best_bid is not None
            await until(lambda: strict.state is RESYNCING)  # so long a silence is not believed
            local.meddler.alter = lambda url, frame: [frame]
            await until(lambda: strict.state is LIVE)
            assert (await anext(strict)).nonce > first.nonce  # type: ignore[operator]


async def test_a_connection_on_which_nothing_moves_is_given_up(tmp_path: Path) -> None:
    async with local_binance(tmp_path, streaming={"keepAlive": 100}) as local, local.hub.orders() as orders:
        await until(lambda: orders.state is LIVE)
        await asyncio.sleep(0.5)
        assert orders.state is LIVE  # pongs alone keep a quiet connection
        local.meddler.silent = True
        await until(lambda: orders.state is not LIVE)
        local.meddler.silent = False
        await until(lambda: orders.state is LIVE)
        (gap,) = orders.gaps
        assert "not even a pong" in gap.reason
        assert gap.until_ms - gap.since_ms >= 200  # it begins when something was last heard, not when that was noticed


async def test_a_venue_that_cannot_be_reached_is_an_error_at_first_and_a_state_later(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        local.meddler.refuse = {f"/ws/{index}": (503, "<html>") for index in range(5)}
        async with local.hub.trades(SYMBOL) as trades:
            with pytest.raises(ExchangeNotAvailable, match="refused the stream: HTTP 503") as refused:
                await anext(trades)
            assert refused.value.retryable
            assert refused.value.exchange == "binance"
            assert trades.state is DOWN
            with pytest.raises(ExchangeNotAvailable):
                await local.hub.ticker(SYMBOL)
            local.meddler.refuse = {}
            await until(lambda: trades.state is LIVE)
            assert trades.gaps == ()
            assert (await local.hub.ticker(SYMBOL)).symbol == SYMBOL


async def test_a_snapshot_that_fails_is_tried_again(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        local.meddler.refuse = {"/api/v3/depth": (502, "<html>bad gateway</html>")}
        async with local.hub.order_book(SYMBOL) as books:
            with pytest.raises(ExchangeNotAvailable, match="502"):
                await anext(books)
            local.meddler.refuse = {}
            assert isinstance(await anext(books), OrderBook)


async def test_a_user_data_stream_that_the_venue_ends_is_opened_again(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, local.hub.orders() as orders, local.hub.my_trades() as fills:
        await until(lambda: orders.state is fills.state is LIVE)
        await local.meddler.say('{"id":"end","method":"userDataStream.unsubscribe","params":{}}', "ws-api")
        await until(lambda: orders.gaps and fills.gaps and orders.state is fills.state is LIVE)
        assert "terminated" in orders.gaps[0].reason


async def test_an_order_that_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, local.hub.orders() as orders:
        await until(lambda: orders.state is LIVE)
        local.meddler.alter = lambda url, frame: [frame.replace('"X":"NEW"', '"X":"QUANTUM"')]
        await local.buy("pl-unread-1", "0.01", "40000")
        await until(lambda: orders.gaps)
        assert orders.gaps[0].dropped == 1
        assert "status" in orders.gaps[0].reason
        assert orders.state is LIVE
        local.meddler.alter = lambda url, frame: [frame]
        await local.buy("pl-unread-2", "0.01", "40000")
        assert (await anext(orders)).client_order_id == "pl-unread-2"


async def test_when_this_process_lags_nothing_is_live(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        hub = local.new_hub(StreamRules(max_lag_ms=150, check_ms=20))
        async with hub.order_book(SYMBOL) as books, hub.trades(SYMBOL) as trades:
            await anext(books)
            await until(lambda: trades.state is LIVE)
            time.sleep(0.4)
            with pytest.raises(StaleData, match=r"event loop was 0\.[34] s late"):
                while True:
                    await anext(books)
            assert isinstance(await anext(books), OrderBook)
            await until(lambda: books.state is trades.state is LIVE)
            assert trades.gaps == ()


async def test_consumers_do_not_touch_one_another(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        problems: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        hub = local.hub
        async with hub.order_book(SYMBOL) as asleep, hub.order_book(SYMBOL) as broken, hub.order_book(SYMBOL) as awake:

            async def iterate() -> None:
                async with hub.order_book(SYMBOL) as books:
                    async for _ in books:
                        pass

            def fail(_: OrderBook) -> None:
                raise ValueError("the user's own")

            broken.on_update(fail)
            cancelled = asyncio.create_task(iterate())
            impatient = [asyncio.create_task(hub.order_book(SYMBOL)._awaited()) for _ in range(2)]
            await anext(awake)
            cancelled.cancel()
            impatient[0].cancel()
            await asyncio.wait([cancelled, impatient[0]])
            for _ in range(4):
                await anext(awake)
            assert isinstance(await impatient[1], OrderBook)
            assert cancelled.cancelled()
            assert awake.state is LIVE
            assert asleep.dropped >= 3
            assert (await anext(asleep)).nonce == awake.snapshot().nonce
            assert {str(problem["exception"]) for problem in problems} == {"the user's own"}
            assert awake.dropped <= 1


async def test_who_awaits_ccxt_itself_is_not_cancelled_by_another(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        exchange = local.adapter.exchange
        leaving, staying = (asyncio.create_task(exchange.watch_orders()) for _ in range(2))
        async with local.hub.orders() as orders:
            await until(lambda: orders.state is LIVE)
            await asyncio.sleep(0.05)
            leaving.cancel()
            await local.buy("pl-shared-1", "0.01", "40000")
            assert (await staying)[0]["clientOrderId"] == "pl-shared-1"
            assert (await anext(orders)).client_order_id == "pl-shared-1"


@pytest.mark.parametrize("moment", ["dialing", "subscribing", "live", "lost"])
async def test_closing_leaves_nothing(tmp_path: Path, moment: str, caplog: pytest.LogCaptureFixture) -> None:
    async with local_binance(tmp_path) as local:
        hub = local.hub
        tasks = set(asyncio.all_tasks())
        ended: list[str] = []

        async def iterate(stream: object) -> None:
            async with stream:  # type: ignore[attr-defined]
                while True:
                    try:
                        async for _ in stream:  # type: ignore[attr-defined]
                            pass
                    except (StaleData, ExchangeNotAvailable, RequestTimeout):
                        continue
                    ended.append(repr(stream))
                    return

        streams = [hub.order_book(SYMBOL), hub.trades(SYMBOL), hub.orders(), hub.balance(), hub.ohlcv(SYMBOL, "1m")]
        consumers = [asyncio.create_task(iterate(stream)) for stream in streams]
        awaiting = asyncio.create_task(hub.my_trades()._awaited())
        if moment == "subscribing":
            await until(lambda: local.meddler.sent)
        elif moment != "dialing":
            await until(lambda: all(stream.state is LIVE for stream in streams))
        if moment == "lost":
            await local.meddler.cut()
            await until(lambda: any(stream.state is not LIVE for stream in streams))
        await asyncio.sleep(0)
        await hub.close()
        await asyncio.wait(consumers)
        assert len(ended) == len(streams)
        with pytest.raises(ExchangeNotAvailable):
            await awaiting
        await local.adapter.close()
        await until(lambda: local.meddler.open == 0)
        await until(lambda: {task for task in asyncio.all_tasks() - tasks if "planar" in repr(task)} == set())
        assert {stream.state for stream in streams} == {DOWN}
        with pytest.raises(ExchangeNotAvailable, match="closed"):
            await hub.ticker(SYMBOL)
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
