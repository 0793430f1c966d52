"""A stock broker as a custom exchange: its adapter, a small broker to try it with, and a program that trades there."""

import asyncio
import hashlib
import hmac
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from aiohttp import web

import planar
from planar.errors import InsufficientFunds, MarketClosed, OrderNotFound, Outcome
from planar.models import AccountBalance, Amount, Balance, Candle, Market, Order, OrderBook, OrderState, Ticker
from planar.models.market import Limits, MinMax, Precision
from planar.transport.context import Priority
from planar.transport.meters import MeterSpec

STATES = {"open": OrderState.OPEN, "filled": OrderState.FILLED, "canceled": OrderState.CANCELED}
ERRORS = {"market_closed": MarketClosed, "no_cash": InsufficientFunds, "no_order": OrderNotFound}


class StockBroker(planar.CustomAdapter):
    """Shares are whole, money is USD, private requests carry an HMAC of time, method, path and body."""

    urls: ClassVar = {"live": "https://api.broker.example"}
    required_credentials = ("apiKey", "secret")
    timeframes = ("1m",)
    meter = MeterSpec("calls", 100.0, 1_000)

    def sign(self, method, target, body):
        now = str(self.venue_ms())
        signed = hmac.new(self.credentials["secret"].encode(), f"{now}{method}{target}{body}".encode(), hashlib.sha256)
        return {"X-Key": self.credentials["apiKey"], "X-Time": now, "X-Signature": signed.hexdigest()}

    def judge(self, status, answer):
        code = answer.get("error") if isinstance(answer, dict) else None
        kind = ERRORS.get(code)
        return None if kind is None else kind(answer["text"], outcome=Outcome.REFUSED, code=code)

    async def list_markets(self, *, timeout_ms):
        rows = await self.http.request("GET", "/stocks", timeout_ms=timeout_ms)
        return [
            Market(
                id=row["id"],
                symbol=f"{row['id']}/USD",
                base=row["id"],
                quote="USD",
                type="spot",
                active=True,
                precision=Precision(amount=Amount(1), price=Amount("0.01")),
                limits=Limits(amount=MinMax(Amount(1)), cost=MinMax(Amount(1))),
            )
            for row in rows
        ]

    async def fetch_ticker(self, symbol, params, *, timeout_ms):
        row = await self.http.request("GET", f"/quote/{self.market(symbol).id}", timeout_ms=timeout_ms)
        return Ticker(symbol=symbol, bid=row["bid"], ask=row["ask"], last=row["last"], ts_ms=row["ms"])

    async def fetch_order_book(self, symbol, limit, params, *, timeout_ms):
        row = await self.http.request("GET", f"/book/{self.market(symbol).id}", timeout_ms=timeout_ms)
        bids, asks = ([tuple(level) for level in row[side]][:limit] for side in ("bids", "asks"))
        return OrderBook(symbol=symbol, bids=tuple(bids), asks=tuple(asks), ts_ms=row["ms"])

    async def fetch_ohlcv(self, symbol, timeframe, since_ms, limit, params, *, timeout_ms):
        rows = await self.http.request("GET", f"/bars/{self.market(symbol).id}", timeout_ms=timeout_ms)
        return [Candle(*row) for row in rows if row[0] >= (since_ms or 0)][:limit]

    async def fetch_balance(self, params, *, timeout_ms):
        rows = await self.http.request("GET", "/account", private=True, timeout_ms=timeout_ms)
        return AccountBalance(
            balances={
                code: Balance(free=Amount(free), used=Amount(used), total=Amount(free) + Amount(used))
                for code, (free, used) in rows["balances"].items()
            }
        )

    async def fetch_trading_fee(self, symbol, *, timeout_ms):
        account = await self.http.request("GET", "/account", private=True, timeout_ms=timeout_ms)
        fee = Amount("0.001") if Amount(account["volume_30d"]) > 1_000_000 else Amount("0.002")
        return fee, fee

    async def submit(self, request, *, timeout_ms, on_send):
        body = {
            "client_id": request.client_id,
            "stock": self.market(request.symbol).id,
            "side": request.side,
            "type": request.type,
            "quantity": str(request.amount),
            "price": None if request.price is None else str(request.price),
        }
        row = await self.http.request(
            *("POST", "/orders"),
            body=body,
            private=True,
            timeout_ms=timeout_ms,
            on_send=on_send,
            priority=Priority.ORDER,
        )
        return self.order(row)

    async def cancel(self, ref, params, *, timeout_ms):
        way = f"/orders/{ref.order_id or ref.client_id}"
        row = await self.http.request("DELETE", way, private=True, timeout_ms=timeout_ms, priority=Priority.CANCEL)
        return self.order(row)

    async def query_order(self, ref, params, *, timeout_ms):
        way = f"/orders/{ref.order_id or ref.client_id}"
        try:
            row = await self.http.request("GET", way, private=True, timeout_ms=timeout_ms, priority=Priority.ORDER)
        except OrderNotFound:
            return None
        return self.order(row)

    async def fetch_open_orders(self, symbol, params, *, timeout_ms):
        if symbol is not None:
            self.market(symbol)
        rows = await self.http.request("GET", "/orders", private=True, timeout_ms=timeout_ms)
        return [order for order in map(self.order, rows) if symbol in (None, order.symbol)]

    def order(self, row):
        return Order(
            id=row["id"],
            client_order_id=row["client_id"],
            symbol=f"{row['stock']}/USD",
            side=row["side"],
            type=row["type"],
            state=STATES[row["status"]],
            amount=Amount(row["quantity"]),
            price=None if row["price"] is None else Amount(row["price"]),
            filled=Amount(row["filled"]),
            ts_ms=row["ms"],
        )


class Broker:
    """The broker's side: AAPL at 99.99 and 100.01, 10000 USD; limit orders away from these prices rest."""

    def __init__(self):
        self.orders, self.cash, self.shares, self.open, self.secret = (
            {},
            Amount(10_000),
            Amount(0),
            True,
            "s3cr3t-of-broker",
        )
        self.ms = 1_750_000_000_000

    def app(self):
        app = web.Application()
        routes = app.router
        routes.add_get("/stocks", self.public([{"id": "AAPL"}]))
        routes.add_get("/quote/AAPL", self.public({"bid": 99.99, "ask": 100.01, "last": 100.0, "ms": self.ms}))
        book = {"bids": [[99.99, 50.0], [99.98, 70.0]], "asks": [[100.01, 40.0], [100.02, 60.0]], "ms": self.ms}
        routes.add_get("/book/AAPL", self.public(book))
        minute = self.ms // 60_000 * 60_000
        bars = [[minute - 60_000 * back, 99.5, 101.0, 99.0, 100.0, 5.0] for back in (2, 1, 0)]
        routes.add_get("/bars/AAPL", self.public(bars))
        routes.add_get("/account", self.signed(self.account))
        routes.add_get("/orders", self.signed(self.standing))
        routes.add_post("/orders", self.signed(self.place))
        routes.add_get("/orders/{name}", self.signed(self.one))
        routes.add_delete("/orders/{name}", self.signed(self.cancel))
        return app

    async def told(self, value, status=200):
        return web.json_response(value, status=status)

    def public(self, value):
        async def shown(request):
            return await self.told(value)

        return shown

    def signed(self, handler):
        async def checked(request):
            body = await request.text()
            text = f"{request.headers.get('X-Time', '')}{request.method}{request.path_qs}{body}"
            wanted = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
            if not hmac.compare_digest(wanted, request.headers.get("X-Signature", "")):
                return await self.told({"error": "signature", "text": "the signature is wrong"}, 401)
            return await handler(request, json.loads(body) if body else {})

        return checked

    def used(self):
        resting = [row for row in self.orders.values() if row["status"] == "open" and row["side"] == "buy"]
        return sum((Amount(row["price"]) * Amount(row["quantity"]) for row in resting), Amount(0))

    async def account(self, request, body):
        used = self.used()
        balances = {"USD": (str(self.cash - used), str(used)), "AAPL": (str(self.shares), "0")}
        return await self.told({"balances": balances, "volume_30d": "0"})

    async def standing(self, request, body):
        return await self.told([row for row in self.orders.values() if row["status"] == "open"])

    async def place(self, request, body):
        if not self.open:
            return await self.told({"error": "market_closed", "text": "trading is from 9:30 to 16:00 in New York"}, 422)
        market = body["type"] == "market"
        price = Amount("100.01") if market else Amount(body["price"])
        cost = price * Amount(body["quantity"])
        if body["side"] == "buy" and cost > self.cash - self.used():
            return await self.told({"error": "no_cash", "text": "not enough USD"}, 422)
        row = {**body, "id": f"o{len(self.orders) + 1}", "status": "open", "filled": "0", "ms": self.ms}
        if market:
            row["status"], row["filled"] = "filled", body["quantity"]
            self.cash, self.shares = self.cash - cost, self.shares + Amount(body["quantity"])
        self.orders[row["id"]] = row
        return await self.told(row)

    def named(self, request):
        name = request.match_info["name"]
        return next((row for row in self.orders.values() if name in (row["id"], row["client_id"])), None)

    async def one(self, request, body):
        row = self.named(request)
        return (
            await self.told({"error": "no_order", "text": "no such order"}, 404)
            if row is None
            else await self.told(row)
        )

    async def cancel(self, request, body):
        row = self.named(request)
        if row is None or row["status"] != "open":
            return await self.told({"error": "no_order", "text": "no such open order"}, 404)
        row["status"] = "canceled"
        return await self.told(row)


async def main():
    broker = Broker()
    runner = web.AppRunner(broker.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    local = type("LocalBroker", (StockBroker,), {"urls": {"live": f"http://127.0.0.1:{port}"}})
    planar.register("stockbroker", local)
    with TemporaryDirectory() as home:
        secrets = Path(home) / "secrets.toml"
        secrets.write_text(f'[exchanges.stockbroker]\napiKey = "k3y-of-broker"\nsecret = "{broker.secret}"\n')
        os.chmod(secrets, 0o600)
        os.environ["PLANAR_STATE"] = home  # the journal ends with the program
        async with planar.open(secrets=secrets) as p:
            exchange = await p.exchange("stockbroker", environment="live")
            print("last:", (await exchange.fetch_ticker("AAPL/USD")).last)
            async with exchange.watch_order_book("AAPL/USD") as books:
                book = await anext(books)
                print("watched:", book.best_bid, book.best_ask)
            order = await exchange.create_limit_buy_order("AAPL/USD", 3, 90)
            print("placed:", order.state.value, order.amount)
            print("canceled:", (await exchange.cancel_order(order.id, "AAPL/USD")).state.value)
            print("cash:", (await exchange.fetch_balance())["USD"].free)
            broker.open = False
            try:
                await exchange.create_market_buy_order("AAPL/USD", 1)
            except MarketClosed as error:
                print("closed:", error.message)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
