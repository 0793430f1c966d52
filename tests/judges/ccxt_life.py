"""The life of orders by CCXT's unified methods, through REST or WebSocket, each step compared with the ledger.

What is true of one exchange stands in its `Facts` (`ccxt_binance`, `ccxt_kraken`); what to do with them stands here. The
market stands still meanwhile: only the two accounts of the judge trade, so that every step has one right outcome.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from judges.ccxt_words import Client, unified_balances
from judges.kit import Checks, Venue, now_ms
from judges.words import Row, ledger_balances

SYMBOL = "BTC/USDT"
TICK = Decimal("0.01")

REST = {
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
FACTORS = {"low": "0.8", "high": "1.2", "over": "1.01", "under": "0.99", "far": "2"}
"""Prices by name, as factors of the best price of the book: of the bid where below 1, of the ask where above."""

FUNDS = {"BTC": "5", "USDT": "300000"}
"""What the accounts have for it, each."""


class Wish(NamedTuple):
    """An order as `create_order` takes it. A price is one of FACTORS, "bid" or "ask"."""

    label: str
    kind: str
    side: str
    amount: float
    price: str | None = None
    params: Mapping[str, Any] = {}


class Door(NamedTuple):
    """A way to an exchange.

    Attributes:
        names: CCXT's method for each call.
        spell: how an order must be written for this door: kind and parameters.
        in_full: whether answers show the order, not only its id.
        scope: what cancels are told besides the id.
    """

    names: Mapping[str, str]
    spell: Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]
    in_full: bool
    scope: tuple[str, ...] = (SYMBOL,)


class Facts(NamedTuple):
    """What is true of one exchange.

    Attributes:
        waiting: orders that only wait.
        ended: kinds of those stops among them that are canceled at once; the others stay.
        taking: orders that trade at once, or end at once.
        modes: what to do with an account that would trade with itself, as parameters.
        refused: orders that are refused, and by which of CCXT's errors.
        lists_all: whether it lists orders whether open or not.
        edit_keeps_id: whether an edited order is the same order.
        unknown_id: an order id that there is none of.
        missing: CCXT's error where it is asked for.
        page: how many rows the exchange gives at once, where CCXT does not ask for the further ones; None: all.
        order: an order as CCXT shows it, in the judge's words.
        expected: a row of the ledger in the words of `order`.
        fees: fees of an order as CCXT shows it, by asset, and those of its fills in the ledger.
        fill: a fill as CCXT shows it.
        booked: a fill of the ledger in the words of `fill`.
    """

    waiting: tuple[Wish, ...]
    ended: tuple[str, ...]
    taking: tuple[Wish, ...]
    modes: tuple[Mapping[str, str], ...]
    refused: tuple[tuple[str, Wish], ...]
    lists_all: bool
    edit_keeps_id: bool
    unknown_id: str
    missing: str
    page: int | None
    order: Callable[[Mapping[str, Any]], Row]
    expected: Callable[[Mapping[str, Any]], Row]
    fees: Callable[[Mapping[str, Any], list[dict[str, Any]]], tuple[Any, Any]]
    fill: Callable[[Mapping[str, Any]], Row]
    booked: Callable[[Mapping[str, Any]], Row]


class Life:
    """Lives of orders of one account; a second account is the other side of its trades."""

    def __init__(self, checks: Checks, venue: Venue, own: Client, other: Client, facts: Facts, door: Door) -> None:
        self._checks = checks
        self._venue = venue
        self._own, self._other = own, other
        self._facts, self._door = facts, door
        self._since_ms = now_ms()
        self._placed: dict[str, list[str]] = {own.account: [], other.account: []}

    async def run(self) -> None:
        """All of it."""
        for client in (self._own, self._other):
            for asset, free in FUNDS.items():
                self._venue.set_balance(client.account, asset, free)
            await client.do("load_markets")
        await self.rest()
        await self.take()
        await self.make()
        await self.trigger()
        await self.prevent()
        await self.refuse()
        await self.extras()
        await self.edit_and_cancel()
        await self.ask_for_all()

    async def extras(self) -> None:
        """What only this exchange has, or has by another name."""

    async def rest(self) -> None:
        """Orders of each kind that only wait; some are canceled, the others stay."""
        for wish in self._facts.waiting:
            order = await self.wish(wish)
            if "clientOrderId" in wish.params:
                self._same_order("fetch", order, await self._do("fetch", order["id"], SYMBOL))
            elif wish.kind in self._facts.ended and any(name.endswith("Price") for name in wish.params):
                await self.cancel(wish.label, order)

    async def take(self) -> None:
        """Orders that trade at once, or end at once."""
        for wish in self._facts.taking:
            await self.wish(wish)

    async def make(self) -> None:
        """Orders that wait until the other account comes."""
        price = await self._inside()
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
        price = None
        if kind == "limit":
            price = await self._price("under" if side == "sell" else "over")
        label = f"{param} {kind} {side}, triggered"
        at = await self._price("bid" if mover == "sell" else "ask")
        order = await self.place(label, kind, side, 0.001, price, {param: at})
        await self.place("move the price there", "market", mover, 0.001, of=self._other)
        shown = await self._do("fetch", order["id"], SYMBOL)
        self._same_order(label, order, shown)
        self._checks.same(f"{label}: status", shown["status"], "closed")

    async def prevent(self) -> None:
        """An account that would trade with itself."""
        for params in self._facts.modes:
            (mode,) = params.values()
            price = await self._inside()
            own = await self.place(f"{mode}: maker", "limit", "sell", 0.002, price)
            taker = await self.place(f"{mode}: taker", "limit", "buy", 0.002, price, params)
            maker = await self._do("fetch", own["id"], SYMBOL)
            self._same_order(f"{mode}: maker afterwards", own, maker)
            for order in (taker, maker):
                if order["status"] == "open":
                    await self.cancel(f"{mode}: what is left", order)

    async def refuse(self) -> None:
        """What is refused is an exception of CCXT's own, and leaves no trace."""
        await self.wish(Wish("an id that is taken", "limit", "buy", 0.001, "low", {"clientOrderId": "twice"}))
        before = len(self._venue.orders(self._own.account))
        for error, wish in self._facts.refused:
            price, params = await self._priced(wish)
            await self._refused(wish.label, error, self._create(wish.kind, wish.side, wish.amount, price, params))
        unknown = self._facts.unknown_id
        await self._refused("cancel of nothing", "OrderNotFound", self._do("cancel", unknown, *self._door.scope))
        await self._refused("fetch of nothing", self._facts.missing, self._do("fetch", unknown, SYMBOL))
        self._checks.same("orders after refusals", len(self._venue.orders(self._own.account)), before)

    async def edit_and_cancel(self) -> None:
        """Edits, cancels by each id, and cancel of all."""
        low = await self._price("low")
        first = await self.place("to be edited", "limit", "buy", 0.001, low)
        lower = float(Decimal(str(low)) - TICK)
        edited = await self._do("edit", first["id"], SYMBOL, "limit", "buy", 0.002, lower)
        if self._facts.edit_keeps_id:
            edited = await self._do("fetch", first["id"], SYMBOL)
            said = (edited["amount"], edited["price"], edited["status"])
            self._checks.same("edit: the order", said, (0.002, lower, "open"))
        else:
            self._placed[self._own.account].append(edited["id"])
            self._checks.true("edit: a new order", edited["id"] != first["id"])
            old = self._venue.order(self._own.account, SYMBOL, first["id"])
            self._checks.same("edit: the old order", old["status"], "canceled")
        self._judge("edit: answer", self._own, edited)
        named = await self.place("to be canceled by own id", "limit", "buy", 0.001, low, {"clientOrderId": "judge-2"})
        await self.cancel_by_own_id(named, "judge-2")
        await self._refused("cancel twice", "OrderNotFound", self._do("cancel", named["id"], *self._door.scope))
        waiting = sorted(str(row["id"]) for row in self._open_rows())
        shown = await self._do("fetch_open", SYMBOL)
        self._checks.same("open orders", sorted(order["id"] for order in shown), waiting)
        for order in shown:
            self._judge("one of the open orders", self._own, order)
        for order in await self._do("cancel_all", *self._door.scope):
            if self._door.in_full:
                self._judge("one of all canceled", self._own, order)
        self._checks.same("open orders at the end", self._open_rows(), [])

    async def cancel_by_own_id(self, order: Mapping[str, Any], client_id: str) -> None:
        """Ask for and cancel an order by the id that its owner gave it."""
        named = {"clientOrderId": client_id}
        self._same_order("fetch by own id", order, await self._do("fetch", "", SYMBOL, named))
        self._same_order("cancel by own id", order, await self._do("cancel", "", SYMBOL, named))

    async def ask_for_all(self) -> None:
        """Everything that both accounts did, and the ledger's own soundness."""
        for client in (self._own, self._other):
            rows = self._venue.orders(client.account, symbol=SYMBOL)
            closed = await self._pages("fetch_closed", client)
            if self._facts.lists_all:
                filled = sorted(str(row["id"]) for row in rows if row["status"] == "filled")
                self._checks.same(f"{client.account}: closed orders", sorted(o["id"] for o in closed), filled)
                listed = await self._do("fetch_all", SYMBOL, None, 1000, of=client)
            else:
                listed = [*closed, *await self._do("fetch_open", SYMBOL, of=client)]
            said = f"{client.account}: orders"
            self._checks.same(said, sorted(o["id"] for o in listed), sorted(str(row["id"]) for row in rows))
            for order in listed:
                self._judge(f"{client.account}: one of all orders", client, order)
            own = [str(row["id"]) for row in rows if row["created_ms"] >= self._since_ms]
            placed = self._placed[client.account]
            self._checks.same(f"{client.account}: none lost, none doubled", sorted(own), sorted(placed))
            fills = [self._facts.booked(row) for row in self._venue.fills(client.account, symbol=SYMBOL)]
            shown = [self._facts.fill(t) for t in await self._pages("fetch_fills", client)]
            if self._facts.page is not None:  # pages do not tell the order within a millisecond
                fills, shown = (sorted(rows, key=lambda row: (row["ts_ms"], row["id"])) for rows in (fills, shown))
            self._checks.same(f"{client.account}: fills", shown, fills)
            held = ledger_balances(self._venue.balances(client.account))
            balance = await client.do("fetch_balance")
            self._checks.same(f"{client.account}: balances", unified_balances(balance), held)
        self._checks.same("the ledger is sound", self._venue.problems(), [])

    async def _pages(self, call: str, client: Client) -> list[Any]:
        """All rows of a history, in the order of time."""
        if self._facts.page is None:
            return await self._do(call, SYMBOL, None, 1000, of=client)
        rows: list[Any] = []
        while True:
            page = await self._do(call, None, None, None, {"ofs": len(rows)}, of=client)  # CCXT sifts after asking
            rows = [*page, *rows]
            if len(page) < self._facts.page:
                return [row for row in rows if row["symbol"] == SYMBOL]

    async def wish(self, wish: Wish) -> dict[str, Any]:
        """Place one of the orders that the facts tell of."""
        price, params = await self._priced(wish)
        return await self.place(wish.label, wish.kind, wish.side, wish.amount, price, params)

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
        """Place an order; it is the ledger's order, with its fees."""
        client = of or self._own
        order = await self._create(kind, side, amount, price, params, of=client)
        return await self.placed(label, order, client)

    async def placed(self, label: str, order: dict[str, Any], client: Client) -> dict[str, Any]:
        """The answer to a new order is the ledger's order, with its fees; where it is an id only, what it leads to."""
        self._placed[client.account].append(order["id"])
        if not self._door.in_full:
            order = await self._do("fetch", order["id"], SYMBOL, of=client)
        self._judge(f"{label}: answer", client, order)
        rows = self._venue.fills(client.account, symbol=SYMBOL, since_ms=self._since_ms)
        said, booked = self._facts.fees(order, [row for row in rows if str(row["order_id"]) == order["id"]])
        self._checks.same(f"{label}: fees", said, booked)
        return order

    async def cancel(self, label: str, order: Mapping[str, Any]) -> None:
        """Cancel an order; it is the ledger's order, which is canceled."""
        answer = await self._do("cancel", order["id"], *self._door.scope)
        if not self._door.in_full:
            answer = await self._do("fetch", order["id"], SYMBOL)
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
        kind, named = self._door.spell(kind, dict(params or {}))
        return await self._do("create", SYMBOL, kind, side, amount, price, named, of=of)

    async def _do(self, call: str, *args: Any, of: Client | None = None) -> Any:
        return await (of or self._own).do(self._door.names[call], *args)

    def _judge(self, label: str, client: Client, order: Mapping[str, Any]) -> None:
        row = self._venue.order(client.account, SYMBOL, order["id"])
        self._checks.rows(label, self._facts.order(order), self._facts.expected(row))

    def _same_order(self, label: str, order: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        self._checks.same(f"{label}: id", answer["id"], order["id"])
        self._judge(label, self._own, answer)

    def _open_rows(self) -> list[dict[str, Any]]:
        rows = self._venue.orders(self._own.account, symbol=SYMBOL)
        return [row for row in rows if row["status"] in ("new", "partially_filled")]

    async def _inside(self) -> float:
        """A price inside the spread: first in the queue."""
        return float(Decimal(str(await self._price("ask"))) - TICK)

    async def _price(self, name: str) -> float:
        """A price of FACTORS, "bid" or "ask", in whole ticks."""
        book = await self._do("fetch_book", SYMBOL, 10)
        factor = Decimal(FACTORS.get(name, "1"))
        best = book["bids" if name == "bid" or factor < 1 else "asks"][0][0]
        return float((Decimal(str(best)) * factor).quantize(TICK))

    async def _priced(self, wish: Wish) -> tuple[float | None, dict[str, Any]]:
        """The price of an order and its parameters, with prices for their names."""
        names = {"bid", "ask", *FACTORS}
        price = None if wish.price is None else await self._price(wish.price)
        return price, {n: await self._price(v) if v in names else v for n, v in wish.params.items()}

    async def _refused(self, label: str, error: str, call: Awaitable[Any]) -> None:
        """`error`: name of the class that CCXT raises, or of one that it inherits from."""
        try:
            answer = await call
        except Exception as raised:
            names = getattr(raised, "names", None) or [one.__name__ for one in type(raised).__mro__]
            self._checks.true(f"refused: {label}", error in names, repr(raised))
        else:
            self._checks.true(f"refused: {label}", False, answer)
