"""The life of orders in Binance's own words, through any door of any client, each step compared with the ledger.

The market stands still meanwhile: only the two accounts of the judge trade, so that every step has one right outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from judges.kit import Checks, Venue, now_ms
from judges.raw_door import Door
from judges.words import (
    answered_balances,
    answered_fill,
    answered_order,
    ledger_balances,
    ledger_fill,
    ledger_order,
    market_id,
    placed_fills,
)

SYMBOL = "BTC/USDT"
TICK = Decimal("0.01")
LOT = Decimal("0.001")
UNKNOWN_ID = 999_999_999_999


class Life:
    """Lives of orders of one account; a second account is the other side of its trades."""

    def __init__(self, checks: Checks, venue: Venue, own: Door, other: Door, account: str, other_account: str) -> None:
        self._checks = checks
        self._venue = venue
        self._own, self._other = own, other
        self._accounts = {id(own): account, id(other): other_account}
        self._account = account
        self._since_ms = now_ms()
        self._placed: dict[str, list[str]] = {account: [], other_account: []}

    async def run(self) -> None:
        """All of it."""
        await self.rest()
        await self.take()
        await self.make()
        await self.trigger()
        await self.refuse()
        await self.replace_and_cancel()
        await self.ask_for_all()

    async def rest(self) -> None:
        """Orders of each type that only wait."""
        bid, ask = await self._top()
        low, high = _ticks(bid * Decimal("0.8")), _ticks(ask * Decimal("1.2"))
        limit = {"type": "LIMIT", "timeInForce": "GTC", "quantity": "0.00123"}
        await self.place("limit buy", side="BUY", price=low, **limit)
        named = await self.place("limit sell, own id", side="SELL", price=high, newClientOrderId="judge-1", **limit)
        await self.query("by own id", named, origClientOrderId="judge-1")
        await self.place("post-only", side="BUY", type="LIMIT_MAKER", quantity="0.002", price=low + TICK)
        await self.place("iceberg", side="SELL", price=high + TICK, **{**limit, "quantity": "0.01"}, icebergQty="0.002")
        await self.place("answer ACK", side="BUY", price=low, newOrderRespType="ACK", **limit)
        await self.place("answer RESULT", side="BUY", price=low, newOrderRespType="RESULT", **limit)
        stops = [
            await self.place(f"{kind} {side}", side=side, type=kind, quantity="0.002", stopPrice=stop)
            for kind, side, stop in (
                ("STOP_LOSS", "SELL", low),
                ("STOP_LOSS", "BUY", high),
                ("TAKE_PROFIT", "SELL", high),
                ("TAKE_PROFIT", "BUY", low),
            )
        ]
        for stop in stops:
            await self.cancel("a waiting stop", stop, orderId=stop["orderId"])
        limited = {"timeInForce": "GTC", "quantity": "0.002"}
        for kind, side, stop in (("STOP_LOSS_LIMIT", "SELL", low), ("TAKE_PROFIT_LIMIT", "SELL", high)):
            await self.place(f"{kind} {side}", side=side, type=kind, stopPrice=stop, price=stop, **limited)
        await self.place("strategy", side="BUY", price=low, strategyId=7, strategyType=1_000_001, **limit)

    async def take(self) -> None:
        """Orders that trade at once, or end at once."""
        bid, ask = await self._top()
        await self.place("market buy", side="BUY", type="MARKET", quantity="0.002")
        await self.place("market sell", side="SELL", type="MARKET", quantity="0.003")
        await self.place("market buy by cost", side="BUY", type="MARKET", quoteOrderQty="123.45")
        await self.place("market sell by cost", side="SELL", type="MARKET", quoteOrderQty="98.7")
        bid, ask = await self._top()
        limit = {"type": "LIMIT", "quantity": "0.002"}
        await self.place(
            "limit that takes", side="BUY", timeInForce="GTC", price=_ticks(ask * Decimal("1.01")), **limit
        )
        bid, ask = await self._top()
        huge = {**limit, "quantity": "2"}
        await self.place("IOC that fills in part", side="SELL", timeInForce="IOC", price=bid, **huge)
        bid, ask = await self._top()
        await self.place("IOC without a match", side="BUY", timeInForce="IOC", price=bid, **limit)
        await self.place("FOK that fills", side="BUY", timeInForce="FOK", price=_ticks(ask * Decimal("1.01")), **limit)
        bid, ask = await self._top()
        await self.place("FOK that cannot fill", side="BUY", timeInForce="FOK", price=ask, **huge)

    async def make(self) -> None:
        """Orders that wait until the other account comes."""
        price = (await self._top())[1] - TICK  # inside the spread: first in the queue
        maker = {"side": "SELL", "type": "LIMIT_MAKER", "price": price}
        whole = await self.place("maker", quantity="0.002", **maker)
        await self.place(
            "the other side", self._other, side="BUY", type="LIMIT", timeInForce="IOC", price=price, quantity="0.002"
        )
        await self.query("maker, filled", whole, orderId=whole["orderId"])
        part = await self.place("maker in part", quantity="0.005", **maker)
        await self.place(
            "a smaller other side",
            self._other,
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            price=price,
            quantity="0.002",
        )
        await self.query("maker, filled in part", part, orderId=part["orderId"])
        await self.cancel("maker, filled in part", part, orderId=part["orderId"])

    async def trigger(self) -> None:
        """Stops that the other account's trades set off."""
        for kind, side, mover in (
            ("STOP_LOSS", "SELL", "SELL"),
            ("STOP_LOSS", "BUY", "BUY"),
            ("TAKE_PROFIT", "SELL", "BUY"),
            ("TAKE_PROFIT", "BUY", "SELL"),
        ):
            for limited in (False, True):
                await self._trigger(kind, side, mover, limited=limited)

    async def _trigger(self, kind: str, side: str, mover: str, *, limited: bool) -> None:
        away = "BUY" if mover == "SELL" else "SELL"
        await self.place("move the price away", self._other, side=away, type="MARKET", quantity="0.001")
        bid, ask = await self._top()
        stop = bid if mover == "SELL" else ask
        extra = {}
        if limited:
            taking = _ticks(bid * Decimal("0.99") if side == "SELL" else ask * Decimal("1.01"))
            extra = {"price": taking, "timeInForce": "GTC"}
        label = f"{kind}{'_LIMIT' if limited else ''} {side}, triggered"
        order = await self.place(
            label, side=side, type=kind + ("_LIMIT" if limited else ""), quantity="0.001", stopPrice=stop, **extra
        )
        await self.place("move the price there", self._other, side=mover, type="MARKET", quantity="0.001")
        row = await self.query(label, order, orderId=order["orderId"])
        self._checks.same(f"{label}: status", row["status"], "FILLED")

    async def refuse(self) -> None:
        """What the exchange refuses leaves no trace."""
        bid, ask = await self._top()
        before = len(self._venue.orders(self._account, since_ms=self._since_ms))
        limit = {"type": "LIMIT", "timeInForce": "GTC"}
        far = _ticks(bid * Decimal("0.8"))
        await self.place(
            "an id that is taken", side="BUY", price=far, quantity="0.001", newClientOrderId="twice", **limit
        )
        new = self._own.new
        for label, code, params in (
            (
                "a client id twice",
                -2010,
                {"side": "BUY", "price": far, "quantity": "0.001", "newClientOrderId": "twice", **limit},
            ),
            ("too little money", -2010, {"side": "BUY", "price": far, "quantity": "20", **limit}),
            (
                "post-only that would take",
                -2010,
                {"side": "BUY", "type": "LIMIT_MAKER", "price": ask, "quantity": "0.001"},
            ),
            (
                "stop that would trigger",
                -2010,
                {"side": "SELL", "type": "STOP_LOSS", "stopPrice": _ticks(ask * 2), "quantity": "0.001"},
            ),
            ("LOT_SIZE", -1013, {"side": "BUY", "price": far, "quantity": "0.000001", **limit}),
            ("PRICE_FILTER", -1013, {"side": "BUY", "price": f"{far}5", "quantity": "0.001", **limit}),
            ("NOTIONAL", -1013, {"side": "BUY", "price": far, "quantity": "0.00001", **limit}),
            ("no price", -1102, {"side": "BUY", "quantity": "0.001", **limit}),
            ("no such side", -1117, {"side": "HOLD", "price": far, "quantity": "0.001", **limit}),
            ("no such market", -1121, {"symbol": "NOSUCH", "side": "BUY", "price": far, "quantity": "0.001", **limit}),
        ):
            await self._refused(label, self._own, code, new(**_sent({"symbol": market_id(SYMBOL), **params})))
        test = {"symbol": market_id(SYMBOL), "side": "BUY", "price": str(far), "quantity": "0.001", **limit}
        self._checks.same("test order: answer", await self._own.test(**test), {})
        await self._refused(
            "test order that is wrong", self._own, -1013, self._own.test(**{**test, "quantity": "0.000001"})
        )
        for label, call in (("cancel", self._own.cancel), ("query", self._own.get)):
            code = -2011 if label == "cancel" else -2013
            await self._refused(
                f"{label} of nothing", self._own, code, call(symbol=market_id(SYMBOL), orderId=UNKNOWN_ID)
            )
        self._checks.same(
            "orders after refusals", len(self._venue.orders(self._account, since_ms=self._since_ms)), before + 1
        )

    async def replace_and_cancel(self) -> None:
        """Cancel-and-replace, cancels by each id, and cancel of all."""
        bid, _ = await self._top()
        low = _ticks(bid * Decimal("0.8"))
        limit = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        first = await self.place("to be replaced", price=low, quantity="0.001", **limit)
        answer = await self._own.replace(
            **_sent(
                {
                    "symbol": market_id(SYMBOL),
                    "cancelReplaceMode": "STOP_ON_FAILURE",
                    "cancelOrderId": first["orderId"],
                    "price": low - TICK,
                    "quantity": "0.002",
                    **limit,
                }
            )
        )
        self._checks.same(
            "replace: results", (answer["cancelResult"], answer["newOrderResult"]), ("SUCCESS", "SUCCESS")
        )
        self._judge("replace: the old order", self._own, answer["cancelResponse"])
        self._judge("replace: the new order", self._own, answer["newOrderResponse"])
        self._placed[self._account].append(str(answer["newOrderResponse"]["orderId"]))
        named = await self.place(
            "to be canceled by own id", price=low, quantity="0.001", newClientOrderId="judge-2", **limit
        )
        await self.cancel("by own id", named, origClientOrderId="judge-2")
        await self._refused(
            "cancel a second time",
            self._own,
            -2011,
            self._own.cancel(symbol=market_id(SYMBOL), origClientOrderId="judge-2"),
        )
        waiting = {row["id"] for row in self._open_rows()}
        shown = {str(row["orderId"]) for row in await self._own.open(symbol=market_id(SYMBOL))}
        self._checks.same("open orders", shown, {str(one) for one in waiting})
        for row in await self._own.cancel_all(symbol=market_id(SYMBOL)):
            self._judge("cancel all", self._own, row)
        self._checks.same("open orders at the end", self._open_rows(), [])
        await self._refused("cancel all of nothing", self._own, -2011, self._own.cancel_all(symbol=market_id(SYMBOL)))

    async def ask_for_all(self) -> None:
        """Everything that both accounts did, and the ledger's own soundness."""
        for door, account in ((self._own, self._account), (self._other, self._accounts[id(self._other)])):
            rows = self._venue.orders(account, symbol=SYMBOL)
            said = await door.all(symbol=market_id(SYMBOL), limit=1000)
            self._checks.same(
                f"{account}: all orders", sorted(str(o["orderId"]) for o in said), sorted(str(r["id"]) for r in rows)
            )
            by_id = {str(row["id"]): row for row in rows}
            for order in said:
                if str(order["orderId"]) in by_id:
                    self._checks.rows(
                        f"{account}: one of all orders",
                        answered_order(order),
                        ledger_order(by_id[str(order["orderId"])]),
                    )
            own = [str(row["id"]) for row in rows if row["created_ms"] >= self._since_ms]
            self._checks.same(
                f"{account}: orders placed, none lost, none doubled", sorted(own), sorted(self._placed[account])
            )
            fills = [ledger_fill(row) for row in self._venue.fills(account, symbol=SYMBOL)]
            self._checks.same(
                f"{account}: fills",
                [answered_fill(f) for f in await door.fills(symbol=market_id(SYMBOL), limit=1000)],
                fills,
            )
            self._checks.same(
                f"{account}: balances",
                answered_balances(await door.account()),
                ledger_balances(self._venue.balances(account)),
            )
        self._checks.same("the ledger is sound", self._venue.problems(), [])

    async def place(self, label: str, door: Door | None = None, /, **params: Any) -> dict[str, Any]:
        """Place an order; its answer is the ledger's order, with its fills."""
        door = door or self._own
        answer = await door.new(**_sent({"symbol": market_id(SYMBOL), **params}))
        self._placed[self._accounts[id(door)]].append(str(answer["orderId"]))
        self._judge(f"{label}: answer", door, answer)
        if "fills" in answer:
            rows = self._venue.fills(self._accounts[id(door)], symbol=SYMBOL, since_ms=self._since_ms)
            own = [ledger_fill(row) for row in rows if str(row["order_id"]) == str(answer["orderId"])]
            said = placed_fills(answer)
            self._checks.same(
                f"{label}: fills",
                said,
                [{name: fill[name] for name in one} for one, fill in zip(said, own, strict=True)],
            )
        return answer

    async def query(self, label: str, order: Mapping[str, Any], **ref: Any) -> dict[str, Any]:
        """Ask for an order; it is the ledger's."""
        answer = await self._own.get(symbol=market_id(SYMBOL), **ref)
        self._checks.same(f"{label}: id", answer["orderId"], order["orderId"])
        self._judge(f"{label}: query", self._own, answer)
        return answer

    async def cancel(self, label: str, order: Mapping[str, Any], **ref: Any) -> None:
        """Cancel an order; the answer is the ledger's order, which is canceled."""
        answer = await self._own.cancel(symbol=market_id(SYMBOL), **ref)
        self._checks.same(
            f"cancel {label}: id and status", (answer["orderId"], answer["status"]), (order["orderId"], "CANCELED")
        )
        self._judge(f"cancel {label}: answer", self._own, answer)

    def _judge(self, label: str, door: Door, answer: Mapping[str, Any]) -> None:
        row = self._venue.order(self._accounts[id(door)], SYMBOL, str(answer["orderId"]))
        self._checks.rows(label, answered_order(answer), ledger_order(row))

    def _open_rows(self) -> list[dict[str, Any]]:
        rows = self._venue.orders(self._account, symbol=SYMBOL)
        return [row for row in rows if row["status"] in ("new", "partially_filled")]

    async def _top(self) -> tuple[Decimal, Decimal]:
        book = await self._own.book(symbol=market_id(SYMBOL), limit=5)
        return Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])

    async def _refused(self, label: str, door: Door, code: int, call: Any) -> None:
        try:
            answer = await call
        except Exception as error:
            self._checks.same(f"refused: {label}", door.code(error), code)
        else:
            self._checks.same(f"refused: {label}", answer, f"code {code}")


def _ticks(price: Decimal) -> Decimal:
    """A price in whole ticks."""
    return price.quantize(TICK)


def _sent(params: Mapping[str, Any]) -> dict[str, Any]:
    """Decimals as text."""
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in params.items()}
