"""Unmodified CCXT (asynchronous and pro) against the local Kraken: what it says and what the ledger says."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import ccxt
import ccxt.async_support as ccxt_async
import ccxt.pro as ccxt_pro
import pytest
from kraken_kit import SYMBOL, LocalKraken

STATUSES = {"open": "open", "closed": "closed", "canceled": "canceled", "expired": "expired"}


def dec(value: Any) -> Decimal:
    return Decimal(str(value))


def judge_order(venue: LocalKraken, said: Any) -> None:
    """CCXT's order is the engine's."""
    view = venue.wire.desk.register.view(venue.wire.desk.register.get("alice", said["id"]))
    assert said["status"] == STATUSES[view.status]
    assert dec(said["amount"]) == view.ticket.draft.volume
    assert dec(said["filled"]) == view.filled
    assert said["side"] == view.ticket.draft.side.value
    if view.filled:
        assert dec(said["average"]) == round(view.average, 8)


def judge_balances(venue: LocalKraken, said: Any) -> None:
    """CCXT's balances are the ledger's."""
    for asset, balance in venue.exchange.balances("alice").items():
        if balance.total:
            assert (dec(said[asset]["total"]), dec(said[asset]["used"])) == (balance.total, balance.locked)
    assert venue.exchange.audit() == []


async def test_markets_and_public_data(kraken: LocalKraken) -> None:
    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        markets = await exchange.load_markets()
        assert list(markets)
        assert set(markets) == set(kraken.exchange.symbols)
        for symbol, spec in kraken.exchange.symbols.items():
            market = markets[symbol]
            assert dec(market["precision"]["price"]) == spec.tick
            assert dec(market["precision"]["amount"]) == spec.lot
            assert dec(market["taker"]) == spec.taker_fee
        book = await exchange.fetch_order_book(SYMBOL, 10)
        depth = kraken.exchange.depth(SYMBOL, 10)
        assert [(dec(p), dec(a)) for p, a, _ in book["bids"]] == [(lv.price, lv.amount) for lv in depth.bids]
        trades = await exchange.fetch_trades(SYMBOL, limit=20)
        assert [dec(t["price"]) for t in trades] == [t.price for t in kraken.exchange.trades(SYMBOL, limit=20)]
        rows = await exchange.fetch_ohlcv(SYMBOL, "1m", limit=10)
        assert all(low <= min(o, c) and max(o, c) <= high for _, o, high, low, c, _ in rows)
        for timeframe in ("1h", "1d", "1w", "2w"):
            assert (await exchange.fetch_ohlcv(SYMBOL, timeframe))[-1][0] % 60_000 == 0
        assert set(await exchange.fetch_tickers()) == set(markets)
        assert (await exchange.fetch_status())["status"] == "ok"


ORDERS: list[tuple[str, str, float, float | None, dict[str, Any]]] = [
    ("limit", "buy", 0.001, 0.8, {}),
    ("limit", "sell", 0.001, 1.2, {"clientOrderId": "mine-1"}),
    ("limit", "buy", 0.001, 1.02, {}),
    ("limit", "buy", 0.001, 0.9, {"postOnly": True}),
    ("limit", "sell", 2, 0.99, {"timeInForce": "IOC"}),
    ("market", "buy", 0.002, None, {}),
    ("market", "sell", 0.002, None, {}),
    ("market", "sell", 0.001, None, {"stopLossPrice": 0.9}),
    ("market", "sell", 0.001, None, {"takeProfitPrice": 1.1}),
    ("limit", "sell", 0.001, 0.85, {"stopLossPrice": 0.9}),
]


async def test_rest_every_order_kind(kraken: LocalKraken) -> None:
    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        await exchange.load_markets()
        ids: list[str] = []
        for kind, side, amount, factor, params in ORDERS:
            price = None if factor is None else float(kraken.price(str(factor)))
            scaled = {k: float(kraken.price(str(v))) if k.endswith("Price") else v for k, v in params.items()}
            order = await exchange.create_order(SYMBOL, kind, side, amount, price, scaled)
            ids.append(order["id"])
        for order_id in ids:
            judge_order(kraken, await exchange.fetch_order(order_id, SYMBOL))
        open_ids = {order["id"] for order in await exchange.fetch_open_orders()}
        assert open_ids == {ticket.txid for ticket in kraken.wire.desk.register.open("alice")}
        edited = await exchange.edit_order(ids[0], SYMBOL, "limit", "buy", 0.002, float(kraken.price("0.7")))
        judge_order(kraken, await exchange.fetch_order(ids[0], SYMBOL))
        assert edited["info"]["amend_id"]
        await exchange.cancel_order(ids[0], SYMBOL)
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.cancel_order(ids[0], SYMBOL)
        await exchange.cancel_all_orders()
        assert kraken.exchange.open_orders("alice") == []
        for order in await exchange.fetch_closed_orders(SYMBOL):
            judge_order(kraken, order)
        judge_balances(kraken, await exchange.fetch_balance())
        fills = [fill for symbol in kraken.exchange.symbols for fill in kraken.exchange.fills("alice", symbol)]
        said = await exchange.fetch_my_trades()
        assert sorted((dec(t["price"]), dec(t["amount"]), dec(t["cost"])) for t in said) == sorted(
            (fill.price, fill.amount, fill.quote) for fill in fills
        )


async def test_batches_funding_and_ledger(kraken: LocalKraken) -> None:
    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        await exchange.load_markets()
        price = float(kraken.price("0.8"))
        row = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.001, "price": price}
        placed = await exchange.create_orders([row, row])
        await exchange.cancel_orders([order["id"] for order in placed])
        assert {
            kraken.wire.desk.register.view(kraken.wire.desk.register.get("alice", o["id"])).status for o in placed
        } == {"canceled"}
        with pytest.raises(ccxt.InsufficientFunds):
            await exchange.create_order(SYMBOL, "limit", "buy", 1000, price)
        assert len(await exchange.fetch_deposits("BTC")) == len(kraken.exchange.deposits("alice", asset="BTC"))
        before = kraken.exchange.balances("alice")["USDT"].total
        refid = (await exchange.withdraw("USDT", 100, "", params={"key": "usdt-vault"}))["id"]
        assert kraken.exchange.balances("alice")["USDT"].total == before - 100
        assert next(row["id"] for row in await exchange.fetch_withdrawals("USDT")) == refid
        address = await exchange.fetch_deposit_address("ETH")
        assert address["address"] == kraken.exchange.deposit_address("alice", "ETH", "ETH").address
        newest: dict[str, Any] = {}
        for entry in await exchange.fetch_ledger():
            newest[entry["currency"]] = entry
        for code, entry in newest.items():
            assert dec(entry["after"]) == kraken.exchange.balances("alice")[code].total
        fee = await exchange.fetch_trading_fee(SYMBOL)
        assert dec(fee["taker"]) == kraken.exchange.symbols[SYMBOL].taker_fee


async def test_pro_streams_and_orders(living_kraken: LocalKraken) -> None:
    venue = living_kraken
    async with venue.ccxt(ccxt_pro.kraken) as exchange, asyncio.timeout(12):
        await exchange.load_markets()
        book = await exchange.watch_order_book(SYMBOL, 25)
        assert len(book["bids"]) == 25
        await exchange.watch_ticker(SYMBOL)
        await exchange.watch_trades(SYMBOL)
        await exchange.watch_ohlcv(SYMBOL, "1m")
        total = (await exchange.watch_balance())["USDT"]["total"]
        assert dec(total) == venue.exchange.balances("alice")["USDT"].total
        await exchange.watch_orders()
        waiting = asyncio.create_task(exchange.watch_my_trades())
        order = await exchange.create_order_ws(SYMBOL, "market", "buy", 0.001)
        trade = (await waiting)[-1]
        fill = venue.exchange.fills("alice", SYMBOL)[-1]
        assert (trade["order"], dec(trade["price"]), dec(trade["amount"])) == (order["id"], fill.price, fill.amount)
        price = float(venue.price("0.8"))
        resting = await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.002, price)
        await exchange.edit_order_ws(resting["id"], SYMBOL, "limit", "buy", 0.003, price - 100)
        view = venue.wire.desk.register.view(venue.wire.desk.register.get("alice", resting["id"]))
        assert (view.ticket.draft.volume, dec(view.order.price)) == (Decimal("0.003"), dec(price) - 100)
        await exchange.cancel_order_ws(resting["id"])
        await exchange.cancel_all_orders_ws()
        assert venue.exchange.open_orders("alice") == []
