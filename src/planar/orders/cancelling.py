"""Taking orders back: a cancel by id may be sent again, and is, until its deadline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef
from planar.errors import OperationFailed, OrderNotFound, Outcome, PlanarError, RequestTimeout
from planar.models import Order, OrderState
from planar.orders import points
from planar.orders.store import OrderStore


class Canceller:
    """Cancels the orders of one account, those of other programs too."""

    def __init__(self, adapter: Adapter, store: OrderStore, timeout_ms: int) -> None:
        self._adapter = adapter
        self._store = store
        self._timeout_ms = timeout_ms

    async def cancel(self, ref: OrderRef, *, params: Mapping[str, Any], timeout_ms: int | None) -> Order:
        """Cancel an order by its id or ours; tried again until the deadline. Returns the order's last state.

        Raises:
            OrderNotFound: the venue knows no open order of that name; the message says what became of it.
            PlanarError: it could not be done in time; `outcome` says what is known.
        """
        points.reached(points.CANCEL_CALLED)
        limit_s = (timeout_ms or self._timeout_ms) / 1000
        started = runtime.monotonic()
        attempt, pause_s = 0, 0.05
        while True:
            attempt += 1
            left_s = limit_s - (runtime.monotonic() - started)
            try:
                shown = await self._adapter.cancel(
                    ref, params, timeout_ms=max(1, int(min(left_s, max(limit_s / 3, 1.0)) * 1000))
                )
                points.reached(points.CANCEL_ANSWERED)
                order = shown or await self._look_up(ref, left_s)
                self._store.observe_quietly(order, "cancel")
                points.reached(points.CANCEL_JOURNALED)
                return order
            except OrderNotFound as error:
                left_s = limit_s - (runtime.monotonic() - started)
                return await self._not_found(ref, error, left_s, retried=attempt > 1)
            except PlanarError as error:
                again = error.retryable or error.outcome is Outcome.UNKNOWN
                wait_s = max(pause_s, error.retry_after_s or 0.0) * runtime.current().random.uniform(0.8, 1.2)
                left_s = limit_s - (runtime.monotonic() - started)
                if not again or wait_s >= left_s:
                    raise
                await runtime.sleep(wait_s)
                pause_s = min(pause_s * 2, 1.0)

    async def _not_found(self, ref: OrderRef, error: OrderNotFound, left_s: float, *, retried: bool) -> Order:
        """After a retried cancel, "unknown order" may be the success of the first try: the order itself tells.

        If it cannot in the time that is left, the refusal of a first try stands; after a second nothing is certain.
        """
        try:
            order = await self._adapter.query_order(ref, {}, timeout_ms=max(1, int(left_s * 1000)))
        except OperationFailed as failure:
            if retried:
                failure.outcome = Outcome.UNKNOWN
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

    async def _look_up(self, ref: OrderRef, left_s: float) -> Order:
        try:
            order = await self._adapter.query_order(ref, {}, timeout_ms=max(1, int(left_s * 1000)))
        except OperationFailed as failure:
            failure.outcome = Outcome.OK  # of the cancel: it was confirmed
            raise
        if order is None:
            raise RequestTimeout(
                "the cancel was confirmed, but the venue does not show the order", outcome=Outcome.UNKNOWN
            )
        return order
