"""What every adapter must do, as one check that the tests of any adapter can run.

`check_adapter` asks an adapter with its markets loaded, places orders with it, and tells what it did wrong. Run it
against a venue of your own or a simulated account, never with real money: it trades.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef, OrderRequest
from planar.adapters.checked import unchecked
from planar.errors import NotSupported, OrderNotFound, PlanarError
from planar.models import Amount, Order, OrderState

CALL_MS: Final = 5_000
_FIRST_MS: Final = 946_684_800_000  # 2000-01-01: what lies before is told in seconds
_MINUTE_MS: Final = 60_000


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        rule: a short name of the rule that is broken.
        text: what was seen.
    """

    rule: str
    text: str


class Scene(msgspec.Struct, frozen=True):
    """What is tried.

    Attributes:
        symbol: a market that trades.
        amount: of each order, on the market's steps.
        price: of a buy order that rests: far below the market.
        client_ids: two that the venue accepts and has never seen.
        secrets: what must stand in no text; the credentials' values.
    """

    symbol: str
    amount: Amount
    price: Amount
    client_ids: tuple[str, str]
    secrets: Sequence[str] = ()


async def check_adapter(adapter: Adapter, scene: Scene) -> list[Finding]:
    """All that is wrong with an adapter; empty if nothing is. Its order rests and is canceled, and one buys at market.

    Raises:
        PlanarError: its markets could not be loaded.
    """
    adapter = unchecked(adapter)  # what an exchange would hold back is to be seen
    markets = await adapter.load_markets(timeout_ms=CALL_MS)
    check = _Check(adapter, scene)
    before = asyncio.all_tasks()
    if scene.symbol not in markets or any(key != market.symbol for key, market in markets.items()):
        check.found("markets", "markets are not listed under their symbols")
    for part in (
        check.ticker,
        check.book,
        check.candles,
        check.balance,
        check.resting,
        check.market_order,
        check.errors,
    ):
        try:
            await part()
        except PlanarError as error:
            check.found(part.__name__, f"{type(error).__name__}: {error.message}")
        except Exception as error:
            check.found("foreign error", f"{part.__name__}: {type(error).__name__}: {error}")
    left = [task for task in asyncio.all_tasks() - before if not task.done()]
    if left:
        check.found("task leaked", ", ".join(sorted(task.get_name() for task in left)))
    for secret in scene.secrets:
        if secret in repr(adapter) or secret in str(adapter):
            check.found("secret shown", "its repr holds a credential")
    return check.findings


class _Check:
    """The parts of one run."""

    def __init__(self, adapter: Adapter, scene: Scene) -> None:
        self.adapter = adapter
        self.scene = scene
        self.findings: list[Finding] = []

    def found(self, rule: str, text: str) -> None:
        self.findings.append(Finding(rule, text))

    def rule(self, rule: str, holds: bool, text: str) -> None:
        if not holds:
            self.found(rule, text)

    def _time(self, what: str, ts_ms: int | None) -> None:
        if ts_ms is not None:
            self.rule("milliseconds", ts_ms > _FIRST_MS, f"the time of the {what} is {ts_ms}")

    def _amounts(self, what: str, row: Any, names: Sequence[str]) -> None:
        for name in names:
            value = getattr(row, name)
            self.rule("exact", value is None or isinstance(value, Amount), f"{name} of the {what} is {value!r}")

    async def ticker(self) -> None:
        if not self.adapter.capabilities.can("fetch_ticker"):
            return
        row = await self.adapter.fetch_ticker(self.scene.symbol, {}, timeout_ms=CALL_MS)
        self.rule("ticker symbol", row.symbol == self.scene.symbol, f"it is of {row.symbol}")
        self._time("ticker", row.ts_ms)
        if row.bid is not None and row.ask is not None:
            self.rule("ticker crossed", row.bid <= row.ask, f"bid {row.bid}, ask {row.ask}")

    async def book(self) -> None:
        book = await self.adapter.fetch_order_book(self.scene.symbol, None, {}, timeout_ms=CALL_MS)
        bids, asks = [level[0] for level in book.bids], [level[0] for level in book.asks]
        self.rule("book symbol", book.symbol == self.scene.symbol, f"it is of {book.symbol}")
        self.rule("book unsorted", bids == sorted(bids, reverse=True) and asks == sorted(asks), "its levels")
        if bids and asks:
            self.rule("book crossed", max(bids) < min(asks), f"bid {max(bids)}, ask {min(asks)}")
        self._time("book", book.ts_ms)

    async def candles(self) -> None:
        if not self.adapter.capabilities.can("fetch_ohlcv") or "1m" not in self.adapter.capabilities.timeframes:
            return
        rows = await self.adapter.fetch_ohlcv(self.scene.symbol, "1m", None, None, {}, timeout_ms=CALL_MS)
        times = [row.ts_ms for row in rows]
        self.rule("candles unsorted", times == sorted(times), f"{times[:5]}")
        self.rule("candles duplicated", len(times) == len(set(times)), f"{len(times) - len(set(times))} twice")
        self.rule("candle time", all(one % _MINUTE_MS == 0 for one in times), "they begin within a minute")
        self.rule(
            "candle range", all(r.low <= min(r.open, r.close) <= max(r.open, r.close) <= r.high for r in rows), ""
        )
        for one in times[-1:]:
            self._time("last candle", one)
            self.rule("candle of the future", one <= runtime.wall_ms() + _MINUTE_MS, f"the last begins at {one}")

    async def balance(self) -> None:
        balance = await self.adapter.fetch_balance({}, timeout_ms=CALL_MS)
        for code, row in balance.balances.items():
            self._amounts(f"balance of {code}", row, ("free", "used", "total"))
            if row.free is not None and row.total is not None:
                self.rule("balance used", row.used is not None, f"used of {code} is missing")
                used = row.used or Amount(0)
                self.rule("balance sum", row.free + used == row.total, f"{code}: {row.free} + {used} != {row.total}")

    async def _submitted(self, type_: str, price: Amount | None, client_id: str) -> Order:
        sends: list[None] = []

        def on_send() -> None:
            sends.append(None)

        scene = self.scene
        request = OrderRequest(client_id, scene.symbol, "buy", type_, amount=scene.amount, price=price)
        order = await self.adapter.submit(request, timeout_ms=CALL_MS, on_send=on_send)
        self.rule("journal", len(sends) == 1, f"on_send was called {len(sends)} times")
        self._order("submit", order, client_id)
        return order

    def _order(self, what: str, order: Order, client_id: str) -> None:
        scene = self.scene
        self.rule("order symbol", order.symbol == scene.symbol, f"{what}: it is of {order.symbol}")
        self.rule("client id", order.client_order_id == client_id, f"{what}: {order.client_order_id!r}")
        self.rule("side", order.side == "buy", f"{what}: {order.side}")
        self._amounts(f"order ({what})", order, ("amount", "price", "filled", "cost", "average"))
        self.rule("amount", order.amount in (None, scene.amount), f"{what}: {order.amount}, not {scene.amount}")
        self._time(f"order ({what})", order.ts_ms)

    async def _asked(self, ref: OrderRef, what: str) -> Order | None:
        order = await self.adapter.query_order(ref, {}, timeout_ms=CALL_MS)
        self.rule("query", order is not None, f"the order is not found {what}")
        return order

    async def resting(self) -> None:
        scene, client_id = self.scene, self.scene.client_ids[0]
        earlier = await self.adapter.fetch_open_orders(scene.symbol, {}, timeout_ms=CALL_MS)
        order = await self._submitted("limit", scene.price, client_id)
        self.rule("state", order.state is OrderState.OPEN, f"an order that rests is {order.state}")
        self.rule("price", order.price in (None, scene.price), f"{order.price}, not {scene.price}")
        standing = await self.adapter.fetch_open_orders(scene.symbol, {}, timeout_ms=CALL_MS)
        own = [one for one in standing if one.client_order_id == client_id or one.id == order.id]
        new = len(standing) - len(earlier)
        self.rule("created once", new == 1 and len(own) == 1, f"{new} orders are new, not 1")
        for one in own:
            self._order("open orders", one, client_id)
        ref = OrderRef(scene.symbol, order.id, client_id)
        await self._asked(OrderRef(scene.symbol, None, client_id), "by its client id")
        await self.adapter.cancel(ref, {}, timeout_ms=CALL_MS)
        ended = await self._asked(ref, "after it was canceled")
        if ended is not None:
            self.rule("canceled", ended.state is OrderState.CANCELED, f"a canceled order is {ended.state}")

    async def market_order(self) -> None:
        scene, client_id = self.scene, self.scene.client_ids[1]
        order = await self._submitted("market", None, client_id)
        ref = OrderRef(scene.symbol, order.id, client_id)
        seen = [await self._asked(ref, "after it traded") for _ in range(2)]
        for one in seen:
            if one is not None:
                self.rule("filled", one.state is OrderState.FILLED, f"a market order is {one.state}")
                self.rule("fills cumulative", one.filled == scene.amount, f"{one.filled} of {scene.amount} traded")

    async def errors(self) -> None:
        adapter, nowhere = self.adapter, "NOSUCH/MARKET"
        unknown = OrderRef(self.scene.symbol, None, self.scene.client_ids[0][:-1] + "0")

        def book(symbol: str, ms: int) -> Awaitable[Any]:
            return adapter.fetch_order_book(symbol, None, {}, timeout_ms=ms)

        await self._raises("error swallowed", lambda: book(nowhere, CALL_MS))
        opened = lambda: adapter.fetch_open_orders(nowhere, {}, timeout_ms=CALL_MS)  # noqa: E731
        await self._raises("error swallowed", opened)
        canceled = lambda: adapter.cancel(unknown, {}, timeout_ms=CALL_MS)  # noqa: E731
        await self._raises("cancel of nothing", canceled, OrderNotFound)
        await self._raises("timeout ignored", lambda: book(self.scene.symbol, 0))
        late = lambda: adapter.query_order(unknown, {}, timeout_ms=0)  # noqa: E731
        await self._raises("failed query", late)
        answer = await adapter.query_order(unknown, {}, timeout_ms=CALL_MS)
        self.rule("unknown order", answer is None, "an order that never was is found")

    async def _raises(
        self, rule: str, call: Callable[[], Awaitable[Any]], kind: type[PlanarError] = PlanarError
    ) -> None:
        try:
            answer = await call()
        except NotSupported:
            return
        except PlanarError as error:
            self.rule(rule, isinstance(error, kind), f"{type(error).__name__} instead of {kind.__name__}")
            text = f"{error} {error!r}"
            self.rule("secret shown", not any(one in text for one in self.scene.secrets), "an error holds a credential")
        else:
            self.found(rule, f"it was answered {answer!r:.60}")
