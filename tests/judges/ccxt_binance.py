"""Binance's facts for the life of orders, and what only Binance has."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from judges.ccxt_life import REST, SYMBOL, Door, Facts, Life, Wish
from judges.ccxt_words import (
    expected_order,
    unified_fees,
    unified_fill,
    unified_order,
    unified_prints,
)
from judges.words import answered_balances, answered_order, ledger_balances, ledger_fill, ledger_order

STOPS: Final = (
    Wish("stop-loss sell", "market", "sell", 0.002, None, {"stopLossPrice": "low"}),
    Wish("stop-loss buy", "market", "buy", 0.002, None, {"stopLossPrice": "high"}),
    Wish("take-profit sell", "market", "sell", 0.002, None, {"takeProfitPrice": "high"}),
    Wish("take-profit buy", "market", "buy", 0.002, None, {"takeProfitPrice": "low"}),
    Wish("stop-loss limit sell", "limit", "sell", 0.002, "low", {"stopLossPrice": "low"}),
    Wish("stop-loss limit buy", "limit", "buy", 0.002, "high", {"stopLossPrice": "high"}),
    Wish("take-profit limit sell", "limit", "sell", 0.002, "high", {"takeProfitPrice": "high"}),
    Wish("take-profit limit buy", "limit", "buy", 0.002, "low", {"takeProfitPrice": "low"}),
)
"""Stops as CCXT names them on every exchange."""
BY_SOCKET_NAMES: Final = {
    **{call: f"{name}_ws" for call, name in REST.items()},
    "fetch_book": "fetch_order_book",  # CCXT offers it by WebSocket for swaps only
}


def _own_names(kind: str, params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
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


BY_REST: Final = Door(REST, lambda kind, params: (kind, params), in_full=True)
BY_SOCKET: Final = Door(BY_SOCKET_NAMES, _own_names, in_full=True)


def _numbers(report: Mapping[str, Any]) -> dict[str, Any]:
    """CCXT hands on the numbers of an answer as text."""
    return {name: int(value) if name.endswith("Time") else value for name, value in report.items()}


def _fees(order: Any, rows: list[dict[str, Any]]) -> tuple[Any, Any]:
    booked: dict[str, Decimal] = {}
    for row in rows:
        asset = row["commission_asset"]
        booked[asset] = booked.get(asset, Decimal(0)) + Decimal(row["commission"])
    return unified_fees(order), booked


BINANCE: Final = Facts(
    waiting=(
        Wish("limit buy", "limit", "buy", 0.00123, "low"),
        Wish("limit sell, own id", "limit", "sell", 0.00123, "high", {"clientOrderId": "judge-1"}),
        Wish("post-only", "limit", "buy", 0.002, "low", {"postOnly": True}),
        Wish("iceberg", "limit", "sell", 0.01, "high", {"icebergQty": 0.002}),
        *STOPS,
        Wish("stop market", "market", "sell", 0.002, None, {"stopPrice": "low"}),
        Wish("stop limit", "limit", "sell", 0.002, "low", {"stopPrice": "low"}),
    ),
    ended=("market", "limit"),  # no more than five stops at once (MAX_NUM_ALGO_ORDERS)
    taking=(
        Wish("market buy", "market", "buy", 0.002),
        Wish("market sell", "market", "sell", 0.003),
        Wish("market buy by cost", "market", "buy", 0, None, {"cost": 123.45}),
        Wish("market sell by cost", "market", "sell", 0, None, {"cost": 98.7}),
        Wish("limit that takes", "limit", "buy", 0.002, "over"),
        Wish("IOC that fills in part", "limit", "sell", 2, "bid", {"timeInForce": "IOC"}),
        Wish("IOC without a match", "limit", "buy", 0.002, "bid", {"timeInForce": "IOC"}),
        Wish("FOK that fills", "limit", "buy", 0.002, "over", {"timeInForce": "FOK"}),
        Wish("FOK that cannot fill", "limit", "buy", 2, "ask", {"timeInForce": "FOK"}),
    ),
    modes=tuple({"selfTradePreventionMode": mode} for mode in ("EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH")),
    refused=(
        ("InvalidOrder", Wish("a client id twice", "limit", "buy", 0.001, "low", {"clientOrderId": "twice"})),
        ("InsufficientFunds", Wish("too little money", "limit", "buy", 20, "low")),
        (
            "OrderImmediatelyFillable",
            Wish("post-only that would take", "limit", "buy", 0.001, "ask", {"postOnly": True}),
        ),
        (
            "OrderImmediatelyFillable",
            Wish("a stop that would trigger", "market", "sell", 0.001, None, {"stopLossPrice": "far"}),
        ),
        ("BadRequest", Wish("NOTIONAL", "limit", "buy", 0.00001, "low")),
    ),
    lists_all=True,
    edit_keeps_id=False,
    unknown_id="999999999999",
    missing="OrderNotFound",
    page=None,
    order=unified_order,
    expected=lambda row: expected_order(ledger_order(row)),
    fees=_fees,
    fill=unified_fill,
    booked=ledger_fill,
)


class BinanceLife(Life):
    """The life of orders on Binance."""

    async def extras(self) -> None:
        """Test orders, CCXT's shorter names, and market data by the WebSocket API."""
        low = await self._price("low")
        before = len(self._venue.orders(self._own.account))
        test = await self._create("limit", "buy", 0.001, low, {"test": True})
        self._checks.same("test order: answer", test["info"], {})
        self._checks.same("orders after a test", len(self._venue.orders(self._own.account)), before)
        await (self.by_name() if self._door is BY_REST else self.by_name_and_socket())

    async def by_name(self) -> None:
        """CCXT's shorter names for kinds of orders."""
        low, high = await self._price("low"), await self._price("high")
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
            order = await self.placed(method, await self._own.do(method, SYMBOL, *args), self._own)
            if order["triggerPrice"]:
                await self.cancel(method, order)
        await self.trail()
        await self.lists(low, high)

    async def trail(self) -> None:
        """Trailing stops: one that waits, and one that the other account's trades set off."""
        name, rest = "create_trailing_percent_order", (SYMBOL, "market", "sell", 0.002, None)
        stop, take = {"stopLossOrTakeProfit": "stopLoss"}, {"stopLossOrTakeProfit": "takeProfit"}
        for label, params in (("trailing stop-loss", stop), ("trailing take-profit", take)):
            order = await self.placed(label, await self._own.do(name, *rest, 1, None, params), self._own)
            await self.cancel(label, order)

    async def lists(self, low: float, high: float) -> None:
        """Order lists, which CCXT has no method for: by Binance's own names. Each report is the ledger's order."""
        both = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.002"}
        oco = {**both, "aboveType": "LIMIT_MAKER", "abovePrice": high, "belowType": "STOP_LOSS", "belowStopPrice": low}
        working = {"symbol": "BTCUSDT", "workingType": "LIMIT", "workingTimeInForce": "GTC", "workingSide": "BUY"}
        working |= {"workingPrice": low, "workingQuantity": "0.002"}
        pending = {"pendingSide": "SELL", "pendingQuantity": "0.002"}
        oto = {**working, **pending, "pendingType": "MARKET"}
        otoco = {**working, **pending, "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": high}
        otoco |= {"pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": low}
        for kind, params in (("Oco", oco), ("Oto", oto), ("Otoco", otoco)):
            made = await self._own.do(f"privatePostOrderList{kind}", params)
            for report in made["orderReports"]:
                self._placed[self._own.account].append(str(report["orderId"]))
                self._judge_report(f"{kind}: answer", report)
            ref = {"symbol": "BTCUSDT", "orderListId": made["orderListId"]}
            shown = await self._own.do("privateGetOrderList", {"orderListId": made["orderListId"]})
            ids = sorted(order["orderId"] for order in made["orders"])
            self._checks.same(f"{kind}: query", sorted(order["orderId"] for order in shown["orders"]), ids)
            for report in (await self._own.do("privateDeleteOrderList", ref))["orderReports"]:
                self._judge_report(f"{kind}: canceled", report)

    def _judge_report(self, label: str, report: Mapping[str, Any]) -> None:
        row = self._venue.order(self._own.account, SYMBOL, str(report["orderId"]))
        self._checks.rows(label, answered_order(_numbers(report)), ledger_order(row))

    async def by_name_and_socket(self) -> None:
        """The same by the WebSocket API, and its market data."""
        do, checks = self._own.do, self._checks
        resting = await do("create_limit_order_ws", SYMBOL, "buy", 0.002, await self._price("low"))
        await self.placed("create_limit_order_ws", resting, self._own)
        sold = await do("create_market_order_ws", SYMBOL, "sell", 0.002)
        await self.placed("create_market_order_ws", sold, self._own)
        balance = await do("fetch_balance_ws")  # of a spot account CCXT hands on what came, and parses nothing
        held = ledger_balances(self._venue.balances(self._own.account))
        checks.same("fetch_balance_ws", answered_balances(balance["info"]), held)
        ours = unified_prints(await do("fetch_trades_ws", SYMBOL, None, 100))
        rest = unified_prints(await do("fetch_trades", SYMBOL, None, 100, {"fetchTradesMethod": "publicGetTrades"}))
        checks.same("fetch_trades_ws", ours, rest)
        candles = await do("fetch_ohlcv_ws", SYMBOL, "5m", None, 20)
        checks.same("fetch_ohlcv_ws", candles, await do("fetch_ohlcv", SYMBOL, "5m", None, 20))

    async def cancel_by_own_id(self, order: Any, client_id: str) -> None:
        """fetch_order_ws, too, hands on the unified name besides the exchange's."""
        if self._door is BY_REST:
            await super().cancel_by_own_id(order, client_id)
            return
        named = {"origClientOrderId": client_id}
        self._same_order("fetch by own id", order, await self._do("fetch", "", SYMBOL, named))
        self._same_order("cancel by own id", order, await self._do("cancel", "", SYMBOL, named))
