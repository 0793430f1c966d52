"""Streams on feeds that the test plays by hand: policies, states, gaps, awaiting, sharing."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest
from scripted_feed import SYMBOL, Book, Scripted, candle, order, ticker, trade, until

import planar.runtime as runtime
from planar.errors import AuthenticationError, BadRequest, ExchangeNotAvailable, NotSupported, RequestTimeout, StaleData
from planar.models import Order
from planar.streams import Gap, Kind, StreamHub, StreamRules, StreamState
from planar.streams import stream as stream_module

QUICK = StreamRules(backoff_s=0.001, backoff_max_s=0.002, check_ms=5)
LIVE, RESYNCING, DOWN = StreamState.LIVE, StreamState.RESYNCING, StreamState.DOWN


@pytest.fixture
def adapter() -> Scripted:
    return Scripted()


@pytest.fixture
def hub(adapter: Scripted) -> StreamHub:
    return StreamHub(adapter, rules=QUICK)


async def drain(stream: object, count: int) -> list[object]:
    return [await anext(stream) for _ in range(count)]  # type: ignore[call-overload]


async def test_latest_conflates_by_key_and_counts(adapter: Scripted, hub: StreamHub) -> None:
    async with hub.tickers([SYMBOL, "ETH/USDT"]) as tickers, hub.orders(policy="latest") as orders:
        feed = await adapter.running(Kind.TICKERS)
        for last in (1.0, 2.0, 3.0):
            feed.sink.deliver(ticker(last))
            feed.sink.deliver(ticker(last * 10, "ETH/USDT"))
        assert [item.last for item in (await drain(tickers, 2))] == [3.0, 30.0]  # type: ignore[attr-defined]
        assert tickers.dropped == 4
        feed = await adapter.running(Kind.ORDERS)
        for filled in ("0.1", "0.2"):
            feed.sink.deliver(order("a", filled))
            feed.sink.deliver(order("b", filled))
        assert [(one.id, one.filled) for one in await drain(orders, 2)] == [("a", 0.2), ("b", 0.2)]  # type: ignore[attr-defined]


async def test_every_keeps_all_and_says_what_is_beyond_its_bound(
    adapter: Scripted, hub: StreamHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "EVERY_LIMIT", 3)
    async with hub.trades(SYMBOL) as slow, hub.trades(SYMBOL) as quick:
        feed = await adapter.running(Kind.TRADES)
        for number in range(1, 6):
            feed.sink.deliver(trade(number))
            assert (await anext(quick)).id == str(number)
        assert (slow.dropped, quick.dropped) == (2, 0)
        inband = slow.with_gaps()
        first = await anext(inband)
        assert isinstance(first, Gap)
        assert first.dropped == 2
        assert "more than 3" in first.reason
        assert [(await anext(inband)).id for _ in range(3)] == ["3", "4", "5"]  # type: ignore[union-attr]
        assert slow.gaps == (first,)
        assert quick.gaps == ()
        await inband.aclose()  # type: ignore[attr-defined]


async def test_a_gap_stands_where_rows_are_missing(adapter: Scripted, hub: StreamHub) -> None:
    async with hub.trades(SYMBOL) as trades:
        feed = await adapter.running(Kind.TRADES)
        feed.sink.subscribed()
        feed.sink.deliver(trade(1))
        feed.heard_ms = 1_234
        feed.lose()
        await until(lambda: feed.runs == 2)
        feed.sink.subscribed()
        feed.sink.deliver(trade(2))
        feed.sink.lost("a row of another world")
        feed.sink.deliver(trade(3))
        inband = trades.with_gaps()
        one, gap, two, unread, three = [await anext(inband) for _ in range(5)]
        assert [one, two, three] == [trade(1), trade(2), trade(3)]
        assert isinstance(gap, Gap)
        assert (gap.since_ms, gap.reason, gap.dropped) == (1_234, "the line is dead", None)
        assert isinstance(unread, Gap)
        assert (unread.reason, unread.dropped) == ("a row of another world", 1)
        assert trades.gaps == (gap, unread)
        await inband.aclose()  # type: ignore[attr-defined]


async def test_a_book_is_copied_when_it_is_taken(adapter: Scripted, hub: StreamHub) -> None:
    async with hub.order_book(SYMBOL, 2) as books, hub.order_book(SYMBOL, 1, policy="every") as each:
        feed = await adapter.running(Kind.ORDER_BOOK)
        book = Book([[9.0, 1.0], [8.0, 1.0], [7.0, 1.0]], [[10.0, 1.0], [11.0, 1.0], [12.0, 1.0]])
        feed.sink.book(book)
        book.bids[0][1], book.nonce = 5.0, 2
        feed.sink.book(book)
        taken = await anext(books)
        assert (taken.bids, taken.depth, taken.nonce) == (((9.0, 5.0), (8.0, 1.0)), (2, 2), 2)
        assert books.dropped == 1
        assert [(one.bids, one.nonce) for one in await drain(each, 2)] == [(((9.0, 1.0),), 1), (((9.0, 5.0),), 2)]  # type: ignore[attr-defined]
        book.bids[0][1] = 6.0
        assert taken.bids[0] == (9.0, 5.0)
        assert books.book.bids[0][1] == 6.0
        assert books.snapshot().depth == (3, 3)
        assert taken.received_ns is not None


@pytest.mark.parametrize("bids", [[[11.0, 1.0]], [[float("nan"), 1.0]], [[10.0, 1.0]]])
async def test_a_book_that_cannot_be_is_fetched_anew(
    adapter: Scripted, hub: StreamHub, bids: list[list[float]]
) -> None:
    async with hub.order_book(SYMBOL) as books:
        feed = await adapter.running(Kind.ORDER_BOOK)
        feed.sink.book(Book(bids, [[10.0, 1.0]]))
        with pytest.raises(StaleData, match="crossed"):
            await anext(books)
        await until(lambda: feed.runs == 2)
        feed.sink.book(Book([[9.0, 1.0]], [[10.0, 1.0]]))
        assert (await anext(books)).best_bid == 9.0


async def test_levels_out_of_order_are_found_when_they_are_copied(adapter: Scripted, hub: StreamHub) -> None:
    async with hub.order_book(SYMBOL) as books:
        feed = await adapter.running(Kind.ORDER_BOOK)
        feed.sink.book(Book([[9.0, 1.0], [9.5, 1.0]], [[10.0, 1.0]]))
        with pytest.raises(StaleData, match="out of order"):
            await anext(books)


async def test_a_state_that_is_lost_raises_once_or_yields_what_was(adapter: Scripted, hub: StreamHub) -> None:
    async with hub.ticker(SYMBOL) as strict, hub.ticker(SYMBOL, stale="yield") as lenient:
        feed = await adapter.running(Kind.TICKER)
        feed.sink.deliver(ticker(1.0))
        await drain(strict, 1)
        await drain(lenient, 1)
        feed.lose()
        waiting = asyncio.create_task(anext(strict))  # type: ignore[arg-type]
        assert (await anext(lenient)).last == 1.0
        assert lenient.state is RESYNCING
        with pytest.raises(StaleData, match="here: ticker BTC/USDT is resyncing: the line is dead"):
            await waiting
        await until(lambda: feed.runs == 2)
        feed.sink.deliver(ticker(2.0))
        assert (await anext(strict)).last == 2.0
        assert (await anext(lenient)).last == 2.0


async def test_a_consumer_that_comes_later_begins_with_what_is(adapter: Scripted, hub: StreamHub) -> None:
    async with hub.order_book(SYMBOL) as first, hub.trades(SYMBOL):
        book = await adapter.running(Kind.ORDER_BOOK)
        trades = await adapter.running(Kind.TRADES)
        book.sink.book(Book([[9.0, 1.0]], [[10.0, 1.0]]))
        trades.sink.deliver(trade(1))
        async with hub.order_book(SYMBOL) as second, hub.trades(SYMBOL) as rows:
            assert (await anext(second)).best_bid == 9.0
            trades.sink.deliver(trade(2))
            assert (await anext(rows)).id == "2"
        assert (await anext(first)).best_bid == 9.0
        book.lose()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if first.state is not LIVE:
            async with hub.order_book(SYMBOL) as late:
                with pytest.raises(StaleData):
                    await anext(late)


async def test_a_refusal_is_final_for_those_who_are_there_and_asked_anew_by_who_comes(
    adapter: Scripted, hub: StreamHub
) -> None:
    adapter.failing = AuthenticationError("no such key")
    async with hub.orders() as orders:
        for _ in range(2):
            with pytest.raises(AuthenticationError, match="no such key"):
                await anext(orders)
        assert orders.state is DOWN
        with pytest.raises(AuthenticationError):
            await hub.orders()
        with pytest.raises(AuthenticationError):
            await hub.orders()
        adapter.failing = None
        awaiting = asyncio.ensure_future(_next_rows(hub))
        async with hub.orders() as later:
            feeds = [pump.feed for pump in hub._pumps.values()]
            (feed,) = feeds
            await feed.running.wait()  # type: ignore[attr-defined]
            feed.sink.deliver(order("a", "0"))  # type: ignore[attr-defined]
            assert (await anext(later)).id == "a"
            await until(lambda: len(hub._pumps[feed.topic]._consumers) == 2)
            feed.sink.deliver(order("b", "0"))  # type: ignore[attr-defined]
            assert [one.id for one in await awaiting] == ["b"]
    with pytest.raises(NotSupported):
        await hub.balance()
    await hub.close()


async def _next_rows(hub: StreamHub) -> list[Order]:
    return await hub.orders()


async def test_awaiting_gives_each_row_once_to_all_who_wait(adapter: Scripted, hub: StreamHub) -> None:
    first, second = (asyncio.ensure_future(hub.trades(SYMBOL)._awaited()) for _ in range(2))
    await asyncio.sleep(0)
    feed = await adapter.running(Kind.TRADES)
    feed.sink.deliver(trade(1))
    assert await first == await second == [trade(1)]
    feed.sink.deliver(trade(2))
    feed.sink.deliver(trade(3))
    assert await hub.trades(SYMBOL) == [trade(2), trade(3)]
    waiting = asyncio.ensure_future(hub.trades(SYMBOL)._awaited())
    await asyncio.sleep(0)
    feed.lose()
    with pytest.raises(ExchangeNotAvailable, match="the line is dead"):
        await waiting
    await hub.close()


async def test_awaiting_a_state_gives_the_newest_once(adapter: Scripted, hub: StreamHub) -> None:
    waiting = asyncio.ensure_future(hub.ticker(SYMBOL)._awaited())
    await asyncio.sleep(0)
    feed = await adapter.running(Kind.TICKER)
    feed.sink.deliver(ticker(1.0))
    feed.sink.deliver(ticker(2.0))
    assert (await waiting).last == 2.0
    waiting = asyncio.ensure_future(hub.ticker(SYMBOL)._awaited())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    feed.sink.deliver(ticker(3.0))
    assert (await waiting).last == 3.0
    rows = asyncio.ensure_future(hub.ohlcv(SYMBOL, "1m")._awaited())
    await asyncio.sleep(0)
    feed = await adapter.running(Kind.OHLCV)
    for close in (1.0, 2.0):
        feed.sink.deliver(candle(60_000, close))
    feed.sink.deliver(candle(120_000, 3.0))
    assert await rows == [candle(60_000, 2.0), candle(120_000, 3.0)]
    await hub.close()


async def test_the_last_to_leave_stops_the_pump_and_the_next_waits_for_that(adapter: Scripted, hub: StreamHub) -> None:
    async with hub.trades(SYMBOL) as first:
        feed = await adapter.running(Kind.TRADES)
        async with hub.trades(SYMBOL):
            pass
        assert (feed.closed, feed.running.is_set()) == (0, True)
    assert (feed.closed, feed.running.is_set(), first.state) == (1, False, DOWN)
    leaving = hub.trades(SYMBOL)
    await leaving.__aenter__()
    (feed,) = [pump.feed for pump in hub._pumps.values()]  # type: ignore[assignment]
    await feed.running.wait()
    exit_task = asyncio.ensure_future(leaving.__aexit__(None, None, None))
    await asyncio.sleep(0)
    exit_task.cancel()  # who is cancelled while leaving does not cut the leaving short
    async with hub.trades(SYMBOL):
        assert feed.closed == 1
    with pytest.raises(asyncio.CancelledError):
        await exit_task
    with pytest.raises(BadRequest, match="is not open"):
        await anext(leaving)


async def test_orders_go_to_the_hook_first_and_its_errors_to_nobody_else(adapter: Scripted) -> None:
    seen: list[str | None] = []
    problems: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(str(context["exception"])))

    def hook(one: Order) -> None:
        seen.append(one.id)
        raise ValueError("the hook's own")

    hub = StreamHub(adapter, on_order=hook, rules=QUICK)
    async with hub.orders() as orders, hub.trades(SYMBOL) as trades:
        feed = await adapter.running(Kind.ORDERS)
        feed.sink.deliver(order("a", "0"))
        (await adapter.running(Kind.TRADES)).sink.deliver(trade(1))
        assert (await anext(orders)).id == "a"
        assert await anext(trades)
        assert (seen, problems) == (["a"], ["the hook's own"])
    await hub.close()


async def test_what_makes_no_sense_is_refused(hub: StreamHub) -> None:
    for wrong in ({"policy": "some"}, {"stale": "hide"}):
        with pytest.raises(BadRequest, match="is not possible"):
            hub.order_book(SYMBOL, **wrong)  # type: ignore[arg-type]
    stream = hub.trades(SYMBOL)
    assert (stream.state, stream.age_ms, stream.source, stream.dropped, stream.gaps) == (DOWN, None, None, 0, ())
    async with stream:
        with pytest.raises(BadRequest, match="open already"):
            await stream.__aenter__()
    with pytest.raises(StaleData, match="not open"):
        _ = hub.order_book(SYMBOL).book
    assert repr(stream) == "<stream trades BTC/USDT down>"


async def test_lag_spoils_every_stream_until_it_is_over(adapter: Scripted) -> None:
    hub = StreamHub(adapter, rules=StreamRules(max_lag_ms=60, check_ms=10))
    async with hub.ticker(SYMBOL) as tickers, hub.trades(SYMBOL) as trades:
        state = await adapter.running(Kind.TICKER)
        rows = await adapter.running(Kind.TRADES)
        state.sink.deliver(ticker(1.0))
        rows.sink.subscribed()
        await anext(tickers)
        time.sleep(0.1)
        with pytest.raises(StaleData, match="event loop was 0.* s late"):
            await anext(tickers)
        assert hub.lag_ms > 60
        await until(lambda: trades.state is LIVE)  # rows go on by themselves, a state with its next update
        assert tickers.state is StreamState.STALE
        state.sink.deliver(ticker(2.0))
        assert (await anext(tickers)).last == 2.0


def test_pauses_grow_with_jitter_and_a_subscription_has_a_deadline() -> None:
    async def scenario() -> tuple[list[float], str, str]:
        adapter = Scripted()
        adapter.failing = ExchangeNotAvailable("no")
        hub = StreamHub(adapter, rules=StreamRules(backoff_s=1.0, backoff_max_s=8.0))
        times: list[float] = []
        async with hub.trades(SYMBOL) as trades:
            for _ in range(7):
                with pytest.raises(ExchangeNotAvailable):
                    await anext(trades)
                times.append(runtime.monotonic())
        adapter.failing = None
        async with hub.order_book("ETH/USDT") as books:
            begun = runtime.monotonic()
            with pytest.raises(RequestTimeout, match="within 30 s") as late:
                await anext(books)
            took = runtime.monotonic() - begun
        await hub.close()
        return [after - before for before, after in itertools.pairwise(times)], str(late.value), f"{took:.0f}"

    pauses, _, took = runtime.simulate(scenario, seed=3)
    for pause, longest in zip(pauses, (1.0, 2.0, 4.0, 8.0, 8.0, 8.0), strict=True):
        assert longest / 2 <= pause <= longest
    assert len(set(pauses)) == len(pauses)
    assert took == "30"
    assert runtime.simulate(scenario, seed=3)[0] == pauses
    assert runtime.simulate(scenario, seed=4)[0] != pauses


def test_a_market_in_which_nothing_happens_is_asked_less_and_less_often() -> None:
    async def scenario() -> list[float]:
        adapter, asked = Scripted(), []
        hub = StreamHub(adapter)
        async with hub.order_book(SYMBOL, stale="yield"):
            feed = await adapter.running(Kind.ORDER_BOOK)
            while len(asked) < 6:
                await feed.running.wait()
                asked.append(runtime.monotonic())
                feed.sink.book(Book([[9.0, 1.0]], [[10.0, 1.0]]))
                if len(asked) == 4:
                    feed.sink.book(Book([[9.0, 1.0]], [[10.0, 1.0]]))
                runs = feed.runs
                while feed.runs == runs:
                    await runtime.sleep(1)
        await hub.close()
        return [after - before for before, after in itertools.pairwise(asked)]

    assert [round(pause, -1) for pause in runtime.simulate(scenario)] == [60, 120, 240, 480, 60]
