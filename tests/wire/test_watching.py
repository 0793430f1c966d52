"""Streams beyond the eight: quotes and several markets on the local exchanges, contracts on one that speaks as OKX."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from safety_kit import SYMBOL, local_of
from streams_kit import until
from tests.matrix.kit import SPOT, SWAP, Bench

import planar
from planar.adapters import polling
from planar.adapters.base import Capabilities
from planar.errors import ArgumentsRequired, BadSymbol, NotSupported, Outcome
from planar.exchange import Exchange
from planar.models import Amount, Candle, OrderBook, Ticker, Trade
from planar.streams import Kind, ManyStream
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.transport.dialer import Dialer

OTHER = "ETH/USDT"


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with start_local_venue(("binance", "kraken"), seed=31) as venue:
        yield venue


@pytest.fixture(params=["binance", "kraken"])
async def exchange(
    request: pytest.FixtureRequest, running: LocalVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Exchange]:
    monkeypatch.setenv("PLANAR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PLANAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    async with planar.open(local_venue=local_of(running)) as opened:
        yield await opened.exchange(request.param, environment="local")


def without(exchange: Exchange, *methods: str) -> None:
    known = exchange._adapter.capabilities
    exchange._adapter.capabilities = Capabilities(
        {**known.methods, **dict.fromkeys(methods, False)}, known.timeframes, known.required_credentials
    )


async def test_quotes_of_several_markets(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "PAUSE_S", dict.fromkeys(Kind, 0.05))
    async with exchange.watch_bids_asks([SYMBOL, OTHER]) as quotes:
        seen: set[str] = set()
        async for quote in quotes:
            assert quote.bid is not None
            assert quote.ask is not None
            assert quote.bid < quote.ask
            seen.add(quote.symbol)
            if seen == {SYMBOL, OTHER}:
                break
        assert quotes.source == "websocket"
    without(exchange, "watch_bids_asks", "fetch_bids_asks")
    assert exchange.can("watch_bids_asks").how == "composed"
    async with exchange.watch_bids_asks([SYMBOL]) as quotes:
        assert isinstance(await anext(quotes), Ticker)  # of the stream of tickers
    with pytest.raises(ArgumentsRequired):
        exchange.watch_bids_asks([])


async def test_several_markets_as_one_stream(exchange: Exchange) -> None:
    async with exchange.watch_order_book_for_symbols([SYMBOL, OTHER], 5) as books:
        first: dict[str, OrderBook] = {}
        async for book in books:
            assert book.depth[0] <= 5
            first.setdefault(book.symbol, book)
            if len(first) == 2:
                break
        assert {stream.state for stream in books.streams.values()} == {"live"}
        with pytest.raises(planar.errors.BadRequest, match="open already"):
            await books.__aenter__()
    async with exchange.watch_trades_for_symbols([SYMBOL, OTHER]) as trades:
        for name in (SYMBOL, OTHER):
            await until(lambda name=name: trades.streams[name].state == "live")
        bought = await exchange.create_market_buy_order(OTHER, "0.05")
        await bought.settled(5)
        async for trade in trades:
            assert isinstance(trade, Trade)
            if trade.symbol == OTHER:
                break
    assert exchange.can("watch_trades_for_symbols").how == "composed"


@pytest.mark.parametrize("exchange", ["kraken"], indirect=True)
async def test_candles_of_several_markets(exchange: Exchange) -> None:
    async with exchange.watch_ohlcv_for_symbols([[SYMBOL, "1m"], [OTHER, "5m"]]) as candles:
        found = {}
        async for symbol, timeframe, candle in candles:
            assert isinstance(candle, Candle)
            found[symbol] = timeframe
            if len(found) == 2:
                break
        assert found == {SYMBOL: "1m", OTHER: "5m"}


@pytest.mark.parametrize("exchange", ["kraken"], indirect=True)
async def test_awaiting_several_gives_each_what_it_missed(exchange: Exchange) -> None:
    seen: set[str] = set()
    async with asyncio.timeout(10):
        while seen != {SYMBOL, OTHER}:
            book = await exchange.watch_order_book_for_symbols([SYMBOL, OTHER], 5)
            seen.add(book.symbol)
        (symbol, by_time), *_ = (await exchange.watch_ohlcv_for_symbols([[SYMBOL, "1m"]])).items()
    assert (symbol, list(by_time)) == (SYMBOL, ["1m"])
    assert isinstance(by_time["1m"][-1], Candle)
    assert len(exchange._hub._cursors) == 3
    await exchange.un_watch_order_book(SYMBOL)
    await exchange.un_watch_order_book_for_symbols([OTHER])
    await exchange.un_watch_ohlcv_for_symbols([[SYMBOL, "1m"]])
    assert exchange._hub._cursors == {}


async def test_contracts_are_refused_where_there_are_none(exchange: Exchange) -> None:
    sent = len(exchange.health.recent())
    for watch in (exchange.watch_mark_price, exchange.watch_funding_rate, exchange.watch_liquidations):
        with pytest.raises(BadSymbol, match="is a spot market") as caught:
            watch(SYMBOL)
        assert caught.value.outcome is Outcome.NOT_SENT
    assert len(exchange.health.recent()) == sent


# -- contracts ---------------------------------------------------------------------------------------------------------
ID = "BTCUSDTPERP"
PUSHED: dict[str, list[dict[str, Any]]] = {
    "mark-price": [{"instType": "SWAP", "instId": ID, "markPx": "42310.6", "ts": "1790000000100"}],
    "funding-rate": [
        {
            "instType": "SWAP",
            "instId": ID,
            "fundingRate": "0.0001",
            "nextFundingRate": "",
            "fundingTime": "1790028800000",
            "nextFundingTime": "1790057600000",
            "ts": "1790000000100",
        }
    ],
    "liquidation-orders": [
        {
            "instId": ID,
            "instType": "SWAP",
            "details": [{"bkPx": "42000", "posSide": "long", "side": "sell", "sz": "13", "ts": "1790000000100"}],
        }
    ],
    "positions": [
        {"instId": ID, "instType": "SWAP", "pos": "2", "posSide": "long", "avgPx": "42000", "mgnMode": "cross"}
    ],
}
"""What follows a subscription (documentation: OKX API, WebSocket channels)."""


class Venue:
    """A WebSocket server that speaks of one contract, and answers REST with what is put into `answers`."""

    def __init__(self) -> None:
        self.subscribed: list[str] = []
        self.answers: dict[str, Any] = {}

    async def start(self, path: str) -> web.ServerRunner:
        runner = web.ServerRunner(web.Server(self._handle))
        await runner.setup()
        await web.UnixSite(runner, path).start()
        return runner

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.json_response({"code": "0", "msg": "", "data": self.answers.get(request.path, [])})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for frame in socket:
            asked = json.loads(frame.data)
            if asked["op"] == "login":
                await socket.send_json({"event": "login", "code": "0", "msg": ""})
            for arg in asked["args"] if asked["op"] == "subscribe" else ():
                self.subscribed.append(arg["channel"])
                await socket.send_json({"event": "subscribe", "arg": arg})
                await socket.send_json({"arg": arg, "data": PUSHED.get(arg["channel"], [])})
        return socket


@pytest.fixture
async def okx(tmp_path: Path) -> AsyncIterator[tuple[Exchange, Venue]]:
    venue, dialer = Venue(), Dialer()
    runner = await venue.start(str(tmp_path / "okx.sock"))
    bench = Bench("okx", dialer, tmp_path, str(tmp_path / "okx.sock"))
    yield bench.exchange, venue
    await bench.close()
    await dialer.close()
    await runner.cleanup()


async def test_contracts_over_the_socket(okx: tuple[Exchange, Venue]) -> None:
    exchange, venue = okx
    async with (
        exchange.watch_mark_price(SWAP) as marks,
        exchange.watch_funding_rate(SWAP) as rates,
        exchange.watch_liquidations(SWAP) as forced,
        exchange.watch_positions([SWAP]) as positions,
    ):
        mark, rate = await anext(marks), await anext(rates)
        assert (mark.symbol, mark.mark_price, marks.source) == (SWAP, 42310.6, "websocket")
        assert (rate.symbol, rate.funding_rate) == (SWAP, 0.0001)
        liquidation = await anext(forced)
        assert (liquidation.symbol, liquidation.price, liquidation.contracts) == (SWAP, 42000.0, 13.0)
        position = await anext(positions)
        assert (position.symbol, position.side, position.contracts) == (SWAP, "long", Amount(2))
    assert set(venue.subscribed) == set(PUSHED)
    assert exchange.can("watch_liquidations", SWAP).how == "composed"
    assert exchange.can("watch_positions").how == "native"


async def test_contracts_by_asking_again(okx: tuple[Exchange, Venue], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "PAUSE_S", dict.fromkeys(Kind, 0.02))
    exchange, venue = okx
    without(exchange, *(f"watch_{kind}" for kind in Kind))
    path = "/api/v5/account/positions"
    venue.answers = {
        path: PUSHED["positions"],
        "/api/v5/public/mark-price": PUSHED["mark-price"],
        "/api/v5/public/funding-rate": PUSHED["funding-rate"],
    }
    async with (
        exchange.watch_mark_price(SWAP) as marks,
        exchange.watch_funding_rates([SWAP]) as rates,
        exchange.watch_positions() as positions,
    ):
        assert ((await anext(marks)).mark_price, marks.source) == (42310.6, "rest")
        assert isinstance(await anext(rates), planar.models.FundingRate)
        held = await anext(positions)
        assert (held.contracts, held.side) == (Amount(2), "long")
        venue.answers = {}
        closed = await anext(positions)
        assert (closed.symbol, closed.side, closed.contracts) == (SWAP, "long", Amount(0))
    with pytest.raises(NotSupported, match="watch_liquidations is not offered"):
        async with exchange.watch_liquidations(SWAP):
            pass
    assert not exchange.can("watch_liquidations", SWAP)


async def test_a_table_is_made_of_streams_of_one(okx: tuple[Exchange, Venue]) -> None:
    exchange, _ = okx
    without(exchange, "watch_funding_rates", "fetch_funding_rates")
    streams = exchange.watch_funding_rates([SWAP])
    assert isinstance(streams, ManyStream)
    async with streams as rates:
        assert (await anext(rates)).symbol == SWAP
    assert exchange.can("watch_funding_rates").how == "composed"


async def test_one_that_is_refused_for_good_leaves_the_others(okx: tuple[Exchange, Venue]) -> None:
    exchange, _ = okx
    mark, trades = exchange.watch_mark_price(SWAP), exchange.watch_mark_price(SWAP)
    many: ManyStream[Ticker] = ManyStream({"good": mark, "bad": trades}, lambda _, found: found)
    async with many:
        assert trades._pump is not None
        trades._pump = _ended(trades)
        assert (await anext(many)).symbol == SWAP
        assert list(many.errors) == ["bad"]


def _ended(stream: Any) -> Any:
    """A pump of its own that was refused."""
    from planar.streams.pump import Pump
    from planar.streams.states import DEFAULT_RULES

    pump = Pump(stream._pump.feed, DEFAULT_RULES, lambda _: None)
    pump._lost(NotSupported("no such market"))
    stream._pump.detach(stream)
    return pump


async def test_closing_positions(okx: tuple[Exchange, Venue]) -> None:
    exchange, venue = okx
    path = "/api/v5/account/positions"
    venue.answers = {path: PUSHED["positions"]}
    with pytest.raises(NotSupported, match="hedged") as two:  # CCXT does not say on which side an order here is
        await exchange.close_position(SWAP)
    assert two.value.outcome is Outcome.NOT_SENT
    venue.answers = {path: [{**PUSHED["positions"][0], "posSide": "net"}]}
    with pytest.raises(planar.errors.NoChange, match="no short position") as none:
        await exchange.close_position(SWAP, "short")
    assert none.value.outcome is Outcome.NOT_SENT
    with pytest.raises(BadSymbol):
        await exchange.close_position(SPOT)
    venue.answers["/api/v5/trade/batch-orders"] = venue.answers["/api/v5/trade/order"] = [
        {"ordId": "77", "clOrdId": "", "sCode": "0", "sMsg": ""}
    ]
    order = await exchange.close_position(SWAP)
    assert (order.id, order.side, order.amount, order.type) == ("77", "sell", Amount(2), "market")
    several = await exchange.close_all_positions()
    assert [one.side for one in several if not isinstance(one, planar.PlanarError)] == ["sell"]
