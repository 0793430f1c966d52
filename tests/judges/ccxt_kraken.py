"""Kraken's facts for the life of orders, and what only Kraken has."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from judges import kraken_words as words
from judges.ccxt_binance import STOPS
from judges.ccxt_kraken_streams import patiently
from judges.ccxt_life import REST, SYMBOL, Door, Facts, Life, Wish
from judges.ccxt_words import Client, unified_balances
from judges.words import ledger_balances

BY_SOCKET_NAMES: Final = {
    **REST,
    "create": "create_order_ws",
    "edit": "edit_order_ws",
    "cancel": "cancel_order_ws",
    "cancel_all": "cancel_all_orders_ws",
}
_SOCKET_NAMES: Final = {"stptype": "stp_type", "displayvol": "display_qty"}


def _own_names(kind: str, params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What REST and WebSocket name differently, and CCXT does not."""
    return kind, {_SOCKET_NAMES.get(name, name): value for name, value in params.items()}


BY_REST: Final = Door(REST, lambda kind, params: (kind, params), in_full=False)
BY_SOCKET: Final = Door(BY_SOCKET_NAMES, _own_names, in_full=False, scope=())

KRAKEN: Final = Facts(
    waiting=(
        Wish("limit buy", "limit", "buy", 0.00123, "low"),
        Wish("limit sell, own id", "limit", "sell", 0.00123, "high", {"clientOrderId": "judge-1"}),
        Wish("post-only", "limit", "buy", 0.002, "low", {"postOnly": True}),
        *STOPS,
    ),
    ended=("market",),
    taking=(
        Wish("market buy", "market", "buy", 0.002),
        Wish("market sell", "market", "sell", 0.003),
        Wish("limit that takes", "limit", "buy", 0.002, "over"),
        Wish("IOC that fills in part", "limit", "sell", 2, "bid", {"timeInForce": "IOC"}),
        Wish("IOC without a match", "limit", "buy", 0.002, "bid", {"timeInForce": "IOC"}),
    ),
    modes=tuple({"stptype": mode} for mode in ("cancel-oldest", "cancel-newest", "cancel-both")),
    refused=(
        ("ExchangeError", Wish("too little money", "limit", "buy", 20, "low")),
        ("ExchangeError", Wish("post-only that would take", "limit", "buy", 0.001, "ask", {"postOnly": True})),
        ("ExchangeError", Wish("too little to order", "limit", "buy", 0.00001, "low")),
        ("ExchangeError", Wish("FOK, which Kraken has not", "limit", "buy", 0.001, "low", {"timeInForce": "FOK"})),
    ),
    lists_all=False,
    edit_keeps_id=True,
    unknown_id="OAAAAA-AAAAA-AAAAAA",
    missing="InvalidOrder",
    page=50,
    order=words.unified_order,
    expected=words.expected_order,
    fees=words.unified_fees,
    fill=words.unified_fill,
    booked=words.booked_fill,
)


class KrakenLife(Life):
    """The life of orders on Kraken."""

    async def _do(self, call: str, *args: Any, of: Client | None = None) -> Any:
        return await patiently(lambda: super(KrakenLife, self)._do(call, *args, of=of))

    async def _call(self, method: str, *args: Any) -> Any:
        """A method of CCXT by its own name."""
        return await patiently(lambda: self._own.do(method, *args))

    async def extras(self) -> None:
        """Orders with a date, and what is by one door only."""
        await (self.by_rest() if self._door is BY_REST else self.by_socket())

    async def by_rest(self) -> None:
        """Purchases by cost, orders with a date, hidden amounts, batches, CCXT's shorter names, the dead man's switch."""
        do, checks = self._call, self._checks
        await self.place("market buy by cost", "market", "buy", 1, None, {"cost": 123.45})
        low, high = await self._price("low"), await self._price("high")
        dated = {"timeInForce": "GTD", "expiretm": "+3600"}
        order = await self.place("good till date", "limit", "buy", 0.001, low, dated)
        checks.true("good till date: in an hour", 3590 < order["info"]["expiretm"] - order["timestamp"] / 1000 <= 3600)
        await self.place("iceberg", "iceberg", "sell", 0.02, None, {"price": str(high), "displayvol": "0.002"})
        for method, *args in (
            ("create_limit_order", "buy", 0.001, low),
            ("create_market_order", "sell", 0.001),
            ("create_market_buy_order_with_cost", 50),
            ("create_market_order_with_cost", "buy", 50),
            ("create_stop_limit_order", "sell", 0.001, low, low),
            ("create_stop_order", "market", "sell", 0.001, None, low),
            ("create_stop_market_order", "sell", 0.001, low),
            ("create_trailing_percent_order", "market", "sell", 0.001, None, 1),
            ("create_trailing_amount_order", "market", "sell", 0.001, None, 500),
        ):
            await self.placed(method, await do(method, SYMBOL, *args), self._own)
        await self.batches(low)
        checks.true("cancel_all_orders_after", (await do("cancel_all_orders_after", 60_000)) is not None)
        await do("cancel_all_orders_after", 0)

    async def batches(self, low: float) -> None:
        """Several orders at once, and their cancel."""
        rows = [
            {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": amount, "price": low}
            for amount in (0.001, 0.0011, 0.0012)
        ]
        made = await self._call("create_orders", rows)
        for index, order in enumerate(made):
            await self.placed(f"create_orders: {index}", order, self._own)
        await self._call("cancel_orders", [order["id"] for order in made[:2]], SYMBOL)
        for order in made[:2]:
            shown = await self._do("fetch", order["id"], SYMBOL)
            self._checks.same("cancel_orders: status", shown["status"], "canceled")
            self._same_order("cancel_orders", order, shown)

    async def by_socket(self) -> None:
        """CCXT's shorter names, and several cancels at once."""
        low, do = await self._price("low"), self._call
        limit = await do("create_limit_order_ws", SYMBOL, "buy", 0.001, low)
        market = await do("create_market_order_ws", SYMBOL, "sell", 0.001)
        for label, order in (("create_limit_order_ws", limit), ("create_market_order_ws", market)):
            await self.placed(label, order, self._own)
        await self.place("trailing stop", "market", "sell", 0.001, None, {"trailingPercent": "1"})
        second = await self.place("to be canceled with another", "limit", "buy", 0.001, low)
        await do("cancel_orders_ws", [limit["id"], second["id"]])
        for order in (limit, second):
            shown = await self._do("fetch", order["id"], SYMBOL)
            self._checks.same("cancel_orders_ws: status", shown["status"], "canceled")

    async def cancel_by_own_id(self, order: Mapping[str, Any], client_id: str) -> None:
        """Kraken cancels by it; CCXT asks by Kraken's id only, and cancels by WebSocket by it only."""
        if self._door is BY_REST:
            await self._call("cancel_order", "", SYMBOL, {"clientOrderId": client_id})
        else:
            await self._do("cancel", order["id"])
        self._same_order("cancel by own id", order, await self._do("fetch", order["id"], SYMBOL))

    async def money(self) -> None:
        """Balances, deposits, withdrawals and the account's own ledger."""
        do, checks, account = self._own.do, self._checks, self._own.account
        deposits = await do("fetch_deposits")
        booked = sorted((row["asset"], words.exact(row["amount"])) for row in self._venue.transfers(account, "deposit"))
        said = sorted((row["currency"], words.exact(row["amount"])) for row in deposits)
        checks.same("deposits", said, booked)
        held = ledger_balances(self._venue.balances(account))
        checks.same("balances", unified_balances(await do("fetch_balance")), held)
        newest: dict[str, Any] = {}
        for entry in await do("fetch_ledger"):
            newest[entry["currency"]] = entry
        for asset, entry in newest.items():
            checks.same(f"fetch_ledger: {asset}", words.exact(entry["after"]), sum(held[asset]))
        await self.moves(held)

    async def moves(self, held: Mapping[str, Any]) -> None:
        """An entry of the ledger, addresses, a withdrawal, fees, the trades of an order."""
        do, checks, account = self._call, self._checks, self._own.account
        entry = (await do("fetch_ledger"))[-1]
        checks.same("fetch_ledger_entry", (await do("fetch_ledger_entry", entry["id"]))["after"], entry["after"])
        address = await do("fetch_deposit_address", "ETH")
        checks.true("deposit address", len(address["address"]) > 20, address)
        await do("withdraw", "USDT", 100, "", {"key": "usdt-vault"})
        left = Decimal(self._venue.balances(account)["USDT"]["free"])
        checks.same("withdraw: from the balance", left, held["USDT"][0] - 100)
        booked = sorted(-words.exact(row["amount"]) for row in self._venue.transfers(account, "withdrawal"))
        said = [words.exact(row["amount"]) + words.exact(row["fee"]["cost"]) for row in await do("fetch_withdrawals")]
        checks.same("withdrawals: amounts and fees", sorted(said), booked)
        fee = await do("fetch_trading_fee", SYMBOL)
        checks.true("trading fee", 0 < fee["maker"] <= fee["taker"] < 0.01, fee)
        newest = words.booked_fill(self._venue.fills(account, symbol=SYMBOL)[-1])
        wanted = (newest["order_id"], SYMBOL, None, None, {"trades": [newest["id"]]})
        of_order = [words.unified_fill(trade) for trade in await do("fetch_order_trades", *wanted)]
        checks.true("trades of an order", newest in of_order, (newest, of_order))
