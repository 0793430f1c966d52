"""Changing orders in place: journaled before it is sent, sent once, and known from the venue's evidence alone.

    check -> AMENDING journaled -> SENDING journaled -> bytes leave -> answer -> journaled

A change whose answer is lost is UNKNOWN. It ends when the venue shows the order with the new terms, or when it is proven
that the change was not carried out: the order ended with its old terms, or the request's expiry has passed on the venue's
clock and the order was shown twice, `settle_ms` apart, with its old terms. Until then both terms count for the funds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import planar.runtime as runtime
from planar.adapters.base import Adapter, AmendRequest, OrderRef
from planar.errors import InvalidOrder, NotSupported, OrderUnknown, Outcome, PlanarError
from planar.models import Order
from planar.orders import points
from planar.orders.amends import Terms
from planar.orders.events import Absent, Acked, Amending, NotSent, Refused, Sending, Unknown
from planar.orders.handle import OrderHandle
from planar.orders.machine import FINAL, Facts, state_of
from planar.orders.resolver import ALARM_S, FIRST_PAUSE_S, QUERY_MS
from planar.orders.store import OrderStore
from planar.orders.tasks import Tasks
from planar.transport.account_log import account_log
from planar.transport.alarms import Alarms
from planar.transport.writes import concerning

log = account_log("planar.orders")


class Amender:
    """Changes the orders of one account.

    Args:
        handle: makes the handle that is given to whoever has to wait.
        refresh: asks the venue for an order of the journal.
    """

    def __init__(
        self,
        adapter: Adapter,
        store: OrderStore,
        tasks: Tasks,
        timeout_ms: int,
        alarms: Alarms,
        account: str,
        *,
        handle: Callable[[str], OrderHandle],
        refresh: Callable[[str], Awaitable[Order]],
    ) -> None:
        self._adapter = adapter
        self._store = store
        self._tasks = tasks
        self._timeout_ms = timeout_ms
        self._alarms = alarms
        self._account = account
        self._handle = handle
        self._refresh = refresh
        self._closing = False

    def made(self, intent_id: str) -> OrderHandle | None:
        """The order that the change of this name concerns, unless it is certain that the change was not carried out."""
        found = self._store.by_amend_intent(intent_id)
        if found is None:
            return None
        client_id, number = found
        one = next(one for one in self._store.facts(client_id).amends if one.number == number)
        return self._handle(client_id) if one.took_effect or one.unsettled else None

    def request(self, facts: Facts, terms: Terms, params: Mapping[str, Any]) -> AmendRequest:
        """What is to be sent for an order of the journal to have these terms."""
        intent, now = facts.intent, facts.terms
        assert intent is not None
        assert facts.order_id is not None
        assert terms.amount is not None
        return AmendRequest(
            symbol=intent.symbol,
            order_id=facts.order_id,
            client_id=facts.client_id,
            amount=terms.amount,
            price=None if terms.price == now.price else terms.price,
            stop_price=None if terms.stop_price == now.stop_price else terms.stop_price,
            params=params,
        )

    def check_free(self, facts: Facts) -> None:
        """Refuse a second change while nobody knows what became of the first.

        Raises:
            InvalidOrder: (NOT_SENT).
        """
        if facts.unsettled:
            raise InvalidOrder(
                f"nobody knows yet whether the last change of order {facts.client_id} took effect",
                exchange=self._adapter.id,
                outcome=Outcome.NOT_SENT,
                hint="await order.resolved(); it is being looked into",
            )

    async def amend(
        self, client_id: str, terms: Terms, *, params: Mapping[str, Any], intent_id: str, timeout_ms: int
    ) -> OrderHandle:
        """Change an order of the journal, checked, in place. The caller may leave; the change's own task goes on.

        Raises:
            OrderUnknown: the venue may have changed it; `await error.order.resolved()`.
            PlanarError: otherwise, with outcome NOT_SENT or REFUSED: the order is as it was.
        """
        facts = self._store.facts(client_id)
        self.check_free(facts)
        request = self.request(facts, terms, params)
        number = max((one.number for one in facts.amends), default=0) + 1
        self._store.record(
            Amending(
                client_id=client_id,
                wall_ms=runtime.wall_ms(),
                number=number,
                amount=terms.amount,
                price=terms.price,
                stop_price=terms.stop_price,
                intent_id=intent_id,
            )
        )
        points.reached(points.AMEND_JOURNALED)
        with concerning(client_id, intent_id):
            task = self._tasks.start(f"amend {client_id}", self._send(request, number, timeout_ms))
        await asyncio.shield(task)
        return self._handle(client_id)

    # -- sending ---------------------------------------------------------------------------------------------------
    async def _send(self, request: AmendRequest, number: int, timeout_ms: int) -> None:
        client_id, started = request.client_id, runtime.monotonic()
        try:
            shown = await self._adapter.amend(
                request, timeout_ms=timeout_ms, on_send=lambda: self._journal_sending(client_id, number)
            )
        except PlanarError as error:
            await self._failed(client_id, number, error, timeout_ms / 1000 - (runtime.monotonic() - started))
            return
        points.reached(points.AMEND_ANSWERED)
        self._store.keep(Acked(client_id=client_id, wall_ms=runtime.wall_ms(), action="amend", number=number))
        points.reached(points.AMEND_KEPT)
        if shown is not None:
            self._store.observe_quietly(shown, "amend")

    def _journal_sending(self, client_id: str, number: int) -> Awaitable[None] | None:
        expiry_ms = self._adapter.expiry_ms(client_id)
        now_ms = runtime.wall_ms()
        self._store.record(
            Sending(client_id=client_id, wall_ms=now_ms, action="amend", expiry_ms=expiry_ms, number=number)
        )
        points.reached(points.AMEND_SENDING)
        return self._store.journal.durable()

    async def _failed(self, client_id: str, number: int, error: PlanarError, left_s: float) -> None:
        """Journal what the error means; an unknown outcome is looked into for what is left of the deadline."""
        now_ms, reason = runtime.wall_ms(), f"{type(error).__name__}: {error.message}"
        if error.outcome is Outcome.NOT_SENT:
            self._store.keep(NotSent(client_id=client_id, wall_ms=now_ms, action="amend", number=number, reason=reason))
            raise error
        if error.outcome is Outcome.REFUSED:
            self._store.keep(
                Refused(
                    client_id=client_id, wall_ms=now_ms, action="amend", number=number, code=error.code, reason=reason
                )
            )
            # it may have been refused since the order has ended
            self._tasks.start(f"refresh {client_id}", self._refresh_quietly(client_id))
            raise error
        log.warning("nobody knows whether order %s was changed, it is being looked into: %s", client_id, reason)
        self._store.keep(Unknown(client_id=client_id, wall_ms=now_ms, action="amend", number=number, reason=reason))
        self.settle(client_id)
        handle = self._handle(client_id)
        if left_s > 0 and await self._settled_within(handle, left_s):
            one = next(one for one in self._store.facts(client_id).amends if one.number == number)
            if one.took_effect:
                return
            error.outcome = Outcome.REFUSED
            error.message += " (the venue shows the order as it was, and the request can no longer be carried out)"
            raise error
        unknown = OrderUnknown(
            f"the venue may have changed order {client_id}: {error.message}",
            exchange=self._adapter.id,
            client_id=client_id,
            order=handle,
            hint="do not send it again; wait for `await error.order.resolved()`, it is being looked into",
        )
        unknown.requests = error.requests
        raise unknown from error

    async def _settled_within(self, handle: OrderHandle, left_s: float) -> bool:
        try:
            await handle.resolved(left_s)
        except OrderUnknown:
            return False
        except asyncio.CancelledError:
            if not self._closing:
                raise
            return False
        return True

    async def _refresh_quietly(self, client_id: str) -> None:
        try:
            await self._refresh(client_id)
        except PlanarError as error:
            log.info("order %s could not be looked up after its change was refused: %s", client_id, error)

    # -- settling --------------------------------------------------------------------------------------------------
    def end_unsent(self) -> None:
        """At the start: a change that was wished and never sent was not sent."""
        for client_id in self._store.unsettled():
            for one in self._store.facts(client_id).amends:
                if one.unsettled and "sending" not in one.marks:
                    reason, now_ms = "the process ended before sending", runtime.wall_ms()
                    self._store.keep(
                        NotSent(client_id=client_id, wall_ms=now_ms, action="amend", number=one.number, reason=reason)
                    )

    def settle_all(self) -> None:
        """Look into each change of which nobody knows, unless its own task waits for the answer."""
        for client_id in self._store.unsettled():
            if not self._tasks.running(f"amend {client_id}"):
                self.settle(client_id)

    def settle(self, client_id: str) -> None:
        """Look into an order's change from now on."""
        if not self._tasks.running(f"settle {client_id}"):
            self._tasks.start(f"settle {client_id}", self._settle(client_id))

    async def _settle(self, client_id: str) -> None:
        alarm = asyncio.get_running_loop().call_later(ALARM_S, self._alarm, client_id)
        pause_s = FIRST_PAUSE_S
        try:
            while self._store.facts(client_id).unsettled:
                try:
                    if await self._step(client_id):
                        continue
                except PlanarError as error:
                    log.info("nobody knows yet whether order %s was changed; a query failed: %s", client_id, error)
                    pause_s = max(pause_s, error.retry_after_s or 0.0)
                await runtime.sleep(pause_s * runtime.current().random.uniform(0.8, 1.2))
                pause_s = min(pause_s * 1.6, self._adapter.profile.resolve_pause_s)
        finally:
            alarm.cancel()

    async def _step(self, client_id: str) -> bool:
        """One round. True if something is settled."""
        number = self._store.facts(client_id).unsettled[0]
        if not await self._shows_old(client_id, number):
            return number not in self._store.facts(client_id).unsettled
        one = next(one for one in self._store.facts(client_id).amends if one.number == number)
        if state_of(self._store.facts(client_id)) in FINAL:
            evidence = "the order ended with its old terms"
        elif one.expiry_ms is not None and await self._expired(one.expiry_ms):
            settle_ms = self._adapter.profile.expiry.settle_ms
            await runtime.sleep(settle_ms / 1000)
            if not await self._shows_old(client_id, number):
                return number not in self._store.facts(client_id).unsettled
            evidence = f"shown with its old terms, twice, {settle_ms} ms apart, after the expiry at {one.expiry_ms}"
        else:
            return False
        self._store.record(
            Absent(client_id=client_id, wall_ms=runtime.wall_ms(), action="amend", number=number, evidence=evidence)
        )
        return True

    async def _shows_old(self, client_id: str, number: int) -> bool:
        """Ask for the order; whether it is shown, and not with the terms that the change wished."""
        facts = self._store.facts(client_id)
        assert facts.intent is not None
        ref = OrderRef(facts.intent.symbol, order_id=facts.order_id, client_id=client_id)
        order = await self._adapter.query_order(ref, {}, timeout_ms=max(self._timeout_ms, QUERY_MS))
        if order is None or order.amount is None:
            return False
        self._store.observe(order, "query")
        return number in self._store.facts(client_id).unsettled

    async def _expired(self, expiry_ms: int) -> bool:
        """Whether the venue's clock says that the request can no longer be carried out."""
        rule = self._adapter.profile.expiry
        if not rule.enforced:
            return False
        try:
            return await self._adapter.fetch_time(timeout_ms=self._timeout_ms) >= expiry_ms + rule.settle_ms
        except NotSupported:
            return False

    def _alarm(self, client_id: str) -> None:
        facts = self._store.facts(client_id)
        if not facts.unsettled or facts.intent is None:
            return
        self._alarms.report(
            "order_unknown",
            "error",
            self._adapter.id,
            f"nobody knows since {ALARM_S:.0f} s whether order {client_id} was changed; it is being looked into",
            account=self._account,
            of=client_id,
            since_ms=runtime.wall_ms(),
            data={"client_id": client_id, "symbol": facts.intent.symbol, "changes": list(facts.unsettled)},
        )

    async def close(self) -> None:
        """Let changes end, so that what became of them is journaled; one that is journaled as unknown is not waited for."""
        self._closing = True
        under_way = self._tasks.of("amend")
        for client_id, task in under_way.items():
            facts = self._store.facts(client_id)
            if any("unknown" in one.marks for one in facts.amends if one.unsettled):
                task.cancel()
        if under_way:
            await asyncio.wait(list(under_way.values()))
