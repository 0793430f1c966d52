"""The emergency stop: every open order of an account canceled, and verified by asking the venue again.

It stands on the adapter alone: it needs no journal, no stream and no market data. Every request goes with the priority of
cancels, so what the budget keeps for them and an open breaker do not hold it up; what fails is tried again until the
deadline. What a request did not tell is told by the next list of open orders.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef
from planar.errors import ExchangeError, OrderNotFound, Outcome, PlanarError, RateLimitExceeded
from planar.models import Order
from planar.transport.context import urgent

AT_ONCE: Final = 8
"""Cancels under way at the same time."""
REQUEST_MS: Final = 5_000
"""What one request of a stop may take at most: a stop that hangs is tried again."""
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 2.0

Heard = Callable[[Order], None]


class Left(msgspec.Struct, frozen=True):
    """What a stop could not end.

    Attributes:
        what: the order's market and id, or the currency that is still held.
        reason: why.
    """

    what: str
    reason: str


class StopReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a stop.

    Attributes:
        exchange, environment, account: of what.
        verified: the venue itself listed no open order at the end, and nothing that was to be closed is left.
        canceled: ids of the orders that were open before and are not any more.
        left: what is still there.
        closed: what was sold or bought back at the market, one line each.
        asked: how often the venue was asked for its open orders.
        by_market: the last question was put to the markets that had orders, since the budget allowed no more.
        took_ms: all in all.
        error: why the venue could not be asked at the end; "" if it could.
    """

    exchange: str
    environment: str = ""
    account: str = ""
    verified: bool
    canceled: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    closed: tuple[str, ...] = ()
    asked: int = 0
    by_market: bool = False
    took_ms: float = 0.0
    error: str = ""


class Stopper:
    """One stop of one account.

    Args:
        heard: told of every order that a cancel shows.
    """

    def __init__(self, adapter: Adapter, *, within_s: float, heard: Heard | None = None) -> None:
        self._adapter = adapter
        self._due_s = runtime.monotonic() + within_s
        self._heard = heard
        self._reasons: dict[str, str] = {}
        self._wholesale = True
        self._by_market = False

    async def run(self) -> StopReport:
        """Cancel until none is left or the time is over. Raises nothing of the venue's: the report says it."""
        with urgent():
            return await self._run()

    async def _run(self) -> StopReport:
        began_s, asked, pause_s, error = runtime.monotonic(), 0, FIRST_PAUSE_S, ""
        seen: dict[str, Order] = {}
        found: list[Order] | None = None
        while True:
            try:
                asked += 1
                found = await self._list(list(seen.values()))
                error = ""
            except PlanarError as failure:
                found, error = None, f"{type(failure).__name__}: {failure.message}"
                if isinstance(failure, ExchangeError) and not failure.retryable:
                    break  # a key that may not, an account that is closed: asking again changes nothing
                pause_s = max(pause_s, min(failure.retry_after_s or 0.0, self._left_s()))
            else:
                if not found:
                    break
                seen.update((name_of(order), order) for order in found)
                await self._cancel(found)
            if self._left_s() <= pause_s:
                break
            await runtime.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        if found:
            found, asked, error = await self._last_look(found), asked + 1, ""
        open_now = {name_of(order): order for order in found or ()}
        left = [Left(name, self._reasons.get(name, "it is open again")) for name in open_now]
        if found is None:
            left = [Left(name, self._reasons.get(name, "whether it is open is not known")) for name in seen]
        gone = () if found is None else tuple(name for name in seen if name not in open_now)
        return StopReport(
            exchange=self._adapter.id,
            verified=found is not None and not found,
            canceled=gone,
            left=tuple(left),
            asked=asked,
            took_ms=(runtime.monotonic() - began_s) * 1000,
            by_market=self._by_market,
            error=error,
        )

    async def _list(self, seen: list[Order]) -> list[Order]:
        """All open orders; if what is left of the budget does not allow that, those of the markets that had some."""
        try:
            self._by_market = False
            return await self._adapter.fetch_open_orders(None, {}, timeout_ms=self._allowed_ms())
        except RateLimitExceeded as error:
            if error.outcome is not Outcome.NOT_SENT or not seen:
                raise
        self._by_market = True
        found: list[Order] = []
        for symbol in dict.fromkeys(order.symbol for order in seen):
            found += await self._adapter.fetch_open_orders(symbol, {}, timeout_ms=self._allowed_ms())
        return found

    async def _last_look(self, found: list[Order]) -> list[Order]:
        """What is open at the end of the time; what was open before, if the venue does not answer."""
        try:
            return await self._adapter.fetch_open_orders(None, {}, timeout_ms=1_000)
        except PlanarError:
            return found

    async def _cancel(self, orders: list[Order]) -> None:
        """By one request for each market where there are many, then each that is left by its own."""
        if self._wholesale and len(orders) > AT_ONCE:
            self._wholesale = False  # one by one from then on: an order that cannot go must not keep the others
            symbols = list(dict.fromkeys(order.symbol for order in orders))
            try:
                for symbol in symbols[:1] if self._adapter.profile.cancels_whole_account else symbols:
                    await self._adapter.cancel_all(symbol, timeout_ms=self._allowed_ms())
                return
            except PlanarError as error:
                self._note(orders, error)
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._cancel_one(order, gate) for order in orders))

    async def _cancel_one(self, order: Order, gate: asyncio.Semaphore) -> None:
        async with gate:
            ref = OrderRef(order.symbol, order_id=order.id, client_id=order.client_order_id)
            try:
                shown = await self._adapter.cancel(ref, {}, timeout_ms=self._allowed_ms())
            except OrderNotFound:
                return  # it ended meanwhile; the next list says so
            except PlanarError as error:
                self._note([order], error)
                return
            if shown is not None and self._heard is not None:
                self._heard(shown)

    def _note(self, orders: list[Order], error: PlanarError) -> None:
        for order in orders:
            self._reasons[name_of(order)] = f"{type(error).__name__}: {error.message}"

    def _left_s(self) -> float:
        return self._due_s - runtime.monotonic()

    def _allowed_ms(self) -> int:
        return max(1, min(REQUEST_MS, int(self._left_s() * 1000)))


def name_of(order: Order) -> str:
    """An order in a report: its market and the venue's id."""
    return f"{order.symbol} {order.id or order.client_order_id}"
