"""One order on its way: SENDING is journaled, bytes leave, the answer or its absence is journaled.

Runs in the order's own task: whoever asked for the order may leave at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRequest
from planar.errors import AuthenticationError, MarketClosed, OrderUnknown, Outcome, PlanarError
from planar.models import Order, OrderState
from planar.orders import points
from planar.orders.events import Acked, NotSent, Refused, Sending, Unknown
from planar.orders.handle import OrderHandle
from planar.orders.store import OrderStore
from planar.orders.tasks import Tasks
from planar.orders.view import events_of
from planar.transport.account_log import account_log

log = account_log("planar.orders")

Send = Callable[[OrderRequest, int], Awaitable[Order]]
"""Sends an order within so many milliseconds."""


class Submitter:
    """Sends the orders of one account.

    Attributes:
        on_refused: told of each error by which the exchange refused an order.

    Args:
        handle: makes the handle that is given to whoever has to wait.
        resolve: looks into an unknown order from now on.
        refresh: asks the venue for an order of the journal.
    """

    def __init__(
        self,
        adapter: Adapter,
        store: OrderStore,
        tasks: Tasks,
        timeout_ms: int,
        *,
        handle: Callable[[str], OrderHandle],
        resolve: Callable[[str], None],
        refresh: Callable[[str], Awaitable[Order]],
    ) -> None:
        self._adapter = adapter
        self._store = store
        self._tasks = tasks
        self._timeout_ms = timeout_ms
        self._handle = handle
        self._resolve = resolve
        self._refresh = refresh
        self.on_refused: Callable[[PlanarError], None] | None = None
        self._closing = False
        self._closed_s: dict[str, float] = {}
        self._key_refused_s: float | None = None

    def closed_for_s(self, symbol: str) -> float | None:
        """How long ago the venue last refused an order since the market does not trade; None: the last was not."""
        since_s = self._closed_s.get(symbol)
        return None if since_s is None else runtime.monotonic() - since_s

    def key_refused_for_s(self) -> float | None:
        """How long ago the venue last refused an order for its key or signature; None: the last was not."""
        return None if self._key_refused_s is None else runtime.monotonic() - self._key_refused_s

    async def submit(self, request: OrderRequest, timeout_ms: int | None, send: Send | None = None) -> None:
        """Send a journaled order and journal what became of it; what is unknown is looked into until the deadline.

        Args:
            send: how it is sent; None: by a request of its own.

        Raises:
            OrderUnknown: the venue may have it.
            PlanarError: otherwise; there is no such order.
        """
        client_id = request.client_id
        limit_ms = timeout_ms or self._timeout_ms
        started = runtime.monotonic()
        try:
            order = await (send or self.send_alone)(request, limit_ms)
        except PlanarError as error:
            left_s = limit_ms / 1000 - (runtime.monotonic() - started)
            await self._failed(request, error, left_s)
        else:
            self._closed_s.pop(request.symbol, None)
            self._key_refused_s = None
            points.reached(points.ANSWER_READ)
            now_ms = runtime.wall_ms()
            self._store.remember(client_id, order)
            self._store.keep(
                Acked(client_id=client_id, wall_ms=now_ms, order_id=order.id), *events_of(order, client_id, "answer")
            )
            points.reached(points.ANSWER_JOURNALED)
        finally:
            if request.replaces is not None:
                self._refresh_replaced(request)

    async def send_alone(self, request: OrderRequest, timeout_ms: int) -> Order:
        """By a request of its own."""
        return await self._adapter.submit(
            request, timeout_ms=timeout_ms, on_send=lambda: self.journal_sending(request.client_id)
        )

    def journal_sending(self, *client_ids: str) -> Awaitable[None] | None:
        """Journal that bytes leave next; what is given back is to be awaited before they do."""
        now_ms = runtime.wall_ms()
        self._store.record(
            *(Sending(client_id=name, wall_ms=now_ms, expiry_ms=self._adapter.expiry_ms(name)) for name in client_ids)
        )
        points.reached(points.SENDING_JOURNALED)
        return self._store.journal.durable()

    async def _failed(self, request: OrderRequest, error: PlanarError, left_s: float) -> None:
        """Journal what the error means; an unknown outcome is looked into for what is left of the deadline."""
        client_id, now_ms, reason = request.client_id, runtime.wall_ms(), f"{type(error).__name__}: {error.message}"
        if error.outcome is Outcome.NOT_SENT:
            self._store.keep(NotSent(client_id=client_id, wall_ms=now_ms, reason=reason))
            raise error
        if error.outcome is Outcome.REFUSED:
            if isinstance(error, MarketClosed):
                self._closed_s[request.symbol] = runtime.monotonic()
            elif isinstance(error, AuthenticationError):
                self._key_refused_s = runtime.monotonic()
            self._store.keep(Refused(client_id=client_id, wall_ms=now_ms, code=error.code, reason=reason))
            if self.on_refused is not None:
                self.on_refused(error)
            raise error
        log.warning("order %s may or may not exist, it is being looked into: %s", client_id, reason)
        self._store.keep(Unknown(client_id=client_id, wall_ms=now_ms, reason=reason))
        self._resolve(client_id)
        handle = self._handle(client_id)
        if left_s > 0:
            try:
                order = await handle.resolved(left_s)
            except OrderUnknown:
                pass
            except asyncio.CancelledError:
                if not self._closing:
                    raise
            else:
                if order.state is OrderState.NEVER_ACCEPTED:
                    error.outcome = Outcome.REFUSED
                    error.message += " (the venue's own records prove that the order was never accepted)"
                    raise error
                return
        unknown = OrderUnknown(
            f"the venue may have taken order {client_id}: {error.message}",
            exchange=self._adapter.id,
            client_id=client_id,
            order=handle,
            hint="do not send it again; wait for `await error.order.resolved()`, it is being looked into",
        )
        unknown.requests = error.requests
        raise unknown from error

    def _refresh_replaced(self, request: OrderRequest) -> None:
        old = self._store.find(request.symbol, request.replaces or "")
        if old is not None:
            self._tasks.start(f"refresh {old}", self._refresh_quietly(old))

    async def _refresh_quietly(self, client_id: str) -> None:
        try:
            await self._refresh(client_id)
        except PlanarError as error:
            log.info("order %s could not be looked up after it was replaced: %s", client_id, error)

    async def close(self) -> None:
        """Let submissions end, so that their outcome is journaled; one that is journaled as unknown is not waited for."""
        self._closing = True
        under_way = self._tasks.of("submit")
        for client_id, task in under_way.items():
            if "unknown" in self._store.facts(client_id).marks:
                task.cancel()
        if under_way:
            await asyncio.wait(list(under_way.values()))
