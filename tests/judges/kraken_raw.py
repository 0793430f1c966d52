"""Markets, money and the life of orders in Kraken's own words, through any client, each step compared with the ledger.

The market stands still meanwhile: only the two accounts of the judge trade, so that every step has one right outcome.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from judges.kit import Checks, Venue, exact, now_ms
from judges.kraken_words import booked_fill, expected_order, raw_fill, raw_order
from judges.market import Bar, Ladder, check_bars, check_ladder

SYMBOL = "BTC/USDT"
PAIR = "XBTUSDT"
MARKETS = 20
TICK = Decimal("0.01")
MINUTE_MS = 60_000
LEVELS = 10
PAGE = 50
UNKNOWN_ID = "OAAAAA-AAAAA-AAAAAA"
FUNDS = {"BTC": "5", "USDT": "300000"}


class Door(Protocol):
    """One client for one account: methods of REST by Kraken's names; the result alone."""

    def ask(self, method: str, **params: Any) -> Any:
        """Raises what the client raises."""
        ...

    def refusal(self, error: Exception) -> str:
        """What of an exception of the client says what Kraken said."""
        ...


class Data:
    """What REST answers of markets, against itself."""

    def __init__(self, checks: Checks, door: Door) -> None:
        self._checks, self._ask = checks, door.ask

    def run(self) -> None:
        """All of it."""
        checks, ask = self._checks, self._ask
        pairs = ask("AssetPairs")
        checks.same("AssetPairs", len(pairs), MARKETS)
        checks.true("AssetPairs: online", all(pair["status"] == "online" for pair in pairs.values()))
        names = {pair["base"] for pair in pairs.values()} | {pair["quote"] for pair in pairs.values()}
        checks.same("Assets: all that are traded", names - set(ask("Assets")), set())
        checks.same("SystemStatus", ask("SystemStatus")["status"], "online")
        book = self._book()
        ticker = next(iter(ask("Ticker", pair=PAIR).values()))
        best = tuple(exact(ticker[side][0]) for side in ("b", "a"))
        checks.same("Ticker: best of the book", best, (book.bids[0][0], book.asks[0][0]))
        trades = _rows(ask("Trades", pair=PAIR))
        checks.true("Trades: in the order of time", trades == sorted(trades, key=lambda row: row[2]))
        numbers = [row[6] for row in trades]
        checks.same("Trades: ids without a gap", numbers, list(range(numbers[0], numbers[-1] + 1)))
        checks.same("Ticker: last", exact(ticker["c"][0]), exact(trades[-1][0]))
        spreads = _rows(ask("Spread", pair=PAIR))
        checks.true("Spread: bids below asks", all(exact(row[1]) < exact(row[2]) for row in spreads))
        for minutes in (1, 5, 60):
            found = [_bar(row) for row in _rows(ask("OHLC", pair=PAIR, interval=minutes))]
            check_bars(checks, f"OHLC {minutes}", found, minutes * MINUTE_MS)

    def _book(self) -> Ladder:
        said = next(iter(self._ask("Depth", pair=PAIR, count=LEVELS).values()))
        sides = (tuple((exact(row[0]), exact(row[1])) for row in said[side]) for side in ("bids", "asks"))
        book = Ladder(0, *sides)
        check_ladder(self._checks, "Depth", book)
        return book


def _rows(said: Mapping[str, Any]) -> list[Any]:
    """The rows of an answer beside `last`."""
    return next(rows for name, rows in said.items() if name != "last")


def _bar(row: Any) -> Bar:
    return Bar(int(row[0]) * 1000, *(exact(row[index]) for index in (1, 2, 3, 4, 6)))


class Life:
    """Lives of orders of one account; a second account is the other side of its trades."""

    def __init__(
        self, checks: Checks, venue: Venue, own: Door, other: Door, accounts: tuple[str, str], *, batches: bool = True
    ) -> None:
        """`batches`: whether the client can ask for several orders at once."""
        self._batches = batches
        self._checks, self._venue = checks, venue
        self._doors = dict(zip(accounts, (own, other), strict=True))
        self._account, self._other = accounts
        self._ask = own.ask
        self._since_ms = now_ms()
        self._placed: dict[str, list[str]] = {name: [] for name in accounts}

    def run(self) -> None:
        """All of it."""
        for account in self._doors:
            for asset, free in FUNDS.items():
                self._venue.set_balance(account, asset, free)
        self.rest()
        self.take()
        self.make()
        self.trigger()
        self.refuse()
        self.change()
        self.cancel_all()
        for account in self._doors:
            self.ask_for_all(account)
        self._checks.same("the ledger is sound", self._venue.problems(), [])

    def rest(self) -> None:
        """Orders of each kind that only wait."""
        low, high = self._at("0.8"), self._at("1.2")
        for label, params in (
            ("limit buy", {"type": "buy", "ordertype": "limit", "price": low}),
            ("limit sell, own id", {"type": "sell", "ordertype": "limit", "price": high, "cl_ord_id": "judge-1"}),
            ("user reference", {"type": "buy", "ordertype": "limit", "price": low, "userref": 42}),
            ("post-only", {"type": "buy", "ordertype": "limit", "price": low, "oflags": "post"}),
            (
                "good till date",
                {"type": "buy", "ordertype": "limit", "price": low, "timeinforce": "GTD", "expiretm": "+3600"},
            ),
            ("iceberg", {"type": "sell", "ordertype": "iceberg", "price": high, "displayvol": "0.0002"}),
            ("trailing-stop", {"type": "sell", "ordertype": "trailing-stop", "price": "+1%"}),
            (
                "trailing-stop-limit",
                {"type": "sell", "ordertype": "trailing-stop-limit", "price": "+500", "price2": "-10"},
            ),
            ("stop-loss sell", {"type": "sell", "ordertype": "stop-loss", "price": low}),
            ("take-profit sell", {"type": "sell", "ordertype": "take-profit", "price": high}),
            ("stop-loss-limit", {"type": "sell", "ordertype": "stop-loss-limit", "price": low, "price2": low}),
            ("take-profit-limit", {"type": "sell", "ordertype": "take-profit-limit", "price": high, "price2": high}),
        ):
            self.place(label, volume="0.001", **params)

    def take(self) -> None:
        """Orders that trade at once, or end at once."""
        self.place("market buy", type="buy", ordertype="market", volume="0.002")
        self.place("market sell", type="sell", ordertype="market", volume="0.003")
        self.place("market buy by cost", type="buy", ordertype="market", volume="50", oflags="viqc")
        self.place("limit that takes", type="buy", ordertype="limit", volume="0.002", price=self._at("1.01"))
        params = {"ordertype": "limit", "timeinforce": "IOC", "price": self._at("0.8")}
        self.place("IOC without a match", type="buy", volume="0.002", **params)

    def make(self) -> None:
        """Orders that wait until the other account comes."""
        price = str(self._top()[1] - TICK)
        order = {"ordertype": "limit", "price": price}
        maker = self.place("maker", type="sell", volume="0.005", oflags="post", **order)
        self.place("a smaller other side", self._other, type="buy", volume="0.002", **order)
        self.judge("maker, filled in part", self._account, maker)
        self.place("the rest of the other side", self._other, type="buy", volume="0.003", **order)
        shown = self.judge("maker, filled", self._account, maker)
        self._checks.same("maker, filled: status", shown["status"], "closed")

    def trigger(self) -> None:
        """Stops that the other account's trades set off."""
        for ordertype, side, mover in (
            ("stop-loss", "sell", "sell"),
            ("stop-loss", "buy", "buy"),
            ("take-profit", "sell", "buy"),
            ("take-profit", "buy", "sell"),
        ):
            away = "buy" if mover == "sell" else "sell"
            self.place("move the price away", self._other, type=away, ordertype="market", volume="0.001")
            at = str(self._top()[0 if mover == "sell" else 1])
            label = f"{ordertype} {side}, triggered"
            order = self.place(label, type=side, ordertype=ordertype, volume="0.001", price=at)
            self.place("move the price there", self._other, type=mover, ordertype="market", volume="0.001")
            self._checks.same(f"{label}: status", self.judge(label, self._account, order)["status"], "closed")

    def refuse(self) -> None:
        """What is refused says so as the documentation does, and leaves no trace."""
        low = self._at("0.8")
        before = len(self._venue.orders(self._account))
        limit = {"pair": PAIR, "type": "buy", "ordertype": "limit", "volume": "0.001", "price": low}
        for label, text, method, params in (
            ("too little money", "EOrder:Insufficient funds", "AddOrder", {**limit, "volume": "50"}),
            ("too small an order", "EOrder:", "AddOrder", {**limit, "volume": "0.00001"}),
            ("no such pair", "EQuery:Unknown asset pair", "AddOrder", {**limit, "pair": "NOSUCH"}),
            ("cancel of nothing", "EOrder:Unknown order", "CancelOrder", {"txid": UNKNOWN_ID}),
            ("query of nothing", "EOrder:Unknown order", "QueryOrders", {"txid": UNKNOWN_ID}),
        ):
            self._refused(label, text, lambda method=method, params=params: self._ask(method, **params))
        post = {**limit, "price": str(self._top()[1]), "oflags": "post"}
        self._refused("post-only that would take", "EOrder:Post only order", lambda: self._ask("AddOrder", **post))
        self._ask("AddOrder", **limit, validate="true")
        self._checks.same("orders after refusals", len(self._venue.orders(self._account)), before)

    def change(self) -> None:
        """Amend, edit, cancel by each id, several at once."""
        low = self._at("0.8")
        order = {"type": "buy", "ordertype": "limit", "volume": "0.001", "price": low}
        first = self.place("to be amended", **order)
        self._ask("AmendOrder", txid=first, order_qty="0.002", limit_price=str(Decimal(low) - TICK))
        self._checks.same("amended", exact(self.judge("amended", self._account, first)["vol"]), Decimal("0.002"))
        second = self.place("to be edited", **order)
        edited = self._ask("EditOrder", txid=second, pair=PAIR, volume="0.003", price=low)["txid"]
        self._placed[self._account].append(edited)
        self.judge("edited", self._account, edited)
        old = self.judge("edited: the old order", self._account, second)
        self._checks.same("edited: the old order", old["status"], "canceled")
        for label, ref in (("by id", {"txid": edited}), ("by own id", {"cl_ord_id": "judge-1"})):
            self._checks.same(f"cancel {label}", self._ask("CancelOrder", **ref)["count"], 1)
        self._checks.same("cancel by reference", self._ask("CancelOrder", txid=42)["count"], 1)
        if self._batches:
            self.batches(order)
        self.judge("after cancels", self._account, edited)

    def batches(self, order: Mapping[str, str]) -> None:
        """Several orders at once."""
        rows = [{**order, "volume": volume} for volume in ("0.001", "0.0011", "0.0012")]
        made = [row["txid"] for row in self._ask("AddOrderBatch", pair=PAIR, orders=rows)["orders"]]
        for txid in made:
            self._placed[self._account].append(txid)
            self.judge("one of a batch", self._account, txid)
        self._checks.same("cancel of a batch", self._ask("CancelOrderBatch", orders=made[:2])["count"], 2)
        for txid in made:
            self.judge("after cancels", self._account, txid)

    def cancel_all(self) -> None:
        """All that is open, and no more."""
        waiting = {str(row["id"]) for row in self._open_rows()}
        self._checks.same("OpenOrders", set(self._ask("OpenOrders")["open"]), waiting)
        self._checks.same("CancelAll", self._ask("CancelAll")["count"], len(waiting))
        self._checks.same("open orders at the end", self._open_rows(), [])

    def ask_for_all(self, account: str) -> None:
        """Everything that an account did."""
        checks, ask = self._checks, self._doors[account].ask
        orders = self._pages(ask, "ClosedOrders", "closed") | ask("OpenOrders")["open"]
        rows = {str(row["id"]): row for row in self._venue.orders(account)}
        checks.same(f"{account}: orders", set(orders), set(rows))
        for txid in set(orders) & set(rows):
            checks.rows(f"{account}: one of all orders", raw_order(txid, orders[txid]), expected_order(rows[txid]))
        own = [txid for txid, row in rows.items() if row["created_ms"] >= self._since_ms]
        checks.same(f"{account}: none lost, none doubled", sorted(own), sorted(self._placed[account]))
        booked = {row["id"]: booked_fill(row) for row in self._venue.fills(account)}
        said = self._pages(ask, "TradesHistory", "trades")
        checks.same(f"{account}: fills", set(said), set(booked))
        for fill_id, fill in said.items():
            symbol = booked[fill_id]["symbol"]
            checks.rows(f"{account}: one of all fills", raw_fill(fill_id, fill, symbol), booked[fill_id])
        held = self._venue.balances(account)
        extended = ask("BalanceEx")
        names = {asset: _asset_id(asset, extended) for asset in ("BTC", "USDT")}
        for asset, name in names.items():
            total = sum(Decimal(held[asset][part]) for part in ("free", "locked"))
            checks.same(f"{account}: Balance {asset}", exact(ask("Balance")[name]), total)
            shown = (exact(extended[name]["balance"]), exact(extended[name]["hold_trade"]))
            checks.same(f"{account}: BalanceEx {asset}", shown, (total, Decimal(held[asset]["locked"])))

    def place(self, label: str, account: str | None = None, /, **params: Any) -> str:
        """Place an order; it is the ledger's."""
        account = account or self._account
        (txid,) = self._doors[account].ask("AddOrder", pair=PAIR, **params)["txid"]
        self._placed[account].append(txid)
        self.judge(label, account, txid)
        return txid

    def judge(self, label: str, account: str, txid: str) -> dict[str, Any]:
        """Ask for an order; it is the ledger's."""
        said = self._doors[account].ask("QueryOrders", txid=txid)[txid]
        row = self._venue.order(account, SYMBOL, txid)
        self._checks.rows(label, raw_order(txid, said), expected_order(row))
        return said

    def _pages(self, ask: Callable[..., Any], method: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            page = ask(method, ofs=len(found))
            found |= page[name]
            if len(page[name]) < PAGE:
                self._checks.same(f"{method}: count", page["count"], len(found))
                return found

    def _open_rows(self) -> list[dict[str, Any]]:
        return [row for row in self._venue.orders(self._account) if row["status"] in ("new", "partially_filled")]

    def _top(self) -> tuple[Decimal, Decimal]:
        said = next(iter(self._ask("Depth", pair=PAIR, count=1).values()))
        return Decimal(said["bids"][0][0]), Decimal(said["asks"][0][0])

    def _at(self, factor: str) -> str:
        """A price so far from the best of the book, in whole ticks."""
        bid, ask = self._top()
        return str(((bid if Decimal(factor) < 1 else ask) * Decimal(factor)).quantize(TICK))

    def _refused(self, label: str, text: str, call: Callable[[], Any]) -> None:
        try:
            answer = call()
        except Exception as error:
            said = self._doors[self._account].refusal(error)
            self._checks.true(f"refused: {label}", text in said, said)
        else:
            self._checks.true(f"refused: {label}", False, answer)


def _asset_id(code: str, known: Mapping[str, Any]) -> str:
    """Kraken's name of an asset: BTC is XXBT."""
    return {"BTC": "XXBT"}.get(code, code) if {"BTC": "XXBT"}.get(code, code) in known else code


class PatientDoor:
    """A door that waits while a counter is full (guides "REST rate limits" and "Spot trading limits")."""

    def __init__(self, ask: Callable[..., Any], refusal: Callable[[Exception], str]) -> None:
        self._ask, self.refusal = ask, refusal

    def ask(self, method: str, **params: Any) -> Any:
        """See `Door.ask`."""
        for _ in range(30):
            try:
                return self._ask(method, **params)
            except Exception as error:
                if "Rate limit exceeded" not in self.refusal(error):
                    raise
            time.sleep(2)
        return self._ask(method, **params)
