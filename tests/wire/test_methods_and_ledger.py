"""Account methods on both local exchanges: every number that is told is the one that stands in the exchange's ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest
from safety_kit import local_of

import planar
from planar.exchange import Exchange
from planar.models import Fill, Order
from planar.testing.local_venue import LocalVenue, start_local_venue
from planar.venue.wire import LedgerQuery

SYMBOL, OTHER = "BTC/USDT", "ETH/USDT"
ACCOUNTS = {"test_orders_and_fills": "alice", "test_balances_and_what_moved": "bob"}
"""Test -> account; the others are carol's. Kraken lets each key ask fifteen questions in a row."""
STATES = {
    "new": "open",
    "partially_filled": "open",
    "filled": "closed",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
}


@pytest.fixture(scope="module")
def running() -> Iterator[LocalVenue]:
    with start_local_venue(["binance", "kraken"], seed=5) as venue:
        venue.control.market("freeze")
        yield venue


@pytest.fixture(params=["binance", "kraken"])
async def exchange(request: pytest.FixtureRequest, running: LocalVenue) -> AsyncIterator[Exchange]:
    name = ACCOUNTS.get(request.function.__name__, "carol")
    async with planar.open(local_venue=local_of(running)) as p:
        yield await p.exchange(request.param, environment="local", account=name, enableRateLimit=False)


def rows(running: LocalVenue, exchange: Exchange, kind: Any, **filters: Any) -> list[dict[str, Any]]:
    return running.control.ledger(LedgerQuery(kind=kind, account=exchange.account, **filters), venue=exchange.id)[kind]


def exact(value: object) -> Decimal:
    return Decimal(str(value))


def same_order(told: Order, row: dict[str, Any]) -> None:
    assert (told.id, told.symbol, told.side) == (str(row["id"]), row["symbol"], row["side"])
    assert told.client_order_id in (row["client_id"], None)
    assert (exact(told.amount), exact(told.filled)) == (exact(row["amount"]), exact(row["filled"]))
    assert told.status == STATES[row["status"]]
    if row["kind"] == "limit":
        assert exact(told.price) == exact(row["price"])
    if exact(row["filled"]):
        assert exact(told.average) == pytest.approx(
            exact(row["quote_filled"]) / exact(row["filled"]), rel=Decimal("1e-6")
        )


def same_fill(told: Fill, row: dict[str, Any]) -> None:
    assert (told.symbol, told.side, told.order_id) == (row["symbol"], row["side"], str(row["order_id"]))
    assert (exact(told.amount), exact(told.price)) == (exact(row["amount"]), exact(row["price"]))
    assert told.taker_or_maker == ("maker" if row["is_maker"] else "taker")
    (fee,) = told.fees
    charged = exact(row["commission"])
    if fee.currency == row["commission_asset"]:
        assert exact(fee.cost) == charged
    else:  # Kraken tells the value of every fee in quote currency, whatever it was taken in
        assert fee.currency == row["symbol"].partition("/")[2]
        assert exact(fee.cost) == pytest.approx(charged * exact(row["price"]), rel=Decimal("1e-3"))
    assert told.ts_ms == pytest.approx(row["ts_ms"], abs=1)


async def test_orders_and_fills(exchange: Exchange, running: LocalVenue) -> None:
    book = await exchange.fetch_order_book(SYMBOL, 5)
    far = round(book.bids[0][0] * 0.8, 2)
    bought = await exchange.create_market_buy_order(SYMBOL, "0.01")
    open_ = await exchange.create_limit_buy_order(SYMBOL, "0.002", far)
    canceled = await exchange.create_limit_buy_order(SYMBOL, "0.003", far)
    await exchange.cancel_order(canceled.id or "", SYMBOL)
    by_id = {str(row["id"]): row for row in rows(running, exchange, "orders", symbol=SYMBOL)}
    same_order(await exchange.fetch_order(str(canceled.id), SYMBOL), by_id[str(canceled.id)])
    same_order(await exchange.fetch_order(bought.client_order_id, SYMBOL), by_id[str(bought.id)])
    standing = {name for name, row in by_id.items() if STATES[row["status"]] == "open"}
    assert str(open_.id) in standing
    for told in (
        told_open := await exchange.fetch_open_orders(SYMBOL),
        ended := await exchange.fetch_closed_orders(SYMBOL),
    ):
        for order in told:
            same_order(order, by_id[str(order.id)])
    assert {order.id for order in told_open} == standing
    assert str(bought.id) in {order.id for order in ended}
    assert not {order.id for order in ended} & standing
    fills = rows(running, exchange, "fills", symbol=SYMBOL)
    of_order = await exchange.fetch_order_trades(str(bought.id), SYMBOL)
    assert sum(exact(fill.amount) for fill in of_order) == Decimal("0.01")
    for fill in [*await exchange.fetch_my_trades(SYMBOL), *of_order]:
        (row,) = [row for row in fills if fill.id in (str(row["trade_id"]), row["id"])]
        same_fill(fill, row)


async def test_balances_and_what_moved(exchange: Exchange, running: LocalVenue) -> None:
    balance = await exchange.fetch_balance()
    asked = LedgerQuery(kind="balances", account=exchange.account)
    held = running.control.ledger(asked, venue=exchange.id)["balances"][exchange.account]
    told = {code: one for code, one in balance.balances.items() if one.total}
    assert set(told) == {code for code, row in held.items() if exact(row["free"]) + exact(row["locked"])}
    for code, one in told.items():
        assert exact(one.total) == exact(held[code]["free"]) + exact(held[code]["locked"]), code
        assert exact(one.free) == exact(held[code]["free"]), code
    moved = {"deposit": Decimal(0), "withdrawal": Decimal(0)}
    for row in rows(running, exchange, "postings", asset="USDT"):
        if row["kind"] in moved:
            moved[row["kind"]] += exact(row["amount"])
    deposits = await exchange.fetch_deposits("USDT")
    assert sum(exact(one.amount) for one in deposits if one.status == "ok") == moved["deposit"] > 0
    withdrawals = await exchange.fetch_withdrawals("USDT")
    for one in withdrawals:
        assert one.currency == "USDT"
        assert exact(one.amount) > 0


async def test_quotes_are_the_books(exchange: Exchange) -> None:
    """The market stands still: every way to ask for a price tells the same one."""
    book = await exchange.fetch_order_book(SYMBOL, 5)
    best = (book.bids[0][0], book.asks[0][0])
    ticker = await exchange.fetch_ticker(SYMBOL)
    assert (ticker.bid, ticker.ask) == best
    many = await exchange.fetch_tickers([SYMBOL, OTHER])
    quotes = await exchange.fetch_bids_asks([SYMBOL])
    assert (many[SYMBOL].bid, many[SYMBOL].ask) == (quotes[SYMBOL].bid, quotes[SYMBOL].ask) == best
    trades = await exchange.fetch_trades(SYMBOL, limit=50)
    candles = await exchange.fetch_ohlcv(SYMBOL, "1m", limit=5)
    assert trades[-1].price == ticker.last == candles[-1].close
    last = await exchange.fetch_last_price(SYMBOL)
    assert (last.price, last.source) == (ticker.last, "last")


async def test_fees_are_those_that_are_charged(exchange: Exchange, running: LocalVenue) -> None:
    fee = await exchange.fetch_trading_fee(SYMBOL)
    order = await exchange.create_market_buy_order(SYMBOL, "0.01")
    (fill, *_) = rows(running, exchange, "fills", order_id=str(order.id))
    base = fill["amount"] if fill["commission_asset"] == "BTC" else fill["quote"]
    assert exact(fill["commission"]) / exact(base) == pytest.approx(exact(fee.taker), rel=Decimal("1e-4"))
    fees = await exchange.fetch_trading_fees()
    assert fees[SYMBOL].taker == fee.taker
