"""`OrderManager`: the only way to send an order.

    place:  check -> READY -> INTENT journaled -> budget, signature -> SENDING journaled -> bytes leave -> answer -> journaled

From the journal on the submission is a task of its own: cancelling the caller does not cancel it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

import planar.runtime as runtime
from planar.adapters.base import Adapter, OrderRef, OrderRequest
from planar.errors import InvalidOrder, JournalError, Outcome, PlanarError
from planar.models import Fill, Order, OrderState
from planar.orders import points
from planar.orders.cancelling import Canceller
from planar.orders.differences import Policy, Reason, Reconciliation
from planar.orders.events import ByHand, Intent
from planar.orders.funds import Funds
from planar.orders.handle import OrderHandle
from planar.orders.ids import ClientIds
from planar.orders.journal import Durability, Journal
from planar.orders.limits import OrderLimits
from planar.orders.readiness import Readiness
from planar.orders.reconciler import Reconciler
from planar.orders.resolver import Resolver
from planar.orders.store import OrderStore
from planar.orders.submission import Submitter
from planar.orders.tasks import Tasks
from planar.transport.alarms import Alarms
from planar.transport.writes import concerning

NOTHING: Mapping[str, Any] = {}

NO_ORDER = (OrderState.REJECTED, OrderState.NEVER_ACCEPTED)
"""States that prove that nothing of a wish stands or stood in the venue's book."""

DECIDABLE = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.NEVER_ACCEPTED)
"""What a person may decide an unknown order to be."""


class OrderManager:
    """The orders of one account: journal, machines, submission, resolver, reconciliation."""

    def __init__(
        self,
        adapter: Adapter,
        journal_path: Path,
        timeout_ms: int,
        alarms: Alarms | None = None,
        account: str = "",
        policy: Policy = "report",
        durability: Durability = "process",
    ) -> None:
        self._adapter = adapter
        self._timeout_ms = timeout_ms
        self.gate: OrderLimits | None = None
        self._journal = Journal(journal_path, durability)
        self._ids: ClientIds | None = None
        self._tasks = Tasks()
        self.store = OrderStore(self._journal)
        profile = adapter.profile
        self.funds = Funds(adapter.id, self.store, fees_on_top=profile.fees_on_top, settle_ms=profile.expiry.settle_ms)
        self._resolver = Resolver(adapter, self.store, timeout_ms, alarms or Alarms(), account)
        self._canceller = Canceller(adapter, self.store, timeout_ms)
        self.reconciler = Reconciler(
            adapter,
            self.store,
            self._canceller,
            timeout_ms,
            alarms or Alarms(),
            account=account,
            policy=policy,
            submitting=lambda client_id: self._tasks.running(f"submit {client_id}"),
        )
        self.readiness = Readiness(self._pass, lambda: bool(self.store.unfinished()))
        self._submitter = Submitter(
            adapter,
            self.store,
            self._tasks,
            timeout_ms,
            handle=lambda client_id: OrderHandle(self, client_id),
            resolve=self._resolve,
            refresh=self.refresh,
        )

    @property
    def is_open(self) -> bool:
        """Whether the journal is open, so that `store` holds its orders."""
        return self._ids is not None

    # -- readiness -------------------------------------------------------------------------------------------------
    async def ready(self, limit_s: float | None = None) -> None:
        """Wait until new orders may be sent; see `Readiness.ready`.

        Raises:
            JournalLocked, JournalError: the journal is not to be had.
            PlanarError: the venue could not be asked.
        """
        await self.readiness.ready(limit_s)

    async def _pass(self, reason: Reason, policy: Policy | None) -> tuple[Reconciliation, PlanarError | None]:
        found, error = await self.reconciler.run(self._open(), reason, policy)
        for client_id in found.unknown:
            self._resolve(client_id)
        return found, error

    def _open(self) -> ClientIds:
        if self._ids is None:
            self._journal.open()
            try:
                self.store.replay()
            except JournalError:
                self._journal.close()
                raise
            self._ids = ClientIds(self._adapter.profile.client_id, self._journal.id)
            self._journal.number_beyond(max(map(self._ids.number_of, self.store.names()), default=0))
        return self._ids

    async def preview_reconciliation(self, policy: Policy | None) -> Reconciliation:
        """What a reconciliation would find and do; see `Reconciler.preview`."""
        return await self.reconciler.preview(Journal(self._journal.path), policy)

    # -- placing ---------------------------------------------------------------------------------------------------
    async def place(
        self, request: OrderRequest, *, intent_id: str = "", timeout_ms: int | None = None, limited: bool = True
    ) -> OrderHandle:
        """Send one order, at most once in its life; `request.client_id` is given here.

        Args:
            request: complete and checked, without a client id.
            intent_id: the user's name for this wish; asked again with an equal one, the same order is returned. If it
                is certain that there is none (not sent, refused, never accepted), the wish is sent anew.
            limited: the account's limits hold for it; False for what closes positions in an emergency.

        Raises:
            LimitExceeded: a limit of the settings.
            OrderUnknown: the venue may have it. Its `order` can be waited for; nothing is to be sent again.
            PlanarError: otherwise, with outcome NOT_SENT or REFUSED: the order does not exist.
        """
        points.reached(points.CREATE_CALLED)
        limit_ms, asked_s = timeout_ms or self._timeout_ms, runtime.monotonic()
        await self.ready(limit_ms / 1000)
        timeout_ms = max(1, limit_ms - int((runtime.monotonic() - asked_s) * 1000))  # holding back is part of the call
        gate = self.gate if limited else None
        sight = await gate.look(request) if gate is not None else None
        known = self.store.by_intent(intent_id) if intent_id else None
        if known is not None and self.store.state(known) not in NO_ORDER:
            return OrderHandle(self, known)
        if gate is not None and sight is not None:
            gate.admit(request, sight)
        self.funds.admit(request)  # nothing else runs until the order is in the journal
        assert self._ids is not None
        client_id = self._ids.make(self._journal.next_number())
        self.store.record(_intent(request, client_id, intent_id))
        points.reached(points.INTENT_JOURNALED)
        self.readiness.keep_time()
        request = msgspec.structs.replace(request, client_id=client_id)
        with concerning(client_id, intent_id):
            submission = self._tasks.start(f"submit {client_id}", self._submitter.submit(request, timeout_ms))
        # the caller may leave; the order's own task goes on
        await asyncio.shield(submission)
        return OrderHandle(self, client_id)

    # -- cancelling and deciding --------------------------------------------------------------------------------------
    async def cancel(
        self, ref: OrderRef, *, params: Mapping[str, Any] = NOTHING, timeout_ms: int | None = None
    ) -> Order:
        """Cancel an order by its id or ours; see `Canceller.cancel`."""
        return await self._canceller.cancel(ref, params=params, timeout_ms=timeout_ms)

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
            self.store.observe_quietly(order, "query")
        return self.store.order(client_id)

    def observe(self, order: Order) -> None:
        """Take in an order that a stream or a query of the user brought."""
        if self._ids is not None:
            self.store.observe_quietly(order, "stream")

    def observe_fill(self, fill: Fill) -> None:
        """Take in an execution that a stream or a query of the user brought."""
        if self._ids is not None:
            self.store.observe_fill(fill)

    def _resolve(self, client_id: str) -> None:
        name = f"resolve {client_id}"
        if not self._tasks.running(name):
            self._tasks.start(name, self._resolver.resolve(client_id))

    async def close(self) -> None:
        """Let submissions end, stop looking into unknown orders (the next start does), close the journal."""
        await self._submitter.close()
        await self.readiness.close()
        await self._tasks.end()
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
