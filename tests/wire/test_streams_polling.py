"""Streams by REST, where there is no socket for them: the local Binance again, with CCXT's `watch_*` taken away."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams_kit import SYMBOL, Local, Truth, local_binance, until

from planar.adapters import polling
from planar.errors import ExchangeNotAvailable, NotSupported, StaleData
from planar.streams import Kind, StreamState


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "PAUSE_S", dict.fromkeys(Kind, 0.05))


def without_sockets(local: Local) -> Local:
    methods = local.adapter.capabilities.methods
    for name in list(methods):
        if name.startswith("watch_"):
            methods[name] = None  # type: ignore[index]
    return local


async def test_states_and_rows_by_rest(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        hub = without_sockets(local).hub
        async with (
            hub.order_book(SYMBOL, 5) as books,
            hub.ticker(SYMBOL) as one,
            hub.tickers([SYMBOL, "ETH/USDT"]) as several,
            hub.balance() as balances,
            hub.trades(SYMBOL) as trades,
            hub.my_trades(SYMBOL) as fills,
            hub.ohlcv(SYMBOL, "1m") as candles,
        ):
            book = await anext(books)
            assert (book.depth, books.source) == ((5, 5), "rest")
            assert books.snapshot().depth == (5, 5)
            assert (await anext(one)).symbol == SYMBOL
            assert {(await anext(several)).symbol for _ in range(2)} == {SYMBOL, "ETH/USDT"}
            assert "BTC" in (await anext(balances)).balances
            await until(lambda: trades.state is fills.state is StreamState.LIVE)
            local.wire.world.model.frozen = True
            truth = Truth(local.wire)
            bought = await local.buy("pl-poll-1", "0.5")
            ids = [(await anext(trades)).id]
            while ids[-1] != truth.trade_ids[-1]:
                ids.append((await anext(trades)).id)
            assert ids[-len(truth.trade_ids) :] == truth.trade_ids
            mine = [await anext(fills) for _ in truth.trade_ids]
            assert [fill.id for fill in mine] == truth.trade_ids
            assert {fill.order_id for fill in mine} == {bought.id}
            assert (await anext(candles)).ts_ms % 60_000 == 0
            truth.stop()
            with pytest.raises(NotSupported, match="watch_orders is not offered"):
                await hub.orders().__aenter__()
            with pytest.raises(NotSupported, match="watch_my_trades"):
                await hub.my_trades()
        assert local.meddler.sent == []


async def test_a_failing_question_is_a_lost_connection(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local:
        hub = without_sockets(local).hub
        async with hub.ticker(SYMBOL) as tickers:
            await anext(tickers)
            local.meddler.refuse = {"/api/v3/ticker/24hr": (502, "<html>")}
            with pytest.raises(StaleData, match="502") as lost:
                while True:
                    await anext(tickers)
            assert isinstance(lost.value.__cause__, ExchangeNotAvailable)
            local.meddler.refuse = {}
            assert (await anext(tickers)).symbol == SYMBOL


async def test_more_trades_than_one_answer_holds_are_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with local_binance(tmp_path) as local:
        adapter = without_sockets(local).adapter
        whole = adapter.fetch_trades

        async def short(symbol: str, *args: object, **kwargs: object) -> object:
            return (await whole(symbol, None, 2, {}, timeout_ms=5_000))[-2:]

        monkeypatch.setattr(adapter, "fetch_trades", short)
        async with local.hub.trades(SYMBOL) as trades:
            await until(lambda: trades.state is StreamState.LIVE)
            await local.buy("pl-poll-2", "3")
            await until(lambda: trades.gaps)
            assert "one answer" in trades.gaps[0].reason
