"""No answer and no frame of the local Kraken has a field that Kraken does not document, or lacks one that it does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from kraken_kit import PAIR, PRIVATE, PUBLIC, SYMBOL, LocalKraken, ask, next_frame

from ccxt_suite.fields import Fields
from planar.venue.client import VenueControl
from planar.venue.steering.accounts import MakeDeposit, SetSettlement
from planar.venue.wire.kraken.routes import PRIVATE as PRIVATE_ROUTES
from planar.venue.wire.kraken.routes import PUBLIC as PUBLIC_ROUTES

FIELDS = Fields("kraken")
REFUSED = {
    *("AddExport", "ExportStatus", "RetrieveExport", "RemoveExport", "CreditLines", "WalletTransfer"),
    *("Earn/Allocate", "Earn/Deallocate", "Earn/AllocateStatus", "Earn/DeallocateStatus"),
    *("Earn/Allocations", "Earn/Strategies"),
}
"""What is refused on this venue, whatever is asked."""


class Walk:
    """Asks, and compares what it is told.

    Attributes:
        seen: the endpoints, channels and methods that answered.
        wrong: the differences.
    """

    def __init__(self, venue: LocalKraken) -> None:
        self.venue = venue
        self.seen: set[str] = set()
        self.wrong: list[str] = []

    def take(self, endpoint: str, answer: Any) -> Any:
        """Compare an answer."""
        self.seen.add(endpoint)
        self.wrong += FIELDS.differences(endpoint, answer)
        return answer

    def _result(self, endpoint: str, envelope: Any) -> Any:
        assert set(envelope) == {"error", "result"}, (endpoint, envelope)
        assert envelope["error"] == [], (endpoint, envelope)
        return self.take(endpoint, envelope["result"])

    async def public(self, method: str, /, **params: Any) -> Any:
        """A public endpoint. It must not refuse."""
        result = await self.venue.public(method, **params)
        if method in ("OHLC", "Trades", "Spread"):
            assert isinstance(result["result"].pop("last"), int | str)
        return self._result(f"public {method}", result)

    async def private(self, method: str, /, **params: Any) -> Any:
        """A signed endpoint. It must not refuse."""
        return self._result(f"private {method}", await self.venue.private(method, **params))

    async def private_json(self, method: str, **params: Any) -> Any:
        """The same with a JSON body."""
        return self._result(f"private {method}", await self.venue.private_json(method, params))


async def market(walk: Walk) -> None:
    for method in ("Time", "SystemStatus", "Assets", "AssetPairs", "Ticker"):
        await walk.public(method)
    for method in ("OHLC", "Depth", "Trades", "Spread"):
        await walk.public(method, pair=PAIR)


async def orders(walk: Walk) -> None:
    venue = walk.venue
    limit = {"pair": PAIR, "type": "buy", "ordertype": "limit", "volume": "0.001", "price": venue.price("0.8")}
    await walk.private("AddOrder", pair=PAIR, type="buy", ordertype="market", volume="0.01", userref=7)
    placed = await walk.private("AddOrder", **limit, cl_ord_id="mine-1")
    txid = placed["txid"][0]
    close = {"close[ordertype]": "stop-loss", "close[price]": venue.price("0.7")}
    await walk.private("AddOrder", **limit, **close)
    await walk.private("AddOrder", **limit, validate="true")
    stop = {"ordertype": "stop-loss-limit", "price": venue.price("1.1"), "price2": venue.price("1.2")}
    await walk.private("AddOrder", **{**limit, **stop})
    rows = [{name: limit[name] for name in ("ordertype", "type", "volume", "price")}] * 2
    batch = await walk.private_json("AddOrderBatch", pair=PAIR, orders=rows)
    await walk.private("AmendOrder", txid=txid, order_qty="0.002")
    await walk.private("OrderAmends", order_id=txid)
    edited = await walk.private("EditOrder", txid=txid, pair=PAIR, volume="0.003", price=venue.price("0.79"))
    await walk.private("OpenOrders", trades="true")
    await walk.private("QueryOrders", txid=edited["txid"], trades="true")
    await walk.private("CancelOrder", txid=edited["txid"])
    await walk.private_json("CancelOrderBatch", orders=[row["txid"] for row in batch["orders"]])
    await walk.private("ClosedOrders", trades="true")
    await walk.private("CancelAllOrdersAfter", timeout=60)
    await walk.private("CancelAllOrdersAfter", timeout=0)
    await walk.private("CancelAll")


async def account(walk: Walk) -> None:
    for method in ("Balance", "BalanceEx", "TradeBalance", "OpenPositions", "GetWebSocketsToken", "GetApiKeyInfo"):
        await walk.private(method)
    trades = (await walk.private("TradesHistory"))["trades"]
    await walk.private("QueryTrades", txid=next(iter(trades)))
    ledger = (await walk.private("Ledgers"))["ledger"]
    await walk.private("QueryLedgers", id=next(iter(ledger)))
    for params in ({}, {"pair": PAIR}):
        await walk.private("TradeVolume", **params)


async def funding(walk: Walk) -> None:
    async with VenueControl(walk.venue.record) as control:
        await control.command(MakeDeposit(account="alice", asset="ETH", amount="2", settle_ms=None))
        await control.command(SetSettlement(withdraw_ms=60_000))
    [method, *_] = await walk.private("DepositMethods", asset="ETH")
    await walk.private("DepositAddresses", asset="ETH", method=method["method"])
    await walk.private("DepositStatus")
    await walk.private("WithdrawMethods")
    await walk.private("WithdrawAddresses")
    asked = {"asset": "ETH", "key": "eth-vault", "amount": "0.5"}
    await walk.private("WithdrawInfo", **asked)
    sent = await walk.private("Withdraw", **asked)
    await walk.private("WithdrawStatus")
    await walk.private("WithdrawCancel", asset="ETH", refid=sent["refid"])
    await walk.private("WithdrawStatus")
    await walk.private("CreateSubaccount", username="desk", email="desk@example.com")
    ids = walk.venue.wire.desk.ids
    moved = {"from": ids.account("alice"), "to": ids.account("desk"), "asset": "XBT", "amount": "0.1"}
    await walk.private("AccountTransfer", **moved)


async def test_every_endpoint(kraken: LocalKraken) -> None:
    walk = Walk(kraken)
    await market(walk)
    await orders(walk)
    await account(walk)
    await funding(walk)
    routes = {path.removeprefix("/0/").replace("/", " ", 1) for path in (*PUBLIC_ROUTES, *PRIVATE_ROUTES)}
    assert routes - walk.seen - {f"private {name}" for name in REFUSED} == set()
    assert walk.wrong == []


async def test_every_market_channel(living_kraken: LocalKraken) -> None:
    walk = Walk(living_kraken)
    left = {(name, kind) for name in ("ticker", "book", "trade", "ohlc") for kind in ("snapshot", "update")}
    left |= {("instrument", "snapshot"), ("status", "update")}
    async with living_kraken.ws(PUBLIC) as ws:
        for channel in ("ticker", "book", "trade", "ohlc", "instrument"):
            params = {"channel": channel} | ({} if channel == "instrument" else {"symbol": [SYMBOL]})
            await ws.send_str(json.dumps({"method": "subscribe", "params": params, "req_id": 1}))
        while left:
            frame = await next_frame(ws)
            if "method" in frame:
                walk.take("method subscribe", frame)
            else:
                walk.take(f"channel {frame['channel']}", frame)
                left.discard((frame["channel"], frame.get("type")))
        walk.take("method ping", await ask(ws, "ping"))
        params = {"channel": "trade", "symbol": [SYMBOL]}
        walk.take("method unsubscribe", await ask(ws, "unsubscribe", 2, **params))
    assert walk.wrong == []


async def test_every_method_and_account_channel(kraken: LocalKraken) -> None:
    walk = Walk(kraken)
    token = await kraken.token()
    price = float(kraken.price("0.8"))
    new = {"order_type": "limit", "side": "buy", "order_qty": 0.001, "limit_price": price}
    async with kraken.ws(PRIVATE) as listener, kraken.ws(PRIVATE) as ws:
        for channel in ("executions", "balances"):
            params = {"channel": channel, "token": token} | ({"snap_trades": True} if channel == "executions" else {})
            await listener.send_str(json.dumps({"method": "subscribe", "params": params}))

        async def call(method: str, **params: Any) -> Any:
            return walk.take(f"method {method}", await ask(ws, method, **params, token=token))

        one = (await call("add_order", symbol=SYMBOL, **new, cl_ord_id="mine-2"))["result"]["order_id"]
        await call("add_order", symbol=SYMBOL, order_type="market", side="buy", order_qty=0.01)
        triggers = {"price": float(kraken.price("1.1")), "reference": "last"}
        stop = {"order_type": "stop-loss", "side": "buy", "order_qty": 0.001, "triggers": triggers}
        await call("add_order", symbol=SYMBOL, **stop)
        await call("amend_order", order_id=one, order_qty=0.002)
        edited = await call("edit_order", order_id=one, symbol=SYMBOL, order_qty=0.003, limit_price=price)
        await call("cancel_order", order_id=[edited["result"]["order_id"]])
        both = (await call("batch_add", symbol=SYMBOL, orders=[new, new]))["result"]
        await call("batch_cancel", orders=[row["order_id"] for row in both])
        await call("cancel_all_orders_after", timeout=60)
        await call("cancel_all")
        await _listen(walk, listener)
    methods = {name for name in FIELDS.endpoints if name.startswith("method ")}
    assert methods - walk.seen == {"method ping", "method unsubscribe"}
    assert walk.wrong == []


async def _listen(walk: Walk, listener: Any) -> None:
    """Compare what has come on the account's channels until an order was seen from its beginning to its end."""
    left = {("executions", "snapshot"), ("balances", "snapshot"), ("balances", "update")}
    left |= {("executions", kind) for kind in ("pending_new", "new", "trade", "filled", "amended", "canceled")}
    async with asyncio.timeout(5):
        while left:
            frame = await next_frame(listener)
            if "method" in frame:
                walk.take("method subscribe", frame)
                continue
            walk.take(f"channel {frame['channel']}", frame)
            left.discard((frame["channel"], frame.get("type")))
            if frame.get("type") == "update" and frame["channel"] == "executions":
                left -= {("executions", row["exec_type"]) for row in frame["data"]}
