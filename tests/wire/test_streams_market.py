"""Streams of market data from the local Binance, compared with what its engine did."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from streams_kit import SYMBOL, Local, Truth, local_binance, until

from planar.adapters.ccxt_streams import open_feed
from planar.adapters.feed import Kind, Topic
from planar.errors import BadSymbol, NotSupported
from planar.models import Candle, OrderBook, Ticker, Trade
from planar.streams import StreamState


async def fresh_truth(local: Local) -> Truth:
    """The truth from this moment on: nothing happens between the fetched book and the listening."""
    frozen = local.wire.world.model
    frozen.frozen = True
    book = await local.adapter.fetch_order_book(SYMBOL, 5_000, {}, timeout_ms=5_000)
    truth = Truth(local.wire)
    truth.begin(book)
    frozen.frozen = False
    return truth


async def test_each_book_is_the_venues_book_at_its_sequence_number(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        truth = await fresh_truth(local)
        seen: list[OrderBook] = []
        async with local.hub.order_book(SYMBOL, 5, policy="every") as books:
            assert books.state is StreamState.CONNECTING
            async for book in books:
                assert books.state is StreamState.LIVE
                seen.append(book)
                if len(seen) == 8:
                    break
            live = books.book
            assert (live.best_bid, live.best_ask) == (seen[-1].best_bid, seen[-1].best_ask)
            whole = books.snapshot()
            assert whole.depth > (5, 5)
            assert whole.nonce == live.nonce == seen[-1].nonce
            assert books.source == "websocket"
            assert books.age_ms is not None
            assert books.age_ms < 1_000
        nonces = [book.nonce for book in seen]
        assert nonces == sorted(set(nonces))  # type: ignore[type-var]
        compared = 0
        for book in seen:
            assert book.depth == (5, 5)
            assert book.age_ms is not None
            if book.nonce in truth.tops:
                assert (list(book.bids), list(book.asks)) == truth.tops[book.nonce]
                compared += 1
        assert compared >= 6


async def test_consumers_share_one_subscription_and_the_last_to_leave_ends_it(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        async with local.hub.order_book(SYMBOL) as first:
            await anext(first)
            async with local.hub.order_book(SYMBOL, 3, policy="every") as second:
                assert (await anext(second)).depth == (3, 3)
                assert (await anext(first)).depth == (20, 20)
                subscriptions = [frame for _, frame in local.meddler.sent if "SUBSCRIBE" in frame]
                assert len(subscriptions) == 1
            await anext(first)
        assert first.state is StreamState.DOWN
        await until(lambda: local.meddler.open == 0)
        assert local.adapter.exchange.clients == {}
        assert SYMBOL not in local.adapter.exchange.orderbooks
        async with local.hub.order_book(SYMBOL) as again:
            assert isinstance(await anext(again), OrderBook)


async def test_every_trade_comes_once_however_slow_its_consumer_is(tmp_path: Path) -> None:
    async with local_binance(tmp_path, options={"tradesLimit": 5}) as local:
        async with local.hub.trades(SYMBOL) as slow, local.hub.trades(SYMBOL) as called:
            direct: list[Trade] = []
            called.on_update(direct.append)
            await until(lambda: slow.state is StreamState.LIVE)
            truth = await fresh_truth(local)
            before = len(direct)
            local.wire.world.model.frozen = True
            await local.buy("pl-many-1", "3")  # eats through the book: more trades than CCXT's cache holds
            await until(lambda: len(truth.trade_ids) > 5 and len(direct) >= before + len(truth.trade_ids))
            rows = [await anext(slow) for _ in range(len(direct))]
            assert [row.id for row in rows] == [row.id for row in direct]
            assert [row.id for row in rows][before:] == truth.trade_ids
            assert slow.dropped == called.dropped == 0
            assert all(isinstance(row, Trade) and row.symbol == SYMBOL for row in rows)
            truth.stop()


async def test_who_comes_back_gets_what_is_new_and_nothing_else(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        local.wire.world.model.frozen = True
        seen: list[str | None] = []
        for number in range(2):
            async with local.hub.trades(SYMBOL) as trades:
                await until(lambda: trades.state is StreamState.LIVE)
                truth = Truth(local.wire)
                await local.buy(f"pl-back-{number}", "0.001")
                seen.append((await anext(trades)).id)
                assert seen[-1] == truth.trade_ids[0]
                truth.stop()


async def test_tickers_and_candles(tmp_path: Path) -> None:
    async with (
        local_binance(tmp_path) as local,
        local.hub.ticker(SYMBOL) as one,
        local.hub.tickers([SYMBOL, "ETH/USDT"]) as several,
        local.hub.ohlcv(SYMBOL, "1m") as candles,
    ):
        await until(lambda: candles.state is StreamState.LIVE)
        await local.buy("pl-candle-1", "0.01")
        ticker, candle = await anext(one), await anext(candles)
        assert isinstance(ticker, Ticker)
        assert ticker.symbol == SYMBOL
        assert isinstance(candle, Candle)
        assert candle.ts_ms % 60_000 == 0
        symbols = {(await anext(several)).symbol for _ in range(2)}
        assert symbols == {SYMBOL, "ETH/USDT"}


async def test_awaiting_keeps_the_meaning_of_ccxt(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        hub = local.hub
        book, tickers, ticker, candles = await asyncio.gather(
            hub.order_book(SYMBOL, 3), hub.tickers([SYMBOL]), hub.ticker(SYMBOL), hub.ohlcv(SYMBOL, "1m")
        )
        assert book.depth == (3, 3)
        assert book.nonce is not None
        later = await hub.order_book(SYMBOL, 3)
        assert later.nonce is not None
        assert later.nonce > book.nonce
        assert set(tickers) == {SYMBOL}
        assert ticker.symbol == SYMBOL
        assert len({candle.ts_ms for candle in candles}) == len(candles)

        streams = hub.trades(SYMBOL), hub.trades(SYMBOL)
        first, second = (asyncio.create_task(_awaited(stream)) for stream in streams)
        # the venue knows of the subscription
        await until(lambda: all(stream.state is StreamState.LIVE for stream in streams))
        local.wire.world.model.frozen = True
        await local.buy("pl-await-1", "0.001")
        rows = await first
        assert rows
        assert await second == rows  # who waits at the same moment gets the same rows
        truth = Truth(local.wire)
        await local.buy("pl-await-2", "1")
        await local.buy("pl-await-3", "1")
        got: list[str | None] = []
        while len(got) < len(truth.trade_ids):
            await asyncio.sleep(0.05)
            got += [row.id for row in await hub.trades(SYMBOL)]
        assert got == truth.trade_ids
        truth.stop()

        await hub.trades(SYMBOL).unwatch()
        await until(lambda: "stream trades BTC/USDT" not in _names())


async def _awaited(stream: object) -> list[Trade]:
    return await stream  # type: ignore[misc, no-any-return]


def _names() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks()]


async def test_what_cannot_be_watched_is_refused_with_the_reason(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        stream = local.hub.trades("NO/PAIR")
        async with stream:
            with pytest.raises(BadSymbol, match="binance: .*NO/PAIR"):
                await anext(stream)
            assert stream.state is StreamState.DOWN
            with pytest.raises(BadSymbol):
                await anext(stream)
        with pytest.raises(BadSymbol):
            await local.hub.ticker("NO/PAIR")
        with pytest.raises(NotSupported, match="watch_"):
            local.adapter.capabilities.methods["watch_orders"] = False  # type: ignore[index]
            open_feed(local.adapter, Topic(Kind.ORDERS))
