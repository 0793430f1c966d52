"""`OrderManager`: the only way to send an order.

    place:  check -> READY -> INTENT journaled -> budget, signature -> SENDING journaled -> bytes leave -> answer -> journaled

From the journal on the submission is a task of its own: cancelling the caller does not cancel it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef, OrderRequest
from planar.errors import InvalidOrder, JournalError, OrderNotFound, OrderUnknown, Outcome, PlanarError, RequestTimeout
from planar.models import Order, OrderState
from planar.orders import points
from planar.orders.events import Acked, ByHand, Intent, NotSent, Refused, Sending, Unknown
from planar.orders.handle import OrderHandle
from planar.orders.ids import ClientIds
from planar.orders.journal import Journal
from planar.orders.reconcile import Reconciliation, reconcile
from planar.orders.resolver import Resolver
from planar.orders.store import OrderStore
from planar.orders.view import events_of
from planar.transport.alarms import Alarms

log = logging.getLogger("planar.orders")

NOTHING: Mapping[str, Any] = {}

NO_ORDER = (OrderState.REJECTED, OrderState.NEVER_ACCEPTED)
"""States that prove that nothing of a wish stands or stood in the venue's book."""

DECIDABLE = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.NEVER_ACCEPTED)
"""What a person may decide an unknown order to be."""


class OrderManager:
    """The orders of one account: journal, machines, submission, resolver, reconciliation."""

    def __init__(
        self, adapter: Adapter, journal_path: Path, timeout_ms: int, alarms: Alarms | None = None, account: str = ""
    ) -> None:
        self._adapter = adapter
        self._timeout_ms = timeout_ms
        self._journal = Journal(journal_path)
        self._ids: ClientIds | None = None
        self._ready: asyncio.Task[Reconciliation] | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = False
        self.store = OrderStore(self._journal)
        self._resolver = Resolver(adapter, self.store, timeout_ms, alarms or Alarms(), account)

    # -- readiness -------------------------------------------------------------------------------------------------
    async def ready(self) -> Reconciliation:
        """Open the journal and reconcile it with the venue, once. A failure is told to whoever asked; the next tries
        again.

        Raises:
            JournalLocked, JournalError: the journal is not to be had.
            PlanarError: the venue could not be asked.
        """
        if self._ready is None:
            self._ready = runtime.spawn(self._make_ready(), name="orders: reconcile")
        task = self._ready
        if task.done() and not task.cancelled() and task.exception() is None:
            return task.result()
        try:
            return await asyncio.shield(task)
        except (PlanarError, asyncio.CancelledError):
            if task.done() and self._ready is task:
                self._ready = None
            raise

    async def _make_ready(self) -> Reconciliation:
        if self._ids is None:
            self._journal.open()
            try:
                self.store.replay()
            except JournalError:
                self._journal.close()
                raise
            self._ids = ClientIds(self._adapter.profile.client_id, self._journal.id)
        found = await reconcile(self._adapter, self.store, self._ids, self._timeout_ms)
        for client_id in found.unknown:
            self._resolve(client_id)
        return found

    # -- placing ---------------------------------------------------------------------------------------------------
    async def place(self, request: OrderRequest, *, intent_id: str = "", timeout_ms: int | None = None) -> OrderHandle:
        """Send one order, at most once in its life; `request.client_id` is given here.

        Args:
            request: complete and checked, without a client id.
            intent_id: the user's name for this wish; asked again with an equal one, the same order is returned. If it
                is certain that there is none (not sent, refused, never accepted), the wish is sent anew.

        Raises:
            OrderUnknown: the venue may have it. Its `order` can be waited for; nothing is to be sent again.
            PlanarError: otherwise, with outcome NOT_SENT or REFUSED: the order does not exist.
        """
        points.reached(points.CREATE_CALLED)
        await self.ready()
        known = self.store.by_intent(intent_id) if intent_id else None
        if known is not None and self.store.state(known) not in NO_ORDER:
            return OrderHandle(self, known)
        assert self._ids is not None
        client_id = self._ids.make(self._journal.next_number())
        self.store.record(_intent(request, client_id, intent_id))
        points.reached(points.INTENT_JOURNALED)
        request = msgspec.structs.replace(request, client_id=client_id)
        submission = self._keep(
            f"submit {client_id}", runtime.spawn(self._submit(request, timeout_ms), name=f"orders: submit {client_id}")
        )
        # the caller may leave; the order's own task goes on
        await asyncio.shield(submission)
        return OrderHandle(self, client_id)

    async def _submit(self, request: OrderRequest, timeout_ms: int | None) -> None:
        client_id = request.client_id
        limit_ms = timeout_ms or self._timeout_ms
        started = runtime.monotonic()
        try:
            order = await self._adapter.submit(
                request, timeout_ms=limit_ms, on_send=lambda: self._journal_sending(client_id)
            )
        except PlanarError as error:
            left_s = limit_ms / 1000 - (runtime.monotonic() - started)
            await self._failed(request, error, left_s)
        else:
            points.reached(points.ANSWER_READ)
            now_ms = runtime.wall_ms()
            self.store.remember(client_id, order)
            self.store.record(
                Acked(client_id=client_id, wall_ms=now_ms, order_id=order.id), *events_of(order, client_id, "answer")
            )
            points.reached(points.ANSWER_JOURNALED)
        finally:
            if request.replaces is not None:
                self._refresh_replaced(request)

    def _journal_sending(self, client_id: str) -> None:
        expiry_ms = self._adapter.expiry_ms(client_id)
        self.store.record(Sending(client_id=client_id, wall_ms=runtime.wall_ms(), expiry_ms=expiry_ms))
        points.reached(points.SENDING_JOURNALED)

    async def _failed(self, request: OrderRequest, error: PlanarError, left_s: float) -> None:
        """Journal what the error means; an unknown outcome is looked into for what is left of the deadline."""
        client_id, now_ms, reason = request.client_id, runtime.wall_ms(), f"{type(error).__name__}: {error.message}"
        if error.outcome is Outcome.NOT_SENT:
            self.store.record(NotSent(client_id=client_id, wall_ms=now_ms, reason=reason))
            raise error
        if error.outcome is Outcome.REFUSED:
            self.store.record(Refused(client_id=client_id, wall_ms=now_ms, code=error.code, reason=reason))
            raise error
        log.warning("order %s may or may not exist, it is being looked into: %s", client_id, reason)
        self.store.record(Unknown(client_id=client_id, wall_ms=now_ms, reason=reason))
        self._resolve(client_id)
        handle = OrderHandle(self, client_id)
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
        raise OrderUnknown(
            f"the venue may have taken order {client_id}: {error.message}",
            exchange=self._adapter.id,
            client_id=client_id,
            order=handle,
            hint="do not send it again; wait for `await error.order.resolved()`, it is being looked into",
        ) from error

    def _refresh_replaced(self, request: OrderRequest) -> None:
        old = self.store.find(request.symbol, request.replaces or "")
        if old is not None:
            self._keep(f"refresh {old}", runtime.spawn(self._refresh_quietly(old), name=f"orders: refresh {old}"))

    async def _refresh_quietly(self, client_id: str) -> None:
        try:
            await self.refresh(client_id)
        except PlanarError as error:
            log.info("order %s could not be looked up after it was replaced: %s", client_id, error)

    # -- cancelling ------------------------------------------------------------------------------------------------
    async def cancel(
        self, ref: OrderRef, *, params: Mapping[str, Any] = NOTHING, timeout_ms: int | None = None
    ) -> Order:
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
                self._observe(order, "cancel")
                points.reached(points.CANCEL_JOURNALED)
                return order
            except OrderNotFound as error:
                return await self._not_found(ref, error, retried=attempt > 1)
            except PlanarError as error:
                again = error.retryable or error.outcome is Outcome.UNKNOWN
                wait_s = max(pause_s, error.retry_after_s or 0.0) * runtime.current().random.uniform(0.8, 1.2)
                left_s = limit_s - (runtime.monotonic() - started)
                if not again or wait_s >= left_s:
                    raise
                await runtime.sleep(wait_s)
                pause_s = min(pause_s * 2, 1.0)

    async def _not_found(self, ref: OrderRef, error: OrderNotFound, *, retried: bool) -> Order:
        """After a retried cancel, "unknown order" may be the success of the first try: the order itself tells."""
        order = await self._adapter.query_order(ref, {}, timeout_ms=self._timeout_ms)
        if order is None:
            raise error
        self._observe(order, "cancel")
        if retried and order.state is OrderState.CANCELED:
            return order
        raise OrderNotFound(
            f"{error.message} (it is {order.state.value}, filled {order.filled})",
            exchange=error.exchange,
            code=error.code,
            http_status=error.http_status,
        ) from error

    async def _look_up(self, ref: OrderRef, left_s: float) -> Order:
        order = await self._adapter.query_order(ref, {}, timeout_ms=max(1, int(left_s * 1000)))
        if order is None:
            raise RequestTimeout(
                "the cancel was confirmed, but the venue does not show the order", outcome=Outcome.UNKNOWN
            )
        return order

    def decide(self, client_id: str, state: OrderState, reason: str) -> Order:
        """A person says what became of an order that the venue does not tell about. Journaled; what the venue shows
        later goes above it, and is an alarm.

        Raises:
            InvalidOrder: this journal has no unknown order of that name, or the state or the reason does not end it.
        """
        refuse: str | None = None
        if not self.store.knows(client_id) or self.store.state(client_id) is not OrderState.UNKNOWN:
            refuse = f"{client_id} is no unknown order of this journal"
        elif state not in DECIDABLE:
            refuse = f"{state.value} is no end; it is one of {', '.join(one.value for one in DECIDABLE)}"
        elif not reason.strip():
            refuse = "a decision needs a reason: what was looked at, and where"
        if refuse is not None:
            raise InvalidOrder(refuse, outcome=Outcome.NOT_SENT, exchange=self._adapter.id)
        word = "rejected" if state is OrderState.NEVER_ACCEPTED else state.value
        self.store.record(ByHand(client_id=client_id, wall_ms=runtime.wall_ms(), status=word, reason=reason))
        return self.store.order(client_id)

    # -- looking ---------------------------------------------------------------------------------------------------
    async def refresh(self, client_id: str) -> Order:
        """Ask the venue for an order of this journal and take in what it shows."""
        facts = self.store.facts(client_id)
        assert facts.intent is not None
        ref = OrderRef(facts.intent.symbol, order_id=facts.order_id, client_id=client_id)
        order = await self._adapter.query_order(ref, {}, timeout_ms=self._timeout_ms)
        if order is not None:
            self._observe(order, "query")
        return self.store.order(client_id)

    def observe(self, order: Order) -> None:
        """Take in an order that a stream or a query of the user brought."""
        if self._ids is not None:
            self._observe(order, "stream")

    def _observe(self, order: Order, source: str) -> None:
        if self._ids is None:
            return
        try:
            self.store.observe(order, source)
        except JournalError as error:
            # a cancel or a query must not fail because the disk is full; the venue's answer stands
            log.error("what became of order %s could not be journaled: %s", order.client_order_id, error)

    def _resolve(self, client_id: str) -> None:
        name = f"resolve {client_id}"
        if name not in self._tasks:
            self._keep(name, runtime.spawn(self._resolver.resolve(client_id), name=f"orders: {name}"))

    def _keep(self, name: str, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._forget(name, done))
        return task

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled():
            # told to the caller by the shield; read here so that a caller who left causes no warning
            task.exception()

    async def close(self) -> None:
        """Let submissions end, stop looking into unknown orders (the next start does), close the journal.

        A request that is under way is waited for, so that its outcome is journaled; an order that is journaled as
        unknown already is not.
        """
        self._closing = True
        for name, task in list(self._tasks.items()):
            client_id = name.removeprefix("submit ")
            if client_id != name and "unknown" in self.store.facts(client_id).marks:
                task.cancel()
        submissions = [task for name, task in self._tasks.items() if name.startswith("submit ")]
        if submissions:
            await asyncio.wait(submissions)
        others = [*self._tasks.values(), *([self._ready] if self._ready is not None else [])]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)
        self._journal.close()


def _intent(request: OrderRequest, client_id: str, intent_id: str) -> Intent:
    return Intent(
        client_id=client_id,
        wall_ms=runtime.wall_ms(),
        intent_id=intent_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        amount=request.amount,
        price=request.price,
        cost=request.cost,
        stop_price=request.stop_price,
        time_in_force=request.time_in_force,
        post_only=request.post_only,
        replaces=request.replaces,
        params=dict(request.params),
    )
