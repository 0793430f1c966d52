"""The life of orders by CCXT's unified methods, through REST or the WebSocket API, each step compared with the ledger.

The market stands still meanwhile: only the two accounts of the judge trade, so that every step has one right outcome.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from decimal import Decimal
from typing import Any

import ccxt

from judges.ccxt_words import (
    Client,
    expected_order,
    unified_balances,
    unified_fees,
    unified_fill,
    unified_order,
    unified_prints,
)
from judges.kit import Checks, Venue, now_ms
from judges.words import Row, answered_balances, ledger_balances, ledger_fill, ledger_order

SYMBOL = "BTC/USDT"
TICK = 0.01
UNKNOWN_ID = "999999999999"

BY_REST = {
    "create": "create_order",
    "edit": "edit_order",
    "cancel": "cancel_order",
    "cancel_all": "cancel_all_orders",
    "fetch": "fetch_order",
    "fetch_open": "fetch_open_orders",
    "fetch_all": "fetch_orders",
    "fetch_closed": "fetch_closed_orders",
    "fetch_fills": "fetch_my_trades",
    "fetch_book": "fetch_order_book",
}
BY_SOCKET = {
    **{call: f"{name}_ws" for call, name in BY_REST.items()},
    "fetch_book": "fetch_order_book",  # CCXT offers it by WebSocket for swaps only
}


def by_socket(kind: str, params: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """An order for `create_order_ws`, which hands unified parameters on to the exchange besides those it makes of them.

    The exchange refuses what it does not know (-1104, errors.md), so that only its own names work there.
    """
    own = dict(params)
    if own.pop("postOnly", False):
        kind = "LIMIT_MAKER"
    for unified, name in (
        ("clientOrderId", "newClientOrderId"),
        ("cost", "quoteOrderQty"),
        ("stopLossPrice", "stopPrice"),
    ):
        if unified in own:
            own[name] = own.pop(unified)
    if "takeProfitPrice" in own:
        own["stopPrice"] = own.pop("takeProfitPrice")
        kind = {"market": "TAKE_PROFIT", "limit": "TAKE_PROFIT_LIMIT"}[kind]
    return kind, own


class Life:
    """Lives of orders of one account; a second account is the other side of its trades."""

    def __init__(self, checks: Checks, venue: Venue, own: Client, other: Client, names: Mapping[str, str]) -> None:
        """`names`: CCXT's methods for each call, BY_REST or BY_SOCKET."""
        self._checks = checks
        self._venue = venue
        self._own, self._other = own, other
        self._names = names
        self._since_ms = now_ms()
        self._placed: dict[str, list[str]] = {own.account: [], other.account: []}

    async def run(self) -> None:
        """All of it."""
        await self.rest()
        await self.take()
        await self.make()
        await self.trigger()
        await self.prevent()
        await self.refuse()
        await (self.by_name() if self._names is BY_REST else self.by_name_and_socket())
        await self.edit_and_cancel()
        await self.ask_for_all()

    async def rest(self) -> None:
        """Orders of each kind that only wait."""
        bid, ask = await self._top()
        low, high = self._price(bid * 0.8), self._price(ask * 1.2)
        await self.place("limit buy", "limit", "buy", 0.00123, low)
        named = await self.place("limit sell, own id", "limit", "sell", 0.00123, high, {"clientOrderId": "judge-1"})
        self._same_order("fetch", named, await self._do("fetch", named["id"], SYMBOL))
        await self.place("post-only", "limit", "buy", 0.002, low, {"postOnly": True})
        await self.place("iceberg", "limit", "sell", 0.01, high, {"icebergQty": 0.002})
        for label, kind, side, price, params in (
            ("stop-loss sell", "market", "sell", None, {"stopLossPrice": low}),
            ("stop-loss buy", "market", "buy", None, {"stopLossPrice": high}),
            ("take-profit sell", "market", "sell", None, {"takeProfitPrice": high}),
            ("take-profit buy", "market", "buy", None, {"takeProfitPrice": low}),
            ("stop-loss limit sell", "limit", "sell", low, {"stopLossPrice": low}),
            ("stop-loss limit buy", "limit", "buy", high, {"stopLossPrice": high}),
            ("take-profit limit sell", "limit", "sell", high, {"takeProfitPrice": high}),
            ("take-profit limit buy", "limit", "buy", low, {"takeProfitPrice": low}),
            ("stop market", "market", "sell", None, {"stopPrice": low}),
            ("stop limit", "limit", "sell", low, {"stopPrice": low}),
        ):
            order = await self.place(label, kind, side, 0.002, price, params)
            await self.cancel(label, order)

    async def take(self) -> None:
        """Orders that trade at once, or end at once."""
        await self.place("market buy", "market", "buy", 0.002)
        await self.place("market sell", "market", "sell", 0.003)
        await self.place("market buy by cost", "market", "buy", 0, None, {"cost": 123.45})
        await self.place("market sell by cost", "market", "sell", 0, None, {"cost": 98.7})
        _, ask = await self._top()
        await self.place("limit that takes", "limit", "buy", 0.002, self._price(ask * 1.01))
        bid, _ = await self._top()
        await self.place("IOC that fills in part", "limit", "sell", 2, bid, {"timeInForce": "IOC"})
        bid, ask = await self._top()
        await self.place("IOC without a match", "limit", "buy", 0.002, bid, {"timeInForce": "IOC"})
        await self.place("FOK that fills", "limit", "buy", 0.002, self._price(ask * 1.01), {"timeInForce": "FOK"})
        _, ask = await self._top()
        await self.place("FOK that cannot fill", "limit", "buy", 2, ask, {"timeInForce": "FOK"})

    async def make(self) -> None:
        """Orders that wait until the other account comes."""
        price = self._price((await self._top())[1] - TICK)  # inside the spread: first in the queue
        whole = await self.place("maker", "limit", "sell", 0.002, price, {"postOnly": True})
        await self.place("the other side", "limit", "buy", 0.002, price, {"timeInForce": "IOC"}, of=self._other)
        self._same_order("maker, filled", whole, await self._do("fetch", whole["id"], SYMBOL))
        part = await self.place("maker in part", "limit", "sell", 0.005, price, {"postOnly": True})
        await self.place("a smaller other side", "limit", "buy", 0.002, price, of=self._other)
        shown = await self._do("fetch", part["id"], SYMBOL)
        self._same_order("maker, filled in part", part, shown)
        self._checks.same("maker, filled in part: filled", shown["filled"], 0.002)
        await self.cancel("maker, filled in part", part)

    async def trigger(self) -> None:
        """Stops that the other account's trades set off."""
        for param, side, mover in (
            ("stopLossPrice", "sell", "sell"),
            ("stopLossPrice", "buy", "buy"),
            ("takeProfitPrice", "sell", "buy"),
            ("takeProfitPrice", "buy", "sell"),
        ):
            for kind in ("market", "limit"):
                await self._trigger(kind, param, side, mover)

    async def _trigger(self, kind: str, param: str, side: str, mover: str) -> None:
        away = "buy" if mover == "sell" else "sell"
        await self.place("move the price away", "market", away, 0.001, of=self._other)
        bid, ask = await self._top()
        price = None
        if kind == "limit":
            price = self._price(bid * 0.99 if side == "sell" else ask * 1.01)
        label = f"{param} {kind} {side}, triggered"
        order = await self.place(label, kind, side, 0.001, price, {param: bid if mover == "sell" else ask})
        await self.place("move the price there", "market", mover, 0.001, of=self._other)
        shown = await self._do("fetch", order["id"], SYMBOL)
        self._same_order(label, order, shown)
        self._checks.same(f"{label}: status", shown["status"], "closed")

    async def prevent(self) -> None:
        """An account that would trade with itself."""
        for mode in ("EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH"):
            price = self._price((await self._top())[1] - TICK)
            own = await self.place(f"{mode}: maker", "limit", "sell", 0.002, price)
            params = {"selfTradePreventionMode": mode}
            taker = await self.place(f"{mode}: taker", "limit", "buy", 0.002, price, params)
            maker = await self._do("fetch", own["id"], SYMBOL)
            self._same_order(f"{mode}: maker afterwards", own, maker)
            for order in (taker, maker):
                if order["status"] == "open":
                    await self.cancel(f"{mode}: what is left", order)

    async def refuse(self) -> None:
        """What is refused is an exception of CCXT's own, and leaves no trace."""
        bid, ask = await self._top()
        low = self._price(bid * 0.8)
        await self.place("an id that is taken", "limit", "buy", 0.001, low, {"clientOrderId": "twice"})
        before = len(self._venue.orders(self._own.account))
        for label, error, order in (
            ("a client id twice", ccxt.InvalidOrder, ("limit", "buy", 0.001, low, {"clientOrderId": "twice"})),
            ("too little money", ccxt.InsufficientFunds, ("limit", "buy", 20, low)),
            (
                "post-only that would take",
                ccxt.OrderImmediatelyFillable,
                ("limit", "buy", 0.001, ask, {"postOnly": True}),
            ),
            (
                "a stop that would trigger",
                ccxt.OrderImmediatelyFillable,
                ("market", "sell", 0.001, None, {"stopLossPrice": self._price(ask * 2)}),
            ),
            ("NOTIONAL", ccxt.BadRequest, ("limit", "buy", 0.00001, low)),
        ):
            await self._refused(label, error, self._create(*order))
        await self._refused("cancel of nothing", ccxt.OrderNotFound, self._do("cancel", UNKNOWN_ID, SYMBOL))
        await self._refused("fetch of nothing", ccxt.OrderNotFound, self._do("fetch", UNKNOWN_ID, SYMBOL))
        test = await self._create("limit", "buy", 0.001, low, {"test": True})
        self._checks.same("test order: answer", test["info"], {})
        self._checks.same("orders after refusals", len(self._venue.orders(self._own.account)), before)

    async def by_name(self) -> None:
        """CCXT's shorter names for kinds of orders."""
        bid, ask = await self._top()
        low, high = self._price(bid * 0.8), self._price(ask * 1.2)
        for method, *args in (
            ("create_limit_order", "buy", 0.002, low),
            ("create_limit_buy_order", 0.002, low),
            ("create_limit_sell_order", 0.002, high),
            ("create_post_only_order", "limit", "buy", 0.002, low),
            ("create_market_order", "buy", 0.002),
            ("create_market_buy_order", 0.002),
            ("create_market_sell_order", 0.002),
            ("create_market_order_with_cost", "buy", 50),
            ("create_market_buy_order_with_cost", 50),
            ("create_market_sell_order_with_cost", 50),
            ("create_stop_order", "market", "sell", 0.002, None, low),
            ("create_stop_limit_order", "sell", 0.002, low, low),
            ("create_stop_loss_order", "market", "sell", 0.002, None, low),
            ("create_take_profit_order", "market", "sell", 0.002, None, high),
            ("create_trigger_order", "limit", "sell", 0.002, low, low),
        ):
            order = self.placed(method, await self._own.do(method, SYMBOL, *args), self._own)
            if order["triggerPrice"]:
                await self.cancel(method, order)
        trailing = self._own.do(
            "create_trailing_percent_order",
            SYMBOL,
            "market",
            "sell",
            0.002,
            None,
            1,
            None,
            {"stopLossOrTakeProfit": "stopLoss"},
        )
        await self._refused("a trailing stop, which no market here allows", ccxt.ExchangeError, trailing)

    async def by_name_and_socket(self) -> None:
        """The same by the WebSocket API, and its market data."""
        bid, _ = await self._top()
        do, checks = self._own.do, self._checks
        resting = await do("create_limit_order_ws", SYMBOL, "buy", 0.002, self._price(bid * 0.8))
        self.placed("create_limit_order_ws", resting, self._own)
        self.placed("create_market_order_ws", await do("create_market_order_ws", SYMBOL, "sell", 0.002), self._own)
        balance = await do("fetch_balance_ws")  # of a spot account CCXT hands on what came, and parses nothing
        held = ledger_balances(self._venue.balances(self._own.account))
        checks.same("fetch_balance_ws", answered_balances(balance["info"]), held)
        ours = unified_prints(await do("fetch_trades_ws", SYMBOL, None, 100))
        rest = unified_prints(await do("fetch_trades", SYMBOL, None, 100, {"fetchTradesMethod": "publicGetTrades"}))
        checks.same("fetch_trades_ws", ours, rest)
        candles = await do("fetch_ohlcv_ws", SYMBOL, "5m", None, 20)
        checks.same("fetch_ohlcv_ws", candles, await do("fetch_ohlcv", SYMBOL, "5m", None, 20))

    async def edit_and_cancel(self) -> None:
        """Edits, cancels by each id, and cancel of all."""
        bid, _ = await self._top()
        low = self._price(bid * 0.8)
        first = await self.place("to be edited", "limit", "buy", 0.001, low)
        edited = await self._do("edit", first["id"], SYMBOL, "limit", "buy", 0.002, self._price(low - TICK))
        self._placed[self._own.account].append(edited["id"])
        self._judge("edit: answer", self._own, edited)
        self._checks.true("edit: a new order", edited["id"] != first["id"])
        self._checks.same("edit: the old order", self._row(self._own, first["id"])["status"], "CANCELED")
        named = await self.place("to be canceled by own id", "limit", "buy", 0.001, low, {"clientOrderId": "judge-2"})
        # fetch_order_ws, too, hands on the unified name besides the exchange's
        by_id = {"origClientOrderId" if self._names is BY_SOCKET else "clientOrderId": "judge-2"}
        self._same_order("fetch by own id", named, await self._do("fetch", "", SYMBOL, by_id))
        self._same_order("cancel by own id", named, await self._do("cancel", "", SYMBOL, by_id))
        await self._refused("cancel twice", ccxt.OrderNotFound, self._do("cancel", named["id"], SYMBOL))
        waiting = sorted(str(row["id"]) for row in self._open_rows())
        shown = await self._do("fetch_open", SYMBOL)
        self._checks.same("open orders", sorted(order["id"] for order in shown), waiting)
        for order in shown:
            self._judge("one of the open orders", self._own, order)
        for order in await self._do("cancel_all", SYMBOL):
            self._judge("one of all canceled", self._own, order)
        self._checks.same("open orders at the end", self._open_rows(), [])

    async def ask_for_all(self) -> None:
        """Everything that both accounts did, and the ledger's own soundness."""
        for client in (self._own, self._other):
            rows = self._venue.orders(client.account, symbol=SYMBOL)
            listed = await self._do("fetch_all", SYMBOL, None, 1000, of=client)
            said = f"{client.account}: orders"
            self._checks.same(said, sorted(o["id"] for o in listed), sorted(str(row["id"]) for row in rows))
            for order in listed:
                self._judge(f"{client.account}: one of all orders", client, order)
            own = [str(row["id"]) for row in rows if row["created_ms"] >= self._since_ms]
            placed = self._placed[client.account]
            self._checks.same(f"{client.account}: none lost, none doubled", sorted(own), sorted(placed))
            closed = await self._do("fetch_closed", SYMBOL, None, 1000, of=client)
            filled = sorted(str(row["id"]) for row in rows if row["status"] == "filled")
            self._checks.same(f"{client.account}: closed orders", sorted(o["id"] for o in closed), filled)
            fills = [ledger_fill(row) for row in self._venue.fills(client.account, symbol=SYMBOL)]
            shown = [unified_fill(t) for t in await self._do("fetch_fills", SYMBOL, None, 1000, of=client)]
            self._checks.same(f"{client.account}: fills", shown, fills)
            held = ledger_balances(self._venue.balances(client.account))
            balance = await client.do("fetch_balance")
            self._checks.same(f"{client.account}: balances", unified_balances(balance), held)
        self._checks.same("the ledger is sound", self._venue.problems(), [])

    async def place(
        self,
        label: str,
        kind: str,
        side: str,
        amount: float,
        price: float | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        of: Client | None = None,
    ) -> dict[str, Any]:
        """Place an order; the answer is the ledger's order, with its fees."""
        client = of or self._own
        order = await self._create(kind, side, amount, price, params, of=client)
        return self.placed(label, order, client)

    def placed(self, label: str, order: dict[str, Any], client: Client) -> dict[str, Any]:
        """The answer to a new order is the ledger's order, with its fees."""
        self._placed[client.account].append(order["id"])
        self._judge(f"{label}: answer", client, order)
        fees: dict[str, Decimal] = {}
        for row in self._venue.fills(client.account, symbol=SYMBOL, since_ms=self._since_ms):
            if str(row["order_id"]) == order["id"]:
                asset = row["commission_asset"]
                fees[asset] = fees.get(asset, Decimal(0)) + Decimal(row["commission"])
        self._checks.same(f"{label}: fees", unified_fees(order), fees)
        return order

    async def cancel(self, label: str, order: Mapping[str, Any]) -> None:
        """Cancel an order; the answer is the ledger's order, which is canceled."""
        answer = await self._do("cancel", order["id"], SYMBOL)
        self._checks.same(f"cancel {label}: status", answer["status"], "canceled")
        self._same_order(f"cancel {label}", order, answer)

    async def _create(
        self,
        kind: str,
        side: str,
        amount: float,
        price: float | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        of: Client | None = None,
    ) -> dict[str, Any]:
        named = dict(params or {})
        if self._names is BY_SOCKET:
            kind, named = by_socket(kind, named)
        return await self._do("create", SYMBOL, kind, side, amount, price, named, of=of)

    async def _do(self, call: str, *args: Any, of: Client | None = None) -> Any:
        return await (of or self._own).do(self._names[call], *args)

    def _row(self, client: Client, order_id: str) -> Row:
        return ledger_order(self._venue.order(client.account, SYMBOL, order_id))

    def _judge(self, label: str, client: Client, order: Mapping[str, Any]) -> None:
        self._checks.rows(label, unified_order(order), expected_order(self._row(client, order["id"])))

    def _same_order(self, label: str, order: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        self._checks.same(f"{label}: id", answer["id"], order["id"])
        self._judge(label, self._own, answer)

    def _open_rows(self) -> list[dict[str, Any]]:
        rows = self._venue.orders(self._own.account, symbol=SYMBOL)
        return [row for row in rows if row["status"] in ("new", "partially_filled")]

    async def _top(self) -> tuple[float, float]:
        book = await self._do("fetch_book", SYMBOL, 5)
        return book["bids"][0][0], book["asks"][0][0]

    def _price(self, price: float) -> float:
        return float(self._own.exchange.price_to_precision(SYMBOL, price))

    async def _refused(self, label: str, error: type[Exception], call: Awaitable[Any]) -> None:
        try:
            answer = await call
        except Exception as raised:
            self._checks.true(f"refused: {label}", isinstance(raised, error), repr(raised))
        else:
            self._checks.true(f"refused: {label}", False, answer)
