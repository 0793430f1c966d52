"""Unmodified CCXT (asynchronous, pro, synchronous) against the local Binance: what it says and what the ledger says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import ccxt
import ccxt.async_support as ccxt_async
import ccxt.pro as ccxt_pro
import pytest
from binance_kit import SPOT_ONLY, LocalBinance, local_binance

from planar.venue.ca import Authority
from planar.venue.engine.types import OrderRef
from planar.venue.server import VenueServer
from planar.venue.wire.binance import create

SYMBOL = "BTC/USDT"


def dec(value: Any) -> Decimal:
    return Decimal(str(value))


class Judge:
    """The ledger of one account, asked about what CCXT says."""

    def __init__(self, venue: LocalBinance, account: str = "alice") -> None:
        self.venue = venue
        self.account = account

    def order(self, said: Any) -> None:
        """CCXT's order is the engine's."""
        order = self.venue.exchange.order(self.account, said["symbol"], OrderRef(int(said["id"])))
        statuses = {"new": "open", "partially_filled": "open", "filled": "closed", "canceled": "canceled"}
        assert said["status"] == statuses.get(order.status.value, "expired"), said
        # CCXT shows the id of the cancel as the order's in the answer to a cancel.
        assert said["info"].get("origClientOrderId", said["clientOrderId"]) == order.client_id
        assert said["side"] == order.side.value
        if order.quote_amount is None:
            assert dec(said["amount"]) == order.amount
        assert dec(said["filled"]) == order.filled
        assert dec(said["remaining"]) == order.remaining
        assert dec(said["cost"]) == order.quote_filled
        if order.price is not None:
            assert dec(said["price"]) == order.price
        if order.stop_price is not None:
            assert dec(said["triggerPrice"]) == order.stop_price

    def fills(self, said: list[Any], symbol: str = SYMBOL) -> None:
        """CCXT's trades are the engine's fills, all of them and in order."""
        fills = self.venue.exchange.fills(self.account, symbol)
        assert [
            (
                t["id"],
                t["order"],
                dec(t["price"]),
                dec(t["amount"]),
                dec(t["cost"]),
                dec(t["fee"]["cost"]),
                t["takerOrMaker"],
            )
            for t in said
        ] == [
            (
                str(f.trade_id),
                str(f.order_id),
                f.price,
                f.amount,
                f.quote,
                f.commission,
                "maker" if f.is_maker else "taker",
            )
            for f in fills
        ]

    def balances(self, said: Any) -> None:
        """CCXT's balances are the ledger's."""
        held = self.venue.exchange.balances(self.account)
        for asset, balance in held.items():
            assert (dec(said[asset]["free"]), dec(said[asset]["used"])) == (balance.free, balance.locked)
        assert self.venue.exchange.audit() == []


ORDERS: list[tuple[str, str, float, float | None, dict[str, Any]]] = [
    ("limit", "buy", 0.001, 0.8, {}),
    ("limit", "sell", 0.001, 1.2, {"clientOrderId": "mine-1"}),
    ("limit", "buy", 0.001, 1.02, {}),
    ("limit", "buy", 0.001, 0.9, {"postOnly": True}),
    ("limit", "sell", 2, 0.99, {"timeInForce": "IOC"}),
    ("limit", "buy", 0.001, 1.02, {"timeInForce": "FOK"}),
    ("market", "buy", 0.002, None, {}),
    ("market", "sell", 0.002, None, {}),
    ("market", "buy", 0, None, {"cost": 300}),
    ("market", "sell", 0.001, None, {"stopLossPrice": 0.9}),
    ("market", "sell", 0.001, None, {"takeProfitPrice": 1.1}),
    ("limit", "sell", 0.001, 0.85, {"stopLossPrice": 0.9}),
    ("limit", "sell", 0.001, 1.05, {"triggerPrice": 0.9}),
]


async def place_all(exchange: Any, judge: Judge) -> list[Any]:
    """Every kind of order; each as the ledger has it."""
    last = float(judge.venue.exchange.last_price(SYMBOL) or 0)
    placed: list[Any] = []
    for kind, side, amount, price, params in ORDERS:
        scaled = {
            k: exchange.price_to_precision(SYMBOL, last * v) if k.endswith("Price") else v for k, v in params.items()
        }
        limit = None if price is None else float(exchange.price_to_precision(SYMBOL, last * price))
        order = await exchange.create_order(SYMBOL, kind, side, amount, limit, scaled)
        judge.order(order)
        placed.append(order)
    return placed


async def test_rest_every_order_kind(binance: LocalBinance) -> None:
    judge = Judge(binance)
    async with binance.ccxt(ccxt_async.binance) as exchange:
        await exchange.load_markets()
        placed = await place_all(exchange, judge)
        for order in placed:
            judge.order(await exchange.fetch_order(order["id"], SYMBOL))
        open_ids = {order["id"] for order in await exchange.fetch_open_orders(SYMBOL)}
        assert open_ids == {str(order.id) for order in binance.exchange.open_orders("alice", SYMBOL)}
        edited = await exchange.edit_order(placed[0]["id"], SYMBOL, "limit", "buy", 0.002, placed[0]["price"] - 10)
        judge.order(edited)
        assert edited["id"] != placed[0]["id"]
        judge.order(await exchange.cancel_order(edited["id"], SYMBOL))
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.cancel_order(edited["id"], SYMBOL)
        for order in await exchange.cancel_all_orders(SYMBOL):
            judge.order(order)
        assert binance.exchange.open_orders("alice", SYMBOL) == []
        for order in await exchange.fetch_orders(SYMBOL):
            judge.order(order)
        judge.fills(await exchange.fetch_my_trades(SYMBOL))
        judge.balances(await exchange.fetch_balance())


async def test_rest_refusals(binance: LocalBinance) -> None:
    async with binance.ccxt(ccxt_async.binance) as exchange:
        with pytest.raises(ccxt.InsufficientFunds):
            await exchange.create_order(SYMBOL, "limit", "buy", 90, 50000)
        with pytest.raises(ccxt.OrderImmediatelyFillable):
            await exchange.create_order(SYMBOL, "limit", "buy", 0.001, 70000, {"postOnly": True})
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.fetch_order("1", SYMBOL)
        exchange.secret = "wrong"
        with pytest.raises(ccxt.AuthenticationError):
            await exchange.fetch_balance()


async def test_rest_market_data(living: LocalBinance) -> None:
    async with living.ccxt(ccxt_async.binance) as exchange:
        markets = await exchange.load_markets()
        assert list(markets) == list(living.exchange.symbols)
        market = markets[SYMBOL]
        spec = living.exchange.symbols[SYMBOL]
        assert (dec(market["precision"]["price"]), dec(market["precision"]["amount"])) == (spec.tick, spec.lot)
        assert dec(market["limits"]["cost"]["min"]) == spec.min_notional
        assert set(exchange.currencies) >= set(living.exchange.assets)
        ticker = await exchange.fetch_ticker(SYMBOL)
        assert ticker["low"] <= ticker["last"] <= ticker["high"]
        assert set(await exchange.fetch_tickers()) == set(markets)
        assert set(await exchange.fetch_bids_asks()) == set(markets)
        assert len(await exchange.fetch_last_prices()) == len(markets)
        book = await exchange.fetch_order_book(SYMBOL, 100)
        assert len(book["bids"]) >= 20
        assert book["bids"][0][0] < book["asks"][0][0]
        trades = await exchange.fetch_trades(SYMBOL, limit=1000)
        assert len(trades) == 1000
        assert all(a["timestamp"] <= b["timestamp"] for a, b in pairwise(trades))
        candles = await exchange.fetch_ohlcv(SYMBOL, "1m", limit=500)
        assert len(candles) == 500
        assert all(b[0] - a[0] == 60_000 for a, b in pairwise(candles))
        assert abs(await exchange.fetch_time() - candles[-1][0]) < 60_000
        assert (await exchange.fetch_status())["status"] == "ok"


async def test_rest_wallet(binance: LocalBinance) -> None:
    async with binance.ccxt(ccxt_async.binance) as exchange:
        deposits = await exchange.fetch_deposits()
        known = sorted(binance.exchange.deposits("alice"), key=lambda row: row.created_ms)
        assert [(d["currency"], dec(d["amount"]), d["txid"], d["status"]) for d in deposits] == [
            (row.asset, row.amount, row.tx_id, "ok") for row in known
        ]
        withdrawals = await exchange.fetch_withdrawals()
        assert [(dec(w["amount"]), dec(w["fee"]["cost"])) for w in withdrawals] == [
            (row.amount - row.fee, row.fee) for row in reversed(binance.exchange.withdrawals("alice"))
        ]
        address = await exchange.fetch_deposit_address("BTC")
        assert address["address"] == binance.exchange.deposit_address("alice", "BTC").address
        fees = await exchange.fetch_trading_fees()
        assert fees[SYMBOL]["taker"] == float(binance.exchange.symbols[SYMBOL].taker_fee)
        before = binance.exchange.balances("alice")["USDT"].free
        vault = next(one for one in binance.exchange.profile("alice").addresses if one.asset == "USDT")
        sent = await exchange.withdraw("USDT", 100, vault.address)
        assert binance.exchange.withdrawals("alice")[0].id == sent["id"]
        assert binance.exchange.balances("alice")["USDT"].free == before - 100
        assert binance.exchange.audit() == []


async def test_pro_public_streams(living: LocalBinance) -> None:
    async with living.ccxt(ccxt_pro.binance, None) as exchange:
        first = await exchange.watch_order_book(SYMBOL)
        start = first["nonce"]
        while (await exchange.watch_order_book(SYMBOL))["nonce"] < start + 50:
            pass
        book = exchange.orderbooks[SYMBOL].limit()
        living.freeze()
        own = living.exchange.depth(SYMBOL, 20)
        while exchange.orderbooks[SYMBOL]["nonce"] != own.update_id:
            await exchange.watch_order_book(SYMBOL)
        book = exchange.orderbooks[SYMBOL].limit()
        assert [(dec(p), dec(a)) for p, a in book["bids"][:20]] == [(x.price, x.amount) for x in own.bids]
        assert [(dec(p), dec(a)) for p, a in book["asks"][:20]] == [(x.price, x.amount) for x in own.asks]
        living.wire.world.model.frozen = False
        trades, ticker, best, candles, tickers, many, both = await asyncio.gather(
            exchange.watch_trades(SYMBOL),
            exchange.watch_ticker(SYMBOL),
            exchange.watch_bids_asks([SYMBOL]),
            exchange.watch_ohlcv(SYMBOL, "1m"),
            exchange.watch_tickers(),
            exchange.watch_ohlcv_for_symbols([["ETH/USDT", "1m"], ["ETH/USDT", "5m"]]),
            exchange.watch_trades_for_symbols(["BNB/USDT", "ETH/USDT"]),
        )
        assert {t["id"] for t in trades} <= {str(t.id) for t in living.exchange.trades(SYMBOL, limit=100)}
        assert ticker["symbol"] == SYMBOL
        assert best[SYMBOL]["bid"] < best[SYMBOL]["ask"]
        assert candles[-1][0] % 60_000 == 0
        assert set(tickers) <= set(living.exchange.symbols)
        assert set(many) == {"ETH/USDT"}
        assert both[0]["side"] in ("buy", "sell")


async def test_pro_user_data(binance: LocalBinance) -> None:
    judge = Judge(binance)
    async with binance.ccxt(ccxt_pro.binance) as exchange:
        await exchange.load_markets()
        seen: dict[str, list[Any]] = {"orders": [], "trades": [], "balance": []}

        async def follow(name: str, watch: Any, *args: Any) -> None:
            while True:
                update = await watch(*args)
                seen[name].extend([update] if name == "balance" else update)

        tasks = [
            asyncio.create_task(follow("orders", exchange.watch_orders, SYMBOL)),
            asyncio.create_task(follow("trades", exchange.watch_my_trades, SYMBOL)),
            asyncio.create_task(follow("balance", exchange.watch_balance)),
        ]
        subscribers = binance.wire.desk.users
        async with asyncio.timeout(5):
            while not subscribers.has_subscriber("alice"):
                await asyncio.sleep(0.01)
        placed = await place_all(exchange, judge)
        canceled = await exchange.cancel_order(placed[0]["id"], SYMBOL)
        async with asyncio.timeout(5):
            while not any(o["id"] == canceled["id"] and o["status"] == "canceled" for o in seen["orders"]):
                await asyncio.sleep(0.01)
        newest = {order["id"]: order for order in seen["orders"]}
        assert set(newest) == {order["id"] for order in placed}
        for order in newest.values():
            judge.order(order)
        ids = {order["id"] for order in placed}
        fills = [f for f in binance.exchange.fills("alice", SYMBOL) if str(f.order_id) in ids]
        assert {t["id"] for t in seen["trades"]} == {str(f.trade_id) for f in fills}
        held = binance.exchange.balances("alice")
        for asset in ("BTC", "USDT"):
            said = seen["balance"][-1][asset]
            assert (dec(said["free"]), dec(said["used"])) == (held[asset].free, held[asset].locked)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_pro_trading_by_websocket(binance: LocalBinance) -> None:
    judge = Judge(binance)
    async with binance.ccxt(ccxt_pro.binance) as exchange:
        placed = await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.001, 50000, {"newClientOrderId": "ws-1"})
        judge.order(placed)
        judge.order(await exchange.fetch_order_ws(placed["id"], SYMBOL))
        edited = await exchange.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 0.002, 50001)
        judge.order(edited)
        assert [o["id"] for o in await exchange.fetch_open_orders_ws(SYMBOL)][-1] == edited["id"]
        judge.order(await exchange.cancel_order_ws(edited["id"], SYMBOL))
        judge.order(await exchange.create_order_ws(SYMBOL, "market", "buy", 0.001))
        judge.fills(await exchange.fetch_my_trades_ws(SYMBOL))
        balance = await exchange.fetch_balance_ws()  # CCXT 4.5.90 parses none of a spot account
        assert balance["info"]["balances"] == (await exchange.fetch_balance())["info"]["balances"]
        assert len(await exchange.cancel_all_orders_ws(SYMBOL)) >= 1
        assert len(await exchange.fetch_ohlcv_ws(SYMBOL, "1m", limit=5)) == 5
        assert await exchange.fetch_trades_ws(SYMBOL)
        with pytest.raises(ccxt.InsufficientFunds):
            await exchange.create_order_ws(SYMBOL, "limit", "buy", 90, 50000)


@pytest.fixture
async def by_proxy(tmp_path: Path) -> AsyncIterator[LocalBinance]:
    """A local Binance behind its TCP door with TLS."""
    wire = create(seed=7, activity=False)
    server = VenueServer([wire])
    record = await server.start(port=0, authority=Authority.ensure(tmp_path))
    wire.world.model.frozen = True
    yield LocalBinance(wire, server, record, None)  # type: ignore[arg-type]
    await server.stop()


async def test_synchronous_ccxt_through_the_proxy(by_proxy: LocalBinance) -> None:
    judge = Judge(by_proxy)
    who = by_proxy.account()
    options = {**SPOT_ONLY, "fetchMarkets": {"types": ["spot", "linear", "inverse"]}}
    exchange = ccxt.binance({"apiKey": who.apiKey, "secret": who.secret, "options": options, "enableRateLimit": False})
    exchange.httpsProxy = f"http://127.0.0.1:{by_proxy.record.port}"
    exchange.validateServerSsl = by_proxy.record.ca

    def life() -> tuple[Any, ...]:
        try:
            exchange.load_markets()
            placed = exchange.create_order(SYMBOL, "limit", "buy", 0.001, 50000)
            filled = exchange.create_order(SYMBOL, "market", "buy", 0.001)
            canceled = exchange.cancel_order(placed["id"], SYMBOL)
            return placed, filled, canceled, exchange.fetch_my_trades(SYMBOL), exchange.fetch_balance()
        finally:
            exchange.session.close()

    placed, filled, canceled, trades, balance = await asyncio.to_thread(life)
    assert placed["status"] == "open"
    judge.order(filled)
    judge.order(canceled)
    judge.fills(trades)
    judge.balances(balance)


async def test_activity_reaches_the_user_stream(socket_path: str) -> None:
    async with local_binance(socket_path, activity=True) as venue, venue.ccxt(ccxt_pro.binance) as exchange:
        orders, balance, trades = await asyncio.wait_for(
            asyncio.gather(exchange.watch_orders(), exchange.watch_balance(), exchange.watch_my_trades()), 10
        )
        assert orders
        assert balance["USDT"]["total"] > 0
        assert trades[0]["takerOrMaker"] == "taker"
        assert venue.exchange.audit() == []
