"""python-kraken-sdk: REST by its typed clients, through the proxy; its WebSocket client by base URL."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from kraken.spot import Market, SpotWSClient, Trade, User

from judges.kit import Checks, Venue, begin, check_shipped, exact, now_ms
from judges.kraken_raw import SYMBOL, Data, Life, PatientDoor
from judges.kraken_words import Merged, expected_order, millis, streamed_booking, streamed_order
from judges.market import Ladder, check_ladder
from judges.raw_data import until

PARTNERS = ("alice", "bob")
START_S = 20.0


class RefusedError(Exception):
    """The errors of an answer that the library has no exception for, and hands on as they are."""


def door(venue: Venue, account: str) -> PatientDoor:
    """The library's REST clients for one account."""
    keys = {"key": venue.keys[account]["apiKey"], "secret": venue.keys[account]["secret"], "proxy": venue.proxy}
    market, trade, user = Market(proxy=venue.proxy), Trade(**keys), User(**keys)
    methods: dict[str, Callable[..., Any]] = {
        "AssetPairs": market.get_asset_pairs,
        "Assets": market.get_assets,
        "SystemStatus": market.get_system_status,
        "Ticker": market.get_ticker,
        "Depth": market.get_order_book,
        "Trades": market.get_recent_trades,
        "Spread": market.get_recent_spreads,
        "OHLC": market.get_ohlc,
        "AddOrder": lambda **p: trade.create_order(side=p.pop("type"), **p),
        "AddOrderBatch": trade.create_order_batch,
        "AmendOrder": trade.amend_order,
        "EditOrder": trade.edit_order,
        "CancelOrder": trade.cancel_order,
        "CancelOrderBatch": trade.cancel_order_batch,
        "CancelAll": trade.cancel_all_orders,
        "QueryOrders": user.get_orders_info,
        "OpenOrders": user.get_open_orders,
        "ClosedOrders": user.get_closed_orders,
        "TradesHistory": user.get_trades_history,
        "Balance": user.get_account_balance,
        "BalanceEx": user.get_balances,
    }

    def ask(method: str, **params: Any) -> Any:
        answer = methods[method](**params)
        if isinstance(answer, dict) and answer.get("error"):
            raise RefusedError(answer["error"])
        return answer

    return PatientDoor(ask, lambda error: f"{error!r} {error}")


class Heard:
    """What the WebSocket client delivered, by channel."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    async def take(self, message: Any) -> None:
        """The callback."""
        if isinstance(message, dict):
            self.frames.append(message)

    def of(self, channel: str) -> list[dict[str, Any]]:
        """The frames of one channel."""
        return [frame for frame in self.frames if frame.get("channel") == channel and "data" in frame]

    def answer(self, request: int) -> dict[str, Any] | None:
        """The answer to a request."""
        return next((frame for frame in self.frames if frame.get("req_id") == request and "success" in frame), None)


class Sockets:
    """Public and private channels, and orders by WebSocket."""

    def __init__(self, checks: Checks, venue: Venue) -> None:
        self._checks, self._venue = checks, venue
        self._heard = Heard()
        self._requests = 0

    async def run(self) -> None:
        """All of them."""
        keys = self._venue.keys["alice"]
        ws = self._venue.base.replace("http", "ws")
        self._client = SpotWSClient(
            key=keys["apiKey"],
            secret=keys["secret"],
            callback=self._heard.take,
            rest_url=self._venue.base,  # it takes no proxy
            ws_url=f"{ws}/ws.kraken.com",
            auth_ws_url=f"{ws}/ws-auth.kraken.com",
        )
        await self._client.start()
        try:
            for channel in ("book", "trade", "ticker", "ohlc"):
                await self._client.subscribe(params={"channel": channel, "symbol": [SYMBOL]})
            for channel in ("executions", "balances"):
                await self._client.subscribe(params={"channel": channel})
            await until(
                lambda: all(self._heard.of(name) for name in ("book", "ticker", "executions", "balances")), START_S
            )
            await self._orders()
            await self._market()
        finally:
            await self._client.close()

    async def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._requests += 1
        number = self._requests
        await self._client.send_message({"method": method, "params": params, "req_id": number})
        await until(lambda: self._heard.answer(number) is not None)
        answer = self._heard.answer(number)
        assert answer is not None
        self._checks.true(f"{method}: success", answer["success"], answer)
        return answer["result"]

    async def _orders(self) -> None:
        checks, venue, since_ms = self._checks, self._venue, now_ms()
        low = float((self._best("bids") * Decimal("0.8")).quantize(Decimal("0.01")))
        order = {"symbol": SYMBOL, "side": "buy", "order_type": "limit", "limit_price": low, "order_qty": 0.001}
        first = (await self._ask("add_order", **order, cl_ord_id="judge-ws"))["order_id"]
        await self._ask("amend_order", order_id=first, order_qty=0.002)
        await self._ask("add_order", symbol=SYMBOL, side="buy", order_type="market", order_qty=0.002)
        await self._ask("add_order", symbol=SYMBOL, side="sell", order_type="market", order_qty=0.001)
        stop = {"order_type": "stop-loss", "triggers": {"reference": "last", "price": low}, "side": "sell"}
        await self._ask("add_order", symbol=SYMBOL, order_qty=0.001, **stop)
        await self._ask("cancel_order", order_id=[first])
        await self._ask("cancel_all")
        rows = {str(row["id"]): row for row in venue.orders("alice") if row["created_ms"] >= since_ms}
        fills = venue.fills("alice", since_ms=since_ms)

        def merged() -> Merged:
            found = Merged()
            for frame in self._heard.of("executions"):
                for row in frame["data"]:
                    found.take(row)
            return found

        def ended() -> bool:
            told = merged().orders
            return all(told.get(txid, {}).get("order_status") in ("filled", "canceled") for txid in rows)

        await until(ended)
        told = merged()
        for txid, row in rows.items():
            checks.rows(
                "executions: the last state of an order", streamed_order(told.orders[txid]), expected_order(row)
            )
        expected = [streamed_booking(row) for row in fills]
        said = [_fill(row) for row in told.fills if row["order_id"] in rows]
        checks.same("executions: every fill once", said, expected)
        sequence = [frame["sequence"] for frame in self._heard.of("executions")]
        checks.true("executions: no gap in the sequence", all(b - a == 1 for a, b in pairwise(sequence)), sequence)
        held = venue.balances("alice")
        for asset in ("BTC", "USDT"):
            total = sum(Decimal(held[asset][part]) for part in ("free", "locked"))
            await until(lambda asset=asset, total=total: self._balance(asset) == total)
            checks.same(f"balances: {asset}", self._balance(asset), total)

    def _balance(self, asset: str) -> Decimal:
        rows = [row for frame in self._heard.of("balances") for row in frame["data"] if row["asset"] == asset]
        return exact(rows[-1]["balance"])

    def _best(self, side: str) -> Decimal:
        return exact(self._heard.of("book")[0]["data"][0][side][0]["price"])

    async def _market(self) -> None:
        checks = self._checks
        snapshot = self._heard.of("book")[0]
        checks.same("book: begins with a snapshot", snapshot["type"], "snapshot")
        sides = (
            tuple((exact(row["price"]), exact(row["qty"])) for row in snapshot["data"][0][side])
            for side in ("bids", "asks")
        )
        check_ladder(checks, "book", Ladder(0, *sides))
        traded = [row for frame in self._heard.of("trade") if frame["type"] == "update" for row in frame["data"]]
        numbers = [row["trade_id"] for row in traded]
        checks.same("trade: ids without a gap", numbers, list(range(numbers[0], numbers[-1] + 1)))
        checks.true("ohlc: candles", bool(self._heard.of("ohlc")))


def _fill(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a trade in `executions`, in the words of `streamed_booking`."""
    return {
        "id": row["exec_id"],
        "order_id": row["order_id"],
        "symbol": row["symbol"],
        "side": row["side"],
        "price": exact(row["last_price"]),
        "amount": exact(row["last_qty"]),
        "cost": exact(row["cost"]),
        "fee": (row["fees"][0]["asset"], exact(row["fees"][0]["qty"])),
        "is_maker": row["liquidity_ind"] == "m",
        "ts_ms": millis(row["timestamp"]),
    }


async def judge(checks: Checks, venue: Venue) -> None:
    """All doors of the library."""
    venue.freeze()
    with checks.part("market data by REST"):
        Data(checks, door(venue, "alice")).run()
    with checks.part("orders by REST"):
        Life(checks, venue, door(venue, "bob"), door(venue, "carol"), ("bob", "carol")).run()
    with checks.part("channels, and orders by WebSocket"):
        await Sockets(checks, venue).run()
    with checks.part("the client itself"):
        check_shipped(checks, "python-kraken-sdk", [name for name in sys.modules if name.startswith("kraken.")])


if __name__ == "__main__":
    asyncio.run(judge(*begin()[:2]))
