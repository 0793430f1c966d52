"""CCXT's unified methods on the local venues: natively, composed, or refused before anything is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

import planar
from planar.adapters.base import Capabilities
from planar.errors import BadSymbol, NotSupported, Outcome
from planar.exchange import Exchange
from planar.exchange.answers import Table
from planar.models import Candle

SYMBOL, OTHER = "BTC/USDT", "ETH/USDT"


@pytest.fixture(params=["binance", "kraken"])
async def exchange(request: pytest.FixtureRequest) -> AsyncIterator[Exchange]:
    async with planar.open(private_venue=True) as p:
        yield await p.exchange(request.param, environment="local", enableRateLimit=False)


def without(exchange: Exchange, *methods: str) -> None:
    """As if the exchange did not have them."""
    known = exchange._adapter.capabilities
    exchange._adapter.capabilities = Capabilities(
        {**known.methods, **dict.fromkeys(methods, False)}, known.timeframes, known.required_credentials
    )


async def test_what_the_exchange_has_is_native(exchange: Exchange) -> None:
    assert (await exchange.fetch_status()).status == "ok"
    currencies = await exchange.fetch_currencies()
    assert isinstance(currencies, Table)
    assert currencies["USDT"].code == "USDT"
    assert (currencies.made, currencies.errors) == ("native", {})
    fee = await exchange.fetch_trading_fee(SYMBOL)
    assert (fee.symbol, fee.estimated) == (SYMBOL, False)
    assert fee.taker >= fee.maker > 0
    deposits = await exchange.fetch_deposits()
    assert deposits
    assert all(one.type == "deposit" and one.amount and one.amount > 0 and one.currency for one in deposits)
    both = await exchange.fetch_deposits_withdrawals()
    assert {one.type for one in both} >= {"deposit"}
    assert [one.ts_ms for one in both] == sorted(one.ts_ms or 0 for one in both)


async def test_what_it_lacks_is_made_of_what_it_has(exchange: Exchange) -> None:
    native = await exchange.fetch_tickers([SYMBOL, OTHER])
    without(exchange, "fetch_tickers", "fetch_bids_asks", "fetch_last_prices", "fetch_order_trades")
    tickers = await exchange.fetch_tickers([SYMBOL, OTHER])
    assert (native.made, tickers.made, exchange.how("fetch_tickers")) == ("native", "composed", "composed")
    assert list(tickers) == [SYMBOL, OTHER]
    prices = await exchange.fetch_last_prices([SYMBOL, OTHER])
    assert prices[SYMBOL].source == "last"
    assert prices[SYMBOL].price == tickers[SYMBOL].last
    without(exchange, "fetch_ticker")
    quoted = await exchange.fetch_ticker(SYMBOL)
    assert quoted.bid is not None
    assert quoted.ask is not None
    assert quoted.last is None  # nothing is made up
    price = await exchange.fetch_last_price(SYMBOL)
    assert price.source == "mid"
    books = await exchange.fetch_order_books([SYMBOL, OTHER], 5)
    assert books[OTHER].depth[0] <= 5
    assert books.made == "composed"


async def test_one_bad_item_does_not_spoil_the_rest(exchange: Exchange) -> None:
    for fetch in (
        exchange.fetch_order_books,
        exchange.fetch_tickers,
        exchange.fetch_ohlcvs,
        exchange.fetch_last_prices,
    ):
        found: Table[Any] = await fetch([SYMBOL, "NO/PAIR", SYMBOL])
        assert set(found) == {SYMBOL}
        assert {name: type(error) for name, error in found.errors.items()} == {"NO/PAIR": BadSymbol}
        with pytest.raises(BadSymbol, match="NO/PAIR"):
            found["NO/PAIR"]
        with pytest.raises(KeyError):
            found["BTC"]
        with pytest.raises(BadSymbol, match="NO/PAIR"):
            await fetch(["NO/PAIR"])
    done: list[tuple[int, int]] = []
    books = await exchange.fetch_order_books([SYMBOL, OTHER], progress=lambda *at: done.append(at))
    assert done[-1] == (2, 2)
    assert set(books) == {SYMBOL, OTHER}


async def test_timeframes_it_lacks_are_made_of_finer_ones(exchange: Exchange) -> None:
    assert "10m" not in exchange.timeframes
    fine = await exchange.fetch_ohlcv(SYMBOL, "5m", limit=40)
    made = await exchange.fetch_ohlcv(SYMBOL, "10m", limit=10)
    assert len(made) == 10
    by_time: dict[int, list[Candle]] = {}
    for candle in fine:
        by_time.setdefault(candle.ts_ms // 600_000 * 600_000, []).append(candle)
    for candle in made[:-1]:  # the last one is still forming
        parts = by_time[candle.ts_ms]
        assert (candle.open, candle.close) == (parts[0].open, parts[-1].close)
        assert candle.high == max(part.high for part in parts)
        assert candle.volume == pytest.approx(sum(part.volume or 0.0 for part in parts))
    with pytest.raises(NotSupported, match="5M") as caught:
        await exchange.fetch_ohlcv(SYMBOL, "5M")
    assert caught.value.outcome is Outcome.NOT_SENT


async def test_questions_about_other_market_types_are_refused_before_they_are_sent(exchange: Exchange) -> None:
    sent = len(exchange.health.recent())
    with pytest.raises(BadSymbol, match="BTC/USDT is a spot market") as caught:
        await exchange.fetch_funding_rate(SYMBOL)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert len(exchange.health.recent()) == sent


async def test_executions_of_one_order(exchange: Exchange) -> None:
    order = await exchange.create_market_buy_order(SYMBOL, "0.01")
    await order.settled(10)
    assert order.id is not None
    other = await exchange.create_market_sell_order(SYMBOL, "0.01")
    await other.settled(10)
    fills = await exchange.fetch_order_trades(order.id, SYMBOL)
    assert {fill.order_id for fill in fills} == {order.id}
    assert sum(fill.amount for fill in fills) == order.filled
