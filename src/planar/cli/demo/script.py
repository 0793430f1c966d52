"""What the demo does on its accounts: orders of every common kind, cancels, and three accidents made on purpose.

Some steps name their exchange, others take the better price of all. They are spread over the demo's time, and each tells
what it did in the log that the picture shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.cli.board import Row, started
from planar.cli.demo.quotes import Quotes, Side
from planar.cli.demo.stage import ORDER_PATHS, VENUES, Stage
from planar.errors import OrderNotFound, OrderUnknown, Outcome, PlanarError
from planar.exchange import Exchange
from planar.models import Order, OrderState
from planar.orders import OrderHandle
from planar.venue.faults import DropAnswer, DropRequest, Fault, FaultRule, HangAnswer

NOTIONAL = Decimal(400)
"""About what each order is worth, in quote currency."""
POLL_S = 0.02
PATIENCE_MS = 1_500
"""How long an answer is waited for that does not come."""
LOST_NEEDS_S = 12.0
"""A request that never arrived is proven so only after its validity at the venue has passed; shorter demos leave it out."""
BEGIN, END = 0.04, 0.88
"""The part of the demo's time within which the steps begin."""
SETTLE_S = 20.0
"""How long it may take to find out what became of an order without an answer."""


class Entry(msgspec.Struct, frozen=True):
    """One line of the log.

    Attributes:
        at_s: seconds since the beginning.
        kind: sent, filled, canceled, open, accident, resolved or refused.
        text: what happened.
    """

    at_s: float
    kind: str
    text: str


class Script:
    """Plays the steps. Time begins when it is made.

    Attributes:
        unknown: orders of which it is not known at this moment whether they exist.
    """

    def __init__(
        self,
        stage: Stage,
        exchanges: Mapping[str, Exchange],
        quotes: Mapping[str, Quotes],
        on_entry: Callable[[Entry], None],
    ) -> None:
        self.unknown = 0
        self._stage = stage
        self._exchanges = exchanges
        self._quotes = quotes
        self._on_entry = on_entry
        self._began = runtime.monotonic()
        self._resting: list[tuple[Exchange, OrderHandle]] = []
        self._traded: dict[str, list[str]] = {name: [] for name in exchanges}
        self._lost: asyncio.Task[None] | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return runtime.monotonic() - self._began

    def traded(self, exchange: str) -> list[str]:
        """The symbols of which orders were sent to this exchange."""
        return self._traded[exchange]

    async def play(self, seconds: float) -> None:
        """All steps, and then everything that is left is canceled and settled."""
        steps = self._steps(seconds)
        try:
            for index, step in enumerate(steps):
                due_s = seconds * (BEGIN + (END - BEGIN) * index / len(steps))
                await runtime.sleep(max(0.0, due_s - self.elapsed_s))
                await step()
            await self._clear()
        finally:
            if self._lost is not None and not self._lost.done():
                self._lost.cancel()
                await asyncio.wait([self._lost])

    def _steps(self, seconds: float) -> list[Callable[[], Awaitable[None]]]:
        one, other = VENUES
        btc, eth, sol, bnb, xrp, doge, *_ = self._quotes
        lost = [lambda: self._lose_request("sell", self._on(one, sol))] if seconds >= LOST_NEEDS_S else []
        return [
            lambda: self._rest("buy", self._on(one, btc), "0.98"),
            lambda: self._market("buy", self._best("buy", sol)),
            *lost,
            lambda: self._cross("sell", self._on(other, eth)),
            lambda: self._swallow("buy", self._on(one, btc), DropAnswer()),
            lambda: self._cost("buy", self._on(one, bnb), Decimal(250)),
            lambda: self._rest("sell", self._on(other, eth), "1.03"),
            lambda: self._join("buy", self._on(one, eth)),
            self._cancel_oldest,
            lambda: self._market("sell", self._best("sell", btc)),
            lambda: self._swallow("sell", self._on(other, xrp), HangAnswer()),
            lambda: self._at_once("buy", self._on(other, sol), "1.001"),
            lambda: self._rest("buy", self._on(one, doge), "0.97"),
            lambda: self._market("sell", self._best("sell", sol)),
            self._cancel_oldest,
            lambda: self._cross("buy", self._best("buy", bnb)),
            lambda: self._join("sell", self._on(other, btc)),
        ]

    def _on(self, exchange: str, symbol: str) -> Row:
        return self._quotes[symbol].rows[exchange]

    def _best(self, side: Side, symbol: str) -> Row:
        """Where it is best to take."""
        found = self._quotes[symbol].best(side)
        assert found is not None
        return found

    # -- steps -----------------------------------------------------------------------------------------------------
    async def _rest(self, side: Side, row: Row, factor: str) -> None:
        """A limit order away from the market, which stays open."""
        await self._place(row, "limit", side, self._price(side, row, factor))

    async def _cross(self, side: Side, row: Row) -> None:
        """A limit order through the other side of the book, which fills at once."""
        await self._place(row, "limit", side, self._price(side, row, "1.001" if side == "buy" else "0.999"))

    async def _at_once(self, side: Side, row: Row, factor: str) -> None:
        await self._place(row, "limit", side, self._price(side, row, factor), {"timeInForce": "IOC"})

    async def _join(self, side: Side, row: Row) -> None:
        """A post-only order at the best price of its own side: the market decides whether it fills."""
        await self._place(row, "limit", side, self._price(side, row, "1"), {"postOnly": True})

    async def _market(self, side: Side, row: Row) -> None:
        await self._place(row, "market", side, None)

    async def _cost(self, side: Side, row: Row, cost: Decimal) -> None:
        await self._place(row, "market", side, None, {"cost": cost})

    async def _swallow(self, side: Side, row: Row, fault: Fault) -> None:
        """An order that the venue takes and whose answer never comes: Planar must find out by itself."""
        await self._arm(fault, row.exchange)
        how = "hangs" if isinstance(fault, HangAnswer) else "is dropped"
        self._say("accident", f"on purpose: the answer to the next order on {row.exchange} {how}")
        await self._unanswered(side, row)

    async def _lose_request(self, side: Side, row: Row) -> None:
        """An order that never reaches the venue, which looks the same from here. The search for it goes on beside the
        other steps; this one ends when the request is lost."""
        rule = await self._arm(DropRequest(), row.exchange)
        self._say("accident", f"on purpose: the next order on {row.exchange} is lost on its way")
        self._lost = started(self._unanswered(side, row), "demo: lost request")
        while not any(one.fired for one in (await self._stage.control.faults()).rules if one.rule.id == rule.id):
            await runtime.sleep(POLL_S)

    async def _unanswered(self, side: Side, row: Row) -> None:
        """Send a market order that gets no answer, and wait until it is known what became of it."""
        self.unknown += 1
        try:
            amount = self._sent(row, "market", side, None, {})
            exchange = self._exchanges[row.exchange]
            try:
                handle = await exchange.create_order(row.symbol, "market", side, amount, timeout_ms=PATIENCE_MS)
            except OrderUnknown as error:
                self._say("accident", f"no answer within {PATIENCE_MS / 1000:g} s: is {error.client_id} there or not?")
                handle: OrderHandle = error.order
                await handle.resolved(SETTLE_S)
        finally:
            self.unknown -= 1
        if handle.state is OrderState.NEVER_ACCEPTED:
            self._say("resolved", f"proven: {handle.client_order_id} never reached {row.exchange}")
        else:
            self._say("resolved", f"found out: {handle.client_order_id} is there")
            self._tell(row.exchange, handle.snapshot)

    async def _cancel_oldest(self) -> None:
        if self._resting:
            await self._cancel(*self._resting.pop(0))

    # -- how -------------------------------------------------------------------------------------------------------
    async def _arm(self, fault: Fault, exchange: str) -> FaultRule:
        rule = FaultRule(fault=fault, venue=exchange, method="POST", path=ORDER_PATHS[exchange])
        return await self._stage.control.add_fault(rule)

    async def _place(
        self, row: Row, kind: str, side: Side, price: Decimal | None, params: dict[str, Any] | None = None
    ) -> None:
        amount = self._sent(row, kind, side, price, params or {})
        exchange = self._exchanges[row.exchange]
        try:
            handle = await exchange.create_order(row.symbol, kind, side, amount, price, params or {})
        except OrderUnknown:
            raise
        except PlanarError as error:
            if error.outcome is not Outcome.REFUSED:
                raise
            self._say("refused", error.message)
            return
        if kind == "market" or "timeInForce" in (params or {}):  # ends at once; some answers do not tell how
            self._tell(row.exchange, await handle.settled(SETTLE_S))
            return
        self._tell(row.exchange, handle.snapshot)
        if not handle.is_done:
            self._resting.append((exchange, handle))

    async def _cancel(self, exchange: Exchange, handle: OrderHandle) -> None:
        try:
            self._tell(exchange.id, await exchange.cancel_order(handle.client_order_id, handle.symbol))
        except OrderNotFound:
            self._tell(exchange.id, await handle.settled(SETTLE_S))

    async def _clear(self) -> None:
        """Cancel what is open and wait for what is not known."""
        while self._resting:
            await self._cancel(*self._resting.pop(0))
        if self._lost is not None:
            await self._lost

    def _price(self, side: Side, row: Row, factor: str) -> Decimal:
        """A multiple of the tick: the best price of the order's own side, times `factor`."""
        best = row.bid if side == "buy" else row.ask
        tick = row.market.precision.price
        assert best is not None
        assert tick is not None
        return _floor(Decimal(repr(best)) * Decimal(factor), tick)

    def _amount(self, side: Side, row: Row) -> Decimal:
        lot = row.market.precision.amount
        assert lot is not None
        return _floor(NOTIONAL / self._price(side, row, "1"), lot)

    def _sent(self, row: Row, kind: str, side: Side, price: Decimal | None, params: dict[str, Any]) -> Decimal | None:
        """Tell that an order goes out; its amount, None if it is sized by its cost."""
        traded = self._traded[row.exchange]
        if row.symbol not in traded:
            traded.append(row.symbol)
        amount = None if "cost" in params else self._amount(side, row)
        size = f"for {params['cost']}" if amount is None else f"{amount.normalize():f}"
        where = "at the market" if kind == "market" else f"at {price:f}"
        words = [
            f"{row.exchange}: {side} {size} {row.symbol} {where}",
            *(["post-only"] if "postOnly" in params else []),
        ]
        self._say("sent", ", ".join([*words, *([params["timeInForce"]] if "timeInForce" in params else [])]))
        return amount

    def _tell(self, exchange: str, order: Order) -> None:
        filled = order.filled if order.filled is not None else Decimal(0)
        kind = {"filled": "filled", "open": "open"}.get(order.state.value, "canceled")
        text = f"{exchange}: {order.side} {order.symbol} is {order.state.value}"
        if filled:
            average = "" if order.average is None else f" at {round(order.average, 8).normalize():f}"
            text += f": {filled.normalize():f}{average}"
        self._say(kind, text)

    def _say(self, kind: str, text: str) -> None:
        self._on_entry(Entry(self.elapsed_s, kind, text))


def _floor(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_DOWN) * step
