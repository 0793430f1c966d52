"""Taking orders back: a cancel by id may be sent again, and is, until its deadline. One that the venue has confirmed is
never sent again: from then on only the order itself is asked for.

Each runs in a task of its own: whoever asked for it may leave, and what became of the order is journaled all the same.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef
from planar.errors import OperationFailed, OrderNotFound, Outcome, PlanarError, RequestTimeout
from planar.models import Order, OrderState
from planar.orders import points
from planar.orders.store import OrderStore
from planar.orders.tasks import Tasks
from planar.transport.context import RequestRecord

T = TypeVar("T")

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0


class _Cancel:
    """One cancel under way.

    Attributes:
        due_s: monotonic seconds at which its time is over.
        failed: the requests of the tries that failed.
        sent: how often it was tried.
        closing: whether nothing is tried again any more.
    """

    def __init__(self, limit_s: float, closing: Callable[[], bool]) -> None:
        self.limit_s = limit_s
        self.due_s = runtime.monotonic() + limit_s
        self.failed: list[RequestRecord] = []
        self.sent = 0
        self.closing = closing

    @property
    def left_s(self) -> float:
        return self.due_s - runtime.monotonic()

    def left_ms(self, most_s: float | None = None) -> int:
        """Milliseconds for the next request, at most `most_s`; 1 if none are left, so that it fails as too late."""
        return max(1, int((self.left_s if most_s is None else min(self.left_s, most_s)) * 1000))

    async def insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until there is an answer, a refusal for good, or no time; what is raised last is the last failure."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return await ask()
            except PlanarError as error:
                self.failed += error.requests
                again = error.retryable or error.outcome is Outcome.UNKNOWN
                wait_s = max(pause_s, error.retry_after_s or 0.0) * runtime.current().random.uniform(0.8, 1.2)
                if isinstance(error, OrderNotFound) or not again or self.closing() or wait_s >= self.left_s:
                    raise
                await runtime.sleep(wait_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


class Canceller:
    """Cancels the orders of one account, those of other programs too."""

    def __init__(self, adapter: Adapter, store: OrderStore, tasks: Tasks, timeout_ms: int) -> None:
        self._adapter = adapter
        self._store = store
        self._tasks = tasks
        self._timeout_ms = timeout_ms
        self._numbers = itertools.count(1)
        self._closing = False

    async def cancel(self, ref: OrderRef, *, params: Mapping[str, Any], timeout_ms: int | None) -> Order:
        """Cancel an order by its id or ours; tried again until the deadline. Returns the order's last state.

        A caller who is cancelled leaves; the cancel goes on.

        Raises:
            OrderNotFound: the venue knows no open order of that name; the message says what became of it.
            PlanarError: it could not be done in time; `outcome` says what is known: OK, if the venue confirmed it and
                then only the order's last state could not be had. `requests` are those of all tries that failed.
        """
        points.reached(points.CANCEL_CALLED)
        cancel = _Cancel((timeout_ms or self._timeout_ms) / 1000, lambda: self._closing)
        found: list[Order] = []

        async def work() -> None:
            try:
                found.append(await self._carry(cancel, ref, params))
            except PlanarError as error:
                error.requests = tuple(dict.fromkeys((*cancel.failed, *error.requests)))
                raise
            points.reached(points.CANCEL_JOURNALED)

        # several cancels of one order may be under way: the tasks have numbers
        await asyncio.shield(self._tasks.start(f"cancel {next(self._numbers)}", work()))
        return found[0]

    async def close(self) -> None:
        """Let requests that are under way end, so that what became of their orders is journaled; none is tried again."""
        self._closing = True
        under_way = list(self._tasks.of("cancel").values())
        if under_way:
            await asyncio.wait(under_way)

    async def _carry(self, cancel: _Cancel, ref: OrderRef, params: Mapping[str, Any]) -> Order:
        async def send() -> Order | None:
            cancel.sent += 1
            return await self._adapter.cancel(ref, params, timeout_ms=cancel.left_ms(max(cancel.limit_s / 3, 1.0)))

        try:
            shown = await cancel.insist(send)
        except OrderNotFound as error:
            return await self._not_found(cancel, ref, error)
        points.reached(points.CANCEL_ANSWERED)
        order = shown or await self._look_up(cancel, ref)
        self._store.observe_quietly(order, "cancel")
        return order

    async def _not_found(self, cancel: _Cancel, ref: OrderRef, error: OrderNotFound) -> Order:
        """After a retried cancel, "unknown order" may be the success of the first try: the order itself tells.

        If it cannot in the time that is left, the refusal of a first try stands; after a second nothing is certain.
        """
        retried = cancel.sent > 1
        try:
            order = await self._adapter.query_order(ref, {}, timeout_ms=cancel.left_ms())
        except OperationFailed as failure:
            if retried:
                failure.outcome = Outcome.UNKNOWN
                failure.message = f"whether a cancel that was sent has done it is not known: {failure.message}"
                raise
            raise error from failure
        if order is None:
            raise error
        self._store.observe_quietly(order, "cancel")
        if retried and order.state is OrderState.CANCELED:
            return order
        raise OrderNotFound(
            f"{error.message} (it is {order.state.value}, filled {order.filled})",
            exchange=error.exchange,
            code=error.code,
            http_status=error.http_status,
        ) from error

    async def _look_up(self, cancel: _Cancel, ref: OrderRef) -> Order:
        """The order after a cancel that the venue confirmed without showing it."""

        async def ask() -> Order:
            order = await self._adapter.query_order(ref, {}, timeout_ms=cancel.left_ms())
            if order is None:
                raise RequestTimeout("the venue does not show the order", exchange=self._adapter.id)
            return order

        try:
            return await cancel.insist(ask)
        except OperationFailed as failure:
            failure.outcome = Outcome.OK  # of the cancel
            failure.message = f"the cancel is confirmed, but what became of the order is not known: {failure.message}"
            raise
