"""Every order kind of the local Kraken: trailing stops, conditional closes, schedules, fee assets; and CCXT as it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt_async
from kraken_kit import PRIVATE, SYMBOL, LocalKraken, ask, next_frame

from planar.venue.engine.enums import OrderKind, OrderStatus, Side, TimeInForce
from planar.venue.engine.types import NewOrder, Order, OrderRef, Trailing

D = Decimal


def trade_down_to(kraken: LocalKraken, price: str) -> None:
    """Let others sell into the book until the last price is this one."""
    exchange = kraken.exchange
    for account, asset, amount in (("bob", "BTC", 5000), ("bob", "USDT", 10_000_000), ("carol", "BTC", 10)):
        exchange.set_balance(account, asset, D(amount))
    for account, fields in (
        ("bob", {"side": Side.SELL, "amount": D(4000), "tif": TimeInForce.IOC}),
        ("bob", {"side": Side.BUY, "amount": D("0.01")}),
        ("carol", {"side": Side.SELL, "amount": D("0.01")}),
    ):
        fields |= {"account": account, "symbol": SYMBOL, "kind": OrderKind.LIMIT, "price": D(price)}
        exchange.submit(NewOrder(**fields))
    assert exchange.last_price(SYMBOL) == D(price)


def engine_order(kraken: LocalKraken, txid: str) -> Order:
    ticket = kraken.wire.desk.register.get("alice", txid)
    return kraken.exchange.order("alice", SYMBOL, OrderRef(ticket.parts[-1]))


def closing_kinds(kraken: LocalKraken, txid: str) -> set[str]:
    """The types of the open orders that close what an order opened."""
    return {ticket.draft.ordertype for ticket in kraken.wire.desk.register.open("alice") if ticket.refid == txid}


async def test_a_trailing_stop_is_shown_with_its_distance_and_triggers(kraken: LocalKraken) -> None:
    last = kraken.exchange.last_price(SYMBOL)
    assert last is not None
    answer = await kraken.order(type="sell", ordertype="trailing-stop", price="+2%")
    assert answer["result"]["descr"] == {"order": "sell 0.00100000 XBTUSDT @ trailing stop +2.0000%"}
    txid = answer["result"]["txid"][0]
    shown = await kraken.query(txid)
    assert (shown["descr"]["ordertype"], shown["descr"]["price"], shown["trigger"]) == (
        "trailing-stop",
        "+2.0000%",
        "last",
    )
    level = (last * D("0.98")).quantize(D("0.01"), rounding="ROUND_FLOOR")
    assert D(shown["stopprice"]) == level
    best = max(last, kraken.exchange.depth(SYMBOL, 1).bids[0].price)  # at which the way down begins
    level = (best * D("0.98")).quantize(D("0.01"), rounding="ROUND_FLOOR")
    trade_down_to(kraken, str(level + D("0.01")))
    assert (await kraken.query(txid))["status"] == "open"
    trade_down_to(kraken, str(level))
    assert engine_order(kraken, txid).triggered_ms is not None
    assert (await kraken.query(txid))["status"] != "open"


async def test_a_trailing_limit_gets_its_price_from_the_trigger(kraken: LocalKraken) -> None:
    kraken.exchange.set_balance("bob", "BTC", D(1))
    sale = NewOrder(account="bob", symbol=SYMBOL, side=Side.SELL, kind=OrderKind.MARKET, amount=D("0.01"))
    kraken.exchange.submit(sale)  # the last price is one of the book from here on
    last = kraken.exchange.last_price(SYMBOL)
    assert last is not None
    txid = await kraken.placed(type="sell", ordertype="trailing-stop-limit", price="+100", price2="+25")
    shown = await kraken.query(txid)
    assert (shown["descr"]["price"], shown["descr"]["price2"]) == ("+100.00", "+25.00")
    trade_down_to(kraken, str(last - 100))
    order = engine_order(kraken, txid)
    assert order.trigger_price is not None
    assert last - 100 <= order.trigger_price
    assert (order.price, order.status) == (order.trigger_price + 25, OrderStatus.NEW)
    assert D((await kraken.query(txid))["limitprice"]) == order.price


async def test_relative_prices_are_taken_from_the_last_one(kraken: LocalKraken) -> None:
    last = kraken.exchange.last_price(SYMBOL)
    assert last is not None
    for ordertype, side, price, expected in (
        ("limit", "buy", "-10%", D("0.9")),
        ("limit", "buy", "#10%", D("0.9")),
        ("limit", "sell", "#10%", D("1.1")),
        ("stop-loss", "sell", "#10%", D("0.9")),
        ("take-profit", "sell", "#10%", D("1.1")),
    ):
        txid = await kraken.placed(type=side, ordertype=ordertype, price=price)
        found = kraken.wire.desk.register.get("alice", txid).draft.price
        assert found == (last * expected).quantize(D("0.01"), rounding="ROUND_HALF_UP")


async def test_each_execution_is_followed_by_its_closing_order(kraken: LocalKraken) -> None:
    close = {"close[ordertype]": "stop-loss-limit", "close[price]": kraken.price("0.7"), "close[price2]": "-1%"}
    txid = await kraken.placed(ordertype="market", volume="0.002", **close)
    opened = await kraken.query(txid)
    assert opened["descr"]["close"].startswith("close position @ stop loss ")
    held = (await kraken.private("OpenOrders"))["result"]["open"]
    closing = {key: row for key, row in held.items() if row["refid"] == txid}
    assert sum(D(row["vol"]) for row in closing.values()) == D("0.002")
    assert {row["descr"]["type"] for row in closing.values()} == {"sell"}
    assert {row["descr"]["ordertype"] for row in closing.values()} == {"stop-loss-limit"}
    assert kraken.exchange.audit() == []


async def test_a_closing_order_without_funds_ends_with_the_reason(kraken: LocalKraken) -> None:
    kraken.exchange.set_balance("alice", "BTC", D(0))
    close = {"close[ordertype]": "limit", "close[price]": kraken.price("1.2")}
    txid = await kraken.placed(ordertype="market", oflags="fcib", **close)
    closed = (await kraken.private("ClosedOrders"))["result"]["closed"]
    row = next(row for row in closed.values() if row["refid"] == txid)
    assert (row["status"], row["reason"]) == ("canceled", "Insufficient funds")
    assert kraken.exchange.audit() == []


async def test_a_scheduled_order_waits_for_its_hour(kraken: LocalKraken) -> None:
    before = kraken.exchange.balances("alice")["USDT"]
    txid = await kraken.placed(starttm="+60")
    shown = await kraken.query(txid)
    assert (shown["status"], shown["starttm"] > time.time()) == ("pending", True)
    assert kraken.exchange.balances("alice")["USDT"] == before
    desk = kraken.wire.desk
    desk.tick(int(time.time() * 1000) + 59_000)
    assert (await kraken.query(txid))["status"] == "pending"
    desk.tick(int(time.time() * 1000) + 61_000)
    assert (await kraken.query(txid))["status"] == "open"
    assert kraken.exchange.balances("alice")["USDT"].locked > before.locked


async def test_commission_is_taken_in_quote_unless_asked_otherwise(kraken: LocalKraken) -> None:
    for side, flags, asset in (
        ("buy", "", "USDT"),
        ("buy", "fcib", "BTC"),
        ("sell", "fciq", "USDT"),
        ("sell", "fcib", "BTC"),
    ):
        txid = await kraken.placed(type=side, ordertype="market", oflags=flags)
        fills = kraken.wire.desk.register.fills(kraken.wire.desk.register.get("alice", txid))
        assert {fill.commission_asset for fill in fills} == {asset}
        assert (await kraken.query(txid))["oflags"] == ("fcib" if asset == "BTC" else "fciq")
    assert kraken.exchange.audit() == []


async def test_amendments_are_remembered(kraken: LocalKraken) -> None:
    txid = await kraken.placed(volume="0.003")
    empty = (await kraken.private("OrderAmends", order_id=txid))["result"]
    assert empty == {"count": 0, "amends": []}
    amend_id = (await kraken.private("AmendOrder", txid=txid, order_qty="0.002"))["result"]["amend_id"]
    found = (await kraken.private("OrderAmends", order_id=txid))["result"]
    assert found["count"] == 2
    first, second = found["amends"]
    assert (first["amend_type"], first["order_qty"]) == ("original", "0.00300000")
    assert (second["amend_id"], second["amend_type"], second["order_qty"]) == (amend_id, "user", "0.00200000")
    trailing = await kraken.placed(type="sell", ordertype="trailing-stop", price="+2%")
    assert (await kraken.private("AmendOrder", txid=trailing, trigger_price="+3%"))["error"] == []
    assert (await kraken.query(trailing))["descr"]["price"] == "+3.0000%"


async def test_the_socket_places_and_tells_trailing_stops(kraken: LocalKraken) -> None:
    token = await kraken.token()
    async with kraken.ws(PRIVATE) as ws:
        await ask(ws, "subscribe", channel="executions", token=token)
        await next_frame(ws, "executions")
        order = {"symbol": SYMBOL, "side": "sell", "order_qty": 0.001, "token": token}
        triggers = {"reference": "last", "price": 2, "price_type": "pct"}
        await kraken.placed(type="sell", ordertype="trailing-stop", price="+2%")
        told = (await next_frame(ws, "executions"))["data"][0]
        placed = await ask(ws, "add_order", 2, order_type="trailing-stop", triggers=triggers, **order)
        assert placed["success"], placed
        found = kraken.wire.desk.register.get("alice", placed["result"]["order_id"])
        assert found.draft.trailing == Trailing(fraction=D("0.02"))
        assert (told["order_type"], told["exec_type"]) == ("trailing-stop", "pending_new")
        assert {"reference", "price", "price_type", "actual_price", "status"} <= set(told["triggers"])
        assert (told["triggers"]["price"], told["triggers"]["price_type"]) == (2, "pct")
        later = datetime.fromtimestamp(time.time() + 60, UTC).isoformat()
        conditional = {"order_type": "stop-loss", "trigger_price": kraken.price("0.7")}
        wanted = {"order_type": "limit", "limit_price": float(kraken.price("1.2")), "effective_time": later}
        scheduled = await ask(ws, "add_order", 3, **wanted, **order, fee_preference="base")
        assert scheduled["success"], scheduled
        found = kraken.wire.desk.register.get("alice", scheduled["result"]["order_id"])
        assert engine_order(kraken, found.txid).status is OrderStatus.PENDING_NEW
        buy = order | {"side": "buy"}
        opened = await ask(ws, "add_order", 4, order_type="market", conditional=conditional, **buy)
        assert opened["success"], opened
        assert closing_kinds(kraken, opened["result"]["order_id"]) == {"stop-loss"}
        refused = await ask(ws, "add_order", 5, order_type="settle-position", **order)
        assert refused["error"] == "EOrder:Unknown position"


async def test_ccxt_places_every_kind(kraken: LocalKraken) -> None:
    def kind(found: Any) -> str:
        return kraken.wire.desk.register.get("alice", found["id"]).draft.ordertype

    async with kraken.ccxt(ccxt_async.kraken) as exchange:
        place: Callable[..., Any] = exchange.create_order
        low, high = float(kraken.price("0.8")), float(kraken.price("1.2"))
        for order_type, price, params, expected in (
            ("market", None, {"trailingAmount": "100"}, "trailing-stop"),
            ("market", None, {"trailingPercent": "2"}, "trailing-stop"),
            ("limit", None, {"trailingAmount": "100", "trailingLimitAmount": "10"}, "trailing-stop-limit"),
            ("limit", None, {"trailingPercent": "2", "trailingLimitPercent": "1"}, "trailing-stop-limit"),
            ("market", None, {"stopLossPrice": low}, "stop-loss"),
            ("limit", low, {"stopLossPrice": low}, "stop-loss-limit"),
            ("market", None, {"takeProfitPrice": high}, "take-profit"),
            ("limit", high, {"takeProfitPrice": high}, "take-profit-limit"),
            ("limit", high, {"postOnly": True}, "limit"),
            ("limit", high, {"timeInForce": "GTD", "expiretm": "+60"}, "limit"),
        ):
            placed = await place(SYMBOL, order_type, "sell", 0.001, price, params)
            assert kind(placed) == expected, params
            asked = await exchange.fetch_order(placed["id"], SYMBOL)
            assert asked["status"] == "open"
        spent = await place(SYMBOL, "market", "buy", None, None, {"cost": 100})
        view = kraken.wire.desk.register.view(kraken.wire.desk.register.get("alice", spent["id"]))
        assert D(99) < view.cost <= D(100)
        closing = {"close": {"ordertype": "limit", "price": high}}
        opened = await place(SYMBOL, "market", "buy", 0.001, None, closing)
        assert closing_kinds(kraken, opened["id"]) == {"limit"}
        rows = [{"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.001, "price": low} for _ in range(3)]
        batch = await exchange.create_orders(rows)
        await exchange.edit_order(batch[0]["id"], SYMBOL, "limit", "buy", 0.002, low)
        assert kraken.wire.desk.register.get("alice", batch[0]["id"]).draft.volume == D("0.002")
        await exchange.cancel_orders([row["id"] for row in batch[1:]], SYMBOL)
        await exchange.cancel_all_orders_after(60_000)
        await exchange.cancel_all_orders_after(0)
        await exchange.cancel_all_orders()
        assert kraken.wire.desk.register.open("alice") == []
        assert kraken.exchange.audit() == []
