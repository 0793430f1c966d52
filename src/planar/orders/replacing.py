"""Replacing an order in two steps, where the venue has no request for it: cancel, then create.

Both halves are one intent. The new order is in the journal before the old one is touched, and names it; it is sent only
after the venue has shown that the old one was canceled. What dies between the halves leaves an intent that was certainly
not sent: nothing is doubled, and the same `intent_id` takes up the second half.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef, OrderRequest
from planar.errors import InvalidOrder, OrderNotFound, Outcome, PlanarError, RequestTimeout
from planar.models import Order, OrderState
from planar.orders import points
from planar.orders.cancelling import Canceller
from planar.orders.events import Acked, Sending
from planar.orders.store import OrderStore

Alone = Callable[[OrderRequest, int], Awaitable[Order]]


class Replacer:
    """Replaces orders of one account in two steps.

    Args:
        alone: sends one order by a request of its own.
    """

    def __init__(self, adapter: Adapter, store: OrderStore, canceller: Canceller, alone: Alone) -> None:
        self._adapter = adapter
        self._exchange = adapter.id
        self._store = store
        self._canceller = canceller
        self._alone = alone

    def check(self, request: OrderRequest) -> None:
        """Refuse to replace an order of which nobody knows whether it exists.

        Raises:
            InvalidOrder: NOT_SENT.
        """
        old = self._store.find(request.symbol, request.replaces or "")
        if old is not None and self._store.state(old) in (OrderState.UNKNOWN, OrderState.PENDING):
            raise InvalidOrder(
                f"order {old} cannot be replaced: nobody knows yet whether the exchange has it",
                exchange=self._exchange,
                outcome=Outcome.NOT_SENT,
                hint="wait for `await order.resolved()`, it is being looked into",
            )

    def way(self, *, again: bool) -> Alone:
        """How such an order is sent.

        Args:
            again: the same wish was made before, and its order was certainly not sent; the old order may be canceled.
        """

        async def send(request: OrderRequest, timeout_ms: int) -> Order:
            started = runtime.monotonic()
            await self._cancel(request, timeout_ms, again=again)
            points.reached(points.REPLACED_CANCELED)
            left_ms = timeout_ms - int((runtime.monotonic() - started) * 1000)
            if left_ms <= 0:
                raise RequestTimeout(
                    f"order {request.replaces} was canceled, and no time was left for the new one",
                    exchange=self._exchange,
                    outcome=Outcome.NOT_SENT,
                    hint="ask again with the same intent_id, or create the new order",
                )
            return await self._alone(msgspec.structs.replace(request, replaces=None), left_ms)

        return send

    async def _cancel(self, request: OrderRequest, timeout_ms: int, *, again: bool) -> None:
        """Cancel the old order, and have the venue show that.

        Raises:
            PlanarError: NOT_SENT: the new order was not sent. It says what is known of the old one.
        """
        self.check(request)
        name, started = request.replaces or "", runtime.monotonic()
        old = self._store.find(request.symbol, name)
        ref = OrderRef(request.symbol, order_id=name, client_id=old)
        if old is not None:
            self._store.record(Sending(client_id=old, wall_ms=runtime.wall_ms(), action="cancel"))
        try:
            order = await self._canceller.cancel(ref, params={}, timeout_ms=max(1, timeout_ms * 2 // 3))
            if order.state is OrderState.OPEN:
                left_ms = max(1, timeout_ms - int((runtime.monotonic() - started) * 1000))
                order = await self._look(ref, left_ms) or order
        except OrderNotFound as error:
            if again and await self._was_canceled(ref, timeout_ms):
                return
            raise self._not_sent(error, f"order {name} was not there to be replaced") from error
        except PlanarError as error:
            raise self._not_sent(error, f"whether order {name} was canceled is not known") from error
        if order.state is not OrderState.CANCELED:
            raise self._not_sent(
                RequestTimeout("", exchange=self._exchange), f"order {name} is {order.state.value}, not canceled"
            )
        if old is not None:
            self._store.keep(Acked(client_id=old, wall_ms=runtime.wall_ms(), action="cancel", order_id=order.id))

    async def _look(self, ref: OrderRef, timeout_ms: int) -> Order | None:
        order = await self._adapter.query_order(ref, {}, timeout_ms=timeout_ms)
        if order is not None:
            self._store.observe_quietly(order, "query")
        return order

    async def _was_canceled(self, ref: OrderRef, timeout_ms: int) -> bool:
        order = await self._look(ref, timeout_ms)
        return order is not None and order.state is OrderState.CANCELED

    def _not_sent(self, error: PlanarError, what: str) -> PlanarError:
        """The failure of the first half, as that of an order that was not sent."""
        made = type(error)(
            f"{what}; the new order was not sent" + (f": {error.message}" if error.message else ""),
            exchange=self._exchange,
            outcome=Outcome.NOT_SENT,
            code=error.code,
            http_status=error.http_status,
            hint="fetch_order shows what became of the old order; asked again with the same intent_id, it goes on from "
            "where it was",
        )
        made.requests = error.requests
        return made
