"""Paper accounts on the market data of a local Binance and Kraken, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from paper_kit import SYMBOL, Scene, inside, now, scene_of, step

from planar.adapters.unified import METHODS
from planar.errors import (
    InsufficientFunds,
    InvalidOrder,
    JournalError,
    JournalLocked,
    NotSupported,
    OrderImmediatelyFillable,
    OrderNotFound,
    Outcome,
    PlanarError,
    RequestTimeout,
)
from planar.exchange import Exchange
from planar.models import Amount, OrderState
from planar.paper import PaperAdapter
from planar.paper.desk import PaperDesk
from planar.streams import StreamState
from planar.venue.faults import DelayAnswer, FaultRule

PUBLIC = ("exchangeInfo", "depth", "trades", "aggTrades", "ticker", "time", "/0/public/", "/ws", "/stream", "/v2")
"""Parts of the paths that market data needs."""


@pytest.fixture(params=["binance", "kraken"])
async def scene(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    async with scene_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture
async def binance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    async with scene_of("binance", tmp_path) as made:
        yield made


def desk_of(exchange: Exchange) -> PaperDesk:
    adapter = exchange._adapter
    assert isinstance(adapter, PaperAdapter)
    return adapter.desk


async def until(condition: Callable[[], Awaitable[object]], within_s: float = 8.0) -> None:
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.01)


async def follows(exchange: Exchange) -> None:
    """The public trades are heard, and nothing of the past is being asked for."""

    async def heard() -> bool:
        tape = desk_of(exchange)._tapes.get(SYMBOL)
        return tape is not None and tape._waiting is None and tape._catching is None

    await until(heard)


def only_public(scene: Scene) -> None:
    """What reached the exchange is market data, asked by GET or told by a public stream."""
    assert scene.meddler.requests
    for request in scene.meddler.requests:
        method, path = request.split()
        assert method == "GET", request
        assert any(part in path for part in PUBLIC), request
        assert "private" not in path.lower(), request
    for url, frame in scene.meddler.sent:
        assert "auth" not in url
        assert not any(word in frame for word in ("token", "signature", "apiKey", "executions", "balances"))


async def test_a_market_order_sweeps_the_book_and_nothing_but_market_data_is_asked(scene: Scene) -> None:
    exchange = await scene.exchange()
    before = scene.ledger()
    book = await exchange.fetch_order_book(SYMBOL, 20)
    (best, some), (second, _) = book.asks[0], book.asks[1]
    handle = await exchange.create_market_buy_order(SYMBOL, Amount(some) + Amount("0.01"), intent_id="first")
    order = await now(exchange, handle)
    assert (order.state, order.id, order.info["paper"]) == (OrderState.FILLED, "paper-1", True)
    assert order.cost == Amount(some) * best + Amount("0.01") * second
    assert [(fill.price, fill.taker_or_maker) for fill in order.trades] == [(best, "taker"), (second, "taker")]
    fills = await exchange.fetch_my_trades(SYMBOL)
    assert [fill.id for fill in fills] == [fill.id for fill in order.trades] == ["paper-t1", "paper-t2"]
    assert fills[0].info == {"paper": True}
    market, balance = exchange.market(SYMBOL), await exchange.fetch_balance()
    fee = sum((fill.fee.cost for fill in fills if fill.fee), Amount(0))
    in_base = market.fee_side == "get"
    assert fee == ((order.filled or 0) if in_base else order.cost) * (market.taker or 0)
    assert balance["BTC"].total == Amount(1) + (order.filled or 0) - (fee if in_base else 0)
    assert balance["USDT"].total == Amount(10_000) - order.cost - (0 if in_base else fee)
    again = await exchange.create_market_buy_order(SYMBOL, "0.5", intent_id="first")
    assert again.id == handle.id, "the intent id holds as everywhere"
    found = await exchange.reconcile()
    assert found.differences == ()
    assert found.failed == ()
    assert scene.ledger() == before
    only_public(scene)


async def test_a_resting_order_fills_from_public_trades_after_its_queue_and_the_streams_tell(scene: Scene) -> None:
    exchange = await scene.exchange()
    _, low, _ = await inside(exchange)
    scene.put("buy", "0.05", str(low), who=1)
    told: list[Any] = []
    async with (
        exchange.watch_orders() as orders,
        exchange.watch_my_trades() as fills,
        exchange.watch_balance() as balances,
    ):
        for stream in (orders, fills, balances):
            stream.on_update(told.append)
        handle = await exchange.create_limit_buy_order(SYMBOL, "0.02", low)
        assert (await now(exchange, handle)).info["queueAhead"] == "0.05"
        held = (await exchange.portfolio())["USDT"]
        assert held.used is not None
        assert held.used >= low * Decimal("0.02")
        await follows(exchange)
        scene.put("sell", "0.04", str(low), take=True)
        await until(lambda: _is(exchange, handle, lambda order: order.info["queueAhead"] == "0.01"))
        scene.put("sell", "0.01", str(low), take=True)
        scene.print_trade("sell", "0.015", low)
        scene.print_trade("sell", "0.03", low)
        await handle.settled(5)
        assert handle.state is OrderState.FILLED
        await until(lambda: _true(any(getattr(one, "is_done", False) for one in told)))
    kinds = [type(one).__name__ for one in told]
    assert kinds.count("Fill") == 2
    assert kinds.index("Fill") < len(kinds) - 1 - kinds[::-1].index("Order")
    assert "AccountBalance" in kinds
    filled = await exchange.fetch_my_trades(SYMBOL)
    assert [(fill.price, fill.amount, fill.taker_or_maker) for fill in filled] == [
        (low, Amount("0.015"), "maker"),
        (low, Amount("0.005"), "maker"),
    ]
    assert (await exchange.reconcile()).differences == ()
    only_public(scene)


async def _is(exchange: Exchange, handle: Any, holds: Callable[[Any], bool]) -> bool:
    return holds(await now(exchange, handle))


async def _true(value: bool) -> bool:
    return value


async def test_a_stop_is_set_off_by_a_trade_and_takes_from_the_book(scene: Scene) -> None:
    exchange = await scene.exchange()
    book, low, high = await inside(exchange)
    handle = await exchange.create_stop_market_order(SYMBOL, "buy", "0.01", high)
    limit = await exchange.create_stop_limit_order(SYMBOL, "sell", "0.01", str(high + 1000), low)
    assert (await now(exchange, handle)).info["status"] == "waiting"
    await follows(exchange)
    scene.print_trade("buy", "0.01", high - step(exchange))
    scene.print_trade("buy", "0.01", high)
    await handle.settled(5)
    assert (handle.state, (await now(exchange, handle)).average) == (OrderState.FILLED, book.asks[0][0])
    assert (await now(exchange, limit)).info["status"] == "waiting"
    scene.print_trade("sell", "0.01", low)
    await until(lambda: _is(exchange, limit, lambda order: order.info["status"] == "open"))
    canceled = await exchange.cancel_order(limit.id, SYMBOL)
    assert canceled.state is OrderState.CANCELED
    balance = await exchange.fetch_balance()
    assert [balance[code].used for code in ("USDT", "BTC")] == [0, 0]


async def test_post_only_funds_rules_and_unknown_orders_are_refused_as_at_the_exchange(scene: Scene) -> None:
    exchange = await scene.exchange()
    book, _, _ = await inside(exchange)
    ask = Amount(book.asks[0][0])
    with pytest.raises(OrderImmediatelyFillable) as caught:
        await exchange.create_post_only_order(SYMBOL, "limit", "buy", "0.01", ask)
    assert caught.value.outcome is Outcome.REFUSED
    with pytest.raises(InsufficientFunds):
        await exchange.create_limit_buy_order(SYMBOL, "1", ask)
    with pytest.raises(InvalidOrder, match="tick size"):
        await exchange.create_limit_buy_order(SYMBOL, "0.01", "50000.0001234")
    with pytest.raises(OrderNotFound, match="no open paper order paper-99"):
        await exchange.cancel_order("paper-99", SYMBOL)
    with pytest.raises(NotSupported, match="icebergQty"):
        await exchange.create_limit_buy_order(SYMBOL, "0.01", "50000", raw={"icebergQty": "0.001"})
    ioc = await exchange.create_limit_buy_order(SYMBOL, "0.01", 50_000, {"timeInForce": "IOC"})
    assert (ioc.state, ioc.filled) == (OrderState.EXPIRED, 0)
    assert await exchange.fetch_open_orders() == []
    only_public(scene)


async def test_what_a_paper_account_does_not_simulate_is_refused_before_anything_is_sent(scene: Scene) -> None:
    exchange = await scene.exchange()
    asked = len(scene.meddler.requests)
    with pytest.raises(NotSupported, match="watch_positions is not simulated"):
        async with exchange.watch_positions():
            pass
    for name in (name for name, row in METHODS.items() if row.private or row.write):
        with pytest.raises(NotSupported):
            await exchange._adapter.unified(name, (), {}, timeout_ms=1_000)
    with pytest.raises(NotSupported):
        exchange.dead_man(60)
    with pytest.raises(NotSupported, match="paper"):
        _ = exchange.ccxt
    with pytest.raises(NotSupported, match="no key"):
        await exchange.fetch_key_rights()
    with pytest.raises(NotSupported, match="does not follow|do not follow"):
        await exchange.create_order(SYMBOL, "market", "sell", "0.01", None, {"trailingPercent": "1"})
    assert len(scene.meddler.requests) == asked
    assert exchange.required_credentials == ()
    assert exchange.health is not None
    assert exchange.stopped_s() == 0
    assert exchange.has["fetch_positions"] is False
    assert exchange.has["fetch_balance"] is True


async def test_no_fresh_book_no_order(binance: Scene) -> None:
    exchange = await binance.exchange()
    binance.meddler.refuse["/api/v3/depth"] = (503, "down")
    with pytest.raises(PlanarError) as caught:
        await exchange.create_market_buy_order(SYMBOL, "0.01", intent_id="one")
    assert caught.value.outcome is Outcome.REFUSED
    assert len(await exchange.fetch_orders(SYMBOL)) == 0
    binance.meddler.refuse.clear()
    binance.server.faults.add(FaultRule(fault=DelayAnswer(delay_ms=3_000), path="/api/v3/depth", count=None))
    with pytest.raises(RequestTimeout) as slow:
        await exchange.create_market_buy_order(SYMBOL, "0.01", intent_id="one", timeout_ms=100)
    assert slow.value.outcome is Outcome.REFUSED
    binance.server.faults.clear()
    again = await exchange.create_market_buy_order(SYMBOL, "0.01", intent_id="one")
    assert again.state is OrderState.FILLED
    assert len(await exchange.fetch_orders(SYMBOL)) == 1


async def test_a_live_book_saves_the_question_if_it_is_deep_enough(binance: Scene) -> None:
    exchange = await binance.exchange()
    async with exchange.watch_order_book(SYMBOL) as books:
        book = await anext(books)
        binance.put("buy", "0.001", "50000")  # an update, however far from the market

        async def fresh() -> bool:
            live = exchange._hub.book_of(SYMBOL)
            return live is not None and live.age_ms is not None and live.age_ms < 500

        await until(fresh)
        asked = binance.meddler.requests.count("GET /api/v3/depth")
        order = await exchange.create_market_buy_order(SYMBOL, "0.01")
        assert (order.average, binance.meddler.requests.count("GET /api/v3/depth")) == (book.asks[0][0], asked)
        exchange._hub._pumps[next(iter(exchange._hub._pumps))]._data_at -= 5  # its last update is old
        await exchange.create_market_buy_order(SYMBOL, "0.01")
        assert binance.meddler.requests.count("GET /api/v3/depth") == asked + 1
        assert books.state is StreamState.LIVE


async def test_an_order_meets_the_book_as_it_is_after_its_latency(binance: Scene) -> None:
    exchange = await binance.exchange(latency=300)
    book, _, high = await inside(exchange)
    placing = asyncio.ensure_future(exchange.create_market_buy_order(SYMBOL, "0.01"))
    await until(lambda: _true(exchange._order_manager is not None and bool(exchange._orders().store.unfinished())))
    binance.put("sell", "0.02", str(high))
    assert (await placing).average == high < book.asks[0][0]


async def test_what_the_stream_missed_is_asked_for(scene: Scene) -> None:
    exchange = await scene.exchange()
    _, low, _ = await inside(exchange)
    handle = await exchange.create_limit_buy_order(SYMBOL, "0.02", low)
    await follows(exchange)
    scene.meddler.silent = True
    scene.print_trade("sell", "0.005", low)
    await asyncio.sleep(0.02)
    await scene.meddler.cut()
    scene.print_trade("sell", "0.01", low)
    scene.meddler.silent = False
    await until(lambda: _is(exchange, handle, lambda order: order.filled == Amount("0.015")))
    await follows(exchange)
    scene.print_trade("sell", "0.01", low)
    await handle.settled(5)
    assert handle.filled == Amount("0.02")


async def test_an_account_survives_a_restart_and_takes_in_what_traded_meanwhile(scene: Scene) -> None:
    exchange = await scene.exchange()
    _, low, high = await inside(exchange)
    await exchange.create_market_sell_order(SYMBOL, "0.01")
    buys = await exchange.create_limit_buy_order(SYMBOL, "0.02", low)
    stop = await exchange.create_stop_market_order(SYMBOL, "buy", "0.01", high)
    await follows(exchange)
    balance = await exchange.fetch_balance()
    await scene.close()
    scene.print_trade("sell", "0.005", low)
    scene.print_trade("buy", "0.005", high)
    exchange = await scene.exchange()
    assert [order.id for order in await exchange.fetch_orders(SYMBOL)] == ["paper-1", "paper-2", "paper-3"]
    await until(lambda: _is(exchange, buys, lambda order: order.filled == Amount("0.005")))
    await until(lambda: _is(exchange, stop, lambda order: order.state is OrderState.FILLED))
    after = await exchange.fetch_balance()
    assert after["BTC"].total > balance["BTC"].total
    assert (await exchange.reconcile()).failed == ()
    assert exchange.orders[stop.client_order_id].state is OrderState.FILLED
    new = await exchange.create_limit_buy_order(SYMBOL, "0.01", low)
    assert new.id == "paper-4"


async def test_one_process_simulates_an_account_and_others_read_it(binance: Scene) -> None:
    first = await binance.exchange()
    order = await first.create_limit_buy_order(SYMBOL, "0.01", 50_000)
    second = await binance.exchange()
    assert [one.id for one in await second.fetch_open_orders()] == [order.id]
    assert (await second.fetch_balance())["USDT"].used == 500
    with pytest.raises(JournalLocked, match="written by|simulated by"):
        await second.create_limit_buy_order(SYMBOL, "0.01", 50_000)
    with pytest.raises(JournalLocked, match="paper account .* is being simulated by process"):
        await desk_of(second).hold(0.2)
    other = await binance.exchange(account="grid", balances={"USDT": 77})
    assert (await other.fetch_balance())["USDT"].total == 77


async def test_a_disk_that_takes_nothing_refuses_the_order_and_changes_nothing(binance: Scene) -> None:
    exchange = await binance.exchange()
    await exchange.create_limit_buy_order(SYMBOL, "0.01", 50_000)
    before = await exchange.fetch_balance()
    database = desk_of(exchange)._store._open
    database.execute("PRAGMA query_only=1")
    with pytest.raises(JournalError, match="paper account") as caught:
        await exchange.create_limit_buy_order(SYMBOL, "0.01", 50_000)
    assert caught.value.outcome is Outcome.REFUSED
    assert (await exchange.fetch_balance()).balances == before.balances
    assert len(await exchange.fetch_open_orders()) == 1
    database.execute("PRAGMA query_only=0")
    assert (await exchange.create_limit_buy_order(SYMBOL, "0.01", 50_000)).id == "paper-2"


async def test_the_emergency_stop_cancels_what_stands(scene: Scene) -> None:
    exchange = await scene.exchange()
    for price in (50_000, 51_000):
        await exchange.create_limit_buy_order(SYMBOL, "0.01", price)
    report = await exchange.stop()
    assert (report.verified, len(report.canceled), report.environment) == (True, 2, "paper")
    assert (await exchange.fetch_balance())["USDT"].used == 0
    only_public(scene)
