"""What the demo does on its account: orders of every common kind, cancels, and three accidents made on purpose.

The steps are spread over the demo's time. Each tells what it did in the log that the picture shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import ROUND_DOWN, Decimal
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.cli.board import Row, started
from planar.cli.demo.stage import ORDER_PATH, VENUE, Stage
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
        self, stage: Stage, exchange: Exchange, rows: dict[str, Row], on_entry: Callable[[Entry], None]
    ) -> None:
        self.unknown = 0
        self._stage = stage
        self._exchange = exchange
        self._rows = rows
        self._on_entry = on_entry
        self._began = runtime.monotonic()
        self._resting: list[OrderHandle] = []
        self._lost: asyncio.Task[None] | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return runtime.monotonic() - self._began

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
        btc, eth, sol, bnb, xrp, doge, *_ = self._rows
        lost = [lambda: self._lose_request("sell", sol)] if seconds >= LOST_NEEDS_S else []
        return [
            lambda: self._rest("buy", btc, "0.98"),
            lambda: self._market("buy", sol),
            *lost,
            lambda: self._cross("sell", eth),
            lambda: self._swallow("buy", btc, DropAnswer()),
            lambda: self._cost("buy", bnb, Decimal(250)),
            lambda: self._rest("sell", eth, "1.03"),
            lambda: self._join("buy", eth),
            self._cancel_oldest,
            lambda: self._market("sell", btc),
            lambda: self._swallow("sell", xrp, HangAnswer()),
            lambda: self._at_once("buy", sol, "1.001"),
            lambda: self._rest("buy", doge, "0.97"),
            lambda: self._market("sell", sol),
            self._cancel_oldest,
            lambda: self._cross("buy", bnb),
            lambda: self._join("sell", btc),
        ]

    # -- steps -----------------------------------------------------------------------------------------------------
    async def _rest(self, side: str, symbol: str, factor: str) -> None:
        """A limit order away from the market, which stays open."""
        await self._place(symbol, "limit", side, self._price(side, symbol, factor))

    async def _cross(self, side: str, symbol: str) -> None:
        """A limit order through the other side of the book, which fills at once."""
        await self._place(symbol, "limit", side, self._price(side, symbol, "1.001" if side == "buy" else "0.999"))

    async def _at_once(self, side: str, symbol: str, factor: str) -> None:
        await self._place(symbol, "limit", side, self._price(side, symbol, factor), {"timeInForce": "IOC"})

    async def _join(self, side: str, symbol: str) -> None:
        """A post-only order at the best price of its own side: the market decides whether it fills."""
        await self._place(symbol, "limit", side, self._price(side, symbol, "1"), {"postOnly": True})

    async def _market(self, side: str, symbol: str) -> None:
        await self._place(symbol, "market", side, None)

    async def _cost(self, side: str, symbol: str, cost: Decimal) -> None:
        await self._place(symbol, "market", side, None, {"cost": cost})

    async def _swallow(self, side: str, symbol: str, fault: Fault) -> None:
        """An order that the venue takes and whose answer never comes: Planar must find out by itself."""
        await self._arm(fault)
        how = "hangs" if isinstance(fault, HangAnswer) else "is dropped"
        self._say("accident", f"on purpose: the answer to the next order {how}")
        await self._unanswered(side, symbol)

    async def _lose_request(self, side: str, symbol: str) -> None:
        """An order that never reaches the venue, which looks the same from here. The search for it goes on beside the
        other steps; this one ends when the request is lost."""
        rule = await self._arm(DropRequest())
        self._say("accident", "on purpose: the next order is lost on its way")
        self._lost = started(self._unanswered(side, symbol), "demo: lost request")
        while not any(one.fired for one in (await self._stage.control.faults()).rules if one.rule.id == rule.id):
            await runtime.sleep(POLL_S)

    async def _unanswered(self, side: str, symbol: str) -> None:
        """Send a market order that gets no answer, and wait until it is known what became of it."""
        self.unknown += 1
        try:
            amount = self._sent(symbol, "market", side, None, {})
            try:
                handle = await self._exchange.create_order(symbol, "market", side, amount, timeout_ms=PATIENCE_MS)
            except OrderUnknown as error:
                self._say("accident", f"no answer within {PATIENCE_MS / 1000:g} s: is {error.client_id} there or not?")
                handle: OrderHandle = error.order
                await handle.resolved(SETTLE_S)
        finally:
            self.unknown -= 1
        if handle.state is OrderState.NEVER_ACCEPTED:
            self._say("resolved", f"proven: {handle.client_order_id} never reached the venue")
        else:
            self._say("resolved", f"found out: {handle.client_order_id} is there")
            self._tell(handle.snapshot)

    async def _cancel_oldest(self) -> None:
        if self._resting:
            await self._cancel(self._resting.pop(0))

    # -- how -------------------------------------------------------------------------------------------------------
    async def _arm(self, fault: Fault) -> FaultRule:
        return await self._stage.control.add_fault(FaultRule(fault=fault, venue=VENUE, method="POST", path=ORDER_PATH))

    async def _place(
        self, symbol: str, kind: str, side: str, price: Decimal | None, params: dict[str, Any] | None = None
    ) -> None:
        amount = self._sent(symbol, kind, side, price, params or {})
        try:
            handle = await self._exchange.create_order(symbol, kind, side, amount, price, params or {})
        except OrderUnknown:
            raise
        except PlanarError as error:
            if error.outcome is not Outcome.REFUSED:
                raise
            self._say("refused", error.message)
            return
        self._tell(handle.snapshot)
        if not handle.is_done:
            self._resting.append(handle)

    async def _cancel(self, handle: OrderHandle) -> None:
        try:
            self._tell(await self._exchange.cancel_order(handle.client_order_id, handle.symbol))
        except OrderNotFound:
            self._tell(await handle.settled(SETTLE_S))

    async def _clear(self) -> None:
        """Cancel what is open and wait for what is not known."""
        while self._resting:
            await self._cancel(self._resting.pop(0))
        if self._lost is not None:
            await self._lost

    def _price(self, side: str, symbol: str, factor: str) -> Decimal:
        """A multiple of the tick: the best price of the order's own side, times `factor`."""
        row = self._rows[symbol]
        best = row.bid if side == "buy" else row.ask
        tick = row.market.precision.price
        assert best is not None
        assert tick is not None
        return _floor(Decimal(repr(best)) * Decimal(factor), tick)

    def _amount(self, side: str, symbol: str) -> Decimal:
        row = self._rows[symbol]
        lot = row.market.precision.amount
        assert lot is not None
        return _floor(NOTIONAL / self._price(side, symbol, "1"), lot)

    def _sent(self, symbol: str, kind: str, side: str, price: Decimal | None, params: dict[str, Any]) -> Decimal | None:
        """Tell that an order goes out; its amount, None if it is sized by its cost."""
        amount = None if "cost" in params else self._amount(side, symbol)
        size = f"for {params['cost']}" if amount is None else f"{amount.normalize():f}"
        where = "at the market" if kind == "market" else f"at {price:f}"
        words = [f"{side} {size} {symbol} {where}", *(["post-only"] if "postOnly" in params else [])]
        self._say("sent", ", ".join([*words, *([params["timeInForce"]] if "timeInForce" in params else [])]))
        return amount

    def _tell(self, order: Order) -> None:
        filled = order.filled if order.filled is not None else Decimal(0)
        kind = {"filled": "filled", "open": "open"}.get(order.state.value, "canceled")
        text = f"{order.side} {order.symbol} is {order.state.value}"
        if filled:
            average = "" if order.average is None else f" at {round(order.average, 8).normalize():f}"
            text += f": {filled.normalize():f}{average}"
        self._say(kind, text)

    def _say(self, kind: str, text: str) -> None:
        self._on_entry(Entry(self.elapsed_s, kind, text))


def _floor(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_DOWN) * step
